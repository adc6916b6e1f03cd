"""Landmarks of the left ventricle, from a network's maps; the network is passed in as a callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .heart import ContactArc, Ventricle, contact_arc, epicardial_radius, ventricles
from .orientation import (
    BASE_TO_APEX,
    circular_median,
    direction_at,
    display_angle,
    expected_angles,
    geometry_known,
    plane_axes,
    seen_from_apex,
    turn,
)
from .patches import (
    FIELD_MM,
    PATCH_MM,
    cut_patches,
    image_centres,
    network_input,
    normalise_patch,
    patch_grids,
)
from .refusal import InputRefused
from .volume import FloatArray, Volume

__all__ = [
    "Landmarks",
    "Maps",
    "Point",
    "SliceLandmarks",
    "apex_is_last",
    "find_landmarks",
    "in_planes",
    "network_input",
    "normalise_patch",
]

Point = tuple[float, float, float]
Segment = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

OFF_AXIS_MM = 12.0  # breath-hold shifts are smaller; further off the common axis is another structure
RECENTRE_MM = 30.0  # an LV this far from the patch's middle may have its RV cut off
SHORTEST_LV_MM = 40.0  # a covered length below is a part of an LV, whose ends lie beyond the stack
USUAL_LV_MM = 80.0  # base to apex
TAPERED = 0.6  # size of the LV's last slice in its largest where the apex was reached; 30 clinical studies (emidec.com) have 0.12-0.57
SUSPECT_DEG = 60.0  # contradiction to the body's usual anatomy
STRAY_DEG = 25.0  # a slice's insertion point this far from the study's is not believed


@dataclass(frozen=True)
class SliceLandmarks:
    """Landmarks on one slice (index in input order), LPS mm; None where not visible."""

    index: int
    lv_centre: Point | None
    rvip_anterior: Point | None
    rvip_inferior: Point | None
    confidence: float


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of one stack; source is 'auto', 'manual' or 'mixed'."""

    source: str
    apex: Point | None
    base: Point | None
    slices: tuple[SliceLandmarks, ...]


@dataclass(frozen=True, eq=False)
class Maps:
    """What the network saw and said, slice by slice in input order.

    probabilities: (S, 4, 160, 160) float32 background, LV cavity, myocardium (scar included), RV cavity.
    grids: (S, 4, 4) float64, patch (0, row, column, 1) -> LPS mm.
    """

    probabilities: npt.NDArray[np.float32]
    grids: FloatArray


@dataclass(frozen=True, eq=False)
class _Heart:
    """LV per slice: best candidate or None; axis (S, 2) row-column mm in the image; inside = slices of the LV."""

    parts: list[Ventricle | None]
    axis: FloatArray
    own: FloatArray
    inside: npt.NDArray[np.int64]


def in_planes(landmarks: Landmarks, volume: Volume) -> Landmarks:
    """The same landmarks, every point of a slice moved along the normal into that slice's plane; apex and base stay."""
    down, right = plane_axes(volume)
    normal = np.cross(down, right)
    normal /= np.linalg.norm(normal)

    def moved(index: int, lps: Point | None) -> Point | None:
        off = 0.0 if lps is None else float((np.array(lps) - volume.to_lps([index, 0, 0])) @ normal)
        return None if lps is None else _point(lps - off * normal)

    slices = tuple(
        replace(
            m,
            lv_centre=moved(m.index, m.lv_centre),
            rvip_anterior=moved(m.index, m.rvip_anterior),
            rvip_inferior=moved(m.index, m.rvip_inferior),
        )
        for m in landmarks.slices
    )
    return replace(landmarks, slices=slices)


def find_landmarks(volume: Volume, segment: Segment) -> tuple[Landmarks, Maps]:
    """Landmarks and the network's maps of a short-axis stack.

    ``segment`` takes (S, 2, 160, 160) float32 (see normalise_patch) and returns (S, 4, 160, 160) softmax of
    background, LV cavity, myocardium, RV. Raises InputRefused('no-heart') when no plausible LV is seen.
    """
    maps = _look(volume, segment)
    heart = _fit_heart(volume, maps)
    arcs = _arcs(volume, maps, heart)
    apex_last = apex_is_last(volume) if geometry_known(volume) else _tapers_to_last(maps, heart)
    angles, trust = _insertion_angles(volume, arcs)
    slices = tuple(_slice_landmarks(volume, heart, arcs, angles, trust, k) for k in range(len(volume.array)))
    first, last = (_axis_point(volume, heart, edge) for edge in _ends(volume, heart))
    base, apex = (first, last) if apex_last else (last, first)
    return Landmarks("auto", apex, base, slices), maps


def apex_is_last(volume: Volume) -> bool:
    """Whether the stack runs from base to apex, by the body's usual anatomy."""
    return float(volume.affine[:3, 0] @ BASE_TO_APEX) > 0


# --- where to look ---------------------------------------------------------------------------------------------------


def _look(volume: Volume, segment: Segment) -> Maps:
    """Maps of patches centred on the LV; images larger than the field of view are searched first."""
    middle = image_centres(volume)
    maps, best = see_patches(volume, segment, middle), None
    extent_mm = np.multiply(volume.array.shape[1:], volume.spacing_mm[:2])
    if (extent_mm <= FIELD_MM).all():
        return maps
    tiles = (
        [maps]
        if _score(maps) > 0
        else [see_patches(volume, segment, tile) for tile in _tile_centres(volume, extent_mm)]
    )
    best = max(tiles, key=_score)
    if _score(best) <= 0:
        return maps
    try:
        heart = _fit_heart(volume, best)
    except InputRefused:
        return maps
    centres = heart.axis / volume.spacing_mm[:2]
    patch_middle = volume.to_index(best.grids[:, :3] @ [0, 79.5, 79.5, 1])[:, 1:]
    off_mm = np.linalg.norm((centres - patch_middle) * volume.spacing_mm[:2], axis=1)
    inside = off_mm[heart.inside]
    return see_patches(volume, segment, centres) if inside.max() > RECENTRE_MM else best


def see_patches(volume: Volume, segment: Segment, centres: FloatArray) -> Maps:
    """One pass of the network over patches with these (S, 2) row-column centres."""
    probabilities = np.asarray(segment(normalise_patch(cut_patches(volume, centres))), np.float32)
    return Maps(probabilities, patch_grids(volume, centres))


def _tile_centres(volume: Volume, extent_mm: FloatArray) -> list[FloatArray]:
    """Four (S, 2) sets of centres that look into the corners of the image."""
    reach = np.maximum(extent_mm - FIELD_MM, 0) / 2 + PATCH_MM
    offsets = [np.array([a, b]) * reach / volume.spacing_mm[:2] for a in (-1, 1) for b in (-1, 1)]
    return [image_centres(volume) + offset for offset in offsets]


def _score(maps: Maps) -> float:
    """How much LV the maps show: the certain area of each slice's largest candidate, summed."""
    found = [ventricles(p) for p in maps.probabilities]
    return float(sum(f[0].area_mm2 * f[0].certainty for f in found if f and f[0].cavity_mm2 > 0))


# --- the LV's axis ---------------------------------------------------------------------------------------------------


def _fit_heart(volume: Volume, maps: Maps) -> _Heart:
    """The LV on every slice and one axis through it; candidates off the axis are dropped, nearer ones taken."""
    candidates = [ventricles(p) for p in maps.probabilities]
    places = [[_in_image_mm(volume, maps, k, v) for v in found] for k, found in enumerate(candidates)]
    seen = np.array([k for k, found in enumerate(candidates) if found], int)
    if not len(seen) or not any(v.cavity_mm2 > 0 for found in candidates for v in found):
        raise InputRefused("no-heart", "No left ventricle of plausible size was seen on any slice.")
    count = len(candidates)
    weights = np.array([candidates[k][0].area_mm2 * candidates[k][0].certainty for k in seen])
    axis = _robust_line(seen, np.array([places[k][0] for k in seen]), weights, count)
    parts: list[Ventricle | None] = [None] * count
    own = axis.copy()
    for k in seen:
        off = np.linalg.norm(np.array(places[k]) - axis[k], axis=1)
        best = int(np.argmin(off))
        if off[best] <= OFF_AXIS_MM:
            parts[k], own[k] = candidates[k][best], places[k][best]
    good = np.array([k for k, part in enumerate(parts) if part is not None], int)
    if not len(good):
        raise InputRefused("no-heart", "What looks like a left ventricle lies on no common axis.")
    weights = np.array([part.area_mm2 * part.certainty for part in parts if part is not None])
    return _Heart(parts, _robust_line(good, own[good], weights, count), own, _longest_stretch(good))


def _in_image_mm(volume: Volume, maps: Maps, index: int, ventricle: Ventricle) -> FloatArray:
    """(2,) row and column in mm of a ventricle's centre, measured on the image."""
    place = volume.to_index(maps.grids[index, :3] @ [0, *ventricle.centre, 1])
    return np.asarray(place[1:] * volume.spacing_mm[:2], np.float64)


def _robust_line(index: npt.NDArray[np.int64], points: FloatArray, weights: FloatArray, count: int) -> FloatArray:
    """Weighted Theil-Sen line through (N, 2) points at slice indices, evaluated on all ``count`` slices."""
    first, second = np.triu_indices(len(index), 1)
    slope = np.zeros(2)
    if len(index) >= 3:
        run = (index[second] - index[first]).astype(float)
        pair_weights = weights[first] * weights[second] * run
        slopes = (points[second] - points[first]) / run[:, None]
        slope = np.array([_weighted_median(s, pair_weights) for s in slopes.T])
    start = np.array([_weighted_median(r, weights) for r in (points - index[:, None] * slope).T])
    return np.asarray(start + np.arange(count)[:, None] * slope, np.float64)


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """The value at half of the weight; the mean of two when they share it, so reversed input gives the same."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    low, high = np.searchsorted(share, [0.5 - 1e-9, 0.5 + 1e-9])
    return float((values[order][low] + values[order][min(high, len(values) - 1)]) / 2)


def _longest_stretch(good: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The longest run of slice indices, single missing slices bridged and filled in."""
    runs = np.split(good, np.nonzero(np.diff(good) > 2)[0] + 1)
    longest = max(runs, key=len)
    return np.arange(longest[0], longest[-1] + 1)


def _tapers_to_last(maps: Maps, heart: _Heart) -> bool:
    """With lost geometry: whether the LV, its cavity and the RV get smaller towards the last slice."""
    rows = [(k, heart.parts[k]) for k in heart.inside]
    sizes = np.array(
        [(p.area_mm2, p.cavity_mm2, float((maps.probabilities[k, 3] > 0.5).sum())) for k, p in rows if p is not None]
    )
    half = max(len(sizes) // 2, 1)
    first, last = sizes[:half].mean(0), sizes[-half:].mean(0)
    change = (last - first) / np.maximum((last + first) / 2, 1.0)
    return float(change @ [1.0, 1.0, 0.5]) < 0


# --- the RV's insertion ----------------------------------------------------------------------------------------------


def _arcs(volume: Volume, maps: Maps, heart: _Heart) -> list[ContactArc | None]:
    """Per slice the RV-LV contact as display angles: start = anterior, end = inferior insertion point."""
    upright = seen_from_apex(volume)
    result: list[ContactArc | None] = []
    for k, part in enumerate(heart.parts):
        arc = contact_arc(part, maps.probabilities[k, 3]) if part is not None and k in heart.inside else None
        if arc is not None:
            ends = [_patch_to_display(volume, maps.grids[k], angle) for angle in (arc.start_deg, arc.end_deg)]
            clockwise = float(turn(ends[0], _patch_to_display(volume, maps.grids[k], arc.start_deg + 20))) < 0
            first, last = ends[::-1] if clockwise else ends
            anterior, inferior = (first, last) if upright else (last, first)
            arc = ContactArc(anterior, inferior, arc.weight)
        result.append(arc)
    return result


def _patch_to_display(volume: Volume, grid: FloatArray, angle_deg: float) -> float:
    """Patch angle to display angle of the image, degrees (patches may be turned, see patch_axes)."""
    angle = np.radians(angle_deg)
    return display_angle(volume, grid[:3, 2] * np.cos(angle) - grid[:3, 1] * np.sin(angle))


def _insertion_angles(volume: Volume, arcs: list[ContactArc | None]) -> tuple[tuple[float, float] | None, float]:
    """The study's anterior and inferior angle and how far to trust them; None when nothing tells."""
    found = [arc for arc in arcs if arc is not None]
    expected = expected_angles(volume) if geometry_known(volume) else None
    if not found:
        return expected, 0.2
    # The weight is squared: basal and mid slices, where the RV is broad and sure, should decide.
    weights = [arc.weight**2 for arc in found]
    anterior = circular_median([arc.start_deg for arc in found], weights)
    inferior = circular_median([arc.end_deg for arc in found], weights)
    trust = min(1.0, 0.4 + 0.2 * sum(arc.weight > 0.4 for arc in found))
    if expected is None:
        return (anterior, inferior), trust
    off = np.abs(turn(expected, (anterior, inferior))) > SUSPECT_DEG
    if off.all():
        return expected, 0.2
    if off.any():
        trust *= 0.5
        anterior, inferior = expected[0] if off[0] else anterior, expected[1] if off[1] else inferior
    return (anterior, inferior), trust


# --- putting it together ---------------------------------------------------------------------------------------------


def _slice_landmarks(
    volume: Volume,
    heart: _Heart,
    arcs: list[ContactArc | None],
    angles: tuple[float, float] | None,
    trust: float,
    index: int,
) -> SliceLandmarks:
    """Landmarks of one slice: its own where it agrees with the study, else the study's; None outside the LV."""
    part, arc = heart.parts[index], arcs[index]
    if index not in heart.inside:
        return SliceLandmarks(index, None, None, None, 0.0)
    place = heart.own[index] if part is not None else heart.axis[index]
    centre = volume.to_lps([index, *(place / volume.spacing_mm[:2])])
    agrees = float(np.exp(-((np.linalg.norm(heart.own[index] - heart.axis[index]) / OFF_AXIS_MM) ** 2)))
    sure = (part.certainty * agrees if part is not None else 0.2) * (0.6 + 0.4 * trust)
    if angles is None:
        return SliceLandmarks(index, _point(centre), None, None, 0.5 * sure)
    rvips = []
    for study, own in zip(angles, (arc.start_deg, arc.end_deg) if arc else angles, strict=True):
        stray = float(turn(study, own))
        direction = direction_at(volume, study + (stray / 2 if abs(stray) <= STRAY_DEG else 0.0))
        rvips.append(_point(centre + direction * _radius(volume, heart, index, direction)))
    confidence = sure * (0.7 + 0.3 * (arc.weight if arc else 0.0))
    return SliceLandmarks(index, _point(centre), rvips[0], rvips[1], float(np.clip(confidence, 0, 1)))


def _radius(volume: Volume, heart: _Heart, index: int, direction: FloatArray) -> float:
    """Epicardial radius in mm in an LPS direction, on this slice or, where it shows no LV, the nearest one."""
    near = min((k for k in heart.inside if heart.parts[k] is not None), key=lambda k: abs(k - index))
    part = heart.parts[near]
    assert part is not None  # by the choice of ``near``
    grid = patch_grids(volume, image_centres(volume)[:1])[0]
    angle = float(np.degrees(np.arctan2(-(direction @ grid[:3, 1]), direction @ grid[:3, 2])))
    return epicardial_radius(part, angle)


def _ends(volume: Volume, heart: _Heart) -> tuple[float, float]:
    """Fractional slice indices of the LV's two ends: half a slice beyond its slices.

    Where these cover less than any LV is long, an LV of the usual length is laid around them, beyond the ends of the stack
    at which the LV goes on: adjacent slices are of one level then, not base and apex.
    """
    first, last = float(heart.inside[0]) - 0.5, float(heart.inside[-1]) + 0.5
    if (last - first) * volume.spacing_mm[2] >= SHORTEST_LV_MM:
        return first, last
    missing = USUAL_LV_MM / volume.spacing_mm[2] - (last - first)
    sizes = {k: part.area_mm2 for k in heart.inside if (part := heart.parts[k]) is not None}
    largest = max(sizes.values())
    goes_on = [
        at_end and sizes.get(k, largest) > TAPERED * largest
        for k, at_end in (
            (heart.inside[0], heart.inside[0] == 0),
            (heart.inside[-1], heart.inside[-1] == len(volume.array) - 1),
        )
    ]
    share = missing / max(sum(goes_on), 1)
    return first - share * goes_on[0], last + share * goes_on[1]


def _axis_point(volume: Volume, heart: _Heart, index: float) -> Point:
    """Point of the LV's axis at a fractional slice index."""
    low = int(np.clip(np.floor(index), 0, max(len(heart.axis) - 2, 0)))
    step = heart.axis[min(low + 1, len(heart.axis) - 1)] - heart.axis[low]
    place = heart.axis[low] + (index - low) * step
    return _point(volume.to_lps([index, *(place / volume.spacing_mm[:2])]))


def _point(lps: FloatArray) -> Point:
    """(3,) array to a plain tuple, rounded to a micrometre so results do not depend on summation order."""
    x, y, z = (round(float(v), 3) for v in lps)
    return x, y, z
