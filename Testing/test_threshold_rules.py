"""Threshold rules on rings whose scar can be counted."""

import numpy as np
import pytest
from LGETextDetectLib.normalised import PIXEL_MM, NormalisedStack
from LGETextTrainLib.threshold_rules import RuleScore, find_remote, largest_piece, rule_names, rule_scores

ROW, COLUMN = np.indices((96, 96)) - 47.5
RADIUS, ANGLE = np.hypot(ROW, COLUMN), np.degrees(np.arctan2(-ROW, COLUMN)) % 360
WALL, CAVITY = (RADIUS >= 14) & (RADIUS < 22), RADIUS < 14
SCAR = WALL & (ANGLE > 270) & (ANGLE < 330)  # a sixth of the wall


def ring(scar: float, noise: float = 0.1, slices: int = 3) -> NormalisedStack:
    """A short-axis ring: dark noisy wall, bright cavity; the middle slice holds scar of this signal."""
    rng = np.random.default_rng(0)
    image = np.where(CAVITY, 1.0, 0.0)[None] + noise * rng.standard_normal((slices, 96, 96)) * WALL
    image[slices // 2][SCAR] += scar
    maps = np.repeat(np.stack([CAVITY, WALL, np.zeros_like(WALL)])[None], slices, 0)
    return NormalisedStack(
        image.astype(np.float32), maps.astype(np.float32), np.linspace(0.2, 0.8, slices).astype(np.float32), np.arange(slices),
        np.repeat(np.diag([8.0, 1, 1, 1])[None], slices, 0), 0.0, False, False,
    )  # fmt: skip


def scores_of(stack: NormalisedStack) -> dict[str, RuleScore]:
    return rule_scores(stack, stack.maps[:, 1])


@pytest.mark.parametrize("name", ["3sd", "4sd", "5sd", "6sd", "fwhm"])
def test_a_bright_scar_is_measured(name: str) -> None:
    score = scores_of(ring(1.0))[name]
    assert score.share == pytest.approx(SCAR.sum() / WALL.sum() / 3, rel=0.1)
    assert score.piece_mm2 == pytest.approx(SCAR.sum() * PIXEL_MM**2, rel=0.1)


def test_more_standard_deviations_call_less() -> None:
    scores = scores_of(ring(0.35))
    shares = [scores[f"{n}sd"].share for n in (2, 3, 4, 5, 6)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 2 * shares[-1]


def test_noise_alone_is_flecks_for_n_sd_and_scar_for_half_maximum() -> None:
    scores = scores_of(ring(0.0))
    assert scores["5sd"].share < 0.001
    assert scores["5sd"].piece_mm2 < 10
    assert scores["fwhm"].share > 0.05  # half way to the brightest there is: something always is


def test_slices_outside_the_ventricle_do_not_count() -> None:
    stack = ring(1.0)
    outside = NormalisedStack(**{**stack.__dict__, "position": np.array([0.2, 1.2, 0.8], np.float32)})
    assert scores_of(outside)["5sd"].share < 0.001


def test_no_wall_no_score() -> None:
    stack = ring(1.0)
    blind = NormalisedStack(**{**stack.__dict__, "maps": np.zeros_like(stack.maps)})
    scores = scores_of(blind)
    assert tuple(scores) == rule_names()
    assert all((score.share, score.piece_mm2) == (0, 0) for score in scores.values())


def test_remote_is_the_darkest_sector() -> None:
    signal = np.where(np.mod(ANGLE - 90, 360) < 60, -1.0, 0.5).astype(np.float32)
    remote = find_remote(signal, WALL)
    assert remote is not None
    assert remote.mean == pytest.approx(-1)
    assert find_remote(signal, np.zeros((96, 96), bool)) is None


def test_largest_piece_connects_corners() -> None:
    mask = np.zeros((6, 6), bool)
    mask[0, 0] = mask[1, 1] = mask[2, 2] = mask[5, 0] = True
    assert largest_piece(mask) == 3
    assert largest_piece(np.zeros((3, 3), bool)) == 0
