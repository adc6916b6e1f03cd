"""The normalised frame: slice by slice, LV centred, septum's midline left, anterior up, seen from the apex."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .landmarks import Landmarks, Maps
from .orientation import display_angle, plane_axes, turn
from .patches import smooth_for
from .refusal import InputRefused
from .volume import THIN_MM, FloatArray, Volume
from .wall_shape import mend_wall

SIZE = 96  # pixels
PIXEL_MM = 1.25
USUAL_MM = 8.0  # between the slices that the model has learnt from


@dataclass(frozen=True, eq=False)
class NormalisedStack:
    """What the model sees. Slices ordered base to apex.

    image: (S, 96, 96) float32, (signal - myocardium) / (blood - myocardium), clipped to [-3, 5].
    maps: (S, 3, 96, 96) float32 probabilities of LV cavity, myocardium (scar included), RV cavity in the same frame.
    position: (S,) float32, 0 at the base of the LV .. 1 at the apex; outside [0, 1] = outside the LV.
    index: (S,) int, slice index in the input. grids: (S, 4, 4) float64, (0, row, column, 1) of the frame -> LPS mm.
    angle_deg, mirrored, apex_first: how the input lay (result.json, orientation).
    """

    image: npt.NDArray[np.float32]
    maps: npt.NDArray[np.float32]
    position: npt.NDArray[np.float32]
    index: npt.NDArray[np.int64]
    grids: npt.NDArray[np.float64]
    angle_deg: float
    mirrored: bool
    apex_first: bool


INTENSITY_CLIP = (-3.0, 5.0)
MIN_STEP = 0.05  # of the p10-p90 spread: a smaller step between blood and myocardium would only blow up noise
MIN_PIXELS = 30  # of blood and of myocardium that a slice needs for a scale of its own
OWN_SHARE = 0.7  # how far a slice's step follows its own wall rather than the study's, in the logarithm
STEP_LIMITS = (0.5, 2.0)  # of the study's step: a wall full of scar, or cut by the mask, does not set the scale


def scale_intensity(
    image: npt.NDArray[Any], cavity_prob: npt.NDArray[Any], myocardium_prob: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Signal in units of the blood-myocardium step: remote myocardium about 0, blood about 1; clipped to [-3, 5].

    All arrays (S, H, W) or (H, W). Scanners scale many stacks slice by slice, so every slice is held by its own blood
    (median of the cavity), which no scar touches. The step down to the myocardium's 25th percentile is the study's
    (median of the slices), moved towards the slice's own. Without heart, the study's quartiles stand in.
    """
    shape = np.shape(image)
    signal, cavity, myocardium = (
        np.asarray(array, np.float32).reshape(-1, *shape[-2:]) for array in (image, cavity_prob, myocardium_prob)
    )
    levels, zeros = _levels_and_zeros(signal, cavity > 0.5, myocardium > 0.5)
    steps = levels - zeros
    low, high = np.percentile(signal, (10, 90))
    floor = max(MIN_STEP * float(high - low), 1e-6 * float(np.abs(signal).max()) + 1e-20)
    study = float(np.median(steps))
    polarity = -1.0 if study < 0 else 1.0  # blood nulled below muscle stays below it: scar stays bright
    study = max(abs(study), floor)
    ratio = np.clip(steps * polarity / study, *STEP_LIMITS) ** OWN_SHARE
    own = (ratio * study)[:, None, None]
    result = (signal - levels[:, None, None]) / own + polarity
    return np.clip(result, *INTENSITY_CLIP).astype(np.float32).reshape(shape)


def scale_to_heart(image: npt.NDArray[np.float32], maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """:func:`scale_intensity` by the heart maps (S, 3, 96, 96), scar that was lost from them given back to the wall."""
    mended = mend_wall(maps)
    return scale_intensity(image, mended[:, 0], mended[:, 1])


def _levels_and_zeros(
    signal: npt.NDArray[np.float32], blood: npt.NDArray[np.bool_], muscle: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(S,) blood level and (S,) zero of each slice; slices with too little heart get the others' medians."""
    levels, zeros = np.full((2, len(signal)), np.nan)
    for k, (pixels, inside, wall) in enumerate(zip(signal, blood, muscle, strict=True)):
        if min(inside.sum(), wall.sum()) >= MIN_PIXELS:
            levels[k], zeros[k] = np.median(pixels[inside]), np.percentile(pixels[wall], 25)
    known = np.isfinite(levels)
    if not known.any():
        quarter, three_quarters = np.percentile(signal, (25, 75))
        return np.full(len(signal), three_quarters), np.full(len(signal), quarter)
    levels[~known], zeros[~known] = np.median(levels[known]), np.median(zeros[known])
    return levels, zeros


def normalise(volume: Volume, landmarks: Landmarks, maps: Maps) -> NormalisedStack:
    """Bring every slice of a volume into the normalised frame, ordered base to apex.

    One rotation serves the whole study (confidence-weighted mean of the slices' septal midlines); centres are the
    slices' own. Raises InputRefused when the landmarks give no axis or no insertion points: 'bad-landmarks' when some were
    set by hand, else 'no-heart'.
    """
    centres = lv_centres(volume, landmarks)
    right, up = frame_axes(volume, landmarks)
    position = slice_positions(landmarks, centres)
    order = np.argsort(position, kind="stable")
    grids = np.stack([_frame_grid(volume, centre, right, up) for centre in centres])
    spacing = volume.spacing_mm[:2]
    image = np.stack(
        [_sample_slice(smooth_for(volume.array[k], spacing, PIXEL_MM), volume, grids[k]) for k in range(len(centres))]
    )
    heart = np.stack([_sample_map(maps, k, grids[k]) for k in range(len(centres))])
    image, heart = image[order], heart[order]
    septum = display_angle(volume, -right)
    mirrored = float(np.cross(right, up) @ _towards_viewer(volume)) < 0
    return NormalisedStack(
        image=scale_to_heart(image, heart),
        maps=heart,
        position=position[order].astype(np.float32),
        index=order.astype(np.int64),
        grids=grids[order],
        angle_deg=float(turn(septum, 180.0)),
        mirrored=mirrored,
        apex_first=bool(position[0] > position[-1]),
    )


def in_usual_slices(stack: NormalisedStack) -> tuple[NormalisedStack, npt.NDArray[np.int64]]:
    """The stack with thin slices averaged to ones of the usual distance, and (S,) the place of each slice among these.

    In a 3D scan one lesion, and one fleck taken for it, fills several slices, and each would count as one.
    """
    count = len(stack.position)
    apart = float(np.linalg.norm(stack.grids[0, :3, 0]))
    thick = count if apart >= THIN_MM else max(round(count * apart / USUAL_MM), 1)
    place = np.arange(count) * thick // count
    if thick == count:
        return stack, place
    first = np.searchsorted(place, np.arange(thick))
    image, maps, position = (
        np.stack([values[place == k].mean(0) for k in range(thick)]).astype(np.float32)
        for values in (stack.image, stack.maps, stack.position)
    )
    averaged = replace(
        stack, image=image, maps=maps, position=position, index=stack.index[first], grids=stack.grids[first]
    )
    return averaged, place


def evidence_on_grid(
    stack: NormalisedStack, evidence: npt.NDArray[np.float32], volume: Volume
) -> npt.NDArray[np.float32]:
    """(S, 96, 96) evidence in the normalised frame to (slice, row, column) on the input's own grid, 0-1."""
    result = np.zeros(volume.array.shape, np.float32)
    rows, columns = np.indices(volume.array.shape[1:])
    for heat, index, grid in zip(evidence, stack.index, stack.grids, strict=True):
        voxels = np.stack([np.full(rows.shape, index), rows, columns], -1)
        frame = (volume.to_lps(voxels) - grid[:3, 3]) @ np.linalg.pinv(grid[:3, 1:3]).T
        result[index] = ndimage.map_coordinates(heat, np.moveaxis(frame, -1, 0), order=1, mode="constant", cval=0.0)
    return np.clip(result, 0, 1)


def lv_centres(volume: Volume, landmarks: Landmarks) -> FloatArray:
    """(S, 3) LPS mm: the LV's centre on every slice, where none was seen on the line through base and apex."""
    known = [s.index for s in landmarks.slices if s.lv_centre is not None]
    if landmarks.base is None or landmarks.apex is None or not known:
        raise _refused(landmarks, "There is no LV centre, or no base and apex.")
    base, apex = np.array(landmarks.base), np.array(landmarks.apex)
    normal = np.cross(*plane_axes(volume))
    along = float((apex - base) @ normal)
    if abs(along) < 1.0:
        raise _refused(landmarks, "Base and apex lie on the same slice.")
    centres = np.empty((len(volume.array), 3))
    for mark in landmarks.slices:
        if mark.lv_centre is not None:
            centres[mark.index] = mark.lv_centre
            continue
        plane = volume.to_lps([mark.index, 0, 0])
        centres[mark.index] = base + (apex - base) * float((plane - base) @ normal) / along
    return centres


def _refused(landmarks: Landmarks, cause: str) -> InputRefused:
    """Landmarks that give no frame: the reader's fault when some were set by hand, else no heart was understood."""
    return InputRefused("no-heart" if landmarks.source == "auto" else "bad-landmarks", cause)


def _towards_viewer(volume: Volume) -> FloatArray:
    """Unit LPS vector out of the image as displayed."""
    down, right = plane_axes(volume)
    return np.asarray(np.cross(right, -down), np.float64)


def frame_axes(volume: Volume, landmarks: Landmarks) -> tuple[FloatArray, FloatArray]:
    """Unit LPS vectors to the frame's right (lateral wall) and up (anterior wall); InputRefused as :func:`normalise`."""
    septal, difference = np.zeros(3), np.zeros(3)
    for mark in landmarks.slices:
        if mark.lv_centre is None or mark.rvip_anterior is None or mark.rvip_inferior is None:
            continue
        anterior, inferior = (np.subtract(p, mark.lv_centre) for p in (mark.rvip_anterior, mark.rvip_inferior))
        away = np.linalg.norm(anterior), np.linalg.norm(inferior)
        weight = mark.confidence + 1e-3
        septal += weight * (anterior / max(away[0], 1e-6) + inferior / max(away[1], 1e-6))
        difference += weight * (anterior - inferior)
    towards = _towards_viewer(volume)
    septal -= towards * (septal @ towards)
    length = float(np.linalg.norm(septal))
    if length < 1e-6:
        raise _refused(landmarks, "No slice has both RV insertion points, or they lie opposite each other.")
    right = -septal / length
    up = np.cross(towards, right)
    return right, up if up @ difference >= 0 else -up


def slice_positions(landmarks: Landmarks, centres: FloatArray) -> FloatArray:
    """(S,) place of each slice between base (0) and apex (1)."""
    base, apex = np.array(landmarks.base), np.array(landmarks.apex)
    step = centres[-1] - centres[0]
    axis = apex - base if len(centres) < 2 or np.linalg.norm(step) < 1 else step / np.linalg.norm(step)
    return np.asarray((centres - base) @ axis / ((apex - base) @ axis), np.float64)


def _frame_grid(volume: Volume, centre: FloatArray, right: FloatArray, up: FloatArray) -> FloatArray:
    """(4, 4) matrix (0, row, column, 1) of the frame -> LPS mm."""
    grid = np.eye(4)
    grid[:3, 0], grid[:3, 1], grid[:3, 2] = volume.affine[:3, 0], -up * PIXEL_MM, right * PIXEL_MM
    grid[:3, 3] = centre - (grid[:3, 1] + grid[:3, 2]) * (SIZE - 1) / 2
    return grid


def _frame_points(grid: FloatArray) -> FloatArray:
    """(96, 96, 3) LPS mm of the frame's pixels."""
    row, column = np.indices((SIZE, SIZE))
    return np.asarray(row[..., None] * grid[:3, 1] + column[..., None] * grid[:3, 2] + grid[:3, 3], np.float64)


def _sample_slice(image: npt.NDArray[np.float32], volume: Volume, grid: FloatArray) -> npt.NDArray[np.float32]:
    """(H, W) slice at the frame's pixels, bilinear; beyond the image its edge is repeated."""
    places = volume.to_index(_frame_points(grid))[..., 1:]
    return np.asarray(ndimage.map_coordinates(image, np.moveaxis(places, -1, 0), order=1, mode="nearest"), np.float32)


def _sample_map(maps: Maps, index: int, grid: FloatArray) -> npt.NDArray[np.float32]:
    """(3, 96, 96) cavity, myocardium and RV probability at the frame's pixels; beyond the patch nothing."""
    patch = maps.grids[index]
    places = (_frame_points(grid) - patch[:3, 3]) @ np.linalg.pinv(patch[:3, 1:3]).T
    where = np.moveaxis(places, -1, 0)
    channels = maps.probabilities[index, 1:]
    return np.stack([ndimage.map_coordinates(c, where, order=1, mode="constant", cval=0.0) for c in channels]).astype(
        np.float32
    )
