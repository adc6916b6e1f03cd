"""Figures of merit on tiny truths."""

import numpy as np
import pytest
from LGETextTrainLib.figures import (
    abstention_curve,
    auroc,
    balanced_accuracy,
    best_balanced_accuracy,
    brier,
    calibration_bins,
    calibration_error,
    chance_calibration_error,
    estimate,
    f1_score,
    interval,
    rank_correlation,
    rates,
    roc_points,
    weighted_kappa,
)


@pytest.mark.parametrize(
    ("score", "true", "expected"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 1, 1, 1], [0, 1, 0, 1], 0.5),
        ([1, 2, 2, 3], [0, 0, 1, 1], 0.875),
    ],
)
def test_auroc(score: list[float], true: list[int], expected: float) -> None:
    assert auroc(score, true) == pytest.approx(expected)


def test_auroc_needs_both_classes() -> None:
    assert np.isnan(auroc([1, 2], [1, 1]))


def test_balanced_accuracy_is_blind_to_prevalence() -> None:
    true = [1] + [0] * 9
    assert balanced_accuracy([0] * 10, true) == pytest.approx(0.5)
    assert balanced_accuracy(true, true) == pytest.approx(1.0)
    assert np.isnan(balanced_accuracy([1, 0], [1, 1])) and np.isnan(balanced_accuracy([0, 0], [0, 0]))


def test_resamples_without_a_class_are_left_out() -> None:
    true, found = np.arange(10) == 0, np.zeros(10, bool)
    assert interval(lambda k: balanced_accuracy(found[k], true[k]), range(10)) == (0.5, 0.5)


def test_rates() -> None:
    found, true = [1, 1, 0, 0, 1], [1, 0, 0, 1, 1]
    assert rates(found, true) == pytest.approx({"sensitivity": 2 / 3, "specificity": 0.5, "ppv": 2 / 3, "npv": 0.5})


def test_f1_and_brier() -> None:
    assert f1_score([1, 1, 0], [1, 0, 1]) == pytest.approx(0.5)
    assert brier([1.0, 0.5], [1, 0]) == pytest.approx(0.125)


def test_interval_holds_the_estimate() -> None:
    rng = np.random.default_rng(0)
    true = np.arange(80) % 2
    score = true + rng.normal(0, 1, 80)
    low, high = interval(lambda k: auroc(score[k], true[k]), range(80))
    assert low < auroc(score, true) < high
    assert high - low < 0.3


def test_roc_points_hold_the_area() -> None:
    score, true = [1, 2, 2, 3], [0, 0, 1, 1]
    x, y = roc_points(score, true)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(auroc(score, true))


def test_best_balanced_accuracy_is_that_of_the_best_cut() -> None:
    assert best_balanced_accuracy([1, 2, 3, 4], [0, 1, 0, 1]) == pytest.approx(0.75)
    assert best_balanced_accuracy([5, 5, 5], [0, 1, 1]) == pytest.approx(0.5)


def test_calibration() -> None:
    probability, true = [0.05, 0.05, 0.95, 0.95], [0, 1, 1, 1]
    assert calibration_bins(probability, true) == [pytest.approx((0.05, 0.5, 2)), pytest.approx((0.95, 1.0, 2))]
    assert calibration_error(probability, true) == pytest.approx((0.45 + 0.05) / 2)
    assert calibration_error([0.0, 1.0], [0, 1]) == 0


def test_few_patients_have_a_calibration_error_by_chance() -> None:
    few, many = np.tile([0.2, 0.5, 0.8], 10), np.tile([0.2, 0.5, 0.8], 1000)
    assert chance_calibration_error(few) == pytest.approx(
        3**-1 * np.sqrt(2 / np.pi / 10) * (0.4 + 0.5 + 0.4), rel=0.05
    )  # mean absolute error of three binomial shares of ten
    assert chance_calibration_error(many) < 0.015
    assert chance_calibration_error([0.0, 1.0]) == 0


def test_abstention_keeps_the_surest() -> None:
    # Only the two nearest to the threshold are wrong; 0.3 is as far from 0.6 in its half as 0.8 is.
    curve = abstention_curve([0.0, 0.1, 0.2, 0.3, 0.58, 0.62, 0.8, 0.9, 0.95, 1.0], 0.6, [0, 0, 0, 0, 1, 0, 1, 1, 1, 1])
    assert curve[0] == pytest.approx((1.0, 0.8, 0.8))
    assert curve[2] == pytest.approx((0.8, 1.0, 1.0))


@pytest.mark.parametrize(
    ("found", "true", "expected"),
    [([0, 1, 2], [0, 1, 2], 1.0), ([0, 0, 2, 2], [0, 2, 0, 2], 0.0), ([2, 0], [0, 2], -1.0)],
)
def test_weighted_kappa(found: list[int], true: list[int], expected: float) -> None:
    assert weighted_kappa(found, true, 3) == pytest.approx(expected)


def test_weighted_kappa_forgives_near_misses() -> None:
    true = [0, 0, 2, 2, 4, 4]
    assert weighted_kappa([1, 0, 2, 2, 4, 4], true, 5) > weighted_kappa([4, 0, 2, 2, 4, 4], true, 5)
    assert np.isnan(weighted_kappa([1, 1], [1, 1], 3))


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3], [10, 20, 400]) == pytest.approx(1)
    assert np.isnan(rank_correlation([1, 2, 3], [5, 5, 5]))


def test_estimate_names_value_and_interval() -> None:
    values = np.arange(50) / 49
    found = estimate("mean", lambda k: float(values[k].mean()), range(50))
    low, high = found["mean_95"]
    assert found["mean"] == pytest.approx(0.5)
    assert low < 0.5 < high


def test_patients_are_drawn_with_all_of_their_studies() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=30), 4)
    width = {
        name: np.ptp(interval(lambda k: float(values[k].mean()), who))
        for name, who in (("studies", range(120)), ("patients", [k // 4 for k in range(120)]))
    }
    assert width["patients"] == pytest.approx(2 * width["studies"], rel=0.2)


def test_with_a_study_a_patient_studies_are_drawn() -> None:
    drawn = np.random.default_rng(5).integers(0, 7, 7)
    seen: list[list[int]] = []
    interval(lambda k: float(seen.append(k.tolist()) or 0.0), "abcdefg", seed=5)
    assert seen[0] == drawn.tolist()
