"""Frames -> pixel values: decoding and rescaling, each file opened once; sizes were checked on the headers."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom import encaps
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .dicom_frames import MAX_SAMPLES, Frame, read_dataset
from .refusal import InputRefused

_PIXEL_ELEMENTS = {"PixelData": 0, "FloatPixelData": 32, "DoubleFloatPixelData": 64}  # bits, 0: BitsAllocated
_PIXEL_TAG = b"\xe0\x7f\x10\x00"  # tag (7FE0,0010)
RLE = "1.2.840.10008.1.2.5"
# Decoded by GDCM inside SimpleITK: JPEG baseline to lossless, JPEG-LS, JPEG 2000.
GDCM_SYNTAXES = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91))
_HTJ2K = "1.2.840.10008.1.2.4.20"  # 201, 202, 203

Pixels = npt.NDArray[np.float32]


def read_pixels(frames: Sequence[Frame]) -> Pixels:
    """(slice, row, column) float32 rescaled values of the frames, in their order; all have one matrix.

    Raises InputRefused(absurd-size, pixels-missing, pixels-truncated, unreadable-pixels, damaged-file).
    """
    rows, columns = frames[0].shape
    if rows * columns * len(frames) > MAX_SAMPLES:
        raise InputRefused("absurd-size", f"The headers promise {rows} x {columns} pixels in {len(frames)} slices.")
    values = np.empty((len(frames), rows, columns), np.float32)
    by_file: dict[Path, list[int]] = {}
    for number, frame in enumerate(frames):
        by_file.setdefault(frame.path, []).append(number)
    for path, numbers in by_file.items():
        stored = _stored_values(path, [frames[number].index for number in numbers], f"Slice {numbers[0] + 1}")
        for number, pixels in zip(numbers, stored, strict=True):
            if pixels.shape != (rows, columns):
                raise InputRefused("pixels-truncated", f"Slice {number + 1} holds another matrix than its header says.")
            frame = frames[number]
            values[number] = pixels.astype(np.float64) * frame.slope + frame.intercept
    return values


def _stored_values(path: Path, indices: Sequence[int], label: str) -> list[npt.NDArray[Any]]:
    """Stored values of some frames of one file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on odd headers; what matters is checked here
        try:
            return _values(_with_pixels(path, label), indices, label)
        except InputRefused:
            raise
        except Exception as error:  # pydicom raises what it meets, at the first use of a damaged element
            raise InputRefused("damaged-file", f"{label} has a damaged description of its pixel data.") from error


def _values(dataset: FileDataset, indices: Sequence[int], label: str) -> list[npt.NDArray[Any]]:
    syntax = _syntax(dataset)
    if not syntax.is_transfer_syntax:
        raise InputRefused("unreadable-pixels", f"{label} is stored in an unknown transfer syntax.")
    if syntax.is_compressed and not syntax.is_deflated:
        stored = [_decompressed(dataset, syntax, index, label) for index in indices]
    else:
        whole = _decoded(dataset, label)
        stored = [whole[index] if whole.ndim == 3 else whole for index in indices]
    return [_monochrome(pixels, dataset) for pixels in stored]


def _with_pixels(path: Path, label: str) -> FileDataset:
    try:
        dataset = read_dataset(path)
    except InputRefused:
        raise
    except Exception as error:  # pydicom raises what it meets
        raise InputRefused("pixels-truncated", f"{label} ends inside its pixel data or is damaged.") from error
    name = next((n for n in _PIXEL_ELEMENTS if n in dataset), None)
    if name is None and _PIXEL_TAG in path.read_bytes():  # pydicom drops what has no end
        raise InputRefused("pixels-truncated", f"{label} ends inside its pixel data.")
    if name is None or not dataset[name].value:
        raise InputRefused("pixels-missing", f"{label} has no pixel data.")
    return dataset


def _syntax(dataset: FileDataset) -> UID:
    """Transfer syntax; of files without file meta information the one that they were found to be written in."""
    told = dataset.file_meta.get("TransferSyntaxUID", None)
    if told is None:
        if hasattr(dataset, "original_encoding"):  # pydicom 3
            implicit, little = dataset.original_encoding[:2]
        else:
            implicit, little = dataset.is_implicit_VR, dataset.is_little_endian
        told = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = told
    return UID(str(told))


def _decoded(dataset: Dataset, label: str) -> npt.NDArray[Any]:
    """All frames of uncompressed pixel data."""
    name = next(n for n in _PIXEL_ELEMENTS if n in dataset)
    bits = _PIXEL_ELEMENTS[name] or _integer(dataset, "BitsAllocated")
    expected = (
        _integer(dataset, "Rows")
        * _integer(dataset, "Columns")
        * max(_integer(dataset, "NumberOfFrames"), 1)
        * bits
        // 8
    )
    if len(dataset[name].value) < expected:
        raise InputRefused("pixels-truncated", f"{label} holds less pixel data than its header promises.")
    try:
        return np.asarray(dataset.pixel_array)
    except Exception as error:  # decoders raise what they meet
        raise InputRefused("unreadable-pixels", f"{label} holds pixel data that cannot be decoded.") from error


def _integer(dataset: Dataset, name: str) -> int:
    return int(dataset.get(name, 0) or 0)


def _decompressed(dataset: Dataset, syntax: UID, index: int, label: str) -> npt.NDArray[Any]:
    """One compressed frame, through a file of that frame alone without any identifier."""
    try:
        data = _frame_bytes(dataset, index)
    except Exception as error:
        raise InputRefused("pixels-truncated", f"{label} holds damaged or incomplete compressed pixel data.") from error
    single = _single_frame(dataset, syntax, data)
    try:
        if syntax in GDCM_SYNTAXES:
            return _gdcm(single)
        return np.asarray(single.pixel_array)
    except Exception as error:
        if syntax == RLE or syntax in GDCM_SYNTAXES:
            raise InputRefused(
                "pixels-truncated", f"{label} holds damaged or incomplete compressed pixel data."
            ) from error
        advice = (
            "the packages pylibjpeg and pylibjpeg-openjpeg would read it"
            if syntax.startswith(_HTJ2K)
            else "no decoder is known"
        )
        cause = f"{label} is compressed as {syntax.name if syntax.name != syntax else 'something unknown'}; {advice}."
        raise InputRefused("unreadable-pixels", cause) from error


def _frame_bytes(dataset: Dataset, index: int) -> bytes:
    count = max(_integer(dataset, "NumberOfFrames"), 1)
    if hasattr(encaps, "generate_frames"):  # pydicom 3
        frames: Iterator[Any] = encaps.generate_frames(dataset.PixelData, number_of_frames=count)
    else:
        frames = (b"".join(parts) for parts in encaps.generate_pixel_data(dataset.PixelData, count))
    for number, data in enumerate(frames):
        if number == index:
            if not data:
                break
            return bytes(data)
    raise ValueError("frame not found")


def _single_frame(dataset: Dataset, syntax: UID, data: bytes) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    single = FileDataset("", {}, b"\0" * 128, meta, is_implicit_VR=False, is_little_endian=True)
    for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        setattr(single, name, _integer(dataset, name))
    single.SamplesPerPixel = 1
    single.PhotometricInterpretation = "MONOCHROME2"
    single.SOPClassUID, single.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    single.Modality = "OT"
    single.PixelData = encaps.encapsulate([data])
    single["PixelData"].VR = "OB"
    single["PixelData"].is_undefined_length = True
    return single


def _gdcm(single: FileDataset) -> npt.NDArray[Any]:
    """Decode by SimpleITK, which reads files only."""
    sitk: Any = import_module("SimpleITK")  # when used: it takes a third of a second
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        pydicom.dcmwrite(path, single)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        pixels = np.asarray(sitk.GetArrayFromImage(reader.Execute()))
    return pixels[0] if pixels.ndim == 3 else pixels


def _monochrome(pixels: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[Any]:
    """Values that grow with brightness."""
    if str(dataset.get("PhotometricInterpretation", "")).strip() != "MONOCHROME1":
        return pixels
    return (
        -1 if _integer(dataset, "PixelRepresentation") else 2 ** _integer(dataset, "BitsStored") - 1
    ) - pixels.astype(np.int64)
