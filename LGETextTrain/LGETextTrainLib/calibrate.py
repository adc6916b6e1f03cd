"""Calibration and thresholds from validation patients only, seen through the whole detection pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import result
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.landmarks import find_landmarks
from LGETextDetectLib.model import Engine, Prediction
from LGETextDetectLib.normalised import normalise
from LGETextDetectLib.refusal import InputRefused
from scipy.optimize import minimize, minimize_scalar

from .ask import segment_answers
from .figures import f1_score
from .virtual_cohort import virtual_studies
from .virtual_study import VirtualStudy

Floats = npt.NDArray[np.float64]
NEARLY = 0.015  # of the figure that a threshold is chosen by
MIN_CLASS = 3  # studies with and without scar that a threshold needs
EVEN_ODDS = 0.5  # of a calibrated probability: scar is likelier than not; the best cut of so few patients jumps about
ABSTAIN_HALF_WIDTH = 0.04  # of calibrated probability, around the threshold


class Described(Protocol):
    """A study of which is known what its report, or the truth, says."""

    @property
    def finding(self) -> Finding: ...


class Judged(Protocol):
    """A prediction beside what is said of the study."""

    @property
    def prediction(self) -> Prediction: ...
    @property
    def study(self) -> Described: ...


@dataclass(frozen=True, eq=False)
class Outcome:
    """One validation patient: what was predicted and what is true; ``order`` (S,): input slice of each stack slice."""

    prediction: Prediction
    study: VirtualStudy
    order: npt.NDArray[np.int64]


def validation_outcomes(
    engine: Engine, count: int, seed: int, report: Callable[[int], None] = lambda done: None
) -> tuple[list[Outcome], int]:
    """Detect on ``count`` fresh virtual patients; outcomes and the number in which no heart was found."""
    outcomes, refused = [], 0
    for number, study in enumerate(virtual_studies(count, seed), start=1):
        try:
            landmarks, maps = find_landmarks(study.volume, engine.segment)
            stack = normalise(study.volume, landmarks, maps)
            outcomes.append(Outcome(engine.predict(stack), study, stack.index))
        except InputRefused:
            refused += 1
        report(number)
    return outcomes, refused


def logit(probability: npt.ArrayLike) -> Floats:
    """Inverse of the sigmoid, clipped to +-12."""
    p = np.clip(np.asarray(probability, float), 6e-6, 1 - 6e-6)
    return np.asarray(np.log(p / (1 - p)))


def fit_platt(logits: Floats, true: Floats) -> tuple[float, float]:
    """a, b of sigmoid(a * logit + b) by maximum likelihood, a > 0, lightly held to (1, 0)."""

    def cost(x: Floats) -> float:
        z = np.exp(x[0]) * logits + x[1]
        return float(np.mean(np.logaddexp(0, z) - true * z) + 0.002 * (x[0] ** 2 + x[1] ** 2))

    best = minimize(cost, np.zeros(2), method="Nelder-Mead")
    return float(np.exp(best.x[0])), float(best.x[1])


def fit_temperature(logits: Floats, true: Floats) -> float:
    """a of sigmoid(a * logit) by maximum likelihood, a > 0, lightly held to 1 (temperature scaling, Guo et al., ICML 2017)."""

    def cost(x: float) -> float:
        z = np.exp(x) * logits
        return float(np.mean(np.logaddexp(0, z) - true * z) + 0.002 * x**2)

    return float(np.exp(minimize_scalar(cost, bounds=(-3, 3), method="bounded").x))


def calibrated(probability: npt.ArrayLike, thresholds: dict[str, Any]) -> Floats:
    """(N,) probabilities, calibrated as in a result."""
    return np.array([result.calibrated(p, thresholds) for p in np.asarray(probability, float)])


def best_threshold(probability: Floats, true: Floats, beta_to: Callable[[Floats, Floats], float]) -> float:
    """The highest threshold, half way between two neighbouring scores, at which ``beta_to(found, true)`` is nearly best.

    Over a wide span it hardly differs, and of few patients the best one alone jumps about; the highest names what is surest.
    """
    scores = np.unique(probability)
    cuts = (scores[1:] + scores[:-1]) / 2 if len(scores) > 1 else np.array([0.5])
    values = [beta_to((probability >= cut).astype(float), true) for cut in cuts]
    good = np.flatnonzero(np.array(values) >= np.max(values) - NEARLY)
    return float(cuts[good[-1]])


def enough_of_both(scarred: npt.ArrayLike) -> bool:
    """Whether thresholds can be fitted to studies (N,) of which some are scarred."""
    flags = np.asarray(scarred, bool)
    return min(int(flags.sum()), int((~flags).sum())) >= MIN_CLASS


def fit_thresholds(
    outcomes: Sequence[Judged], *, own_kind: bool = True, begin: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The manifest's thresholds from validation outcomes; ``begin`` (or :func:`first_thresholds`) when a class has too few studies.

    own_kind: the model will meet patients like these, so the odds may be moved as a whole (Platt scaling). Virtual patients
    tell only how far to trust the odds: moved to fit them, they called scar-free hearts of other kinds scarred.
    """
    begin = dict(begin or first_thresholds())
    true = np.array([float(o.study.finding.lge == "present") for o in outcomes])
    if not enough_of_both(true):
        return begin
    raw = logit([o.prediction.probability for o in outcomes])
    a, b = fit_platt(raw, true) if own_kind else (fit_temperature(raw, true), 0.0)
    called = a * raw + b >= logit(EVEN_ODDS)
    cut = _segment_cut(outcomes, called, float(begin["segment"]))
    return {
        "study": EVEN_ODDS, "segment": round(cut, 4),
        "abstain_low": EVEN_ODDS - ABSTAIN_HALF_WIDTH, "abstain_high": EVEN_ODDS + ABSTAIN_HALF_WIDTH,
        "calibration": {"a": round(a, 4), "b": round(b, 4)}, "no_reflow": 0.5,
    }  # fmt: skip


def _segment_cut(outcomes: Sequence[Judged], called: npt.NDArray[np.bool_], begin: float) -> float:
    """The threshold for naming a segment, of the segments whose scar is decided; ``begin`` when none is named.

    called (N,): whether each study is called scarred; as in a result, nothing is named in the others.
    """
    scarred, decided = segment_answers([o.study.finding for o in outcomes])
    if not scarred.any():
        return begin
    probability = np.stack([o.prediction.segment_probability * c for o, c in zip(outcomes, called, strict=True)])
    return best_threshold(np.round(probability[decided].astype(float), 2), scarred[decided].astype(float), f1_score)


def first_thresholds() -> dict[str, Any]:
    """What a bundle carries until it is calibrated."""
    return {
        "study": 0.5,
        "segment": 0.5,
        "abstain_low": 0.5,
        "abstain_high": 0.5,
        "calibration": {"a": 1.0, "b": 0.0},
        "no_reflow": 0.5,
    }


def bundle_folder(out: Path, name: str) -> Path:
    """Where a run's bundle is written."""
    return out / "bundle" / name
