"""What a region of the wall cannot tell by itself: its column, its neighbours, what borders it, the lesion it is part of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from . import aha
from .finding import LAYERS
from .looks import above_and_below
from .wall_regions import BANDS, SECTORS, Float32, Floats, Indices, WallRegions, sector_of_pixels
from .wall_shape import mend_wall

NEAR_PX = 2.5  # of the wall: what lies that near to it borders it
LESION = 0.35  # scar probability from which pixels that touch, across slices too, are one lesion
OF_COLUMN = BANDS + 4  # scar in its thirds; in the columns above, below and on both sides
OF_BORDERS = 6  # outside and inside: signal of what borders the wall, area and signal of the wall's bays
OF_LESION = 8 + len(LAYERS)
SURROUNDINGS = OF_COLUMN + OF_BORDERS + OF_LESION
_TOUCHING = np.ones((3, 3, 3))


def surroundings(image: Float32, maps: Float32, regions: WallRegions) -> Floats:
    """(S * 36, 28) measures for every region; a column is the regions of one slice and sector.

    image (S, 96, 96), maps (S, 11, 96, 96): as for tokens.study_tokens.
    """
    count = len(image)
    by_column = np.concatenate([_of_columns(maps[:, 2], regions), _of_borders(image, maps)], -1)
    spread = np.repeat(by_column.reshape(count * SECTORS, -1), BANDS, 0)
    return np.concatenate([spread, _of_lesions(image, maps, regions)], 1)


def _of_columns(scar: Float32, regions: WallRegions) -> Floats:
    """(S, 12, 7) mean scar in a column's thirds, and in the columns above, below (at an end its own) and beside it."""
    shape = (len(scar), SECTORS, BANDS)
    area = regions.area.reshape(shape).sum(2)
    column = regions.total(scar).reshape(shape).sum(2) / np.maximum(area, 1)
    around = np.stack([*above_and_below(column), np.roll(column, 1, 1), np.roll(column, -1, 1)], -1)
    return np.concatenate([regions.mean(scar).reshape(shape), around], -1)


def _of_borders(image: Float32, maps: Float32) -> Floats:
    """(S, 12, 6) per sector, outside and inside: signal of what borders the wall, area and signal of the wall's bays.

    A bay is what :func:`wall_shape.mend_wall` would give back to the wall: a lesion taken for blood or fat leaves one.
    """
    sector = sector_of_pixels()
    result = np.zeros((len(image), SECTORS, OF_BORDERS))
    mended = mend_wall(np.ascontiguousarray(maps[:, :2]))[:, 1] > 0.5
    for row, signal, cavity, muscle, whole in zip(
        result, image, maps[:, 0] > 0.5, maps[:, 1] > 0.5, mended, strict=True
    ):
        if not muscle.any():
            continue
        near = ~muscle & (ndimage.distance_transform_edt(~muscle) <= NEAR_PX)
        bay = whole & ~muscle
        for side, here in enumerate((~cavity, cavity)):
            row[:, side] = _mean_by(sector, near & here, signal)[0]
            row[:, 4 + side], area = _mean_by(sector, bay & here, signal)
            row[:, 2 + side] = np.log1p(area) / 4
    return result


def _mean_by(sector: Indices, mask: npt.NDArray[np.bool_], signal: Float32) -> tuple[Floats, Indices]:
    """(12,) mean signal of a mask's pixels in each sector, 0 where there are none, and their number."""
    number = np.bincount(sector[mask], minlength=SECTORS)
    return np.bincount(sector[mask], signal[mask], SECTORS) / np.maximum(number, 1), number


def _of_lesions(image: Float32, maps: Float32, regions: WallRegions) -> Floats:
    """(S * 36, 15) what is said of the lesion that holds most of each region's scar; 0 where there is none."""
    result = np.zeros((regions.count, OF_LESION))
    labels, found = ndimage.label((maps[:, 2] > LESION) & (maps[:, 1] > 0.5), _TOUCHING)
    if not found:
        return result
    lesion = labels.reshape(-1)[regions.pixel] - 1
    held = np.zeros((regions.count, found))
    scarred = lesion >= 0
    np.add.at(held, (regions.region[scarred], lesion[scarred]), regions.at(maps[:, 2])[scarred].astype(float))
    some = held.max(1) > 0
    result[some] = _describe_lesions(image, maps, regions, lesion, found)[held[some].argmax(1)]
    return result


def _describe_lesions(image: Float32, maps: Float32, regions: WallRegions, lesion: Indices, found: int) -> Floats:
    """(N, 15) measures of each of N lesions. lesion (P,): that of every pixel of the wall, -1 none.

    Size, slices, share of the circumference; of its rays those that reach the inner and the outer third of the wall, share of
    the wall along them; mean scar and signal; share of each layer.
    """
    scarred = lesion >= 0
    name, depth = lesion[scarred], regions.depth[scarred]
    rays = int(360 / aha.RAY_DEG)
    ray_of_pixel = (aha.frame_angles() // aha.RAY_DEG).astype(int).ravel()
    slice_number, place = np.divmod(regions.pixel, ray_of_pixel.size)
    ray = slice_number * rays + ray_of_pixel[place]
    wall = np.bincount(ray, minlength=rays * len(image))

    def on_rays(chosen: npt.NDArray[np.bool_]) -> Floats:
        """(N, S * 60) pixels of each lesion on each ray."""
        cell = name[chosen] * len(wall) + ray[scarred][chosen]
        return np.bincount(cell, minlength=found * len(wall)).reshape(found, -1).astype(float)

    def total(channel: Float32, weight: Floats) -> Floats:
        """(N,) weighted sum of a map over each lesion."""
        return np.asarray(np.bincount(name, weight * regions.at(channel)[scarred], found), np.float64)

    touched, inner, outer = on_rays(depth >= 0), on_rays(depth < 1 / 3), on_rays(depth > 2 / 3)
    number = (touched > 0).sum(1)
    slices = (touched.reshape(found, len(image), rays) > 0).any(2).sum(1)
    each, scar = np.ones(len(name)), regions.at(maps[:, 2])[scarred].astype(float)
    size, sum_of_scar = np.bincount(name, minlength=found), np.bincount(name, scar, found)
    layers = [total(maps[:, 4 + k], scar) / sum_of_scar for k in range(len(LAYERS))]
    share = (touched / np.maximum(wall, 1)).sum(1) / number
    return np.stack(
        [np.log1p(size) / 6, slices / 5, number / slices / rays, (inner > 0).sum(1) / number, (outer > 0).sum(1) / number,
         share, sum_of_scar / size, total(image, each) / size, *layers], 1,
    )  # fmt: skip
