"""What a colon's head gives to what follows it: its wall or level, 'Mid: septal LGE', 'Inferior infarct: basal 50 %'."""

from __future__ import annotations

from .wording_levels import Place, at_levels, restricted
from .wording_lexicon import LEVEL_SEGMENTS
from .wording_marks import Mark

_HEADS_WALL = frozenset(
    {"place", "term", "assert", "plus", "topic", "open", "vessel", "close", "lv"}
)  # before its colon


def leading_place(marks: list[Mark]) -> Mark | None:
    """'Anterior: ...', 'Inferior infarct: ...', 'Mid: ...' at the start: the wall or level of what follows it."""
    colon = next((k for k, m in enumerate(marks[:8]) if m.kind == "colon"), 0)
    heads = [m for m in marks[:colon] if m.kind == "place"]
    if len(heads) != 1 or not {m.kind for m in marks[:colon]} <= _HEADS_WALL:
        return None
    marks = [*heads, *marks[colon:]]
    if marks[0].value.kind == "apex" and [m.kind for m in marks[2:3]] == ["place"] and marks[2].value.kind == "wall":
        place = Place(frozenset(LEVEL_SEGMENTS["apical"]), ("apical",), True, False, "level")
        return marks[0]._replace(value=place)  # "Apex: septal midwall"
    return marks[0] if marks[0].value.kind == "wall" or marks[0].value.only_levels else None


def _heads_answer(marks: list[Mark]) -> bool:
    """'apical LGE: ...', '..., apex: ...'."""
    kinds = [m.kind for m in marks[:3]]
    return kinds == ["place", "term", "colon"] or kinds[:2] == ["place", "colon"]


def under_place(marks: list[Mark], lead: Mark) -> list[Mark]:
    """The marks with levels restricted to the wall, or walls to the level, that leads the sentence."""
    own = next((k for k, m in enumerate(marks) if m.start != lead.start and _heads_answer(marks[k:])), len(marks))
    if own < len(marks):
        return [*under_place(marks[:own], lead), *marks[own:]]  # "septal LGE: none, apical LGE: yes"
    result = []
    for mark in marks:
        if mark.kind == "place" and lead.value.only_levels and not mark.value.levels:
            mark = mark._replace(value=restricted(mark.value, lead.value.levels))
        elif mark.kind == "place" and mark.value.only_levels and not lead.value.only_levels:
            place = Place(at_levels(lead.value.segments, mark.value.levels), mark.value.levels, False, True)
            mark = mark._replace(value=place)
        result.append(mark)
    if any(m.kind == "place" and m is not lead for m in result):
        result = [m for m in result if m.start != lead.start]
    return result


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
