"""The heart on the network's maps: per slice the LV, its centre and the arc where the RV touches it; no geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .orientation import turn
from .patches import PATCH_MM, Float32
from .volume import FloatArray

BoolArray = npt.NDArray[np.bool_]

MIN_LV_MM2, MAX_LV_MM2 = 150.0, 9500.0  # cavity and wall together; epicardial radius 7-55 mm
NECK_PX = (2, 3, 4, 6, 8, 10)  # half widths at which two discs are taken apart
TAIL_PX = 3.5  # half width under which RV blood counts as a tail
CONTACT_MM = 4.5  # RV pixels this near to the epicardium touch it
MIN_CONTACT_DEG, MAX_CONTACT_DEG = 40.0, 200.0  # real arcs: 93-140


@dataclass(frozen=True, eq=False)
class Ventricle:
    """The LV on one patch: mask (160, 160), centre (row, column) in pixels, area mm2, cavity share, certainty 0-1."""

    mask: BoolArray
    centre: FloatArray
    area_mm2: float
    cavity_mm2: float
    certainty: float


@dataclass(frozen=True)
class ContactArc:
    """Where the RV touches the LV, patch angles (counter-clockwise, 0 = right): start, end = start + extent."""

    start_deg: float
    end_deg: float
    weight: float


def ventricles(probability: Float32) -> list[Ventricle]:
    """(4, 160, 160) background, cavity, myocardium, RV to all plausible LVs, the largest first."""
    lv = probability[1] + probability[2]
    labels, count = ndimage.label(lv > 0.5)
    found = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1) if count else ():
        part = labels[window] == number
        if part.sum() * PATCH_MM**2 < MIN_LV_MM2:
            continue
        for disc in _touching_discs(np.pad(ndimage.binary_fill_holes(part), 1)):
            mask = np.zeros(lv.shape, bool)
            mask[window] = disc[1:-1, 1:-1]
            area = float((mask[window] & part).sum()) * PATCH_MM**2
            if not MIN_LV_MM2 <= area <= MAX_LV_MM2:
                continue
            cavity = float((probability[1][mask] > 0.5).sum()) * PATCH_MM**2
            if cavity > 0.97 * area:  # blood without a wall is a vessel
                continue
            centre = np.asarray(ndimage.center_of_mass(mask), float)
            found.append(Ventricle(mask, centre, area, cavity, float(lv[mask].mean())))
    return sorted(found, key=lambda v: -v.area_mm2)


def _touching_discs(mask: BoolArray) -> list[BoolArray]:
    """A mask cut at its necks: stomach or bowel that was taken for a second ring often touches the LV below it."""
    if mask.sum() * PATCH_MM**2 < 2 * MIN_LV_MM2:
        return [mask]
    depth = ndimage.distance_transform_edt(mask)
    for narrow in NECK_PX:
        cores, count = ndimage.label(depth > narrow)
        peaks = ndimage.maximum(depth, cores, np.arange(1, count + 1)) if count > 1 else []
        discs = 1 + np.flatnonzero(np.asarray(peaks) >= narrow + 2)
        if len(discs) > 1:
            _, (row, column) = ndimage.distance_transform_edt(~np.isin(cores, discs), return_indices=True)
            nearest = cores[row, column]
            return [mask & (nearest == disc) for disc in discs]
    return [mask]


def patch_angles(centre: FloatArray, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> FloatArray:
    """Angles in degrees, [0, 360), of pixels as seen from a centre (row, column)."""
    return np.asarray(np.degrees(np.arctan2(centre[0] - rows, columns - centre[1])) % 360, np.float64)


def contact_arc(ventricle: Ventricle, rv: Float32) -> ContactArc | None:
    """Arc of the epicardium that RV blood, (160, 160) probability, touches; None when there is no plausible one."""
    distance = ndimage.distance_transform_edt(~ventricle.mask) * PATCH_MM
    near = _broad(rv > 0.5) & (distance <= CONTACT_MM)
    rows, columns = np.nonzero(near)
    if len(rows) < 6:
        return None
    occupied = np.zeros(180, bool)  # bins of 2 degrees, each pixel covering its own width
    half_width = int(np.ceil(np.degrees(PATCH_MM / 2 / np.sqrt(ventricle.area_mm2 / np.pi)) / 2))
    bins = (patch_angles(ventricle.centre, rows, columns) / 2).astype(int)
    for shift in range(-half_width, half_width + 1):
        occupied[(bins + shift) % 180] = True
    start, length = _longest_run(occupied, max_gap=8)
    if not MIN_CONTACT_DEG <= length * 2 <= MAX_CONTACT_DEG:
        return None
    certainty = float(rv[near].mean())
    plausible = float(np.exp(-(((length * 2 - 115) / 60) ** 2)))
    return ContactArc(start * 2.0 + half_width, (start + length) * 2.0 - half_width, certainty * plausible)


def _broad(rv: BoolArray) -> BoolArray:
    """RV blood without its thin tails: fat of the anterior groove continues the RV along the LV."""
    core = np.asarray(ndimage.distance_transform_edt(rv) > TAIL_PX, bool)
    if not core.any():
        return core
    return np.asarray(rv & (ndimage.distance_transform_edt(~core) <= TAIL_PX + 1), bool)


def _longest_run(occupied: BoolArray, max_gap: int) -> tuple[int, int]:
    """Start and length of the longest run on a ring, gaps of up to ``max_gap`` bins bridged."""
    size = len(occupied)
    closed = ndimage.binary_closing(np.tile(occupied, 3), np.ones(max_gap + 1))
    closed[:size], closed[2 * size :] = closed[size : 2 * size].copy(), closed[size : 2 * size].copy()
    if closed.all():
        return 0, size
    labels, _ = ndimage.label(closed)
    # Runs that start on the middle turn are complete: every run of a ring starts there once.
    runs = [w[0] for w in ndimage.find_objects(labels) if size <= w[0].start < 2 * size]
    longest = max(runs, key=lambda w: w.stop - w.start)
    return longest.start - size, longest.stop - longest.start


def epicardial_radius(ventricle: Ventricle, angle_deg: float) -> float:
    """Distance in mm from the centre to the epicardium in one direction (patch angle)."""
    rows, columns = np.nonzero(ventricle.mask)
    angles = patch_angles(ventricle.centre, rows, columns)
    ray = np.abs(turn(angle_deg, angles)) <= 6
    if not ray.any():
        return float(np.sqrt(ventricle.area_mm2 / np.pi))
    return float(np.hypot(rows[ray] - ventricle.centre[0], columns[ray] - ventricle.centre[1]).max() + 0.5) * PATCH_MM
