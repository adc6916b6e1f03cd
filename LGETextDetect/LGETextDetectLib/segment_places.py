"""Where the 17 segments lie in the patient, from landmarks alone: borders, numbers, labels of voxels, centres.

Needs no network: this is what follows a point while it is dragged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .aha import APICAL_WALLS, LEVEL_SEGMENTS, WALLS, level_of, segment_of
from .landmarks import Landmarks
from .normalised import frame_axes, lv_centres, slice_positions
from .volume import FloatArray, Volume

REACH = 1.2  # of the epicardial radius: voxels beyond belong to no segment
WALL_MIDDLE = 0.8  # of the epicardial radius
FIRST_BORDER_DEG = {"basal": 60.0, "mid": 60.0, "apical": 45.0}
STEP_DEG = {"basal": 360.0 / len(WALLS), "mid": 360.0 / len(WALLS), "apical": 360.0 / len(APICAL_WALLS)}


@dataclass(frozen=True, eq=False)
class SliceFrame:
    """The heart's frame on one slice of the input: LPS mm; ``right`` to the lateral, ``up`` to the anterior wall."""

    index: int
    level: str
    centre: FloatArray
    right: FloatArray
    up: FloatArray
    radius_mm: float

    def point(self, angle_deg: float, share: float) -> FloatArray:
        """(3,) LPS of an angle (0 lateral, 90 anterior) at a share of the epicardial radius."""
        angle = np.radians(angle_deg)
        towards = self.right * np.cos(angle) + self.up * np.sin(angle)
        return np.asarray(self.centre + towards * self.radius_mm * share, np.float64)


def slice_frames(volume: Volume, landmarks: Landmarks) -> tuple[SliceFrame, ...]:
    """The frame of every slice, in input order; raises InputRefused('bad-landmarks') when the points give none.

    The epicardial radius is the mean distance of the insertion points, on slices without any that of the study.
    """
    centres = lv_centres(volume, landmarks)
    right, up = frame_axes(volume, landmarks)
    position = slice_positions(landmarks, centres)
    radii = np.full(len(centres), np.nan)
    for mark in landmarks.slices:
        ends = [p for p in (mark.rvip_anterior, mark.rvip_inferior) if p is not None]
        if mark.lv_centre is not None and ends:
            radii[mark.index] = np.mean([np.linalg.norm(np.subtract(p, mark.lv_centre)) for p in ends])
    radii = np.where(np.isnan(radii), np.nanmedian(radii), radii)
    return tuple(
        SliceFrame(k, level_of(float(position[k])), centres[k], right, up, float(radii[k])) for k in range(len(centres))
    )


def borders(frame: SliceFrame) -> list[tuple[FloatArray, FloatArray]]:
    """Lines (from, to) in LPS between neighbouring segments of one slice; none on the cap and outside the LV."""
    step = STEP_DEG.get(frame.level)
    if step is None:
        return []
    angles = np.arange(FIRST_BORDER_DEG[frame.level], 360 + FIRST_BORDER_DEG[frame.level], step)
    return [(frame.point(angle, 0.35), frame.point(angle, REACH)) for angle in angles]


def outline(frame: SliceFrame, count: int = 48) -> FloatArray:
    """(count + 1, 3) LPS of a closed circle at the epicardial radius."""
    return np.stack([frame.point(angle, 1.0) for angle in np.linspace(0, 360, count + 1)])


def numbers(frame: SliceFrame) -> dict[int, FloatArray]:
    """AHA segment -> (3,) LPS where its number is written on this slice."""
    if frame.level == "outside":
        return {}
    return {n: segment_point(frame, n) for n in LEVEL_SEGMENTS[frame.level]}


def segment_point(frame: SliceFrame, segment: int) -> FloatArray:
    """(3,) LPS of the middle of a segment's wall on a slice of its level; the LV's centre for the apex."""
    if frame.level not in STEP_DEG:
        return frame.centre
    number = LEVEL_SEGMENTS[frame.level].index(segment)
    return frame.point(FIRST_BORDER_DEG[frame.level] + (number + 0.5) * STEP_DEG[frame.level], WALL_MIDDLE)


def segment_labels(volume: Volume, frames: tuple[SliceFrame, ...]) -> npt.NDArray[np.uint8]:
    """(slice, row, column) AHA segment of every voxel around the LV, 0 elsewhere."""
    labels = np.zeros(volume.array.shape, np.uint8)
    rows, columns = np.indices(volume.array.shape[1:])
    for frame in frames:
        if frame.level == "outside":
            continue
        voxels = np.stack([np.full(rows.shape, frame.index), rows, columns], -1)
        offset = volume.to_lps(voxels) - frame.centre
        x, y = offset @ frame.right, offset @ frame.up
        near = np.hypot(x, y) <= REACH * frame.radius_mm
        labels[frame.index][near] = segment_of(np.degrees(np.arctan2(y, x)) % 360, frame.level)[near]
    return labels


def segment_centre(
    frames: tuple[SliceFrame, ...], segment: int, weight: npt.NDArray[np.floating] | None = None
) -> tuple[int, FloatArray]:
    """Slice index and (3,) LPS to look at for a segment: of its level's slices the one with the most ``weight`` (S,).

    Without weight the middle one. A level that the stack does not reach is shown on the slice nearest to it.
    """
    own = [f for f in frames if segment in LEVEL_SEGMENTS[f.level]]
    if not own:
        inside = [f for f in frames if f.level != "outside"] or list(frames)
        order = list(LEVEL_SEGMENTS)
        wanted = next(k for k, level in enumerate(order) if segment in LEVEL_SEGMENTS[level])
        frame = min(inside, key=lambda f: abs(order.index(f.level) - wanted))
        return frame.index, frame.centre
    frame = own[len(own) // 2]
    if weight is not None and max(weight[f.index] for f in own) > 0:
        frame = max(own, key=lambda f: float(weight[f.index]))
    return frame.index, segment_point(frame, segment)


def heart_to_lps(frames: tuple[SliceFrame, ...]) -> FloatArray:
    """(4, 4): the heart's frame (x lateral, y anterior, z towards whoever looks from the apex; mm) -> LPS.

    Its origin is the LV's centre in the middle of the ventricle.
    """
    inside = [f for f in frames if f.level != "outside"] or list(frames)
    middle = inside[len(inside) // 2]
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 3] = middle.right, middle.up, middle.centre
    matrix[:3, 2] = np.cross(middle.right, middle.up)
    return matrix
