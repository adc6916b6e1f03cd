"""Calibration and thresholds from validation patients."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training environment has torch")

from LGETextDetectLib.finding import Finding, Lesion
from LGETextTrainLib.calibrate import (
    EVEN_ODDS,
    best_threshold,
    first_thresholds,
    fit_platt,
    fit_temperature,
    fit_thresholds,
)
from LGETextTrainLib.figures import f1_score

SCAR = Finding("present", (Lesion((3, 9), "mid-wall"),), "non-ischaemic")
FREE = Finding("absent")


@dataclass(frozen=True)
class _Said:
    probability: float
    segment_probability: np.ndarray


@dataclass(frozen=True)
class _Described:
    finding: Finding


@dataclass(frozen=True)
class _Judged:
    prediction: _Said
    study: _Described = field(default_factory=lambda: _Described(FREE))


def _judged(probability: float, finding: Finding, elsewhere: float, place: float = 0.6) -> _Judged:
    """A study whose segments 3 and 9 are at ``place`` and all others at ``elsewhere``."""
    segments = np.full(17, elsewhere, np.float32)
    segments[[2, 8]] = place
    return _Judged(_Said(probability, segments), _Described(finding))


def test_segments_of_called_scar_free_studies_raise_the_threshold_for_naming_them() -> None:
    scarred = [_judged(0.9, SCAR, 0.05) for _ in range(10)]
    quiet = [_judged(0.1, FREE, 0.05, 0.05) for _ in range(10)]
    loud = [_judged(0.8, FREE, 0.3, 0.3) for _ in range(8)]
    among_quiet = fit_thresholds(scarred + quiet)["segment"]
    among_loud = fit_thresholds(scarred + quiet + loud)["segment"]
    assert 0.05 < among_quiet < 0.6
    assert 0.3 < among_loud < 0.6


def test_a_study_called_free_of_scar_names_nothing_and_moves_no_threshold() -> None:
    scarred = [_judged(0.9, SCAR, 0.05) for _ in range(10)]
    quiet = [_judged(0.05, FREE, 0.05, 0.05) for _ in range(10)]
    speckled = [_judged(0.05, FREE, 0.58, 0.58) for _ in range(10)]
    assert fit_thresholds(scarred + quiet)["segment"] == fit_thresholds(scarred + quiet + speckled)["segment"]


def test_too_few_of_a_class_leave_the_thresholds_as_they_begin() -> None:
    assert fit_thresholds([_judged(0.9, SCAR, 0.1)] * 8 + [_judged(0.1, FREE, 0.1)] * 2) == first_thresholds()


def test_a_model_that_goes_on_keeps_its_own_thresholds_where_none_can_be_fitted() -> None:
    own = {**first_thresholds(), "segment": 0.31, "calibration": {"a": 1.4, "b": -0.2}}
    assert fit_thresholds([_judged(0.9, SCAR, 0.1)] * 8 + [_judged(0.1, FREE, 0.1)] * 2, begin=own) == own
    placeless = [_judged(0.9, Finding("present"), 0.1)] * 8 + [_judged(0.1, FREE, 0.1)] * 8
    fitted = fit_thresholds(placeless, begin=own)
    assert fitted["segment"] == 0.31 and fitted["calibration"] != own["calibration"]


def test_the_study_is_called_at_even_odds_of_a_calibrated_probability() -> None:
    found = fit_thresholds([_judged(0.9, SCAR, 0.1)] * 8 + [_judged(0.2, FREE, 0.1)] * 8)
    assert found["study"] == EVEN_ODDS and found["abstain_low"] < EVEN_ODDS < found["abstain_high"]


def test_virtual_patients_do_not_move_the_odds_as_a_whole() -> None:
    outcomes = [_judged(0.3, SCAR, 0.1)] * 20 + [_judged(0.1, FREE, 0.1)] * 20
    assert fit_thresholds(outcomes)["calibration"]["b"] > 0.5
    assert fit_thresholds(outcomes, own_kind=False)["calibration"]["b"] == 0.0


def test_temperature_scaling_finds_how_the_outcomes_were_drawn() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 20000)
    true = (rng.random(20000) < 1 / (1 + np.exp(-0.6 * logits))).astype(float)
    assert fit_temperature(logits, true) == pytest.approx(0.6, abs=0.04)


def test_platt_scaling_finds_how_the_outcomes_were_drawn() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20000)
    true = (rng.random(20000) < 1 / (1 + np.exp(-(0.7 * logits - 0.5)))).astype(float)
    a, b = fit_platt(logits, true)
    assert a == pytest.approx(0.7, abs=0.05) and b == pytest.approx(-0.5, abs=0.06)


def test_of_thresholds_that_do_nearly_as_well_the_highest_is_taken() -> None:
    """From 0.2 to 0.7 nothing changes but one pair in 200: the threshold lies above it; a real loss is not accepted."""
    true = np.array([1.0] * 100 + [0.0] * 100)
    found = np.concatenate([np.linspace(0.7, 0.9, 99), [0.5], np.linspace(0.01, 0.2, 100)])
    assert 0.5 < best_threshold(found, true, f1_score) < 0.72
    found[:20] = 0.5
    assert 0.2 < best_threshold(found, true, f1_score) < 0.5
