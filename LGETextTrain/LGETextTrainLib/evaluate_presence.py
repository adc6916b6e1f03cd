"""Is there scar: patient-level figures, calibration, abstention, and whether the answer merely follows the heart's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .evaluated_case import Case, patients, probabilities, truths
from .figures import (
    abstention_curve,
    auroc,
    balanced_accuracy,
    best_balanced_accuracy,
    brier,
    calibration_bins,
    calibration_error,
    chance_calibration_error,
    estimate,
    rank_correlation,
    rates,
    roc_points,
)


def presence(cases: Sequence[Case]) -> dict[str, Any]:
    """Patient-level figures at the shipped threshold; abstained studies count by their probability, and again apart."""
    true, score = truths(cases), probabilities(cases)
    called = np.array([case.called for case in cases])
    answered = np.array([case.answered for case in cases])
    who = patients(cases)
    figures: dict[str, Any] = {"positive": int(true.sum()), "threshold": cases[0].result["detection"]["threshold"]}
    figures |= estimate("patient_auroc", lambda k: auroc(score[k], true[k]), who)
    figures |= estimate("balanced_accuracy", lambda k: balanced_accuracy(called[k], true[k]), who)
    for name in ("sensitivity", "specificity", "ppv", "npv"):
        figures |= estimate(name, lambda k, name=name: rates(called[k], true[k])[name], who)  # type: ignore[misc]
    figures["best_balanced_accuracy_on_this_set"] = best_balanced_accuracy(score, true)
    figures |= {
        "abstained": int((~answered).sum()),
        "balanced_accuracy_answered": balanced_accuracy(called[answered], true[answered]),
    }
    if true.any() and not true.all():
        figures["roc"] = [[float(v) for v in points] for points in zip(*roc_points(score, true), strict=True)]
    return figures


def calibration(cases: Sequence[Case]) -> dict[str, Any]:
    """Brier score, expected calibration error (10 bins of equal width), what chance alone makes of it, and the bins themselves."""
    true, score = truths(cases), probabilities(cases)
    return {
        **estimate("brier", lambda k: brier(score[k], true[k]), patients(cases)),
        **estimate("calibration_error", lambda k: calibration_error(score[k], true[k]), patients(cases)),
        "calibration_error_by_chance": chance_calibration_error(score),
        "calibration_bins": [list(row) for row in calibration_bins(score, true)],
    }


def abstention(cases: Sequence[Case]) -> dict[str, Any]:
    """Accuracy and balanced accuracy of the answers furthest from the threshold, by coverage."""
    threshold = float(cases[0].result["detection"]["threshold"])
    curve = abstention_curve(probabilities(cases), threshold, truths(cases))
    return {"abstention_curve": [list(row) for row in curve]}


def heart_size(cases: Sequence[Case]) -> dict[str, Any]:
    """Does the answer follow the size of the LV's cavity? What size alone tells, and how it goes with the answer."""
    kept = [case for case in cases if "cavity_ml" in case.measures]
    if not kept:
        return {}
    true, score = truths(kept), probabilities(kept)
    size = np.array([case.measures["cavity_ml"] for case in kept], float)
    return {
        **estimate("size_alone_auroc", lambda k: auroc(size[k], true[k]), patients(kept)),
        "size_against_answer_scar_free": rank_correlation(size[~true], score[~true]),
        "size_against_answer_scarred": rank_correlation(size[true], score[true]),
    }
