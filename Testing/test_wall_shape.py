"""What the heart network cuts off the wall is given back, and a whole wall stays as it is."""

import numpy as np
import pytest
from LGETextDetectLib.wall_shape import mend_wall

SIZE = 96
ROW, COLUMN = np.mgrid[:SIZE, :SIZE] - 46.0
RADIUS, ANGLE = np.hypot(ROW, COLUMN), np.arctan2(ROW, COLUMN)
ENDO, EPI = 17 * (1 + 0.1 * np.cos(2 * ANGLE)), 26 * (1 + 0.1 * np.cos(2 * ANGLE))
CAVITY, WALL = RADIUS < ENDO, (RADIUS >= ENDO) & (RADIUS < EPI)
WEDGE = np.abs(ANGLE) < 0.45


def maps(cavity: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """(1, 3, 96, 96) probabilities as the heart network gives them."""
    return np.stack([cavity, wall, np.zeros_like(wall)])[None].astype(np.float32)


@pytest.mark.parametrize(
    ("cut", "as_cavity", "share"),
    [
        (WALL & WEDGE & (RADIUS < ENDO + 6), True, 0.5),  # subendocardial, as bright as blood
        (WALL & WEDGE & (RADIUS < ENDO + 8), True, 0.5),
        (WALL & WEDGE & (RADIUS > EPI - 5), False, 0.3),  # subepicardial, as bright as fat
    ],
)
def test_most_of_a_lesion_cut_off_is_given_back(cut: np.ndarray, as_cavity: bool, share: float) -> None:
    seen = maps(CAVITY | cut if as_cavity else CAVITY, WALL & ~cut)
    mended = mend_wall(seen)[0, 1] > 0.5
    assert mended[cut].mean() > share
    assert (mended & ~WALL).sum() < 0.05 * WALL.sum()


def test_a_whole_wall_stays() -> None:
    seen = maps(CAVITY, WALL)
    changed = np.abs(mend_wall(seen) - seen)[0, 1] > 0.5
    assert changed.sum() < 0.04 * WALL.sum()  # less than a ring of half a pixel


def test_probabilities_stay_probabilities_and_the_input_is_not_touched() -> None:
    seen = maps(CAVITY | (WALL & WEDGE), WALL & ~WEDGE)
    before = seen.copy()
    mended = mend_wall(seen)
    assert np.array_equal(seen, before)
    assert (mended.sum(1) <= 1 + 1e-6).all()


@pytest.mark.parametrize("seen", [maps(CAVITY * 0, WALL * 0), maps(RADIUS < 2, (RADIUS >= 2) & (RADIUS < 4))])
def test_slices_with_too_little_heart_stay_as_they_are(seen: np.ndarray) -> None:
    assert np.array_equal(mend_wall(seen), seen)
