"""A stack is looked at in several views and what is seen is averaged: where a border runs is then less a matter of chance.

Each view is one that training shows as well, hearts being smaller and larger, and nearly the same upside down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .looks import Float32, See, look_twice
from .patches import resample_separably


@dataclass(frozen=True)
class View:
    """How a stack is shown: with the anterior wall below, or ``scale`` times as large as in the normalised frame."""

    upside_down: bool = False
    scale: float = 1.0

    def show(self, image: Float32) -> Float32:
        """(S, C, H, W) in this view; edges are repeated."""
        seen = _enlarged(image, self.scale)
        return np.ascontiguousarray(seen[:, :, ::-1] if self.upside_down else seen)

    def back(self, maps: Float32) -> Float32:
        """(S, C, H, W) of this view as they lie in the normalised frame."""
        return _enlarged(maps[:, :, ::-1] if self.upside_down else maps, 1 / self.scale)


VIEWS = (View(), View(upside_down=True), View(scale=0.92), View(scale=1.08))


def look_in_views(see: See, image: Float32) -> Float32:
    """Mean of the maps (S, 11, 96, 96) that two looks give of a stack's input (S, 18, 96, 96) in each of the VIEWS."""
    maps = [view.back(look_twice(see, view.show(image))) for view in VIEWS]
    return np.asarray(np.mean(maps, axis=0), np.float32)


def _enlarged(image: Float32, scale: float) -> Float32:
    """(..., N, N) enlarged about its middle, bilinear."""
    if scale == 1:
        return image
    size = image.shape[-1]
    middle = (size - 1) / 2
    places = (np.arange(size) - middle) / scale + middle
    along = resample_separably(np.eye(size, dtype=np.float32), places, np.arange(size, dtype=float))
    return np.asarray(along @ image @ along.T, np.float32)
