"""Evidence as DICOM Segmentation and the finding as Comprehensive SR, in the study of their source images.

Both objects belong to the source's study by necessity: they carry its StudyInstanceUID and FrameOfReferenceUID and refer to
the source's instances, or no viewer could lay them over the images. Name, ID and every other identifying attribute
of the patient are carried over only with ``--phi keep``; else the pseudonym stands in for name and ID, the rest is
left empty, and the UIDs are all that links the objects to the patient.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage, MRImageStorage

from ..aha import SCAR_THRESHOLD
from ..refusal import InputRefused
from ..result import Detected
from . import dicom_codes as codes
from .dicom_report import report_document
from .dicom_sources import Sources, derived_uid, read_sources

SEGMENTATION_SERIES, REPORT_SERIES = 9001, 9002  # far behind what scanners number


def write_dicom_objects(folder: Path, detection: Detected) -> None:
    """Write scar_seg.dcm and report_sr.dcm and read both back.

    The same study and result give the same UIDs, so objects made twice are recognised as one. Raises
    InputRefused('not-dicom') when the input was a volume file.
    """
    frames = detection.loaded.frames
    if frames is None:
        raise InputRefused("not-dicom", "DICOM objects need a DICOM study; the input is a volume file.")
    facts, result = detection.loaded.facts, detection.result
    kept = facts.identity is not None and result["study"] == facts.identity
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on the source's own odd values, which are copied as they are
        sources = read_sources(frames, None if kept else str(result["study"]), facts.sha256)
        identity = _identity(result, sources)
        segmentation = segmentation_object(detection, sources, identity)
        segmentation.save_as(folder / "scar_seg.dcm")
        report = report_document(result, _evidence(sources), identity, REPORT_SERIES)
        _name_true_classes(report, sources)
        report.save_as(folder / "report_sr.dcm")
        _check(folder / "scar_seg.dcm", segmentation)
        _check(folder / "report_sr.dcm", report)


def _identity(result: dict[str, Any], sources: Sources) -> str:
    """What the objects' UIDs grow from: the source's study and all of the result but its times."""
    said = {key: value for key, value in result.items() if key != "seconds"}
    text = json.dumps(said, sort_keys=True) + str(sources.headers[0].StudyInstanceUID)
    return hashlib.sha256(text.encode()).hexdigest()


def segmentation_object(detection: Detected, sources: Sources, identity: str) -> hd.seg.Segmentation:
    """Binary segmentation of evidence >= 0.5, one segment "Scar", on the source's own frames.

    Without a pixel unless the study's answer is that scar is present: evidence alone calls nothing scar.
    """
    model, present = detection.result["model"], detection.result["detection"]["present"] is True
    evidence = (np.asarray(detection.evidence) >= SCAR_THRESHOLD) & present
    mask = np.zeros((sources.planes, *evidence.shape[1:]), np.uint8)
    mask[list(sources.places)] = evidence
    algorithm = hd.AlgorithmIdentificationSequence(
        name=str(model["name"])[:64], version=str(model["version"])[:64], family=codes.ARTIFICIAL_INTELLIGENCE
    )
    scar = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="Scar",
        segmented_property_category=codes.TISSUE,
        segmented_property_type=codes.SCAR,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        tracking_uid=derived_uid("scar", identity),
        tracking_id="Scar",
        anatomic_regions=[codes.LEFT_VENTRICLE],
    )
    row_mm, column_mm, slice_mm = detection.loaded.volume.spacing_mm
    segmentation = hd.seg.Segmentation(
        source_images=_one_series(sources),
        pixel_array=mask,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[scar],
        series_instance_uid=derived_uid("segmentation-series", identity),
        series_number=SEGMENTATION_SERIES,
        sop_instance_uid=derived_uid("segmentation", identity),
        instance_number=1,
        manufacturer="LGETextDetect",
        manufacturer_model_name=str(model["name"])[:64],
        software_versions=str(model["version"])[:64],
        device_serial_number="0",
        pixel_measures=hd.PixelMeasuresSequence((row_mm, column_mm), slice_mm, slice_mm),
        content_description="Evidence >= 0.5 if scar is present, else empty; research use",
        content_label="SCAR",
        series_description="LGE scar (research use, not for diagnosis)",
    )
    _name_true_sources(segmentation, sources)
    _settle_dimension_uid(segmentation, derived_uid("dimension", identity))
    return segmentation


def _one_series(sources: Sources) -> list[Dataset]:
    """Copies of the headers that highdicom accepts: one series, single-frame objects where there is one a slice, a known class.

    Late enhancement is often one series a slice, or one multi-frame file a slice; a class may be a maker's own.
    :func:`_name_true_sources` undoes this in the references.
    """
    first = sources.headers[0]
    copies = []
    for number, header in enumerate(sources.headers):
        stand_in = deepcopy(header)
        stand_in.SeriesInstanceUID, stand_in.FrameOfReferenceUID = first.SeriesInstanceUID, first.FrameOfReferenceUID
        whole = "PerFrameFunctionalGroupsSequence" in header
        stand_in.SOPClassUID = EnhancedMRImageStorage if whole else MRImageStorage
        if len(sources.headers) > 1:
            stand_in.SOPInstanceUID = _stand_in_uid(number)
        copies.append(stand_in)
    return copies


def _stand_in_uid(number: int) -> str:
    return derived_uid("stand-in", str(number))


def _name_true_sources(segmentation: Dataset, sources: Sources) -> None:
    """Refer to every source instance by its own UID, class and frame, in the series it really belongs to."""
    true = {_stand_in_uid(k): pair for k, pair in enumerate(zip(sources.headers, sources.numbers, strict=True))}
    for element in segmentation.iterall():
        if element.keyword != "SourceImageSequence":
            continue
        for reference in element.value:
            header, number = true.get(reference.ReferencedSOPInstanceUID, (sources.headers[0], sources.numbers[0]))
            reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
                header.SOPClassUID,
                header.SOPInstanceUID,
            )
            if number is not None:
                reference.ReferencedFrameNumber = number
    by_series: dict[str, dict[str, Dataset]] = {}
    for header in sources.headers:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
        by_series.setdefault(str(header.SeriesInstanceUID), {})[str(header.SOPInstanceUID)] = reference
    items = []
    for uid, references in by_series.items():
        item = Dataset()
        item.SeriesInstanceUID, item.ReferencedInstanceSequence = uid, list(references.values())
        items.append(item)
    segmentation.ReferencedSeriesSequence = items


def _settle_dimension_uid(segmentation: Dataset, uid: str) -> None:
    """Replace the random UID of the dimension organisation, so that the same input gives the same object."""
    items = [*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence]
    for item in items:
        item.DimensionOrganizationUID = uid


def _evidence(sources: Sources) -> list[Dataset]:
    """One header for every distinct instance, in its true series; of a class that highdicom knows, which a maker's own is not."""
    copies = {str(header.SOPInstanceUID): deepcopy(header) for header in sources.headers}
    for header in copies.values():
        header.SOPClassUID = MRImageStorage
    return list(copies.values())


def _name_true_classes(report: Dataset, sources: Sources) -> None:
    """Refer to every source instance by its own class."""
    true = {header.SOPInstanceUID: header.SOPClassUID for header in sources.headers}
    for element in report.iterall():
        if element.keyword == "ReferencedSOPSequence":
            for reference in element.value:
                reference.ReferencedSOPClassUID = true[reference.ReferencedSOPInstanceUID]


def _check(path: Path, expected: Dataset) -> None:
    """Read a written object back; raises ValueError when it isn't what was meant."""
    found = pydicom.dcmread(path)
    for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "Modality"):
        if found.get(name) != expected.get(name):
            raise ValueError(f"{path.name} was not written as meant: {name} differs")
    if found.Modality == "SEG" and found.NumberOfFrames != len(found.PerFrameFunctionalGroupsSequence):
        raise ValueError(f"{path.name} has {found.NumberOfFrames} frames and describes another number")
