"""What the segmentation network sees: 160 x 160 pixels at 1.4 mm, normalised twice (globally and locally)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .orientation import TO_RV, geometry_known, plane_axes, seen_from_apex, usual_view
from .volume import FloatArray, Volume

Float32 = npt.NDArray[np.float32]

PATCH_SIZE = 160  # pixels
PATCH_MM = 1.4
FIELD_MM = PATCH_SIZE * PATCH_MM
CLIP = 5.0
LOCAL_WINDOW = 43  # pixels, about 60 mm: larger than one wall, smaller than the chest


def normalise_patch(patch: npt.NDArray[Any]) -> Float32:
    """(..., 160, 160) signal to (..., 2, 160, 160) network input: global and local contrast, each within +-5.

    Channel 0 is (signal - median) / (98th - 2nd percentile) * 2; channel 1 subtracts the local mean and divides
    by the local deviation. Neither changes when the signal is scaled or shifted.
    """
    patch = np.asarray(patch, np.float32)
    stack = patch.reshape(-1, *patch.shape[-2:])
    result = np.stack([np.stack([_global_contrast(image), _local_contrast(image)]) for image in stack])
    return np.clip(result, -CLIP, CLIP).reshape(*patch.shape[:-2], 2, *patch.shape[-2:])


def _global_contrast(image: Float32) -> Float32:
    """(H, W) to zero median and a range of about 2; every second pixel is enough for the percentiles."""
    low, median, high = np.percentile(image[::2, ::2], (2, 50, 98))
    return np.asarray((image - median) / max(high - low, _tiny(image)) * 2, np.float32)


def _local_contrast(image: Float32) -> Float32:
    """(H, W) minus its local mean, over its local deviation; outliers (fat) weigh at most twice the mean deviation."""
    deviation = image - _smooth(image)
    power = deviation * deviation
    variance = _smooth(np.minimum(power, 4 * power.mean()))
    return np.asarray(deviation / np.sqrt(variance + 0.02 * variance.mean() + _tiny(image) ** 2), np.float32)


def _smooth(image: Float32) -> Float32:
    """(H, W) mean over a window that falls off smoothly (two box filters)."""
    box = ndimage.uniform_filter(image, LOCAL_WINDOW)
    return np.asarray(ndimage.uniform_filter(box, LOCAL_WINDOW // 2), np.float32)


def _tiny(image: Float32) -> float:
    """A step that is nothing beside the signal, so a constant image gives zeros and no division by zero."""
    return 1e-6 * float(np.abs(image).max()) + 1e-20


def image_centres(volume: Volume) -> FloatArray:
    """(S, 2) row and column of every slice's middle."""
    _, rows, columns = volume.array.shape
    return np.tile([(rows - 1) / 2, (columns - 1) / 2], (len(volume.array), 1))


def patch_axes(volume: Volume) -> FloatArray:
    """(2, 2) signed permutation: patch row and column step in units of image row and column step.

    With known geometry the patch is turned by quarters and mirrored until the RV lies about left, seen from the apex, with
    lost geometry until it is the usual view: the network then gets the same patch however the file stores the heart.
    """
    down, right = plane_axes(volume)
    if geometry_known(volume):
        towards_viewer = np.cross(right, -down) * (1 if seen_from_apex(volume) else -1)
        column = -np.array([TO_RV @ down, TO_RV @ right])
        row_lps = np.cross(column[0] * down + column[1] * right, towards_viewer)
    else:
        row_lps, column_lps = usual_view(volume)
        column = np.array([column_lps @ down, column_lps @ right])
    axes = np.zeros((2, 2))
    swap = abs(column[0]) > abs(column[1])
    for axis, wanted in enumerate((np.array([row_lps @ down, row_lps @ right]), column)):
        along = axis ^ int(swap)
        axes[axis, along] = np.sign(wanted[along])
    return axes


def patch_grids(volume: Volume, centres: FloatArray) -> FloatArray:
    """(S, 2) row-column patch centres to (S, 4, 4) matrices, patch (0, row, column, 1) -> LPS mm.

    Patch rows and columns run along the image's own (see patch_axes). The first column of a matrix is the slice step.
    """
    steps = volume.affine[:3, :3].copy()
    steps[:, 1:] = np.stack(plane_axes(volume), axis=1) @ patch_axes(volume).T * PATCH_MM
    slices = np.arange(len(centres))[:, None]
    middle = volume.to_lps(np.hstack([slices, centres]))
    grids = np.tile(np.eye(4), (len(centres), 1, 1))
    grids[:, :3, :3] = steps
    grids[:, :3, 3] = middle - steps @ [0, (PATCH_SIZE - 1) / 2, (PATCH_SIZE - 1) / 2]
    return grids


def cut_patches(volume: Volume, centres: FloatArray) -> Float32:
    """(S, 2) row-column centres to (S, 160, 160) signal at 1.4 mm; outside the image the edge is repeated."""
    scales = [PATCH_MM / mm for mm in volume.spacing_mm[:2]]
    offsets = np.arange(PATCH_SIZE) - (PATCH_SIZE - 1) / 2
    axes = patch_axes(volume)
    patches = np.empty((len(centres), PATCH_SIZE, PATCH_SIZE), np.float32)
    for patch, image, (row, column) in zip(patches, volume.array, centres, strict=True):
        smooth = smooth_for(image, volume.spacing_mm[:2], PATCH_MM)
        cut = resample_separably(smooth, row + offsets * scales[0], column + offsets * scales[1])
        if axes.sum(0)[0] < 0:
            cut = cut[::-1]
        if axes.sum(0)[1] < 0:
            cut = cut[:, ::-1]
        patch[:] = cut.T if axes[0, 0] == 0 else cut
    return patches


def smooth_for(image: Float32, spacing_mm: tuple[float, float], target_mm: float) -> Float32:
    """(H, W) smoothed just so far that sampling it at ``target_mm`` does not turn fine noise into coarse noise."""
    ratios = [target_mm / mm for mm in spacing_mm]
    sigmas = [0.4 * np.sqrt(ratio**2 - 1) if ratio > 1.2 else 0.0 for ratio in ratios]
    return np.asarray(ndimage.gaussian_filter(image, sigmas), np.float32) if any(sigmas) else image


def resample_separably(image: Float32, rows: FloatArray, columns: FloatArray) -> Float32:
    """(H, W) at the crossings of fractional rows (R,) and columns (C,): (R, C), bilinear, edges repeated."""
    image = np.asarray(image, np.float32)
    for axis, positions in enumerate((rows, columns)):
        positions = np.clip(positions, 0, image.shape[axis] - 1)
        low = np.minimum(positions.astype(int), max(image.shape[axis] - 2, 0))
        high = np.minimum(low + 1, image.shape[axis] - 1)
        weight = (positions - low).astype(np.float32)
        weight = weight[:, None] if axis == 0 else weight[None, :]
        image = np.take(image, low, axis) * (1 - weight) + np.take(image, high, axis) * weight
    return image


def network_input(volume: Volume, centres: FloatArray | None = None) -> Float32:
    """Every slice as the network's input, (S, 2, 160, 160) float32; centres (S, 2) default to the image's middle."""
    return normalise_patch(cut_patches(volume, image_centres(volume) if centres is None else centres))
