"""What a colon's head gives to what follows it: its wall or level, 'Mid: septal LGE', 'Inferior infarct: basal 50 %'."""

from __future__ import annotations

import re

from .levels import Place, at_levels, restricted
from .lexicon import LEVEL_SEGMENTS
from .marks import Mark
from .reading import STRONG

_HEADS_WALL = frozenset(
    {"place", "term", "assert", "plus", "topic", "open", "vessel", "close", "lv", "thick", "segword", "explain", "vote"}
)  # before its colon


def leading_places(marks: list[Mark]) -> list[Mark]:
    """'Anterior: ...', 'Inferior infarct: ...', 'Mid: ...', 'Septum and lateral wall: ...' at the start: the walls, or the level, of what follows."""
    colon = next((k for k, m in enumerate(marks[:8]) if m.kind == "colon"), 0)
    heads = [m for m in marks[:colon] if m.kind == "place"]
    if not heads or not {m.kind for m in marks[:colon]} <= _HEADS_WALL:
        return []
    if len(heads) > 1:
        return heads if all(m.value.kind == "wall" and not m.value.levels for m in heads) else []
    first, after = heads[0], marks[colon + 1 : colon + 2]
    if first.value.kind == "apex" and after and after[0].kind == "place" and after[0].value.kind == "wall":
        place = Place(frozenset(LEVEL_SEGMENTS["apical"]), ("apical",), True, False, "level")
        return [first._replace(value=place)]  # "Apex: septal midwall"
    if first.value.kind == "territory":  # "RCA territory: basal 25 %, mid 50 %"
        behind = [m for m in marks[colon:] if m.kind == "place"]
        return heads if behind and not first.value.levels and all(m.value.only_levels for m in behind) else []
    return heads if first.value.kind == "wall" or first.value.only_levels else []


def _heads_answer(marks: list[Mark]) -> bool:
    """'apical LGE: ...', '..., apex: ...'."""
    kinds = [m.kind for m in marks[:3]]
    return kinds == ["place", "term", "colon"] or kinds[:2] == ["place", "colon"]


def _lacks_place(marks: list[Mark]) -> bool:
    """Whether scar or its layer is named, no place, and nothing is denied."""
    scarred = any(m.kind == "layer" or (m.kind == "term" and m.value in STRONG) for m in marks)
    return scarred and not {m.kind for m in marks} & {"place", "vessel", "neg", "negpost", "organ", "except", "again"}


def under_places(marks: list[Mark], leads: list[Mark]) -> list[Mark]:
    """The marks with levels restricted to the walls, or walls to the level, that lead the sentence."""
    if not leads:
        return marks
    head = range(leads[0].start, leads[-1].end)
    own = next((k for k, m in enumerate(marks) if m.start not in head and _heads_answer(marks[k:])), len(marks))
    if own < len(marks):
        return [*under_places(marks[:own], leads), *marks[own:]]  # "septal LGE: none, apical LGE: yes"
    level = leads[0].value.levels if leads[0].value.only_levels else ()
    places = [m for m in marks if m.kind == "place" and m.start not in head]
    at_apex = not level and all(m.value.only_levels or m.value.kind == "apex" for m in places)
    result = []
    for mark in marks:
        if mark.kind == "place" and level and not mark.value.levels:
            mark = mark._replace(value=restricted(mark.value, level))
        elif mark.kind == "place" and mark.value.only_levels and not level:
            mark = _of_walls(mark, leads, mark.value.levels)
        elif mark in places and at_apex and not re.search("cap|true|tip", mark.words.lower()):
            mark = _of_walls(mark, leads, ("apical",))  # "Anterior wall: scar at the apex"
        result.append(mark)
    if _lacks_place(result) and not level:
        return [*leads, *result]  # "Septum: thinned (LGE 75-100 %)"
    return [m for m in result if m.start not in head] if places else result


def _of_walls(mark: Mark, walls: list[Mark], levels: tuple[str, ...]) -> Mark:
    segments = frozenset[int]().union(*(at_levels(m.value.segments, levels) for m in walls))
    return mark._replace(value=Place(segments, levels, False, True, walls[0].value.kind))


def exact_after_colon(marks: list[Mark]) -> list[Mark]:
    """'Septal LGE: mid-wall, basal anteroseptum': the wall before the colon is only the heading of the one after it."""
    colon = next((k for k, m in enumerate(marks) if m.kind == "colon"), None)
    if colon is None or not any(m.kind == "term" for m in marks[:colon]):
        return marks
    exact = {s for m in marks[colon:] if m.kind == "place" for s in m.value.segments}
    apical = bool(exact) and exact <= set(LEVEL_SEGMENTS["apical"])  # "LGE at the apex: apical anterior and lateral"
    headed = [
        m
        for m in marks[:colon]
        if m.kind == "place" and (m.value.segments & exact or (apical and m.value.kind == "apex"))
    ]
    levels = tuple(dict.fromkeys(level for m in headed for level in m.value.levels))
    result = [m for m in marks if m not in headed]
    if not levels or any(m.kind == "place" and m.value.levels for m in marks[colon:]):
        return result
    walls = [m for m in marks[colon:] if m.kind == "place" and m.value.kind == "wall"]
    return [m._replace(value=restricted(m.value, levels)) if m in walls else m for m in result]
