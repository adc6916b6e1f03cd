"""Headers of the source frames, as far as derived objects need them: geometry, references and, when kept, identity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid
from pydicom.valuerep import DA, TM

from ..dicom_frames import Frame
from ..refusal import InputRefused

_EMPTY_WHEN_ABSENT = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime",
    "ReferringPhysicianName",
)  # fmt: skip
_NEEDED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "Rows",
    "Columns", "NumberOfFrames", "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices",
)  # fmt: skip
_SEXES = ("M", "F", "O")
_FRAME_GEOMETRY = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")


@dataclass(frozen=True)
class Sources:
    """Source headers without pixels, and where each slice of the volume lies in them.

    headers: one a slice, or a single multi-frame one. places: (slices,) index of each slice's plane among ``planes``:
    the slice's own number, or its frame in the single multi-frame object. numbers: (headers,) frame number, counted
    from 1, of the slice in the multi-frame file that a header stands for; None for other headers.
    """

    headers: tuple[Dataset, ...]
    places: tuple[int, ...]
    planes: int
    numbers: tuple[int | None, ...]


def read_sources(frames: Sequence[Frame], pseudonym: str | None, images: str) -> Sources:
    """Headers of the frames, all of one study.

    pseudonym: stands in for all identity, or None to keep the source's own. images: hash of the pixels, from which UIDs
    of study and series grow that the source does not tell. Raises InputRefused('damaged-file') when a source cannot be
    read any more.
    """
    files = {path: _read(path) for path in dict.fromkeys(frame.path for frame in frames)}
    study = frames[0].study_uid or str(derived_uid("study", images))
    reduced = {path: _reduced(source, pseudonym, study, images) for path, source in files.items()}
    first = next(iter(files.values()))
    if len(files) == 1 and "PerFrameFunctionalGroupsSequence" in first:
        header = reduced[frames[0].path]
        _copy_frame_geometry(first, header)
        return Sources((header,), tuple(frame.index for frame in frames), int(first.NumberOfFrames), (None,))
    headers = tuple(_single_frame(reduced[frame.path], frame) for frame in frames)
    numbers = tuple(frame.index + 1 if "NumberOfFrames" in files[frame.path] else None for frame in frames)
    return Sources(headers, tuple(range(len(frames))), len(frames), numbers)


def derived_uid(*parts: str) -> UID:
    """The same UID for the same parts, every time."""
    return generate_uid(entropy_srcs=[hashlib.sha256("|".join(parts).encode()).hexdigest()])


def _read(path: Path) -> Dataset:
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except Exception as error:  # pydicom raises what it meets; the file was readable a moment ago
        raise InputRefused("damaged-file", "A source file can no longer be read.") from error


def _reduced(source: Dataset, pseudonym: str | None, study: str, images: str) -> Dataset:
    """A header in UTF-8 that keeps what references and geometry need; identity and free text only without a pseudonym."""
    header = Dataset()
    source.decode()
    kept = source if pseudonym is None else {name: None for name in _NEEDED}
    for element in source:
        wanted = element.keyword in kept and not element.tag.is_private and element.keyword not in ("PixelData", "")
        if wanted and not (element.VR == "SQ" and "FunctionalGroups" in element.keyword):
            header.add(copy(element))  # a shared element would be changed in both
    for name in _EMPTY_WHEN_ABSENT:
        if name not in header or not _parses(header[name]):
            setattr(header, name, "")
    if pseudonym is not None:
        header.PatientID = header.PatientName = pseudonym
        header.PatientIdentityRemoved = "YES"
        header.DeidentificationMethod = "Pseudonym for name and ID, all else left out; UIDs kept"
    header.StudyInstanceUID = study
    header.SeriesInstanceUID = str(header.get("SeriesInstanceUID") or derived_uid("series", images))
    header.FrameOfReferenceUID = str(header.get("FrameOfReferenceUID") or derived_uid("frame", study))
    header.SpecificCharacterSet = "ISO_IR 192"
    return header


def _parses(element: DataElement) -> bool:
    """Whether a date, a time or a sex is one; anything else is text."""
    if element.keyword == "PatientSex":
        return element.value in _SEXES
    try:
        {"DA": DA, "TM": TM}.get(element.VR, str)(str(element.value))
    except ValueError:
        return False
    return True


def _copy_frame_geometry(source: Dataset, header: Dataset) -> None:
    """Per-frame and shared functional groups of geometry; others may hold times, comments and names."""
    shared: Sequence[Any] = source.get("SharedFunctionalGroupsSequence", None) or [Dataset()]
    header.SharedFunctionalGroupsSequence = [_geometry(shared[0])]
    header.PerFrameFunctionalGroupsSequence = [_geometry(group) for group in source.PerFrameFunctionalGroupsSequence]
    header.NumberOfFrames = source.NumberOfFrames


def _geometry(group: Dataset) -> Dataset:
    kept = Dataset()
    for name in _FRAME_GEOMETRY:
        if name in group:
            kept.add(group[name])
    return kept


def _single_frame(reduced: Dataset, frame: Frame) -> Dataset:
    """One slice as if it were a file of its own; the reference goes to the file it lies in."""
    header = deepcopy(reduced)
    header.pop("NumberOfFrames", None)
    header.ImagePositionPatient = [f"{v:.10g}" for v in frame.position or ()]
    header.ImageOrientationPatient = [f"{v:.10g}" for v in frame.orientation or ()]
    header.PixelSpacing = [f"{v:.10g}" for v in frame.spacing or ()]
    header.SliceThickness = f"{frame.thickness or float(np.max(frame.spacing or (1.0,))):.10g}"
    return header
