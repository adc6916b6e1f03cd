"""Figures of merit with patient-level intervals: small pure functions on arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RESAMPLES = 1000


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


def balanced_accuracy(found: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Mean of sensitivity and specificity of 0/1 arrays; of the class that is there when one is missing."""
    f, t = np.asarray(found, bool), np.asarray(true, bool)
    parts = [float(np.mean(f[t == k] == k)) for k in (False, True) if np.any(t == k)]
    return float(np.mean(parts)) if parts else float("nan")


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


def interval(measure: Callable[[npt.NDArray[np.int64]], float], patients: int, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of ``measure(indices)`` over patients; resamples without a class are left out."""
    rng = np.random.default_rng(seed)
    values = [measure(rng.integers(0, patients, patients)) for _ in range(RESAMPLES)]
    kept = [v for v in values if np.isfinite(v)]
    if not kept:
        return float("nan"), float("nan")
    low, high = np.percentile(kept, (2.5, 97.5))
    return float(low), float(high)
