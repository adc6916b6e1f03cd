"""Prediction to result: calibration, threshold, abstention, finding and quality, as the plain dict of result.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from . import aha
from .decisions import SURE_OF_AETIOLOGY, asks_place_alone
from .finding import ENDOCARDIAL, LAYERS, Finding, Lesion, Meaning, images_unfit
from .landmarks import Landmarks, Point
from .model import Engine, Prediction
from .normalised import NormalisedStack
from .orientation import plane_axes
from .quality import abstention_reasons, answer_flags, quality_flags
from .volume import Volume
from .volume_files import InputFacts, LoadedStudy
from .wording import say

SCHEMA_VERSION = 1
PROBABILITY_DIGITS, MM_DIGITS = 4, 2
MIN_CAVITY_PIXELS = 6  # 10 mm2: less cavity on an apical slice is partial volume


class Detected(Protocol):
    """A finished detection as the outputs take it (study.Detection)."""

    @property
    def loaded(self) -> LoadedStudy: ...
    @property
    def landmarks(self) -> Landmarks: ...
    @property
    def stack(self) -> NormalisedStack: ...
    @property
    def prediction(self) -> Prediction: ...
    @property
    def evidence(self) -> np.ndarray[Any, np.dtype[np.float32]]: ...
    @property
    def result(self) -> dict[str, Any]: ...


def build_result(
    loaded: LoadedStudy,
    landmarks: Landmarks,
    stack: NormalisedStack,
    prediction: Prediction,
    asked: Sequence[tuple[str, Meaning]],
    engine: Engine,
    *,
    keep_phi: bool = False,
) -> dict[str, Any]:
    """result.json without its ``seconds``, which whoever ran the stages adds last.

    asked: the prompts as typed with their meanings, in the order given to the model. Numbers are rounded before they
    are compared with a threshold, so the file agrees with itself.
    """
    thresholds = engine.bundle.thresholds
    detection = _detection(prediction, thresholds, stack, landmarks)
    segment_probability = segment_probabilities(prediction, thresholds, detection)
    finding = make_finding(prediction, segment_probability, thresholds, detection["present"])
    flags = quality_flags(loaded.volume, landmarks, stack, loaded.notes) + answer_flags(
        detection["probability"] - detection["threshold"],
        detection["abstained"],
        engine.fell_back,
        [n for n in aha.NAMES if not prediction.segment_seen[n - 1]],
    )
    result = {
        "schema_version": SCHEMA_VERSION,
        "study": study_name(loaded.facts, keep_phi),
        "input": _input(loaded.facts),
        "landmarks": _landmarks(landmarks),
        "orientation": {
            "angle_deg": rounded(stack.angle_deg, MM_DIGITS),
            "mirrored": bool(stack.mirrored),
            "apex_first": bool(stack.apex_first),
        },
        "detection": detection,
        "slices": _slices(loaded.volume, stack, prediction, thresholds),
        "segments": _segments(prediction, segment_probability, finding),
        "finding": finding.to_dict(),
        "caption": say(finding),
        "prompts": _prompts(asked, prediction, thresholds, detection, segment_probability),
        "quality": [{"code": f.code, "severity": f.severity, "text": f.text} for f in flags],
        "model": {
            "name": engine.bundle.name,
            "version": engine.bundle.version,
            "sha256": engine.bundle.sha256,
            "backend": engine.backend,
            "device": engine.device,
        },
    }
    return result


def study_name(facts: InputFacts, keep_phi: bool) -> str:
    """The PatientID when identifiers may be kept and there is one, else a pseudonym from the pixels' hash."""
    return facts.identity if keep_phi and facts.identity else f"study-{facts.sha256[:12]}"


def rounded(value: float, digits: int) -> float:
    """A finite float without negative zero; raises ValueError for NaN or infinity."""
    number = round(float(value), digits) + 0.0
    if not math.isfinite(number):
        raise ValueError("a result must be a finite number")
    return number


def calibrated(probability: float, thresholds: Mapping[str, Any]) -> float:
    """Platt: sigmoid(a * logit(p) + b) with the manifest's a and b; the logit is clipped as it was for fitting."""
    p = min(max(float(probability), 6e-6), 1 - 6e-6)
    z = float(thresholds["calibration"]["a"]) * math.log(p / (1 - p)) + float(thresholds["calibration"]["b"])
    return 1 / (1 + math.exp(-min(max(z, -30.0), 30.0)))


def _detection(
    prediction: Prediction, thresholds: Mapping[str, Any], stack: NormalisedStack, landmarks: Landmarks
) -> dict[str, Any]:
    probability = rounded(calibrated(prediction.probability, thresholds), PROBABILITY_DIGITS)
    threshold = rounded(thresholds["study"], PROBABILITY_DIGITS)
    band = (float(thresholds["abstain_low"]), float(thresholds["abstain_high"]))
    reasons = abstention_reasons(probability, band, stack, landmarks, prediction.heart)
    return {
        "present": None if reasons else probability >= threshold,
        "probability": probability,
        "threshold": threshold,
        "abstained": bool(reasons),
        "reasons": reasons,
    }


def segment_probabilities(
    prediction: Prediction, thresholds: Mapping[str, Any], detection: Mapping[str, Any]
) -> list[float]:
    """(17,) calibrated as the study's and rounded, in accord with its answer.

    Where the study is called free of scar, none reaches the threshold at which segments are named; the bound is as far below
    it as the study's probability is below its own. Where the study's probability reaches its own, or is too near to it for an
    answer, the likeliest segment does: scar somewhere but nowhere for certain is said to be where it is most likely rather
    than nowhere.
    """
    probability = [rounded(calibrated(p, thresholds), PROBABILITY_DIGITS) for p in prediction.segment_probability]
    named, steps = named_from(thresholds), 10**PROBABILITY_DIGITS
    if detection["present"] is False:
        most = math.floor(named * detection["probability"] / detection["threshold"] * steps) / steps
        return [min(p, most) for p in probability]
    if detection["probability"] >= float(thresholds["abstain_low"]):
        likeliest = int(np.argmax(probability))
        probability[likeliest] = max(probability[likeliest], math.ceil(named * steps) / steps)
    return probability


def named_from(thresholds: Mapping[str, Any]) -> float:
    """The calibrated probability from which a segment is named; the manifest has it on the scale of the text's own answers."""
    return calibrated(float(thresholds["segment"]), thresholds)


def make_finding(
    prediction: Prediction, probability: Sequence[float], thresholds: Mapping[str, Any], present: bool | None
) -> Finding:
    """What is said of the study. present None: no answer, segments over the threshold are named as possible.

    probability: (17,) of the segments, as in the result.
    """
    if present is False:
        return Finding("absent")
    least = named_from(thresholds)
    named = [n for n in aha.NAMES if probability[n - 1] >= least]
    if present is None:
        return Finding("uncertain", _lesions(prediction, named, "possible"))
    lesions = _lesions(prediction, named, "definite")
    aetiology = _aetiology(prediction, lesions)
    no_reflow = (
        None if aetiology == "non-ischaemic" else prediction.no_reflow_probability >= float(thresholds["no_reflow"])
    )
    return Finding("present", lesions, aetiology, no_reflow)


def _lesions(prediction: Prediction, segments: Sequence[int], certainty: str) -> tuple[Lesion, ...]:
    """One lesion a layer, in the order of LAYERS; transmurality is the highest of its segments."""
    lesions = []
    for layer in (*LAYERS, None):
        members = tuple(n for n in segments if prediction.segment_layer[n - 1] == layer)
        scores = [score for n in members if (score := prediction.segment_transmurality[n - 1]) is not None]
        if members:
            lesions.append(Lesion(members, layer, max(scores) if scores and layer in ENDOCARDIAL else None, certainty))
    return tuple(lesions)


def _aetiology(prediction: Prediction, lesions: Sequence[Lesion]) -> str | None:
    """Ischaemic only when a lesion reaches the endocardium; None when the model is not sure."""
    if prediction.ischaemic_probability >= SURE_OF_AETIOLOGY:
        reaches = any(lesion.layer in ENDOCARDIAL or lesion.layer is None for lesion in lesions)
        return "ischaemic" if reaches else None
    return "non-ischaemic" if prediction.ischaemic_probability <= 1 - SURE_OF_AETIOLOGY else None


def _input(facts: InputFacts) -> dict[str, Any]:
    return {
        "kind": facts.kind,
        "files": facts.files,
        "image_type": facts.image_type,
        "slices": facts.slices,
        "spacing_mm": [rounded(v, 4) for v in facts.spacing_mm],
        "sha256": facts.sha256,
    }


def _point(lps: Point | None) -> list[float] | None:
    return None if lps is None else [rounded(v, MM_DIGITS) for v in lps]


def _landmarks(landmarks: Landmarks) -> dict[str, Any]:
    slices = [
        {
            "index": mark.index,
            "lv_centre": _point(mark.lv_centre),
            "rvip_anterior": _point(mark.rvip_anterior),
            "rvip_inferior": _point(mark.rvip_inferior),
            "confidence": rounded(mark.confidence, PROBABILITY_DIGITS),
        }
        for mark in landmarks.slices
    ]
    ends = {"apex": _point(landmarks.apex), "base": _point(landmarks.base)}
    return {"source": landmarks.source, **ends, "slices": slices}


def slice_levels(stack: NormalisedStack) -> tuple[str, ...]:
    """(S,) level of every slice of the stack, base to apex."""
    cavity = (stack.maps[:, 0] > 0.5).sum((1, 2)) >= MIN_CAVITY_PIXELS
    return tuple(aha.level_of(float(p), bool(c)) for p, c in zip(stack.position, cavity, strict=True))


def _slices(
    volume: Volume, stack: NormalisedStack, prediction: Prediction, thresholds: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Rows in the input's order; position along the stack's normal from the first slice, towards the last."""
    normal = np.cross(*plane_axes(volume))
    step = float(normal @ volume.affine[:3, 0])
    levels = slice_levels(stack)
    rows = [
        {
            "index": int(index),
            "position_mm": rounded(abs(step) * int(index), MM_DIGITS),
            "level": levels[k],
            "probability": rounded(calibrated(prediction.slice_probability[k], thresholds), PROBABILITY_DIGITS),
        }
        for k, index in enumerate(stack.index)
    ]
    return sorted(rows, key=lambda row: int(row["index"]))


def _segments(prediction: Prediction, probability: Sequence[float], finding: Finding) -> list[dict[str, Any]]:
    """17 rows; layer and transmurality only where the finding names the segment."""
    named = {number for lesion in finding.lesions for number in lesion.segments}
    return [
        {
            "aha": number,
            "name": name,
            "probability": probability[number - 1],
            "layer": prediction.segment_layer[number - 1] if number in named else None,
            "transmurality": prediction.segment_transmurality[number - 1] if number in named else None,
        }
        for number, name in aha.NAMES.items()
    ]


def _prompts(
    asked: Sequence[tuple[str, Meaning]], prediction: Prediction, thresholds: Mapping[str, Any],
    detection: Mapping[str, Any], segment_probability: Sequence[float],
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows in the order asked.

    probability is None when a prompt was not understood or asks of what no slice shows, and for every prompt about
    images that are unfit. It agrees with the result's own numbers: of a place alone it is that of the likeliest segment
    there, of some kind of scar no more.
    """
    unfit = images_unfit(detection["reasons"])
    rows = []
    for (text, meaning), raw in zip(asked, prediction.prompt_probability, strict=True):
        probability = (
            None
            if raw is None or unfit or not meaning.understood
            else _answer(meaning, raw, thresholds, detection["probability"], segment_probability)
        )
        shown = text.encode("utf-8", "replace").decode("utf-8")  # a command line may hand over broken bytes
        rows.append(
            {
                "text": shown,
                "understood": meaning.understood,
                "probability": probability,
                "meaning": meaning.to_dict(),
            }
        )
    return rows


def _answer(
    meaning: Meaning, own: float, thresholds: Mapping[str, Any], of_study: float, segment_probability: Sequence[float]
) -> float:
    """A prompt's probability from its ``own`` sentence's; what is denied is as likely as what it denies is unlikely."""
    there = max((segment_probability[n - 1] for n in meaning.segments), default=of_study)
    affirmed = calibrated(1 - own if meaning.negated else own, thresholds)
    affirmed = there if asks_place_alone(meaning) else min(affirmed, there)
    return rounded(1 - affirmed if meaning.negated else affirmed, PROBABILITY_DIGITS)
