"""The LV's wall cut into regions: one per slice, 30-degree sector and third of the wall; what a token is pooled over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from . import aha

Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
SECTORS = 12
BANDS = 3  # inner, middle, outer third of the wall
PER_SLICE = SECTORS * BANDS
SURELY_CAVITY = (
    0.65  # a reader's endocardium encloses less than all that is likelier blood than wall (docs/model-log.md)
)


def sector_of_pixels() -> Indices:
    """(96, 96) sector 0..11 of every pixel, counted from the lateral wall counter-clockwise."""
    return np.asarray(aha.frame_angles() // (360 / SECTORS), np.int64)


@dataclass(frozen=True, eq=False)
class WallRegions:
    """Pixels of the wall and the region of each.

    shape: (S, 96, 96) of the maps. pixel (P,): flat indices into them, region (P,): 0 .. S * 36 - 1, depth (P,): 0
    endocardium .. 1 epicardium.
    """

    shape: tuple[int, ...]
    pixel: Indices
    region: Indices
    depth: Float32

    @property
    def count(self) -> int:
        """S * 36."""
        return self.shape[0] * PER_SLICE

    @cached_property
    def area(self) -> Indices:
        """(S * 36,) pixels of each region."""
        return np.bincount(self.region, minlength=self.count)

    def at(self, channel: Float32) -> Float32:
        """(P,) values of a map (S, 96, 96) at the wall's pixels."""
        return np.ascontiguousarray(channel).reshape(-1)[self.pixel]

    def total(self, channel: Float32) -> Floats:
        """(S * 36,) sum of a map (S, 96, 96) over each region."""
        return np.asarray(np.bincount(self.region, self.at(channel), self.count), np.float64)

    def mean(self, channel: Float32) -> Floats:
        """(S * 36,) mean of a map (S, 96, 96) over each region; 0 where it has no pixel."""
        return self.total(channel) / np.maximum(self.area, 1)

    def peak(self, channel: Float32) -> Floats:
        """Largest 3 x 3 mean per region: a lesion counts by its brightest 14 mm2, a single noisy pixel does not."""
        smooth = ndimage.uniform_filter(channel, (0, 3, 3))
        peak = np.zeros(self.count)
        np.maximum.at(peak, self.region, self.at(smooth))
        return peak


def drawn_cavity_and_wall(cavity: Float32, wall: Float32) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Probabilities of any one shape to the masks of cavity and wall as they are drawn, and compared with a reader's."""
    ventricle = cavity + wall > 0.5
    inside = ventricle & (cavity > SURELY_CAVITY)
    return inside, ventricle & ~inside


def wall_regions(cavity: npt.NDArray[np.bool_], muscle: npt.NDArray[np.bool_]) -> WallRegions:
    """The regions of a wall: masks (S, 96, 96) in the normalised frame, centred on the LV."""
    sector = sector_of_pixels().ravel()
    pixels, regions, depths = [], [], []
    for number, masks in enumerate(zip(cavity, muscle, strict=True)):
        depth = aha.radial_depth(*masks).ravel()
        where = np.flatnonzero(masks[1].ravel() & np.isfinite(depth))
        band = np.clip((depth[where] * BANDS).astype(int), 0, BANDS - 1)
        pixels.append(where + number * depth.size)
        regions.append((number * SECTORS + sector[where]) * BANDS + band)
        depths.append(depth[where])
    return WallRegions(muscle.shape, np.concatenate(pixels), np.concatenate(regions), np.concatenate(depths))
