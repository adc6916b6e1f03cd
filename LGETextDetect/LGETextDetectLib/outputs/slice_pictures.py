"""Pictures of the normalised slices as PNG: plain, and with evidence, contours and insertion points."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..landmarks import Landmarks, SliceLandmarks
from ..model import Prediction
from ..normalised import NormalisedStack
from ..wall_regions import drawn_cavity_and_wall

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

WINDOW = (-0.7, 1.7)  # normalised signal shown black .. white: dark myocardium is 0, blood 1
MARGIN = 8  # pixels cut off on every side of the 96: lung and chest wall
ZOOM = 4
EVIDENCE_FROM = 0.25  # fainter evidence is not painted
EVIDENCE_RGB = (255, 120, 0)
MAX_OPACITY = 0.6
UP = 2  # PNG's filter that stores the difference from the line above: nearly half the size where there is noise
ENDO_RGB, EPI_RGB, RVIP_RGB = (86, 180, 233), (240, 228, 66), (255, 255, 255)  # Okabe and Ito's palette, and white


@dataclass(frozen=True)
class SlicePicture:
    """PNG files of one slice: grey as seen, and a transparent layer of what was understood, for the same square."""

    index: int
    plain: bytes
    overlay: bytes


def slice_pictures(stack: NormalisedStack, prediction: Prediction, landmarks: Landmarks) -> list[SlicePicture]:
    """Pictures base to apex: the signal, and over it the evidence, the borders of the wall and the insertion points."""
    marks = {mark.index: mark for mark in landmarks.slices}
    pictures = []
    for k, index in enumerate(stack.index):
        layer = _evidence_layer(_enlarge(prediction.evidence[k]))
        cavity, wall = drawn_cavity_and_wall(*(_enlarge(part) for part in prediction.heart[k]))
        layer = _with_contour(layer, cavity, ENDO_RGB)
        layer = _with_contour(layer, cavity | wall, EPI_RGB)
        layer = _with_insertions(layer, stack.grids[k], marks.get(int(index)))
        pictures.append(SlicePicture(int(index), png_bytes(_grey(stack.image[k])), png_bytes(layer)))
    return pictures


def png_bytes(pixels: UInt8) -> bytes:
    """(H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8 to a PNG file (specification 1.2), always the same bytes."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise ValueError(f"expected (H, W) or (H, W, 3 or 4) uint8, got {pixels.shape} {pixels.dtype}")
    height, width = pixels.shape[:2]
    colour_type = 0 if pixels.ndim == 2 else {3: 2, 4: 6}[pixels.shape[2]]
    rows = pixels.reshape(height, -1)
    lines = np.full((height, 1 + rows.shape[1]), UP, np.uint8)  # every line starts with its filter
    lines[:, 1:] = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _middle(frame: Float32) -> Float32:
    """A (96, 96) frame without its margin."""
    return frame[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _enlarge(frame: Float32) -> Float32:
    """The middle of a (96, 96) frame, bilinear, ``ZOOM`` times as large, so that contours are smooth."""
    return np.asarray(ndimage.zoom(_middle(frame), ZOOM, order=1, mode="nearest", grid_mode=True), np.float32)


def _grey(frame: Float32) -> UInt8:
    low, high = WINDOW
    return np.asarray(np.clip((_middle(frame) - low) / (high - low), 0, 1) * 255 + 0.5, np.uint8)


def _evidence_layer(evidence: Float32) -> UInt8:
    """(H, W, 4) orange, the denser the more certain; the image stays visible beneath."""
    layer = np.zeros((*evidence.shape, 4), np.uint8)
    shown = evidence >= EVIDENCE_FROM
    layer[shown, :3] = EVIDENCE_RGB
    layer[shown, 3] = np.clip(evidence[shown], 0, 1) * MAX_OPACITY * 255
    return layer


def _with_contour(layer: UInt8, mask: npt.NDArray[np.bool_], rgb: tuple[int, int, int]) -> UInt8:
    """The layer with the inner border of a mask, two pixels wide."""
    result = layer.copy()
    result[mask & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)] = (*rgb, 255)
    return result


def _with_insertions(layer: UInt8, grid: npt.NDArray[np.float64], mark: SliceLandmarks | None) -> UInt8:
    """The layer with the RV insertion points: anterior a disc, inferior a square, white with a black rim."""
    result = layer.copy()
    row, column = np.ogrid[: layer.shape[0], : layer.shape[1]]
    for name, as_disc in (("rvip_anterior", True), ("rvip_inferior", False)):
        lps = getattr(mark, name) if mark is not None else None
        if lps is None:
            continue
        place = np.linalg.pinv(grid[:3, 1:3]) @ (np.array(lps) - grid[:3, 3])
        down, right = (place - MARGIN + 0.5) * ZOOM - 0.5
        distance = np.hypot(row - down, column - right)
        if not as_disc:
            distance = np.maximum(abs(row - down), abs(column - right))
        result[distance <= 6.5] = (0, 0, 0, 255)
        result[distance <= 4.8] = (*RVIP_RGB, 255)
    return result
