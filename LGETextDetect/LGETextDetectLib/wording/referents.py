"""What 'this region', 'all segments' or a bare level of a report's sentence mean: places of the sentences before."""

from __future__ import annotations

import re

from .levels import Place, at_levels
from .marks import Mark
from .reading import Draft, Reading, place_of
from .scope import Scope

_THERE = re.compile(
    r"\b(?:this|these|those|the same|same|the corresponding|the affected|the akinetic) (?:\w+ )?(?:segments?|walls?|regions?|areas?|territor(?:y|ies)|zones?)\b|\bhere\b|(?<=\S )there\b",
    re.I,
)
_ONLY = re.compile(r"\b(?:only|solely|exclusively)\b|\bfrom\s(?:the\s)?(?:bas|mid|apex)", re.I)


def with_same_levels(marks: list[Mark], reading: Reading) -> list[Mark]:
    """'... in the lateral wall at the same level': the levels that were named last."""
    at = next((k for k, m in enumerate(marks) if m.kind == "coref" and m.words.lower() == "same"), len(marks))
    after = marks[at + 1 : at + 2]
    if not after or after[0].kind != "segword" or not after[0].words.lower().startswith("level"):
        return marks
    levels = tuple(dict.fromkeys(v for m in marks[:at] if m.kind == "level" for v in m.value)) or reading.last_levels
    level = Mark("level", levels, marks[at].start, after[0].end, "level")
    return [*marks[:at], level, *marks[at + 2 :]] if levels else marks


def remember_places(marks: list[Mark], reading: Reading, number: int, heading: str) -> None:
    """'Akinesia of the inferior wall': where a finding that is no LGE is, in case the next sentence says 'this region'."""
    named = [m.value.levels for m in marks if m.kind == "place" and m.value.levels]
    reading.last_levels = named[-1] if named else reading.last_levels
    kinds = {m.kind for m in marks} | ({"topic"} if re.search("rwma|motion|cine|perfusion", heading) else set())
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
    at = next(
        (k for k, m in enumerate(marks) if m.words.lower() in ("this", "these") or (k and m.words == "there")), None
    )
    segments = seen_there(reading, number, text) if at is not None else frozenset()
    if not segments or not any(m.kind == "term" for m in marks):
        return marks
    return [m._replace(kind="numbers", value=tuple(sorted(segments))) if k == at else m for k, m in enumerate(marks)]


def refer_back(draft: Draft, marks: list[Mark], walk: Scope, earlier: list[Draft], text: str) -> None:
    """Places of a new lesion that mean those of the lesion before: all its segments, or levels of its walls."""
    _part_of_last(draft, walk, earlier)
    again = any(m.kind == "coref" for m in marks)  # of this sentence only what says 'it'
    last = next((d for d in reversed(earlier) if d.segments and (again or d.sentence < draft.sentence)), None)
    if last is None or last.sentence < draft.sentence - 1 or walk.strong:
        return
    places = [(place_of(i), i.minus) for i in walk.items if i.kind == "place" and (i.positive or i.minus)]
    named = [place for place, minus in places if not minus]
    if named and marks[0].kind == "coref" and all(p.kind == "whole" and not p.levels for p in named):
        excepted = {s for place, minus in places if minus for s in place.segments}
        last.segments = last.segments - excepted or last.segments  # "This is < 50 % in all segments but the apex"
        draft.segments = set()
    elif any(p.kind == "level" for p in named) and all(p.kind in ("level", "apex") for p in named) and last.walls:
        meant = {s for p in named if p.segments & draft.segments for wall in last.walls for s in _at(wall, p)}
        if meant and confines(marks, "" if last.sentence == draft.sentence else text):
            last.segments, draft.segments = meant & last.segments or meant, set()
        elif meant and (draft.layer or draft.transmurality):  # "Basal transmural, mid 50 %"
            draft.segments = meant
            if last.layer is not None or not last.vague:
                last.segments = last.segments - meant or last.segments


def _part_of_last(draft: Draft, walk: Scope, earlier: list[Draft]) -> None:
    """'Lateral epicardial LGE, but transmural in segment 11': a part of the lesion before has another layer."""
    last = earlier[-1] if earlier else None
    if last is None or walk.strong or last.sentence != draft.sentence or not last.layer or not draft.layer:
        return
    if draft.layer != last.layer and draft.segments < last.segments:
        last.segments = last.segments - draft.segments


def _at(wall: frozenset[int], level: Place) -> frozenset[int]:
    """The wall at a level, or at the apex, that was named."""
    return (
        at_levels(wall, ("apical",)) | (wall & level.segments)
        if level.kind == "apex"
        else at_levels(wall, level.levels)
    )


def confines(marks: list[Mark], text: str) -> bool:
    """'It is limited to the basal third', 'Only the mid segments are involved': no other level is."""
    if any(m.kind in ("viab", "negpost") for m in marks):
        return False  # "Of these only the basal segment is viable"
    said = any(m.kind == "assert" and m.words.lower() in ("confined", "limited") for m in marks)
    return said or bool(_ONLY.search(text))
