"""Rows and columns of one value around an image, as exports add them to fill a matrix: no part of the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .volume import Volume

MAX_FLAT = (
    0.5  # share of the image's outermost row that may still hold the fill value: more, and it is air round a body
)


def without_padding(volume: Volume) -> Volume:
    """The volume without the border that holds one value on every slice; the same volume when it has none.

    Places keep their coordinates. What is computed on it does not depend on how far an export has filled up its matrix.
    """
    rows, columns = (_image_range(volume.array, axis) for axis in (1, 2))
    if rows == (0, volume.array.shape[1]) and columns == (0, volume.array.shape[2]):
        return volume
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_lps([0, rows[0], columns[0]])
    image = volume.array[:, rows[0] : rows[1], columns[0] : columns[1]]
    return Volume(np.ascontiguousarray(image), affine, volume.image_type)


def _image_range(array: npt.NDArray[np.float32], axis: int) -> tuple[int, int]:
    """First and behind-last index along ``axis`` (1 rows, 2 columns) of the image inside its padding."""
    lines = np.moveaxis(array, axis, 0)  # (rows or columns, slices, values along them)
    before, behind = (_padded(turned) for turned in (lines, lines[::-1]))
    return (before, len(lines) - behind) if before + behind < len(lines) else (0, len(lines))


def _padded(lines: npt.NDArray[np.float32]) -> int:
    """How many of the first lines (N, S, W) hold nothing but each slice's fill value, the value of its corner."""
    filled = lines == lines[0, :, :1]
    if filled.all():  # every slice is of one value: no image, which is for others to say
        return 0
    count = int(np.argmin(filled.all((1, 2))))
    edge = filled[count]
    along = np.flatnonzero(~filled.all((0, 1)))  # the lines' ends may be padded too
    return count if edge[:, along[0] : along[-1] + 1].mean() <= MAX_FLAT else 0
