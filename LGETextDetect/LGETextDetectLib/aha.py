"""The 17 segments of the left ventricle (AHA) in the normalised frame: pixel -> segment, depth in the wall and layer.

Angles are degrees counter-clockwise as displayed: 0 = image right (lateral wall), 90 = up (anterior), 180 = left
(the septum's midline, half way between the two RV insertion points).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

WALLS = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
APICAL_WALLS = ("anterior", "septal", "inferior", "lateral")
LEVELS = ("basal", "mid", "apical", "apex")
NAMES: dict[int, str] = {
    **{1 + i: f"basal {wall}" for i, wall in enumerate(WALLS)},
    **{7 + i: f"mid {wall}" for i, wall in enumerate(WALLS)},
    **{13 + i: f"apical {wall}" for i, wall in enumerate(APICAL_WALLS)},
    17: "apex",
}
LEVEL_SEGMENTS: dict[str, tuple[int, ...]] = {
    "basal": tuple(range(1, 7)),
    "mid": tuple(range(7, 13)),
    "apical": tuple(range(13, 17)),
    "apex": (17,),
    "outside": (),
}
FRAME_SIZE = 96  # pixels; normalised.py asserts nothing: a test says both files agree
RVIP_ANTERIOR_DEG = 120.0  # anterior | anteroseptal border when the septum has its textbook 120 degrees
CAP_START = 0.95  # of the LV length: beyond it lies the apical cap
SCAR_THRESHOLD = 0.5
RAY_DEG = 6.0  # transmurality is read along rays this wide
INSERTION_SEGMENTS = (2, 3, 8, 9)  # where the RV meets the LV


def level_of(position: float, cavity: bool = True) -> str:
    """Level at a position along the LV, 0 base .. 1 apex: 'basal', 'mid', 'apical', 'apex' or 'outside'.

    ``cavity`` False says the slice shows no cavity, which makes the last third of the LV the apical cap.
    """
    if not 0 <= position <= 1:
        return "outside"
    if position > CAP_START or (not cavity and position > 2 / 3):
        return "apex"
    return LEVELS[min(int(position * 3), 2)]


def segment_of(angle_deg: npt.ArrayLike, level: str) -> IntArray:
    """(...) angles to (...) AHA segments of one level; 0 where the level is 'outside'."""
    angle = np.asarray(angle_deg, float)
    if level in ("basal", "mid"):
        wall = np.asarray(np.mod(angle - RVIP_ANTERIOR_DEG + 60, 360) // 60, np.int64) % 6  # in the order of WALLS
        return wall + (1 if level == "basal" else 7)
    if level == "apical":
        return np.asarray(np.mod(angle - 45, 360) // 90, np.int64) % 4 + 13
    if level in ("apex", "outside"):
        return np.full(angle.shape, 17 if level == "apex" else 0, np.int64)
    raise ValueError(f"level must be one of {(*LEVELS, 'outside')}, got {level!r}")


def frame_angles(shape: tuple[int, int] = (FRAME_SIZE, FRAME_SIZE)) -> FloatArray:
    """(H, W) angle of every pixel around the frame's middle, degrees in [0, 360)."""
    row, column = (np.arange(n) - (n - 1) / 2 for n in shape)
    return np.asarray(np.degrees(np.arctan2(-row[:, None], column[None, :])) % 360, np.float64)


def segment_map(level: str) -> IntArray:
    """(96, 96) AHA segment of every pixel of a slice at ``level``, whether or not it is myocardium."""
    return segment_of(frame_angles(), level)


def radial_depth(cavity_mask: npt.NDArray[Any], myocardium_mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """(H, W) masks to (H, W) depth in the wall, 0 endocardium .. 1 epicardium; NaN outside the myocardium.

    Without a cavity (apical cap) depth falls from 1 at the epicardium to 0 at the innermost pixel.
    """
    cavity, muscle = np.asarray(cavity_mask, bool), np.asarray(myocardium_mask, bool)
    depth = np.full(muscle.shape, np.nan, np.float32)
    if not muscle.any():
        return depth
    # Distances run between pixel centres: half a pixel less is the distance to the border.
    to_epi = ndimage.distance_transform_edt(np.pad(cavity | muscle, 1))[1:-1, 1:-1] - 0.5
    if cavity.any():
        to_endo = ndimage.distance_transform_edt(~cavity) - 0.5
        depth[muscle] = (to_endo / np.maximum(to_endo + to_epi, 1e-6))[muscle]
    else:
        depth[muscle] = (1 - to_epi / to_epi[muscle].max())[muscle]
    return np.clip(depth, 0, 1)


def scarred_share(scar: npt.NDArray[Any], myocardium: npt.NDArray[Any], segment_mask: npt.NDArray[Any]) -> float | None:
    """Transmurality (0..1 of the wall) of the scar in one segment; None where no scar is seen.

    scar, myocardium: probabilities, (S, H, W) or (H, W), frame centre = LV centre; segment_mask: same shape, pixels of
    the segment. Read along rays of 6 degrees: the upper quartile of those that hold scar.
    """
    stack = [np.asarray(a, float).reshape(-1, *np.shape(a)[-2:]) for a in (scar, myocardium, segment_mask)]
    shares = np.concatenate([_ray_shares(*slices) for slices in zip(*stack, strict=True)])
    return float(np.percentile(shares, 75)) if len(shares) else None


def _ray_shares(scar: FloatArray, myocardium: FloatArray, segment: FloatArray) -> FloatArray:
    """(R,): scarred share of the wall on every ray that holds scar."""
    inside = (myocardium > 0.5) & (segment > 0.5)
    ray = (frame_angles(scar.shape)[inside] // RAY_DEG).astype(int)
    rays = int(360 / RAY_DEG)
    wall = np.bincount(ray, minlength=rays)
    scarred = np.bincount(ray, scar[inside] > SCAR_THRESHOLD, minlength=rays)
    return np.asarray(scarred[scarred > 0] / wall[scarred > 0], np.float64)


def _neighbours() -> dict[int, frozenset[int]]:
    rings = [segment_of(np.arange(0.5, 360), level).tolist() for level in LEVELS]
    beside = [(a, b) for ring in rings for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    below = [(a, b) for upper, lower in pairwise(rings) for a, b in zip(upper, lower, strict=True)]
    pairs = {pair for a, b in beside + below if a != b for pair in ((a, b), (b, a))}
    return {n: frozenset(b for a, b in pairs if a == n) for n in NAMES}


NEIGHBOURS = _neighbours()  # segments that touch, in plane or across levels; the cap touches all apical ones
