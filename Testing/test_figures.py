"""Figures of merit on tiny truths."""

import numpy as np
import pytest
from LGETextTrainLib.figures import auroc, balanced_accuracy, brier, f1_score, interval, rates


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
    low, high = interval(lambda k: auroc(score[k], true[k]), 80)
    assert low < auroc(score, true) < high
    assert high - low < 0.3
