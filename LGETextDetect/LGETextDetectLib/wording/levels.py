"""Places, and the levels that restrict them where they stand apart: 'the septum is scarred at mid level'."""

from __future__ import annotations

from dataclasses import dataclass

from .lexicon import AT_APEX, INSERTION_POINTS, LEVEL_SEGMENTS, WALLS
from .marks import Mark

_SHORT_NAME = {segments: name for name, segments in WALLS.items()}


@dataclass(frozen=True)
class Place:
    """AHA segments named by marks; what else the text said of them decides how places combine."""

    segments: frozenset[int]
    levels: tuple[str, ...] = ()  # levels named with it
    only_levels: bool = False  # "at mid level": restricts another place of the clause
    sure_levels: bool = False  # "all basal segments": a place of its own
    kind: str = "wall"  # wall, numbers, territory, rvip, whole
    base: frozenset[int] = frozenset()  # the wall's segments before a level restricted it
    sep: str | None = None  # what stands between it and the place before: ",", "and", "to"

    @property
    def apart(self) -> bool:
        """Whether a comma stands before it."""
        return self.sep == ","

    @property
    def joined(self) -> bool:
        """Whether an 'and' does."""
        return self.sep == "and"


def at_levels(segments: frozenset[int], levels: tuple[str, ...]) -> frozenset[int]:
    """A wall's segments at some levels; at apical level the half walls are the whole septal or lateral segment."""
    if not levels:
        return segments
    allowed = {s for level in levels for s in LEVEL_SEGMENTS[level]}
    found = segments & allowed
    if "apical" in levels:
        name = _SHORT_NAME.get(tuple(sorted(segments)))
        found |= set(AT_APEX.get(name or "", ()))
    return frozenset(found)


def restricted(place: Place, levels: tuple[str, ...]) -> Place:
    base = place.base or place.segments
    return Place(at_levels(place.segments, levels), levels, False, True, place.kind, base, place.sep)


def combine(marks: list[Mark]) -> list[Mark]:
    """Levels that stand apart restrict the clause's walls without level; a territory gives way to places it contains."""
    marks = list(marks)
    for k, mark in enumerate(marks):
        if mark.kind != "place" or not mark.value.only_levels:
            continue
        walls = [
            j
            for j in range(k)
            if marks[j].kind == "place"
            and not marks[j].value.sure_levels
            and marks[j].value.kind in ("wall", "whole", "rvip", "territory")
            and not _barrier(marks, j, k)
            and not _has_own_scar(marks, j, k)
        ]
        if _is_of_bulge(marks, k):
            continue  # "anterior infarct with apical aneurysm"
        if walls and k and marks[k - 1].kind == "noreflow":
            marks[k] = mark._replace(kind="used")  # "inferior infarct with MVO in its basal part"
            continue
        if mark.value.sure_levels:
            walls = [j for j in walls if marks[j].value.kind == "whole"]
        later = [
            j
            for j in range(k + 1, min(k + 6, len(marks)))
            if marks[j].kind == "place"
            and not marks[j].value.levels
            and marks[j].value.kind in ("wall", "whole", "rvip", "territory")
        ]
        given = next((j for j in range(k - 1, -1, -1) if marks[j].kind == "place"), None)
        shared = (
            not mark.value.sure_levels
            and given is not None
            and marks[given].value.levels
            and marks[given].value.kind == "wall"
            and "seg" not in mark.words
            and [m.kind for m in marks[k + 1 : k + 2]] != ["topic"]  # "apical aneurysm"
        )
        if (
            shared
            and given is not None
            and not _barrier(marks, given, k)
            and any(m.kind in ("extent", "layer") for m in marks[given:k])
        ):
            bases = _bases_beside(marks, given)
            segments = frozenset[int]().union(*(at_levels(base, mark.value.levels) for base in bases))
            base = frozenset[int]().union(*bases)
            marks[k] = mark._replace(value=Place(segments, mark.value.levels, False, True, "wall", base))
        elif walls:
            for j in walls:
                marks[j] = marks[j]._replace(value=restricted(marks[j].value, mark.value.levels))
            marks[k] = mark._replace(kind="used")
        elif (
            later
            and not mark.value.sure_levels
            and "level" not in mark.words.lower()
            and "seg" not in mark.words.lower()
            and not _barrier(marks, k, later[0])
            and any(m.kind in ("layer", "term") for m in marks[k + 1 : later[0]])
        ):
            for j in later[:1]:
                marks[j] = marks[j]._replace(value=restricted(marks[j].value, mark.value.levels))
            marks[k] = mark._replace(kind="used")
    _name_points(marks)
    return [m for m in marks if m.kind != "used"]


def _bases_beside(marks: list[Mark], last: int) -> list[frozenset[int]]:
    """The walls of a list that ends with a place and shares its levels: 'inferior and inferolateral (transmural basally, ...)'."""
    bases = [marks[last].value.base]
    for k in range(last - 1, -1, -1):
        if marks[k].kind != "place" or marks[k].value.levels != marks[last].value.levels or not marks[k].value.base:
            break
        bases.append(marks[k].value.base)
    return bases


def _name_points(marks: list[Mark]) -> None:
    """'Hinge point LGE (inferior, mid)': a lone anterior or inferior wall after insertion points says which of them."""
    for k, mark in enumerate(marks):
        if mark.kind != "place" or mark.value.kind != "rvip" or mark.value.base != frozenset(INSERTION_POINTS["both"]):
            continue
        later = [j for j in range(k + 1, len(marks)) if marks[j].kind == "place"]
        names = {WALLS["anterior"]: "anterior", WALLS["inferior"]: "inferior"}
        if (
            len(later) != 1
            or _barrier(marks, k, later[0])
            or any(m.kind in ("layer", "plus") or (m.kind == "sep" and m.value == "and") for m in marks[k : later[0]])
        ):
            continue
        wall = marks[later[0]].value
        name = names.get(tuple(sorted(wall.base)))
        if name:
            levels = wall.levels or mark.value.levels
            marks[k] = mark._replace(
                value=Place(at_levels(frozenset(INSERTION_POINTS[name]), levels), levels, False, True, "rvip")
            )
            marks[later[0]] = marks[later[0]]._replace(kind="used")


def _has_own_scar(marks: list[Mark], wall: int, level: int) -> bool:
    """'Septal LGE, apical LGE': whether a level with a finding of its own stands behind the wall's finding and a comma."""
    comma = next((k for k in range(level - 1, wall, -1) if marks[k].kind == "sep" and marks[k].value == ","), wall)
    found = [m for m in marks[level + 1 : level + 2] if m.kind == "term"]
    return bool(found) and any(m.kind == "term" for m in marks[wall:comma])


def _is_of_bulge(marks: list[Mark], level: int) -> bool:
    """Whether a level stands right before an aneurysm, and a scar before both."""
    after = marks[level + 1 : level + 2]
    bulge = bool(after) and after[0].start == marks[level].end and after[0].words.lower().startswith("aneurysm")
    return bulge and any(m.kind == "term" for m in marks[:level])


def _barrier(marks: list[Mark], start: int, end: int) -> bool:
    """Whether what is said between two marks parts them; '... is akinetic with LGE at mid level', '... viable at mid level' do not."""
    between = [m for m in marks[start + 1 : end] if m.words.lower() != "thin"]  # "septal thin line, basal"
    if [(m.kind, m.value) for m in between] == [("negpost", "normal")]:
        return False
    topic = next((k for k in range(len(between) - 1, -1, -1) if between[k].kind == "topic"), None)
    goes_on = (
        topic is not None
        and {m.kind for m in between[topic:]} & {"plus", "sep"}
        and any(m.kind == "term" for m in between[topic:])
    )
    parts = {"neg", "negpost", "except", "spare", "break", "colon", "organ"} | (set() if goes_on else {"topic"})
    return any(m.kind in parts for m in between)
