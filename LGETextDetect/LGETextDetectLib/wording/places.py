"""Marks of one clause to places: levels x walls, AHA numbers, territories, insertion points -> sets of AHA segments."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .levels import Place, at_levels, combine
from .lexicon import ALL_WALLS, INSERTION_POINTS, LEVEL_SEGMENTS, WALLS
from .marks import Mark

_ORDER = ("basal", "mid", "apical")
_PLACE_KINDS = frozenset({"level", "wall", "apex", "numbers", "territory", "rvip"})
_GLUE_KINDS = frozenset({"sep", "segword", "all", "lv"})
_MAX_GAP = 2  # unknown words that may stand inside one place ("the neighbouring basal inferior segment")


@dataclass
class _Atom:
    kind: str
    segments: tuple[int, ...]
    levels: tuple[str, ...]
    sep: str | None  # what stands before it in the run: None, ',', 'and', 'to'
    start: int
    end: int
    sure: bool
    words: str
    noun: bool = False


def with_places(marks: list[Mark]) -> list[Mark]:
    """The clause's marks with every run of place words replaced by 'place' marks that hold a Place."""
    result: list[Mark] = []
    at = 0
    while at < len(marks):
        end = _run_end(marks, at)
        if end > at:
            result += _read_run(marks[at:end])
            at = end
        else:
            result.append(marks[at])
            at += 1
    return combine(result)


def _run_end(marks: list[Mark], at: int) -> int:
    """End of the run of place marks starting here; ``at`` when none starts."""
    if marks[at].kind not in _PLACE_KINDS and not (
        marks[at].kind == "all"
        and at + 1 < len(marks)
        and marks[at + 1].kind in _PLACE_KINDS
        and marks[at + 1].start - marks[at].end <= 1
    ):
        return at
    end = at + 1
    last = end
    while end < len(marks) and marks[end].start - marks[end - 1].end <= _MAX_GAP:
        kind = marks[end].kind
        if kind in _PLACE_KINDS:
            last = end + 1
        elif kind not in _GLUE_KINDS and not (
            kind in ("open", "close")
            and end + 1 < len(marks)
            and marks[end + 1].kind in (*_PLACE_KINDS, "all", "sep", "close")
        ):
            break
        end += 1
    while last < len(marks) and marks[last].kind == "segword" and marks[last].start - marks[last - 1].end <= 1:
        last += 1
    return last


def _read_run(run: list[Mark]) -> list[Mark]:
    groups = _grouped(_qualified(_atoms(run)))
    places: list[Mark] = []
    used: set[int] = set()
    for k, group in enumerate(groups):
        if k in used:
            continue
        first = group[0]
        if first.kind == "level":
            follows = groups[k + 1] if k + 1 < len(groups) else None
            if follows and follows[0].kind in ("wall", "rvip", "territory") and _at_level(first, follows[0]):
                apex = _goes_to_apex(groups, k)
                if apex:  # "from the mid anterior wall (and mid septum) to the apex"
                    used |= {apex} if apex == k + 2 else set()
                    first.levels = _filled(first.levels, ("apical",))
                if _is_range(groups[k : k + 4]):  # "basal septum to apical septum"
                    first.levels = _filled(first.levels, groups[k + 2][0].levels)
                    used |= {k + 2, k + 3}
                own = _own_level(groups[k + 2 : k + 4], follows)
                walls = follows[:-1] if own else follows
                places += _levelled(walls, first, first.start)
                places += _levelled(follows[-1:], own, follows[-1].start, own.end) if own else []
                used |= {k + 1, k + 2} if own else {k + 1}
            else:
                segments = frozenset(s for level in first.levels for s in LEVEL_SEGMENTS[level])
                sure = first.sure or first.sep == "and"
                place = Place(segments, first.levels, True, sure, "level", sep=first.sep)
                places.append(_mark(first, group[-1], place))
        elif first.kind in ("wall", "rvip", "territory"):
            follows = groups[k + 1] if k + 1 < len(groups) else None
            after = groups[k + 2] if k + 2 < len(groups) else None
            free = (
                follows is not None
                and follows[0].kind == "level"
                and not (after and after[0].kind in ("wall", "rvip", "territory") and after[0].sep is None)
            )
            if free and follows and not follows[0].sure and follows[0].sep != "and":
                places += _levelled(group, follows[0], first.start, follows[-1].end)
                used.add(k + 1)
            else:
                places += _levelled(group, None, first.start)
        elif first.kind == "numbers":
            places.append(_mark(first, first, Place(frozenset(first.segments), (), False, True, "numbers")))
        else:
            place = Place(frozenset(first.segments), (), False, True, "apex", sep=first.sep)
            places.append(_mark(first, first, place))
    return _numbers_win(places, run)


def _goes_to_apex(groups: list[list[_Atom]], at: int) -> int:
    """Where 'to the apex' stands behind a level and its wall, and others at that level; 0 when it doesn't."""
    levels = groups[at][0].levels
    while groups[at + 2 : at + 3] and groups[at + 2][0].kind == "level" and groups[at + 2][0].sep == "and":
        at += 2
        if groups[at][0].levels != levels or not groups[at + 1 : at + 2] or groups[at + 1][0].kind != "wall":
            return 0
    after = groups[at + 2 : at + 3]
    ranged = after and after[0][0].kind == "apex" and after[0][0].sep == "to"
    return at + 2 if ranged and not re.search("cap|true", after[0][0].words) else 0


def _is_range(groups: list[list[_Atom]]) -> bool:
    """Whether one wall at a level is followed by 'to' and the same wall at another."""
    if len(groups) < 4 or groups[2][0].kind != "level" or groups[2][0].sep != "to":
        return False
    return [set(a.segments) for a in groups[1]] == [set(a.segments) for a in groups[3]] and groups[3][0].sep is None


def _own_level(after: list[list[_Atom]], walls: list[_Atom]) -> _Atom | None:
    """The level behind the last of some walls that belongs to it alone: 'inferobasal and inferoseptal basal'."""
    if len(walls) < 2 or not after or after[0][0].kind != "level" or after[0][0].sep is not None or after[0][0].sure:
        return None
    taken = len(after) > 1 and after[1][0].kind in ("wall", "rvip", "territory") and after[1][0].sep is None
    return None if taken else after[0][0]


def _at_level(level: _Atom, wall: _Atom) -> bool:
    """Whether a wall belongs to the level before it: 'apical septum', 'at apical level, septum'."""
    return wall.sep is None or (wall.sep == "," and not level.noun and bool(re.search(r"level|^at ", level.words)))


def _atoms(run: list[Mark]) -> list[_Atom]:
    atoms: list[_Atom] = []
    sep: str | None = None
    sure = False
    for mark in run:
        if mark.kind == "sep":
            sep = mark.value if sep is None or mark.value == "to" or sep == "," else sep
        elif mark.kind == "all":
            sure = True
        elif mark.kind == "segword" and atoms:
            atoms[-1].noun = atoms[-1].noun or mark.words.lower().startswith("seg")
        elif mark.kind in ("level", "wall", "apex", "numbers", "territory", "rvip"):
            levels = tuple(mark.value) if mark.kind == "level" else ()
            segments = () if mark.kind == "level" else tuple(mark.value)
            noun = mark.kind == "level" and "seg" in mark.words.lower()
            atoms.append(_Atom(mark.kind, segments, levels, sep, mark.start, mark.end, sure, mark.words, noun))
            sep, sure = None, False
        elif mark.kind in ("open", "close"):
            sep = sep or ","
    return atoms


def _qualified(atoms: list[_Atom]) -> list[_Atom]:
    """'RV insertion points, anterior and inferior': the walls after the comma say which points."""
    result: list[_Atom] = []
    for atom in atoms:
        last = result[-1] if result else None
        if (
            last
            and last.kind == "rvip"
            and atom.kind == "wall"
            and tuple(atom.segments) in (WALLS["anterior"], WALLS["inferior"])
            and (atom.sep in (",", None) or last.noun)
        ):
            which = INSERTION_POINTS["anterior" if tuple(atom.segments) == WALLS["anterior"] else "inferior"]
            last.segments = tuple(sorted({*last.segments, *which})) if last.noun else which
            last.noun, last.end = True, atom.end
        else:
            result.append(atom)
    return result


def _grouped(atoms: list[_Atom]) -> list[list[_Atom]]:
    """Levels merged (ranges filled), walls that share their levels together; everything else alone.

    A wall without words of its own is part of one that names its level ("anteroapical"), which it shares with no other.
    """
    groups: list[list[_Atom]] = []
    for atom in atoms:
        last = groups[-1] if groups else None
        if (
            last
            and last[0].kind == "level"
            and atom.kind == "apex"
            and (atom.sep == "to" or (atom.sep in (",", "and") and set(last[0].levels) == {"basal", "mid"}))
            and "cap" not in atom.words
            and "true" not in atom.words
        ):
            last[0].levels = _filled(last[0].levels, ("apical",))
            last[0].end = atom.end
        elif (
            last
            and last[0].kind == "level"
            and atom.kind == "level"
            and not (last[-1].noun and atom.sep in (",", "and"))
            and not (set(atom.levels) & set(last[0].levels) and atom.sep != "to")
            and not (atom.sure and not last[0].sure and atom.sep is None)
        ):
            merged = (*last[0].levels, *(v for v in atom.levels if v not in last[0].levels))
            last[0].levels = _filled(last[0].levels, atom.levels) if atom.sep == "to" else merged
            last[0].end = atom.end
            last[0].noun = last[0].noun or atom.noun
        elif (
            last
            and atom.kind == "wall"
            and last[0].kind == "apex"
            and atom.sep is None
            and set(atom.segments) == set(ALL_WALLS)
        ):
            groups[-1] = [_Atom("level", (), ("apical",), last[0].sep, last[0].start, atom.end, True, last[0].words)]
        elif last and last[0].kind == "apex" and atom.kind == "level" and atom.sep == "to":  # "apex to base"
            groups[-1] = [atom]
            atom.levels, atom.sep, atom.start = _filled(("apical",), atom.levels), last[0].sep, last[0].start
        elif last and last[-1].kind in ("wall", "territory") and atom.kind == last[-1].kind and last[-1].words:
            last.append(atom)
        else:
            groups.append([atom])
    return groups


def _filled(low: tuple[str, ...], high: tuple[str, ...]) -> tuple[str, ...]:
    places = [_ORDER.index(level) for level in (*low, *high)]
    return _ORDER[min(places) : max(places) + 1]


def _levelled(group: list[_Atom], level: _Atom | None, start: int, end: int | None = None) -> list[Mark]:
    """The walls of a group at the level that stands before or behind them."""
    levels = level.levels if level else ()
    first = level if level and level.start < group[0].start else group[0]
    marks = []
    for k, atom in enumerate(group):
        kind = {"rvip": "rvip", "territory": "territory"}.get(
            atom.kind, "whole" if set(atom.segments) >= set(ALL_WALLS) else "wall"
        )
        segments = at_levels(frozenset(atom.segments), levels)
        sep = (atom if k else first).sep
        place = Place(segments, levels, False, bool(levels), kind, frozenset(atom.segments), sep)
        marks.append(
            Mark(
                "place",
                place,
                start if k == 0 else atom.start,
                (end if end and k == len(group) - 1 else atom.end),
                atom.words,
            )
        )
    return marks


def _mark(first: _Atom, last: _Atom, place: Place) -> Mark:
    return Mark("place", place, first.start, last.end, first.words)


def _numbers_win(places: list[Mark], run: list[Mark]) -> list[Mark]:
    """Walls named beside their numbers ("lateral wall (segments 5, 6 and 11)") give way to the numbers."""
    result: list[Mark] = []
    separators = {m.start for m in run if m.kind == "sep"}
    for place in places:
        beside = bool(result) and not any(result[-1].end <= s < place.start for s in separators)
        if place.value.kind == "numbers" and beside and result[-1].value.kind not in ("numbers",):
            start = result[-1].start
            point = result[-1].value.kind == "rvip" and place.value.segments <= set(INSERTION_POINTS["both"])
            while (
                result
                and result[-1].value.kind != "numbers"
                and place.value.segments <= _near(result[-1].value, place.value) | place.value.segments
                and (result[-1].value.segments & place.value.segments or result[-1].value.only_levels)
            ):
                start = result.pop().start
            exact = (
                replace(place.value, kind="rvip") if point else place.value
            )  # "inferior insertion point (segment 9)"
            result.append(place._replace(start=start, value=exact))
        elif (
            place.value.kind != "numbers"
            and beside
            and result[-1].value.kind == "numbers"
            and place.value.kind != "apex"
            and place.value.segments & result[-1].value.segments
        ):
            continue
        else:
            result.append(place)
    return result


def _near(place: Place, other: Place) -> frozenset[int]:
    return place.segments | other.segments
