"""Frames -> stacks: slices of one acquisition, also across series, and the geometry they make; headers only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .dicom_frames import Defect, Frame, plausible_mm
from .series_kind import component, family, stack_kind
from .volume import FloatArray

SAME_PLACE_MM = 0.3  # along the normal; slices are 5 mm and more apart
PARALLEL = 1e-2  # largest difference of direction cosines between slices of one stack
ONE_SERIES_DEG = 20.0  # slices of one series closer than this were meant to be parallel
SPACING_SHARE = 0.01
SHIFT_MM = 0.5  # in-plane deviation from the line through the slices
SHEAR_DEG = 20.0  # between that line and the normal
LONE_SLICE_MM = 8.0  # of one slice whose header gives no thickness
MIN_STACK = 3  # slices from which a series is a stack of its own: fewer are collected across series
GEOMETRY_LOST = ("no-orientation", "bad-orientation", "no-position")


@dataclass(frozen=True)
class Slices:
    """Frames of one acquisition, ordered along their normal; places: different positions among them.

    retaken: images left out because the same slice was taken again later. lost: frames without a usable geometry
    come last.
    """

    frames: tuple[Frame, ...]
    places: int
    repeats: int
    retaken: int = 0


def gather(frames: Iterable[Frame]) -> list[Slices]:
    """All stacks of a folder; the result does not depend on the order of the frames."""
    series: dict[tuple[object, ...], list[Frame]] = defaultdict(list)
    for frame in frames:
        acquisition = (frame.study_date, frame.modality, family(frame), component(frame))
        series[(*acquisition, frame.series_uid)].append(frame)
    families: dict[tuple[object, ...], list[list[Frame]]] = defaultdict(list)
    for key, members in series.items():
        for part in _split_by_orientation(sorted(members, key=_time)):
            families[key[:4]].extend(_passes(part))
    stacks: dict[tuple[object, ...], list[Slices]] = defaultdict(list)
    for (date, modality, _, kind), parts in families.items():
        stacks[date, modality, kind] += _join(parts)
    return sorted(
        (stack for made in stacks.values() for stack in _across_words(made)), key=lambda s: _time(s.frames[0])
    )


def has_geometry(frame: Frame) -> bool:
    """Whether orientation and position can be used."""
    return frame.defect is None or (frame.defect[0] not in GEOMETRY_LOST and _located(frame))


def same_places(one: Slices, other: Slices) -> int:
    """Number of places that two parallel stacks share; 0 when they are not parallel."""
    a, b = _located_frames(one.frames), _located_frames(other.frames)
    if not a or not b or not _parallel(a[0], b[0]):
        return 0
    normal = a[0].normal
    first, second = (_starts(_along(frames, normal)) for frames in (a, b))
    return int((np.abs(first[:, None] - second[None, :]) <= SAME_PLACE_MM).any(1).sum())


def slice_affine(frames: Sequence[Frame]) -> FloatArray:
    """(4, 4) from (slice, row, column, 1) to LPS mm; frames ordered and without :func:`stack_defect`."""
    first, last = frames[0], frames[-1]
    assert first.orientation and first.position and first.spacing and last.position
    affine = np.eye(4)
    step = (np.array(last.position) - np.array(first.position)) / max(len(frames) - 1, 1)
    affine[:3, 0] = step if len(frames) > 1 else first.normal * _lone_mm(first)
    affine[:3, 1] = np.array(first.orientation[3:]) * first.spacing[0]
    affine[:3, 2] = np.array(first.orientation[:3]) * first.spacing[1]
    affine[:3, 3] = first.position
    return affine


def _lone_mm(frame: Frame) -> float:
    return frame.thickness if frame.thickness is not None and plausible_mm(frame.thickness) else LONE_SLICE_MM


def stack_defect(stack: Slices) -> Defect | None:
    """The first rule that the stack breaks as a whole; None for a sound one."""
    frames = stack.frames
    for frame in frames:
        if frame.defect:
            return frame.defect
    if not _one_reference(frames):
        return "no-position", "Slices of one series are told in several frames of reference."
    if stack.repeats > 1:
        return (
            "four-dimensional",
            f"The series holds up to {stack.repeats} images at one place that nothing tells apart.",
        )
    first = frames[0]
    if any(frame.shape != first.shape for frame in frames):
        return "mixed-matrix", "Slices of one stack differ in matrix size."
    assert first.spacing is not None
    if any(not np.allclose(frame.spacing or (), first.spacing, rtol=1e-3) for frame in frames):
        return "mixed-matrix", "Slices of one stack differ in pixel spacing."
    if any(not _parallel(first, frame) for frame in frames):
        return "unequal-spacing", "Slices of one stack are not parallel."
    return _spacing_defect(frames) if len(frames) > 1 else None


def _spacing_defect(frames: Sequence[Frame]) -> Defect | None:
    gaps = np.diff(_along(frames, frames[0].normal))
    usual = float(np.median(gaps))
    if len(gaps) == 2 and gaps.max() > 1.5 * gaps.min():  # no majority: the smaller distance is the true one
        usual = float(gaps.min())
    if np.abs(gaps - usual).max() > SPACING_SHARE * usual:
        widest = float(gaps.max())
        times = widest / usual
        if times > 1.5 and np.abs(gaps / usual - np.round(gaps / usual)).max() < 0.05:
            missing = int(np.round(gaps / usual).sum()) - len(gaps)
            return (
                "missing-slice",
                f"{missing} of {len(frames) + missing} slices missing (a gap of {widest:.1f} mm, else {usual:.1f} mm).",
            )
        return "unequal-spacing", f"Distances between slices vary from {gaps.min():.2f} to {widest:.2f} mm."
    return _shift_defect(frames)


def _shift_defect(frames: Sequence[Frame]) -> Defect | None:
    positions = np.array([frame.position for frame in frames])
    step = (positions[-1] - positions[0]) / (len(frames) - 1)
    off = positions - positions[0] - np.arange(len(frames))[:, None] * step
    if float(np.linalg.norm(off, axis=1).max()) > SHIFT_MM:
        return "shifted-slices", "Slices of one stack are shifted sideways against each other."
    tilt = np.degrees(np.arccos(min(1.0, abs(float(step @ frames[0].normal)) / float(np.linalg.norm(step)))))
    if tilt > SHEAR_DEG:
        return "shifted-slices", f"The slices run at {tilt:.0f} degrees to their normal."
    return None


# --- grouping --------------------------------------------------------------------------------------------------------


def _taken(frame: Frame) -> tuple[object, ...]:
    """When an image was taken, as far as the header tells."""
    return (*frame.acquired, frame.instance)


def _time(frame: Frame) -> tuple[object, ...]:
    return (*_taken(frame), frame.sop_uid, frame.index)


def _located(frame: Frame) -> bool:
    geometry = (*(frame.orientation or (np.nan,)), *(frame.position or (np.nan,)))
    return bool(np.isfinite(geometry).all())


def _located_frames(frames: Sequence[Frame]) -> list[Frame]:
    return [frame for frame in frames if has_geometry(frame)]


def _parallel(one: Frame, other: Frame, tolerance: float = PARALLEL) -> bool:
    return bool(np.abs(np.subtract(one.orientation or (), other.orientation or ())).max() <= tolerance)


def _one_reference(frames: Sequence[Frame]) -> bool:
    """Whether the frames' positions can be compared: no two are told in different frames of reference (PS3.3, C.7.4.1)."""
    return len({frame.frame_of_reference for frame in frames} - {""}) < 2


def _along(frames: Sequence[Frame], normal: FloatArray) -> FloatArray:
    """(n,) mm along the normal."""
    return np.array([frame.position for frame in frames], float) @ normal


def _starts(along: FloatArray) -> FloatArray:
    """Sorted places: values closer than SAME_PLACE_MM to the first of a run are one place."""
    places: list[float] = []
    for value in np.sort(along):
        if not places or value - places[-1] > SAME_PLACE_MM:
            places.append(float(value))
    return np.array(places)


def _at_places(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of each place, places along the normal, within a place in order of time."""
    normal = frames[0].normal
    along = _along(frames, normal)
    starts = _starts(along)
    groups: list[list[Frame]] = [[] for _ in starts]
    for frame, value in zip(frames, along, strict=True):
        groups[int(np.searchsorted(starts, value, side="right")) - 1].append(frame)
    return [sorted(group, key=_time) for group in groups]


def _split_by_orientation(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of one series by orientation; those without one go with the most."""
    tolerance = 2 * np.sin(np.radians(ONE_SERIES_DEG) / 2)
    groups: list[list[Frame]] = []
    for frame in _located_frames(frames):
        home = next((group for group in groups if _parallel(group[0], frame, tolerance)), None)
        groups.append([frame]) if home is None else home.append(frame)
    lost = [frame for frame in frames if not has_geometry(frame)]
    if lost and groups:
        max(groups, key=len).extend(lost)
    return groups or [lost]


def _passes(part: list[Frame]) -> list[list[Frame]]:
    """Two acquisitions of the whole stack under one series: told apart by inversion time, or one after the other."""
    groups = _at_places(part) if all(has_geometry(frame) for frame in part) else []
    if len(groups) < MIN_STACK or any(len(group) != 2 for group in groups):
        return [part]
    firsts, seconds = (list(frames) for frames in zip(*groups, strict=True))
    in_turn = max(frame.acquired for frame in firsts) < min(frame.acquired for frame in seconds)
    if in_turn:
        return [firsts, seconds]
    time = part[0].inversion_ms
    one, other = ([frame for frame in part if (frame.inversion_ms == time) is same] for same in (True, False))
    two_times = len({frame.inversion_ms for frame in other}) == 1
    return [one, other] if two_times and len(_at_places(one)) == len(_at_places(other)) == len(groups) else [part]


def _join(parts: Sequence[Sequence[Frame]]) -> list[Slices]:
    """Stacks from the parts (one series each) of one acquisition: small parts together, then parts that continue others."""
    lost = [frame for part in parts for frame in part if not has_geometry(frame)]
    known = sorted((found for part in parts if (found := _located_frames(part))), key=lambda part: _time(part[0]))
    small = [part for part in known if _is_small(part)]
    groups = [part for part in known if part not in small]
    for group in _small_parts_together([frame for part in small for frame in part]):
        home = next((number for number, part in enumerate(groups) if _retakes(group, part)), len(groups))
        groups[home : home + 1] = [[*groups[home], *group] if home < len(groups) else group]
    taken = sum(map(len, groups))
    joined = [_without_retakes(frames) for frames in _continued([_without_retakes(group) for group in groups])]
    retaken = taken - sum(map(len, joined))
    largest = max(joined, key=len, default=[])
    return [_ordered(frames, retaken if frames is largest else 0) for frames in _with_lost(joined, lost)]


def _is_small(part: Sequence[Frame]) -> bool:
    """Whether a series holds one or two slices of a stack, perhaps with one of them taken again."""
    places = _at_places(part)
    return len(places) < MIN_STACK and max(len(group) for group in places) <= 2


def _across_words(stacks: Sequence[Slices]) -> list[Slices]:
    """Late enhancement stacks of which some are short, for every slice has a description of its own: these together."""
    short = [stack for stack in stacks if _is_short(stack)]
    groups = _small_parts_together([frame for stack in short for frame in stack.frames])
    whole = [group for group in groups if len(_at_places(group)) >= MIN_STACK]
    used = {id(frame) for group in whole for frame in group}
    rest = [stack for stack in stacks if id(stack.frames[0]) not in used]
    kept = [(group, _latest(group)) for group in whole]
    return rest + [_ordered(latest, len(group) - len(latest)) for group, latest in kept]


def _is_short(stack: Slices) -> bool:
    sound = stack.repeats == 1 and all(has_geometry(frame) for frame in stack.frames)
    return sound and stack.places < MIN_STACK and stack_kind(stack.frames, stack.repeats)[0] == "lge"


def _with_lost(joined: list[list[Frame]], lost: Sequence[Frame]) -> list[list[Frame]]:
    """The stacks with the frames that have no usable geometry: in that of their series, or in one collected from several.

    A stack that is a series of its own lacks no slice that lies in another: such frames stay beside it.
    """
    apart: list[Frame] = []
    for frame in lost:
        homes = [stack for stack in joined if any(other.series_uid == frame.series_uid for other in stack)]
        home = max(homes or joined, key=len, default=apart)
        alone = len({other.series_uid for other in home}) == 1 and len(home) >= MIN_STACK
        (apart if alone and not homes else home).append(frame)
    return [*joined, apart] if apart else joined


def _continued(parts: Sequence[list[Frame]]) -> list[list[Frame]]:
    """Parts that together are one equally spaced stack as one, until no two are."""
    joined = [list(part) for part in parts]
    for one in range(len(joined)):
        other = one + 1
        while other < len(joined):
            if joined[one] and _continues(joined[one], joined[other]):
                joined[one] += joined.pop(other)
                other = one + 1
            else:
                other += 1
    return joined


def _continues(stack: Sequence[Frame], part: Sequence[Frame]) -> bool:
    """Whether both together are one equally spaced stack, with hardly a slice in both where one was broken off."""
    if stack[0].shape != part[0].shape or not _parallel(stack[0], part[0]) or not _one_reference([*stack, *part]):
        return False
    normal = stack[0].normal
    both = [_starts(_along(frames, normal)) for frames in (stack, part)]
    places = _starts(np.concatenate(both))
    shared = sum(len(p) for p in both) - len(places)
    if shared >= MIN_STACK or len(places) < max(len(p) for p in both) + MIN_STACK * (shared > 0) or len(places) < 2:
        return False
    gaps = np.diff(places)
    return bool(np.abs(gaps - np.median(gaps)).max() <= SPACING_SHARE * np.median(gaps))


def _small_parts_together(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Slices of small series by orientation and frame of reference; by matrix too when one place has two (a repeat)."""
    groups: list[list[Frame]] = []
    for frame in frames:
        home = next((g for g in groups if _parallel(g[0], frame) and _one_reference([*g, frame])), None)
        groups.append([frame]) if home is None else home.append(frame)
    result: list[list[Frame]] = []
    for group in groups:
        shapes = sorted({frame.shape for frame in group})
        repeated = any(len({frame.shape for frame in at_place}) > 1 for at_place in _at_places(group))
        result += [[frame for frame in group if frame.shape == shape] for shape in shapes] if repeated else [group]
    return result


def _times_differ(frames: Sequence[Frame]) -> bool:
    return len({_taken(frame) for frame in frames}) == len(frames)


def _latest(frames: list[Frame]) -> list[Frame]:
    """The latest image of each place, all of them where times do not tell."""
    return [frame for group in _at_places(frames) for frame in (group[-1:] if _times_differ(group) else group)]


def _retakes(group: Sequence[Frame], stack: Sequence[Frame]) -> bool:
    """Whether a group shows slices of the stack once more, each after all of the stack by its own time."""
    if group[0].shape != stack[0].shape or not _parallel(stack[0], group[0]) or not _one_reference([*stack, *group]):
        return False
    places = len(_at_places(stack))
    later = min(frame.acquired[:2] for frame in group) > max(frame.acquired[:2] for frame in stack)
    return later and len(stack) == places == len(_at_places([*stack, *group]))


def _without_retakes(frames: list[Frame]) -> list[Frame]:
    """As :func:`_latest`, but untouched where every place holds several images of one series (another dimension)."""
    groups = _at_places(frames)
    several = all(len({frame.series_uid for frame in group}) < len(group) for group in groups)
    return frames if several else _latest(frames)


def _ordered(frames: Sequence[Frame], retaken: int) -> Slices:
    known = _located_frames(frames)
    lost = [frame for frame in frames if not has_geometry(frame)]
    if not known:
        return Slices(tuple(lost), 0, 1, retaken)
    groups = _at_places(known)
    ordered = [frame for group in groups for frame in group]
    return Slices((*ordered, *lost), len(groups), max(len(group) for group in groups), retaken)
