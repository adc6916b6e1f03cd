"""A virtual patient as a DICOM study: the late enhancement stack, its magnitude pair, and on request what lies beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from LGETextDetectLib.volume import Volume
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from scipy import ndimage

from .virtual_study import VirtualStudy

Seed = int | tuple[int, ...]

STUDY_DATE, BIRTH_DATE = "20240102", "19600101"  # of a patient who does not exist
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
LEVELS = 4095  # 12 bits, as scanners store
NULLING_MS = (240, 340)
CINE_PHASES, CINE_SLICES, SCOUT_TIMES_MS = 8, 3, (200, 240, 280, 320, 360, 400)
PLANE_MM = 8.0  # thickness of localizer and long-axis slices
COMPANION_SIDE = 96  # pixels


@dataclass(frozen=True)
class Vendor:
    """How a manufacturer names both halves of the pair; one_series: both in one series."""

    name: str
    psir: str
    psir_type: tuple[str, ...]
    magnitude: str
    magnitude_type: tuple[str, ...]
    one_series: bool = False


VENDORS = {
    "siemens": Vendor("SIEMENS", "LGE_SAX_PSIR_PSIR", ("ORIGINAL", "PRIMARY", "PSIR", "ND"), "LGE_SAX_PSIR_MAG", ("ORIGINAL", "PRIMARY", "M", "ND")),
    "philips": Vendor(
        "Philips Medical Systems", "PSIR_TFE_SA", ("ORIGINAL", "PRIMARY", "CR", "R", "IR"), "PSIR_TFE_SA", ("ORIGINAL", "PRIMARY", "M_IR", "M", "IR"), True
    ),
    "ge": Vendor("GE MEDICAL SYSTEMS", "PS:MDE SAX", ("ORIGINAL", "PRIMARY", "OTHER"), "MAG:MDE SAX", ("ORIGINAL", "PRIMARY", "OTHER")),
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How the study is stored. with_companions: cine, localizer, TI scout and long axis beside; series_per_slice: one breath-hold, one series."""

    vendor: str = "siemens"
    with_companions: bool = False
    series_per_slice: bool = False


DEFAULT_LAYOUT = Layout()


@dataclass(frozen=True)
class _Series:
    """One series to write: images (n, rows, columns), the affine of each, and the tags that tell it from others."""

    name: str
    number: int
    description: str
    image_type: tuple[str, ...]
    images: npt.NDArray[np.float32]
    affines: Sequence[npt.NDArray[np.float64]]
    inversion_ms: Sequence[float | None]
    trigger_ms: Sequence[float | None]
    contrast: bool = True
    uid_of: str = ""  # name of the series whose UID this one shares


def write_dicom_study(
    study: VirtualStudy, folder: Path, seed: Seed, identity: str = "VIRTUAL", layout: Layout = DEFAULT_LAYOUT
) -> list[Path]:
    """Write ``study`` below ``folder``, one sub-folder a series; the paths written.

    uint16 with rescale (12 bits of the stack's own range), explicit little endian; ``identity`` is the PatientID.
    Identifiers follow from ``seed``: the same study and seed give the same bytes. A reader orders the slices along
    their normal: see :func:`in_reading_order`.
    """
    vendor = VENDORS[layout.vendor]
    rng = np.random.default_rng((*(seed if isinstance(seed, tuple) else (seed,)), 7))
    inversion = float(rng.integers(*NULLING_MS))
    series = _enhancement(study, vendor, inversion)
    if layout.with_companions:
        series = [_localizer(study), _cine(study), _scout(study), *series, _long_axis(study, inversion)]
    written = []
    for item in series:
        per_slice = layout.series_per_slice and item.name in ("psir", "magnitude")
        for part in _one_slice_each(item) if per_slice else [item]:
            tags = {"PatientID": identity, "PatientName": f"Virtual^{identity}", "Manufacturer": vendor.name}
            written += _write_series(part, folder / f"{part.number:03d}_{part.name}", seed, tags)
    return written


def in_reading_order(study: VirtualStudy) -> VirtualStudy:
    """The same study with its slices in the order in which its DICOM files are read: along row x column."""
    affine = study.volume.affine
    if affine[:3, 0] @ np.cross(affine[:3, 2], affine[:3, 1]) > 0:
        return study
    turned = affine.copy()
    turned[:3, 3] = study.volume.to_lps((len(study.labels) - 1, 0, 0))
    turned[:3, 0] *= -1

    def volume(old: Volume) -> Volume:
        return replace(old, array=old.array[::-1].copy(), affine=turned)

    marks = tuple(replace(mark, index=k) for k, mark in enumerate(study.landmarks.slices[::-1]))
    return replace(
        study,
        volume=volume(study.volume),
        magnitude=volume(study.magnitude) if study.magnitude is not None else None,
        labels=study.labels[::-1].copy(),
        landmarks=replace(study.landmarks, slices=marks),
        scarred=study.scarred[::-1].copy(),
    )


def _enhancement(study: VirtualStudy, vendor: Vendor, inversion_ms: float) -> list[_Series]:
    volumes = [("psir", study.volume)] if study.volume.image_type == "psir" else [("magnitude", study.volume)]
    if study.magnitude is not None:
        volumes.append(("magnitude", study.magnitude))
    result = []
    for number, (name, volume) in enumerate(volumes):
        affines, count = _slice_affines(volume), len(volume.array)
        description = vendor.psir if name == "psir" else vendor.magnitude
        image_type = vendor.psir_type if name == "psir" else vendor.magnitude_type
        shared = volumes[0][0] if vendor.one_series else ""
        result.append(
            _Series(
                name,
                30 + number,
                description,
                image_type,
                volume.array,
                affines,
                [inversion_ms] * count,
                [600.0] * count,
                True,
                shared,
            )
        )
    return result


def _one_slice_each(series: _Series) -> list[_Series]:
    """One series a slice."""
    return [
        replace(
            series, number=series.number * 100 + k, images=series.images[k : k + 1], affines=series.affines[k : k + 1],
            inversion_ms=series.inversion_ms[k : k + 1], trigger_ms=series.trigger_ms[k : k + 1],
            uid_of=f"{series.uid_of}{k}" if series.uid_of else "",
        )
        for k in range(len(series.images))
    ]  # fmt: skip


def _slice_affines(volume: Volume) -> list[npt.NDArray[np.float64]]:
    """Of each slice its own affine: the volume's, moved to that slice."""
    affines = []
    for k in range(len(volume.array)):
        affine = volume.affine.copy()
        affine[:3, 3] = volume.to_lps((k, 0, 0))
        affines.append(affine)
    return affines


# --- what lies beside ------------------------------------------------------------------------------------------------


def _bright_blood(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A bSSFP-like picture: smooth, positive."""
    return np.asarray(
        ndimage.gaussian_filter(np.abs(image), (0, 1, 1))
        if image.ndim == 3
        else ndimage.gaussian_filter(np.abs(image), 1),
        np.float32,
    )


def _small(volume: Volume, k: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Every second pixel of a slice, with its affine."""
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_lps((k, 0, 0))
    affine[:3, 1:3] *= 2
    return _bright_blood(volume.array[k])[::2, ::2], affine


def _cine(study: VirtualStudy) -> _Series:
    count = len(study.volume.array)
    chosen = np.unique(np.linspace(0, count - 1, min(CINE_SLICES, count)).round().astype(int))
    images, affines, triggers = [], [], []
    for k in chosen:
        image, affine = _small(study.volume, int(k))
        for phase in range(CINE_PHASES):
            images.append(image * np.float32(1 + 0.05 * np.sin(2 * np.pi * phase / CINE_PHASES)))
            affines.append(affine)
            triggers.append(40.0 * phase)
    series_type = ("ORIGINAL", "PRIMARY", "M", "ND")
    return _Series(
        "cine", 10, "cine_SAX_bSSFP", series_type, np.stack(images), affines, [None] * len(images), triggers, False
    )


def _scout(study: VirtualStudy) -> _Series:
    image, affine = _small(study.volume, len(study.volume.array) // 2)
    count = len(SCOUT_TIMES_MS)
    images = np.stack([image * np.float32(0.2 + abs(ms - 300) / 300) for ms in SCOUT_TIMES_MS])
    times = [float(ms) for ms in SCOUT_TIMES_MS]
    return _Series(
        "scout", 20, "TI_scout_SAX", ("ORIGINAL", "PRIMARY", "M", "ND"), images, [affine] * count, times, times
    )


def _localizer(study: VirtualStudy) -> _Series:
    planes = ([[0, 0, 1], [0, 1, 0], [1, 0, 0]], [[0, 1, 0], [0, 0, -1], [1, 0, 0]], [[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    cut = [_plane(study.volume, np.array(axes, float).T * 3.0) for axes in planes]
    images, affines = np.stack([c[0] for c in cut]), [c[1] for c in cut]
    return _Series(
        "localizer", 1, "localizer", ("ORIGINAL", "PRIMARY", "M", "ND"), images, affines, [None] * 3, [None] * 3, False
    )


def _long_axis(study: VirtualStudy, inversion_ms: float) -> _Series:
    """Four-chamber view: the plane of the heart's axis and of the line across the septum."""
    across = study.volume.affine[:3, 2] / np.linalg.norm(study.volume.affine[:3, 2])
    along = study.volume.affine[:3, 0] / np.linalg.norm(study.volume.affine[:3, 0])
    axes = np.stack([np.cross(across, along), along, across], 1) * 1.8
    image, affine = _plane(study.volume, axes)
    return _Series(
        "long_axis",
        40,
        "LGE_4ch_PSIR",
        ("ORIGINAL", "PRIMARY", "PSIR", "ND"),
        image[None],
        [affine],
        [inversion_ms],
        [600.0],
    )


def _plane(volume: Volume, axes: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """The volume cut by a plane through its middle; axes (3, 3): normal, along a column, along a row, mm a pixel."""
    affine = np.eye(4)
    affine[:3, :3] = axes * (PLANE_MM / np.linalg.norm(axes[:, 0]), 1, 1)
    half = (COMPANION_SIDE - 1) / 2
    affine[:3, 3] = volume.to_lps((np.array(volume.array.shape) - 1) / 2) - (axes[:, 1] + axes[:, 2]) * half
    index = np.stack(np.meshgrid([0], np.arange(COMPANION_SIDE), np.arange(COMPANION_SIDE), indexing="ij"), -1)
    where = volume.to_index(index @ affine[:3, :3].T + affine[:3, 3])
    cut = ndimage.map_coordinates(volume.array, np.moveaxis(where, -1, 0), order=1, mode="nearest")
    return np.asarray(cut[0], np.float32), affine


# --- writing ---------------------------------------------------------------------------------------------------------


def _uid(seed: Seed, *names: object) -> UID:
    """A UID below 2.25 that follows from the seed and the names alone."""
    digest = hashlib.sha256("|".join(map(str, (seed, *names))).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def _write_series(series: _Series, folder: Path, seed: Seed, tags: dict[str, Any]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    low, high = float(series.images.min()), float(series.images.max())
    slope = float(_decimal((high - low) / LEVELS)) or 1.0
    paths = []
    for k in range(len(series.images)):
        stored = np.clip(
            np.round((series.images[k].astype(np.float64) - float(_decimal(low))) / slope), 0, LEVELS
        ).astype("<u2")
        header = _header(series, k, seed) | { "Rows": stored.shape[0], "Columns": stored.shape[1], "RescaleIntercept": _decimal(low), "RescaleSlope": _decimal(slope),
        }  # fmt: skip
        path = folder / f"IM{k + 1:04d}.dcm"
        _write(path, header | tags, stored.tobytes())
        paths.append(path)
    return paths


def _header(series: _Series, k: int, seed: Seed) -> dict[str, Any]:
    affine = series.affines[k]
    row_mm, column_mm = (float(np.linalg.norm(affine[:3, axis])) for axis in (1, 2))
    normal = np.cross(affine[:3, 2], affine[:3, 1])
    gap = abs(float(affine[:3, 0] @ normal)) / float(np.linalg.norm(normal))
    minute, second = divmod(_clock_s(series.number) + k, 60)
    header = {
        "SOPClassUID": MR_IMAGE, "SOPInstanceUID": _uid(seed, series.name, series.number, k), "StudyInstanceUID": _uid(seed, "study"),
        "SeriesInstanceUID": _uid(seed, "series", series.uid_of or f"{series.name}-{series.number}"), "FrameOfReferenceUID": _uid(seed, "frame"),
        "Modality": "MR", "PatientBirthDate": BIRTH_DATE,
        "PatientSex": "O", "StudyDate": STUDY_DATE, "SeriesDate": STUDY_DATE, "AcquisitionDate": STUDY_DATE,
        "StudyTime": "101500", "AcquisitionTime": f"10{minute:02d}{second:02d}.{series.number % 1000:03d}", "StudyID": "1", "AccessionNumber": "",
        "ReferringPhysicianName": "", "SeriesNumber": series.number, "InstanceNumber": k + 1, "SeriesDescription": series.description,
        "ProtocolName": series.description, "ImageType": list(series.image_type), "BodyPartExamined": "HEART", "PatientPosition": "HFS",
        "MRAcquisitionType": "2D", "ScanningSequence": ["GR", "IR"] if series.inversion_ms[k] is not None else ["GR"], "SequenceVariant": "SK",
        "ScanOptions": "", "EchoTime": "1.6", "RepetitionTime": "700", "FlipAngle": "25", "MagneticFieldStrength": "1.5", "EchoTrainLength": 1,
        "SliceThickness": _decimal(gap * 0.8), "SpacingBetweenSlices": _decimal(gap), "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
        "ImageOrientationPatient": [_decimal(v) for v in (*affine[:3, 2] / column_mm, *affine[:3, 1] / row_mm)],
        "ImagePositionPatient": [_decimal(v) for v in affine[:3, 3]], "PixelSpacing": [_decimal(row_mm), _decimal(column_mm)],
        "InversionTime": series.inversion_ms[k], "TriggerTime": series.trigger_ms[k],
        "ContrastBolusAgent": "gadobutrol (virtual)" if series.contrast else None,
    }  # fmt: skip
    return {name: value for name, value in header.items() if value is not None}


def _clock_s(number: int) -> int:
    """Seconds into the study at which a series began; series of one slice carry its number in the last two digits."""
    return number * 40 if number < 100 else number // 100 * 40 + number % 100 * 15


def _decimal(value: float) -> str:
    """A decimal string of at most 16 bytes, as precise as that allows (PS3.5, 6.2)."""
    value = float(value) + 0.0
    for digits in range(15, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError("no decimal string of 16 bytes")


def _write(path: Path, header: dict[str, Any], pixels: bytes) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(MR_IMAGE), header["SOPInstanceUID"]
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, b"\0" * 128, meta, is_implicit_VR=False, is_little_endian=True)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for name, value in header.items():
        setattr(dataset, name, value)
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
