"""DICOM headers -> frames: one frozen record per stored slice, defects noted and never repaired; no pixel is read."""

from __future__ import annotations

import math
import re
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_partial

from .input_files import Source, files_of
from .refusal import InputRefused

MAX_SIDE = 4096  # pixels
MAX_FRAMES = 20_000  # of one file
MAX_SAMPLES = 2**27  # of one stack: 0.5 GiB as float32, twenty times a large cardiac series
ORTHOGONAL = 5e-3  # cosine between row and column, and error of their lengths; headers round to 1e-3 at worst
DISTANCES_MM = (0.01, 1000.0)
MAX_INFLATED = 2**30  # bytes of one deflated file
MAX_TEXT = 512  # bytes of a file's first element where that is text
DEFLATED = b"1.2.840.10008.1.2.1.99"
FIRST_ELEMENTS = {  # value representations by tag
    b"\x08\0\0\0": b"UL", b"\x08\0\x01\0": b"UL", b"\x08\0\x05\0": b"CS", b"\x08\0\x08\0": b"CS", b"\x08\0\x16\0": b"UI", b"\x02\0\0\0": b"UL",
}  # fmt: skip
MR_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.4{end}" for end in ("", ".1", ".4"))  # classic, enhanced, converted to it
GE_RECONSTRUCTIONS = ("M", "P", "R", "I")  # by the value of (0043,102F)

Defect = tuple[str, str] | tuple[str, str, str]  # refusal code, cause, remedy where the code's own would not help


@dataclass(frozen=True)
class Frame:
    """One slice as its header tells it; with a ``defect`` when the header cannot be trusted.

    orientation: row then column cosines, position: first voxel's centre, LPS mm; spacing: row, column distance, mm.
    """

    path: Path
    index: int  # of the frame in its file
    sop_uid: str
    sop_class: str
    series_uid: str
    study_uid: str
    frame_of_reference: str
    patient: tuple[str, str]  # identifier, name in plain lower-case words
    study_date: str
    modality: str
    description: str
    protocol: str
    image_type: tuple[str, ...]
    sequence: tuple[str, ...]  # ScanningSequence, SequenceVariant, ScanOptions, SequenceName
    inversion_ms: float | None
    trigger_ms: float | None
    temporal: int | None
    echo_ms: float | None
    contrast: bool
    acquired: tuple[str, str, int]  # date, time, series number
    instance: int
    shape: tuple[int, int]  # rows, columns
    samples: int
    orientation: tuple[float, ...] | None
    position: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    thickness: float | None
    slope: float
    intercept: float
    defect: Defect | None = None

    @property
    def normal(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Row direction x column direction, LPS; only for frames with an orientation."""
        return np.cross(np.array(self.orientation[:3]), np.array(self.orientation[3:]))  # type: ignore[index]


@dataclass(frozen=True)
class Headers:
    """All that a source holds. files: regular files seen, other: of these, no DICOM image."""

    frames: tuple[Frame, ...]
    files: int
    other: int
    duplicates: int


def is_dicom(path: Path) -> bool:
    """Whether the file carries the DICOM prefix (PS3.10, 7.1), or begins with a first element as files before it did."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError as error:  # it might be a slice
        raise InputRefused("damaged-file", "A file cannot be opened.") from error
    return _begins_as_dicom(start)


def _begins_as_dicom(start: bytes) -> bool:
    return start[128:132] == b"DICM" or (len(start) >= 132 and _is_first_element(start))


def _is_first_element(start: bytes) -> bool:
    """Whether bytes are a whole element, explicit or implicit: the tag alone can begin the pixels of any file."""
    kind = FIRST_ELEMENTS.get(start[:4])
    if kind is None:
        return False
    length = int.from_bytes(start[6:8] if start[4:6] == kind else start[4:8], "little")
    value = start[8 : 8 + length]
    if kind == b"UL" or not value:
        next_group = start[8 + length : 10 + length]
        return len(value) == (4 if kind == b"UL" else 0) and next_group == start[:2]
    text = value.rstrip(b"\0 ")
    return length <= MAX_TEXT and bool(text) and text.isascii() and text.decode().isprintable()


def read_dataset(path: Path, *, header_only: bool = False) -> FileDataset:
    """A DICOM file; raises what pydicom raises, and InputRefused(absurd-size) before a deflated file is inflated."""
    with path.open("rb") as file:
        _check_inflated(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's remarks on odd values; what matters is checked by the callers
        return pydicom.dcmread(path, stop_before_pixels=header_only, force=True)


def read_elements(path: Path, tags: Sequence[int]) -> FileDataset | None:
    """These elements alone of a DICOM file, which is opened once and read up to the last of them; None for any other file.

    Raises as :func:`read_dataset`.
    """
    last = max(tags)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not _begins_as_dicom(file.read(132)):
            return None
        _check_inflated(file)
        return read_partial(file, lambda tag, _vr, _length: tag > last, force=True, specific_tags=list(tags))


def _check_inflated(file: BinaryIO) -> None:
    """Inflate a deflated file without keeping it, up to what one object may hold (PS3.5, A.5); leaves ``file`` at its start."""
    file.seek(0)
    start = file.read(1024)
    file.seek(0)
    if DEFLATED not in start:
        return
    length = int.from_bytes(start[140:144], "little")  # of the file meta group, which always comes first
    inflate, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    file.seek(144 + length)
    while chunk := file.read(2**16):
        while chunk:
            total += len(inflate.decompress(chunk, 2**20))
            if total > MAX_INFLATED:
                raise InputRefused("absurd-size", "A deflated file holds more than a cardiac series can.")
            chunk = inflate.unconsumed_tail
    file.seek(0)


def read_headers(source: Source) -> Headers:
    """Frames of every DICOM image of ``source``, each object once, in path order.

    Raises InputRefused(not-found, damaged-file).
    """
    paths = files_of(source)
    seen: dict[tuple[object, ...], Frame] = {}
    other = duplicates = 0
    for number, path in enumerate(paths, 1):
        frames = _file_frames(path, f"File {number} of {len(paths)} (in path order)") if is_dicom(path) else []
        other += not frames
        for frame in frames:
            # Study and position belong to the key: careless de-identification gives one UID to many slices.
            key = (frame.study_uid, frame.sop_uid or str(path), frame.index, frame.position, frame.image_type)
            duplicates += key in seen
            seen.setdefault(key, frame)
    return Headers(tuple(seen.values()), len(paths), other, duplicates)


def _file_frames(path: Path, label: str) -> list[Frame]:
    """Frames of one DICOM file; empty for DICOMDIR, reports and the like."""
    try:
        return _frames(read_dataset(path, header_only=True), path, label)
    except InputRefused:
        raise
    except Exception as error:  # pydicom raises what it meets: EOFError, zlib.error, struct.error, KeyError, ...
        raise InputRefused("damaged-file", f"{label} is a DICOM file with a damaged header.") from error


def _frames(header: Dataset, path: Path, label: str) -> list[Frame]:
    sop_class = str(header.get("SOPClassUID", ""))
    modality = _modality(header)
    if "DirectoryRecordSequence" in header:
        return []
    if not sop_class and not modality:
        raise InputRefused("damaged-file", f"{label} is a DICOM file that ends inside its header.")
    if "Rows" not in header or "Columns" not in header:
        if sop_class in MR_CLASSES:
            raise InputRefused("damaged-file", f"{label} is an MR image whose header ends before its matrix size.")
        return []
    count = _integer(header, "NumberOfFrames", 1)
    shape = (_integer(header, "Rows", 0), _integer(header, "Columns", 0))
    defect = _size_defect(shape, count)
    groups = list(header.get("PerFrameFunctionalGroupsSequence", None) or [])
    shared = list(header.get("SharedFunctionalGroupsSequence", None) or [])[:1]
    if defect or not groups:
        if not defect and count > 1:
            defect = ("four-dimensional", f"One file holds {count} frames without a geometry of their own.")
        return [_frame([header], path, 0, defect)]
    if len(groups) != count:
        defect = ("damaged-file", f"A multi-frame file promises {count} frames and describes {len(groups)}.")
        return [_frame([header], path, 0, defect)]
    return [_frame([group, *shared, header], path, index, None) for index, group in enumerate(groups)]


def _size_defect(shape: tuple[int, int], frames: int) -> Defect | None:
    if min(shape) < 2 or frames < 1:
        return "absurd-size", f"The header promises an image of {shape[0]} x {shape[1]} pixels, {frames} frames."
    if max(shape) > MAX_SIDE or frames > MAX_FRAMES or shape[0] * shape[1] * frames > MAX_SAMPLES:
        return "absurd-size", f"The header promises {shape[0]} x {shape[1]} pixels in {frames} frames."
    return None


def _frame(layers: list[Dataset], path: Path, index: int, defect: Defect | None) -> Frame:
    """A frame from its functional groups and header, most specific first."""
    header = layers[-1]
    orientation = _floats(layers, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    position = _floats(layers, "PlanePositionSequence", "ImagePositionPatient", 3)
    spacing = _floats(layers, "PixelMeasuresSequence", "PixelSpacing", 2)
    slope = _floats(layers, "PixelValueTransformationSequence", "RescaleSlope", 1, (1.0,))
    intercept = _floats(layers, "PixelValueTransformationSequence", "RescaleIntercept", 1, (0.0,))
    image_type = _image_type(layers)
    defect = defect or _mosaic_defect(image_type)
    defect = defect or _geometry_defect(orientation, position, spacing) or _rescale_defect(slope, intercept)
    thickness = _floats([header], "", "SpacingBetweenSlices", 1) or _floats(
        layers, "PixelMeasuresSequence", "SliceThickness", 1
    )
    trigger = _floats(layers, "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", 1)
    return Frame(
        path=path,
        index=index,
        sop_uid=str(header.get("SOPInstanceUID", "")),
        sop_class=str(header.get("SOPClassUID", "")),
        series_uid=str(header.get("SeriesInstanceUID", "")),
        study_uid=str(header.get("StudyInstanceUID", "") or "").strip(),
        frame_of_reference=str(header.get("FrameOfReferenceUID", "") or "").strip(),
        patient=(str(header.get("PatientID", "")).strip(), _name_words(header.get("PatientName", ""))),
        study_date=str(header.get("StudyDate", "") or header.get("AcquisitionDate", "")),
        modality=_modality(header),
        description=str(header.get("SeriesDescription", "")),
        protocol=str(header.get("ProtocolName", "")),
        image_type=image_type,
        sequence=_sequence_words(layers),
        inversion_ms=_first(_floats(layers, "MRModifierSequence", "InversionTimes", None))
        or _first(_floats([header], "", "InversionTime", 1)),
        trigger_ms=_first(trigger or _floats([header], "", "TriggerTime", 1)),
        temporal=_temporal(layers),
        echo_ms=_first(
            _floats(layers, "MREchoSequence", "EffectiveEchoTime", 1) or _floats([header], "", "EchoTime", 1)
        ),
        contrast=bool(str(header.get("ContrastBolusAgent", "")).strip()) or "ContrastBolusAgentSequence" in header,
        acquired=(
            str(header.get("AcquisitionDate", "") or header.get("StudyDate", "")),
            str(header.get("AcquisitionTime", "") or header.get("SeriesTime", "")),
            _integer(header, "SeriesNumber", 0),
        ),
        instance=_integer(header, "InstanceNumber", 0),
        shape=(_integer(header, "Rows", 0), _integer(header, "Columns", 0)),
        samples=_integer(header, "SamplesPerPixel", 1),
        orientation=orientation,
        position=position,
        spacing=spacing,
        thickness=_first(thickness),
        slope=slope[0] if slope else math.nan,
        intercept=intercept[0] if intercept else math.nan,
        defect=defect,
    )


def plausible_mm(distances: npt.ArrayLike) -> bool:
    """Whether distances between voxels are numbers that an image of a body can have."""
    values = np.asarray(distances, float)
    return bool(np.isfinite(values).all() and values.min() >= DISTANCES_MM[0] and values.max() <= DISTANCES_MM[1])


def _mosaic_defect(image_type: tuple[str, ...]) -> Defect | None:
    """Siemens' mosaic: all slices side by side in one picture, of which the header places only the whole."""
    if "MOSAIC" not in image_type:
        return None
    return "four-dimensional", "A picture is a mosaic of many slices.", "Export the series with each slice as an image."


def _geometry_defect(
    orientation: tuple[float, ...] | None, position: tuple[float, ...] | None, spacing: tuple[float, ...] | None
) -> Defect | None:
    """(code, cause) of the first rule that a slice's geometry breaks."""
    if orientation is None or not np.isfinite(orientation).all():
        return "no-orientation", "A slice has no image orientation, or one that is no number."
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.array([np.linalg.norm(row), np.linalg.norm(column)])
    if abs(float(row @ column)) > ORTHOGONAL or float(np.abs(lengths - 1).max()) > ORTHOGONAL:
        return "bad-orientation", "A slice's row and column directions are not orthogonal unit vectors."
    if position is None or not np.isfinite(position).all():
        return "no-position", "A slice has no image position, or one that is no number."
    if spacing is None or not plausible_mm(spacing):
        return "bad-pixel-spacing", "A slice's pixel spacing is missing, zero or no number."
    return None


def _rescale_defect(slope: tuple[float, ...] | None, intercept: tuple[float, ...] | None) -> Defect | None:
    if slope is None or intercept is None or not np.isfinite(slope + intercept).all() or slope[0] == 0:
        return "bad-rescale", "A slice's rescale slope is 0, or its slope or intercept is no number."
    return None


def _element(layers: list[Dataset], group: str, name: str) -> Any:
    """Value of ``name`` in the first layer that has it, in its functional group or bare; None when absent or empty."""
    for layer in layers:
        items = [layer, *(layer.get(group, None) or [])] if group else [layer]
        for item in items:
            value = item.get(name, None)
            if value is not None and value != "" and not (hasattr(value, "__len__") and len(value) == 0):
                return value
    return None


def _floats(
    layers: list[Dataset], group: str, name: str, count: int | None, default: tuple[float, ...] | None = None
) -> tuple[float, ...] | None:
    """``count`` numbers, the default when absent, None when absent or malformed."""
    try:
        value = _element(layers, group, name)
        if value is None:
            return default
        numbers = tuple(float(v) for v in (value if isinstance(value, (list, tuple)) or _multi(value) else [value]))
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if count is None or len(numbers) == count else None


def _multi(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes))


def _first(values: tuple[float, ...] | None) -> float | None:
    return values[0] if values and math.isfinite(values[0]) else None


def _integer(header: Dataset, name: str, default: int) -> int:
    try:
        value = header.get(name, None)
        return default if value is None or value == "" else int(value)
    except (TypeError, ValueError):
        return default


def _words(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(v).strip().upper() for v in (value if _multi(value) else [value]))  # type: ignore[attr-defined]


def _modality(header: Dataset) -> str:
    """The modality, that of the object's class where de-identification has emptied it."""
    told = str(header.get("Modality", "") or "").strip().upper()
    return told or ("MR" if str(header.get("SOPClassUID", "")) in MR_CLASSES else "")


def _name_words(name: object) -> str:
    return " ".join(re.sub(r"[\^=,_]+", " ", str(name or "")).casefold().split())


def _image_type(layers: list[Dataset]) -> tuple[str, ...]:
    """Image type, for enhanced objects with the frame's own type and complex component, for GE's with the private one."""
    frame = _words(_element(layers[:-1], "MRImageFrameTypeSequence", "FrameType")) if len(layers) > 1 else ()
    component = _words(_element(layers, "MRImageFrameTypeSequence", "ComplexImageComponent"))
    return (frame or _words(layers[-1].get("ImageType", None))) + component + _ge_reconstruction(layers[-1])


def _ge_reconstruction(header: Dataset) -> tuple[str, ...]:
    """What part of the complex image it is, where GE's ImageType is OTHER for all of them."""
    try:
        return (GE_RECONSTRUCTIONS[int(header.private_block(0x43, "GEMS_PARM_01")[0x2F].value)],)
    except (KeyError, IndexError, TypeError, ValueError):  # another scanner's, or no such number
        return ()


def _sequence_words(layers: list[Dataset]) -> tuple[str, ...]:
    header = layers[-1]
    names = ("ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName", "PulseSequenceName")
    words = tuple(word for name in names for word in _words(header.get(name, None)))
    recovery = _words(_element(layers, "MRModifierSequence", "InversionRecovery"))
    return words + (("IR",) if "YES" in recovery else ())


def _temporal(layers: list[Dataset]) -> int | None:
    value = _floats(layers, "FrameContentSequence", "TemporalPositionIndex", 1) or _floats(
        [layers[-1]], "", "TemporalPositionIdentifier", 1
    )
    return int(value[0]) if value and math.isfinite(value[0]) else None
