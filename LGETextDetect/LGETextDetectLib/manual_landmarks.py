"""Points set by hand override what the network found, and stand in where it found nothing."""

from __future__ import annotations

import numpy as np

from .landmarks import SUSPECT_DEG, Landmarks, Maps, Point, Segment, SliceLandmarks, in_planes, see_patches
from .orientation import (
    BASE_TO_APEX,
    circular_median,
    display_angle,
    expected_angles,
    geometry_known,
    plane_axes,
    seen_from_apex,
    turn,
)
from .refusal import InputRefused
from .volume import FloatArray, Volume

MIN_INSERTION_MM = 3.0  # of an RV insertion point from the LV centre: nearer, it gives no direction
_NAMES = ("rvip_anterior", "rvip_inferior")


def with_manual(auto: Landmarks | None, manual: Landmarks, volume: Volume) -> Landmarks:
    """Landmarks in which every manual point is kept, put into its slice's plane, and the other slices follow.

    A manual LV centre is used on its slice; slices without any centre get one on the line through the known ones. A
    manual insertion point gives its direction to all slices that have none of their own by hand. Raises
    InputRefused('bad-landmarks') when centre or insertion points are missing from both sources, or lie on one another.
    """
    manual = in_planes(manual, volume)
    centres = _centres(auto, manual, volume)
    inside = _inside(auto, manual, len(volume.array))
    directions = {name: _directions(name, auto, manual, centres) for name in _NAMES}
    slices = []
    for index in range(len(volume.array)):
        if index not in inside:
            slices.append(SliceLandmarks(index, None, None, None, 0.0))
            continue
        by_hand = manual.slices[index].lv_centre is not None
        sure = 1.0 if auto is None or by_hand else auto.slices[index].confidence
        points = [_point(centres[index] + directions[name][index]) for name in _NAMES]
        slices.append(SliceLandmarks(index, _point(centres[index]), points[0], points[1], sure))
    base, apex = _ends(auto, manual, volume, centres, inside)
    marks = [manual.slices[k] for k in sorted(inside)]
    all_by_hand = all(None not in (m.lv_centre, m.rvip_anterior, m.rvip_inferior) for m in marks)
    return Landmarks("manual" if auto is None or all_by_hand else "mixed", apex, base, tuple(slices))


def contradict_geometry(landmarks: Landmarks, volume: Volume) -> bool:
    """Whether points set by hand lie where no heart lies by the file's geometry: exchanged, or of another kind of image.

    With the geometry lost, whether the two insertion points are exchanged, going by the side the heart is seen from.
    """
    base, apex = landmarks.base, landmarks.apex
    lines = [
        [np.subtract(point, m.lv_centre) for point in (m.rvip_anterior, m.rvip_inferior)]
        for m in landmarks.slices
        if m.lv_centre and m.rvip_anterior and m.rvip_inferior
    ]
    if landmarks.source == "auto" or not lines or base is None or apex is None:
        return False
    angles = [
        circular_median([display_angle(volume, line) for line in to_point], np.ones(len(lines)))
        for to_point in zip(*lines, strict=True)
    ]
    if not geometry_known(volume):
        return bool((turn(*angles) > 0) != seen_from_apex(volume))
    upside_down = float(np.subtract(apex, base) @ BASE_TO_APEX) < 0
    return upside_down or bool((np.abs(turn(expected_angles(volume), angles)) > SUSPECT_DEG).any())


def maps_around(volume: Volume, landmarks: Landmarks, segment: Segment) -> Maps:
    """The network's maps of patches centred on given landmarks."""
    known = [(s.index, s.lv_centre) for s in landmarks.slices if s.lv_centre is not None]
    lps = _interpolated(known, len(volume.array))
    return see_patches(volume, segment, volume.to_index(lps)[:, 1:])


def _centres(auto: Landmarks | None, manual: Landmarks, volume: Volume) -> FloatArray:
    """(S, 3) LPS: by hand, else automatic, else between or beyond the neighbours."""
    known = []
    for index, mark in enumerate(manual.slices):
        found = mark.lv_centre or (auto.slices[index].lv_centre if auto else None)
        if found is not None:
            known.append((index, found))
    if not known:
        raise InputRefused("bad-landmarks", "No LV centre is given.")
    if len(known) == 1:  # one point for the whole stack: the axis is the stack's normal
        index, point = known[0]
        step = volume.affine[:3, 0]
        return np.array([np.array(point) + (k - index) * step for k in range(len(volume.array))])
    return _interpolated(known, len(volume.array))


def _interpolated(known: list[tuple[int, Point]], count: int) -> FloatArray:
    """(S, 3) points on all slices, linear between the known ones and continued at the ends by their overall line."""
    index = np.array([k for k, _ in known], float)
    points = np.array([p for _, p in known], float)
    slope = np.zeros(3) if len(known) < 2 else (points[-1] - points[0]) / (index[-1] - index[0])
    result = np.stack([np.interp(np.arange(count), index, points[:, a]) for a in range(3)], 1)
    for k in range(count):
        if k < index[0]:
            result[k] = points[0] + (k - index[0]) * slope
        elif k > index[-1]:
            result[k] = points[-1] + (k - index[-1]) * slope
    return result


def _inside(auto: Landmarks | None, manual: Landmarks, count: int) -> set[int]:
    """Slices that belong to the LV: automatic ones and those between points set by hand; all when only one is set."""
    named = [k for k, mark in enumerate(manual.slices) if any((mark.lv_centre, mark.rvip_anterior, mark.rvip_inferior))]
    if auto is None:
        return set(range(min(named), max(named) + 1)) if len(named) > 1 else set(range(count))
    return {s.index for s in auto.slices if s.lv_centre is not None} | set(named)


def _directions(name: str, auto: Landmarks | None, manual: Landmarks, centres: FloatArray) -> FloatArray:
    """(S, 3) LPS vectors from the LV centre to an insertion point; by hand, else the nearest by hand, else automatic."""
    source = manual if any(getattr(mark, name) is not None for mark in manual.slices) else auto
    known = (
        []
        if source is None
        else [(k, getattr(m, name)) for k, m in enumerate(source.slices) if getattr(m, name) is not None]
    )
    if not known:
        raise InputRefused("bad-landmarks", f"The {name.replace('rvip_', '')} RV insertion point is given on no slice.")
    vectors = {index: np.subtract(point, centres[index]) for index, point in known}
    for index, vector in vectors.items():
        by_hand = manual.slices[index].lv_centre is not None or source is manual
        if by_hand and float(np.linalg.norm(vector)) < MIN_INSERTION_MM:
            raise InputRefused("bad-landmarks", f"An RV insertion point of slice {index + 1} lies on the LV centre.")
    return np.array([vectors[min(vectors, key=lambda index: abs(index - k))] for k in range(len(centres))])


def _ends(
    auto: Landmarks | None, manual: Landmarks, volume: Volume, centres: FloatArray, inside: set[int]
) -> tuple[Point, Point]:
    """Base and apex: by hand, else automatic, else half a slice beyond the LV's slices."""
    base, apex = manual.base or (auto.base if auto else None), manual.apex or (auto.apex if auto else None)
    if base is not None and apex is not None:
        return base, apex
    step = centres[-1] - centres[0] if len(centres) > 1 else np.cross(*plane_axes(volume)) * volume.spacing_mm[2]
    step = step / max(len(centres) - 1, 1)
    first, last = centres[min(inside)] - step / 2, centres[max(inside)] + step / 2
    if base is not None:
        first, last = (first, last) if np.linalg.norm(first - base) < np.linalg.norm(last - base) else (last, first)
    elif apex is not None:
        first, last = (first, last) if np.linalg.norm(last - apex) < np.linalg.norm(first - apex) else (last, first)
    elif not geometry_known(volume):
        raise InputRefused("bad-landmarks", "The file has no orientation, and neither base nor apex is given.")
    elif float(step @ BASE_TO_APEX) < 0:
        first, last = last, first
    return base or _point(first), apex or _point(last)


def _point(lps: FloatArray) -> Point:
    x, y, z = (round(float(v), 3) for v in lps)
    return x, y, z
