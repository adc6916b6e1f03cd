"""What 'this region', 'all segments' or a bare level of a report's sentence mean: places of the sentences before."""

from __future__ import annotations

import re

from .wording_levels import at_levels
from .wording_marks import Mark
from .wording_reading import Draft, Reading, place_of
from .wording_scope import Scope

_THERE = re.compile(
    r"\b(?:this|these|those|the same|the corresponding|the affected|the akinetic) (?:\w+ )?(?:segments?|walls?|regions?|areas?|territor(?:y|ies)|zones?)\b|\bhere\b",
    re.I,
)


def remember_places(marks: list[Mark], reading: Reading, number: int) -> None:
    """'Akinesia of the inferior wall': where a finding that is no LGE is, in case the next sentence says 'this region'."""
    kinds = {m.kind for m in marks}
    if {"topic", "place"} <= kinds and not kinds & {"neg", "negpost", "organ", "term", "layer"}:
        places = [place_of(m) for m in marks if m.kind == "place"]
        levels = tuple(level for p in places if p.only_levels for level in p.levels)
        walls = [
            at_levels(p.segments, levels) for p in places if not p.only_levels
        ]  # "the inferior wall is thin at mid level"
        reading.seen_at = (number, frozenset[int]().union(*(walls or (p.segments for p in places))))


def seen_there(reading: Reading, number: int, text: str) -> frozenset[int]:
    """The segments that 'this region' means in a sentence after one on another finding: 'These segments have scar'."""
    seen, segments = reading.seen_at
    last = reading.drafts[-1].sentence if reading.drafts else -9
    return segments if last < seen and number - 2 <= seen <= number and _THERE.search(text) else frozenset()


def with_there(marks: list[Mark], reading: Reading, number: int, text: str) -> list[Mark]:
    """'Transmural scar in this segment and mid-wall scar of the septum': 'this segment' as a place among others."""
    at = next((k for k, m in enumerate(marks) if m.kind == "coref" and m.words.lower() in ("this", "these")), None)
    segments = seen_there(reading, number, text) if at is not None else frozenset()
    if not segments or not any(m.kind == "term" for m in marks):
        return marks
    return [m._replace(kind="numbers", value=tuple(sorted(segments))) if k == at else m for k, m in enumerate(marks)]


def refer_back(draft: Draft, marks: list[Mark], walk: Scope, reading: Reading) -> None:
    """Places of a new lesion that mean those of the lesion before: all its segments, or levels of its wall."""
    last = next((d for d in reversed(reading.drafts) if d.sentence < draft.sentence), None)
    if last is None or last.sentence < draft.sentence - 1 or walk.strong or not last.segments:
        return
    places = [(place_of(i), i.minus) for i in walk.items if i.kind == "place" and (i.positive or i.minus)]
    named = [place for place, minus in places if not minus]
    if named and marks[0].kind == "coref" and all(p.kind == "whole" and not p.levels for p in named):
        excepted = {s for place, minus in places if minus for s in place.segments}
        last.segments = last.segments - excepted or last.segments  # "This is < 50 % in all segments but the apex"
        draft.segments = set()
    elif named and all(p.kind == "level" for p in named) and last.vague and last.layer is None and draft.layer:
        levels = tuple(v for p in named for v in p.levels if p.segments & draft.segments)
        draft.segments = (
            set(at_levels(frozenset(last.segments), levels)) or draft.segments
        )  # "Basal transmural, mid 50 %"
