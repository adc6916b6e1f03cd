"""The finding as DICOM Comprehensive SR (TID 1500): the study's answer, then one group for each AHA segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import highdicom as hd
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from . import dicom_codes as codes
from .dicom_sources import derived_uid
from .report_words import segment_rows

_Group = hd.sr.MeasurementsAndQualitativeEvaluations


def report_document(
    result: Mapping[str, Any], evidence: Sequence[Dataset], identity: str, series_number: int
) -> hd.sr.ComprehensiveSR:
    """The SR document. evidence: source headers with their true series; identity: seeds all UIDs."""
    model = result["model"]
    algorithm = hd.sr.AlgorithmIdentification(
        name=_short(model["name"]), version=_short(model["version"]), parameters=[f"sha256 {model['sha256']}"]
    )
    observer = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=derived_uid("device", model["sha256"]), name=_short(f"LGETextDetect {model['name']}")
        ),
    )
    measured = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=codes.MRI_OF_HEART,
        imaging_measurements=[_study_group(result, algorithm, identity), *_segment_groups(result, algorithm, identity)],
        title=Code("126000", "DCM", "Imaging Measurement Report"),
    )
    content = measured[0]
    for text in _sentences(result):
        content.ContentSequence.append(
            hd.sr.TextContentItem(codes.COMMENT, text, hd.sr.RelationshipTypeValues.CONTAINS)
        )
    return hd.sr.ComprehensiveSR(
        evidence=list(evidence),
        content=content,
        series_instance_uid=derived_uid("report-series", identity),
        series_number=series_number,
        sop_instance_uid=derived_uid("report", identity),
        instance_number=1,
        manufacturer="LGETextDetect",
        is_complete=True,
        is_final=False,
        is_verified=False,
        series_description="LGE finding (research use, not for diagnosis)",
    )


def _short(text: str) -> str:
    """Within the 64 characters of a DICOM long string."""
    return text[:64]


def _sentences(result: Mapping[str, Any]) -> list[str]:
    detection = result["detection"]
    sentences = ["Research use, not for diagnosis.", str(result["caption"])]
    if detection["abstained"]:
        sentences.append("No answer given: " + ", ".join(detection["reasons"]) + ".")
    return sentences + [f"{flag['code']}: {flag['text']}" for flag in result["quality"] if flag["severity"] != "info"]


def _study_group(result: Mapping[str, Any], algorithm: hd.sr.AlgorithmIdentification, identity: str) -> _Group:
    finding, detection = result["finding"], result["detection"]
    said = [hd.sr.QualitativeEvaluation(codes.LATE_ENHANCEMENT, codes.PRESENCE[finding["lge"]])]
    if finding["aetiology"] is not None:
        said.append(hd.sr.QualitativeEvaluation(codes.AETIOLOGY, codes.AETIOLOGIES[finding["aetiology"]]))
    if finding["no_reflow"] is not None:
        present = codes.PRESENCE["present" if finding["no_reflow"] else "absent"]
        said.append(hd.sr.QualitativeEvaluation(codes.NO_REFLOW, present))
    return _Group(
        tracking_identifier=_tracking("Left ventricle", identity),
        finding_type=codes.LATE_ENHANCEMENT,
        algorithm_id=algorithm,
        finding_sites=[hd.sr.FindingSite(codes.LEFT_VENTRICLE)],
        measurements=[_probability(detection["probability"])],
        qualitative_evaluations=said,
    )


def _segment_groups(result: Mapping[str, Any], algorithm: hd.sr.AlgorithmIdentification, identity: str) -> list[_Group]:
    """17 groups: what is found there, its probability and, where the finding names the segment, layer and score.

    A segment that no slice shows is uncertain and has no probability.
    """
    certainty = {n: lesion["certainty"] for lesion in result["finding"]["lesions"] for n in lesion["segments"]}
    groups = []
    for row in segment_rows(result):
        state = {"definite": "present", "possible": "uncertain", None: "absent"}[certainty.get(row["aha"])]
        if result["detection"]["abstained"] or row["probability"] is None:
            state = "uncertain"
        said = [hd.sr.QualitativeEvaluation(codes.SCARRED, codes.PRESENCE[state])]
        if row["layer"] is not None:
            said.append(hd.sr.QualitativeEvaluation(codes.LAYER, codes.LAYERS[row["layer"]]))
        if row["transmurality"] is not None:
            score = codes.TRANSMURALITY_SCORES[row["transmurality"]]
            said.append(hd.sr.QualitativeEvaluation(codes.TRANSMURALITY, score))
        groups.append(
            _Group(
                tracking_identifier=_tracking(f"AHA segment {row['aha']}", identity),
                finding_type=codes.SCARRED,
                algorithm_id=algorithm,
                finding_sites=[hd.sr.FindingSite(codes.SEGMENT_SITES[row["aha"]])],
                measurements=None if row["probability"] is None else [_probability(row["probability"])],
                qualitative_evaluations=said,
            )
        )
    return groups


def _tracking(name: str, identity: str) -> hd.sr.TrackingIdentifier:
    return hd.sr.TrackingIdentifier(uid=derived_uid("tracking", name, identity), identifier=name)


def _probability(value: float) -> hd.sr.Measurement:
    return hd.sr.Measurement(name=codes.PROBABILITY, value=float(value), unit=codes.NO_UNITS)
