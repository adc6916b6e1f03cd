"""Figures of merit with patient-level intervals: small pure functions on arrays, a study a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
RESAMPLES = 1000
BINS = 10  # of equal width, for calibration


def auroc(score: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Area under the ROC curve by ranks (ties count half); NaN when a class is missing."""
    s, t = np.asarray(score, float), np.asarray(true, bool)
    if t.all() or not t.any():
        return float("nan")
    order = np.argsort(s, kind="stable")
    _values, inverse, counts = np.unique(s[order], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean rank of tied scores
    ranks = np.empty(len(s))
    ranks[order] = middle[inverse]
    positive = int(t.sum())
    return float((ranks[t].sum() - positive * (positive + 1) / 2) / (positive * (len(t) - positive)))


def roc_points(score: npt.ArrayLike, true: npt.ArrayLike) -> tuple[Floats, Floats]:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1); needs both classes."""
    s, t = np.asarray(score, float), np.asarray(true, bool)
    cuts = np.unique(s)[::-1]
    false_rate = [float(np.mean(s[~t] >= cut)) for cut in cuts]
    true_rate = [float(np.mean(s[t] >= cut)) for cut in cuts]
    return np.array([0.0, *false_rate]), np.array([0.0, *true_rate])


def balanced_accuracy(found: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Mean of sensitivity and specificity of 0/1 arrays; NaN when a class is missing."""
    of = rates(found, true)
    return (of["sensitivity"] + of["specificity"]) / 2


def best_balanced_accuracy(score: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Balanced accuracy at the threshold that is best on these very data: an upper bound, kind to the score."""
    t = np.asarray(true, bool)
    if t.all() or not t.any():
        return float("nan")
    false_rate, true_rate = roc_points(score, t)
    return float(np.max((true_rate + 1 - false_rate) / 2))


def f1_score(found: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """F1 of 0/1 arrays."""
    f, t = np.asarray(found, float), np.asarray(true, float)
    return float(2 * np.sum(f * t) / max(float(np.sum(f) + np.sum(t)), 1e-9))


def rates(found: npt.ArrayLike, true: npt.ArrayLike) -> dict[str, float]:
    """Sensitivity, specificity, PPV and NPV of 0/1 arrays; NaN where undefined."""
    f, t = np.asarray(found, bool), np.asarray(true, bool)

    def share(part: npt.NDArray[np.bool_], whole: npt.NDArray[np.bool_]) -> float:
        return float((part & whole).sum() / whole.sum()) if whole.any() else float("nan")

    return {"sensitivity": share(f, t), "specificity": share(~f, ~t), "ppv": share(t, f), "npv": share(~t, ~f)}


def brier(probability: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Mean squared error of a probability."""
    return float(np.mean((np.asarray(probability, float) - np.asarray(true, float)) ** 2))


def calibration_bins(probability: npt.ArrayLike, true: npt.ArrayLike) -> list[tuple[float, float, int]]:
    """(mean probability, share that is true, count) of every bin of equal width that holds anything."""
    p, t = np.asarray(probability, float), np.asarray(true, float)
    where = np.minimum((p * BINS).astype(int), BINS - 1)
    return [
        (float(p[where == k].mean()), float(t[where == k].mean()), int((where == k).sum())) for k in np.unique(where)
    ]


def calibration_error(probability: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Expected calibration error: |mean probability - share that is true|, averaged over bins by their counts."""
    bins = calibration_bins(probability, true)
    return float(sum(abs(p - t) * n for p, t, n in bins) / max(sum(n for _, _, n in bins), 1))


def chance_calibration_error(probability: npt.ArrayLike, seed: int = 0) -> float:
    """The expected calibration error of so many patients if every probability were right: mean over drawn truths.

    The error is a sum of absolute values, so that few patients never reach 0 (Roelofs et al., AISTATS 2022).
    """
    p, rng = np.asarray(probability, float), np.random.default_rng(seed)
    return float(np.mean([calibration_error(p, rng.random(p.shape) < p) for _ in range(RESAMPLES)]))


def abstention_curve(
    probability: npt.ArrayLike, threshold: float, true: npt.ArrayLike
) -> list[tuple[float, float, float]]:
    """(coverage, accuracy, balanced accuracy) when only the answers furthest from the threshold are given.

    Distance counts in units of what lies between the threshold and 0 or 1, so that both sides fill up alike.
    """
    p, t = np.asarray(probability, float), np.asarray(true, bool)
    room = np.where(p >= threshold, 1 - threshold, threshold)
    order = np.argsort(-np.abs(p - threshold) / np.maximum(room, 1e-9), kind="stable")
    found = p >= threshold
    curve = []
    for tenth in range(10, 2, -1):
        kept = order[: max(round(len(p) * tenth / 10), 1)]
        curve.append((tenth / 10, float(np.mean(found[kept] == t[kept])), balanced_accuracy(found[kept], t[kept])))
    return curve


def weighted_kappa(found: npt.ArrayLike, true: npt.ArrayLike, classes: int, power: int = 2) -> float:
    """Cohen's kappa of class numbers 0..classes-1 with weights |i - j| ** power (2 quadratic, 1 linear); NaN without spread."""
    f, t = np.asarray(found, int), np.asarray(true, int)
    table = np.bincount(t * classes + f, minlength=classes**2).reshape(classes, classes).astype(float)
    number = np.arange(classes)
    weight = np.abs(number[:, None] - number[None]).astype(float) ** power
    by_chance = np.outer(table.sum(1), table.sum(0)) / max(table.sum(), 1)
    expected = float((weight * by_chance).sum())
    return 1 - float((weight * table).sum()) / expected if expected else float("nan")


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Spearman's rank correlation; NaN for fewer than three pairs or without spread."""
    a, b = np.asarray(first, float), np.asarray(second, float)
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.spearmanr(a, b).statistic)


def plain(value: Any) -> Any:
    """Figures as JSON can hold them: four decimals, None for what is not finite; dicts and lists item by item."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def interval(measure: Callable[[Indices], float], patients: Sequence[Hashable], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of ``measure(indices of studies)``; patients are drawn, each with all of their studies.

    patients: whose each study is. Resamples without a class are left out.
    """
    studies: dict[Hashable, list[int]] = {}
    for number, patient in enumerate(patients):
        studies.setdefault(patient, []).append(number)
    own, rng = [np.array(numbers) for numbers in studies.values()], np.random.default_rng(seed)
    drawn = (rng.integers(0, len(own), len(own)) for _ in range(RESAMPLES))
    values = [measure(np.concatenate([own[k] for k in chosen])) for chosen in drawn]
    kept = [v for v in values if np.isfinite(v)]
    if not kept:
        return float("nan"), float("nan")
    low, high = np.percentile(kept, (2.5, 97.5))
    return float(low), float(high)


def estimate(
    name: str, measure: Callable[[Indices], float], patients: Sequence[Hashable]
) -> dict[str, float | list[float]]:
    """``{name: value, name_95: [low, high]}`` of a measure of studies' indices; patients as of :func:`interval`."""
    value = measure(np.arange(len(patients))) if len(patients) else float("nan")
    return {name: value, f"{name}_95": list(interval(measure, patients)) if np.isfinite(value) else [float("nan")] * 2}
