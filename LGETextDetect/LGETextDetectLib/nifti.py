"""One NIfTI-1 file -> values and affine in LPS. Own reader, since the usual C library repairs what must be refused.

(It fills up truncated data, turns NaN into 0 and a zero spacing into 1.) Source: nifti1.h, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from .inflated import GZIP, MOST_BESIDE, PIECE, TOO_SHORT, inflate
from .refusal import InputRefused
from .volume import FloatArray

HEADER_BYTES = 348
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_SEVERAL_VALUES = {32: "complex", 128: "colour", 1792: "complex", 2304: "colour"}
_MM = {1: 1000.0, 3: 0.001}  # of metre and micrometre; any other code means mm or says nothing
_TO_LPS = np.diag([-1.0, -1.0, 1.0])  # NIfTI's x and y point right and anterior


@dataclass(frozen=True)
class NiftiHeader:
    """size: voxels in each dimension, fastest first; spacing (3,) mm; affine (4, 4) from (i, j, k, 1) to LPS mm."""

    size: tuple[int, ...]
    spacing: FloatArray
    affine: FloatArray
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float


def read_nifti_header(path: Path) -> NiftiHeader:
    """Parse the header; raises InputRefused(damaged-file, four-dimensional, unreadable-pixels)."""
    try:
        raw = _read(path, 0, HEADER_BYTES)
    except InputRefused:
        raw = b""
    order = next(
        (o for o in "<>" if len(raw) == HEADER_BYTES and struct.unpack_from(o + "i", raw)[0] == HEADER_BYTES), None
    )
    if order is None or raw[344:347] != b"n+1":
        raise InputRefused("damaged-file", "The file is damaged or no NIfTI-1 image.")
    dim = struct.unpack_from(order + "8h", raw, 40)
    if not 1 <= dim[0] <= 7:
        raise InputRefused("damaged-file", "The file's NIfTI header is damaged.")
    (code,) = struct.unpack_from(order + "h", raw, 70)
    if code in _SEVERAL_VALUES:
        raise InputRefused("four-dimensional", f"The file holds {_SEVERAL_VALUES[code]} values.")
    if code not in _TYPES:
        raise InputRefused(
            "unreadable-pixels",
            "The file holds values of a type that is not read.",
            "Export the volume as 16-bit integers or floats.",
        )
    pixdim = np.array(struct.unpack_from(order + "8f", raw, 76))
    offset, slope, intercept = struct.unpack_from(order + "3f", raw, 108)
    scaled = math.isfinite(slope) and math.isfinite(intercept) and slope != 0  # slope 0 means unscaled (nifti1.h)
    spacing = np.ones(3)
    count = min(dim[0], 3)
    spacing[:count] = pixdim[1 : 1 + count]
    affine = _affine(raw, order, pixdim, spacing)
    unit_mm = _MM.get(raw[123] & 7, 1.0)  # xyzt_units
    affine[:3] *= unit_mm
    return NiftiHeader(
        size=tuple(dim[1 : dim[0] + 1]),
        spacing=spacing * unit_mm,
        affine=affine,
        dtype=np.dtype(order + _TYPES[code]),
        offset=max(int(offset), HEADER_BYTES) if math.isfinite(offset) else HEADER_BYTES,
        slope=slope if scaled else 1.0,
        intercept=intercept if scaled else 0.0,
    )


def read_nifti_values(path: Path, header: NiftiHeader) -> npt.NDArray[np.float32]:
    """(k, j, i) scaled values; sizes must have been checked.

    Raises InputRefused(pixels-truncated, damaged-file, absurd-size).
    """
    shape = (*header.size[:3], 1, 1)[:3][::-1]
    needed = math.prod(shape) * header.dtype.itemsize
    raw = _read(path, header.offset, needed, whole=True)
    if len(raw) < needed:
        raise InputRefused("pixels-truncated", TOO_SHORT)
    values = np.frombuffer(raw, header.dtype).reshape(shape)
    with np.errstate(over="ignore", invalid="ignore"):
        return (values.astype(np.float64) * header.slope + header.intercept).astype(np.float32)


def _read(path: Path, offset: int, count: int, *, whole: bool = False) -> bytes:
    """At most ``count`` bytes from ``offset`` of the uncompressed content.

    whole: read compressed content to its end, where it is proved to be undamaged; raises as :func:`inflate`.
    """
    parts, first = [], 0
    with path.open("rb") as file:
        compressed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        for piece in inflate(file, offset + count + MOST_BESIDE) if compressed else _pieces(file):
            parts.append(piece[max(offset - first, 0) : max(offset + count - first, 0)])
            first += len(piece)
            if first >= offset + count and not (compressed and whole):
                break
    return b"".join(parts)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _affine(raw: bytes, order: str, pixdim: FloatArray, spacing: FloatArray) -> FloatArray:
    """sform if it has a code, else qform, else the bare spacing (nifti1.h, methods 3, 2, 1)."""
    qform_code, sform_code = struct.unpack_from(order + "2h", raw, 252)
    affine = np.eye(4)
    if sform_code > 0:
        affine[:3] = np.array(struct.unpack_from(order + "12f", raw, 280)).reshape(3, 4)
    elif qform_code > 0:
        b, c, d, *origin = struct.unpack_from(order + "6f", raw, 256)
        affine[:3, :3] = _rotation(b, c, d) * spacing * (1, 1, -1 if pixdim[0] < 0 else 1)
        affine[:3, 3] = origin
    else:
        affine[:3, :3] = np.diag(spacing)
        return affine
    affine[:3] = _TO_LPS @ affine[:3]
    return affine


def _rotation(b: float, c: float, d: float) -> FloatArray:
    """Rotation of the unit quaternion (a, b, c, d), a >= 0."""
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
