"""Small pictures of prepared studies and of scars painted into them, for the data check's page and the preview."""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.outputs.slice_pictures import ENDO_RGB, EPI_RGB, EVIDENCE_RGB, WINDOW, png_bytes
from scipy import ndimage

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
MARGIN = 12  # pixels cut off on every side of the 96
ZOOM = 2


def grey(frame: Float32) -> UInt8:
    """(96, 96) normalised signal to (144, 144, 3)."""
    low, high = WINDOW
    large = ndimage.zoom(_middle(frame), ZOOM, order=1, mode="nearest", grid_mode=True)
    shown = np.asarray(np.clip((large - low) / (high - low), 0, 1) * 255 + 0.5, np.uint8)
    return np.repeat(shown[..., None], 3, 2)


def with_heart(picture: UInt8, maps: Float32) -> UInt8:
    """The picture with the borders of cavity and epicardium; maps (3, 96, 96)."""
    result = picture.copy()
    for mask, rgb in ((maps[0] > 0.5, ENDO_RGB), (maps[0] + maps[1] > 0.5, EPI_RGB)):
        result[_border(mask)] = rgb
    return result


def with_scar(picture: UInt8, scar: npt.NDArray[np.bool_]) -> UInt8:
    """The picture with the border of a scar mask (96, 96)."""
    result = picture.copy()
    result[_border(scar)] = EVIDENCE_RGB
    return result


def side_by_side(pictures: list[UInt8]) -> UInt8:
    """Pictures in a row with a thin white line between them."""
    line = np.full((len(pictures[0]), 2, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, line)]
    return np.concatenate(parts[:-1], 1)


def as_html(picture: UInt8, words: str) -> str:
    """A self-contained <img>."""
    data = base64.b64encode(png_bytes(np.ascontiguousarray(picture))).decode("ascii")
    return f'<img alt="{words}" src="data:image/png;base64,{data}">'


def _middle(frame: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return frame[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _border(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    large = np.repeat(np.repeat(np.asarray(_middle(mask), bool), ZOOM, 0), ZOOM, 1)
    return np.asarray(large & ~ndimage.binary_erosion(large, border_value=1), bool)
