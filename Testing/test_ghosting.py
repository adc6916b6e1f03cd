"""Ghosts are told from anatomy, noise and stripes."""

import numpy as np
import pytest
from LGETextDetectLib.ghosting import ghost_strength
from LGETextDetectLib.volume import Volume
from scipy import ndimage

CLEAR = 0.06  # from which quality.py flags


def anatomy(slices: int = 8, size: tuple[int, int] = (180, 200)) -> np.ndarray:
    """Smooth blobs of all sizes with edges: nothing in it repeats."""
    rng = np.random.default_rng(5)
    shape = (slices, *size)
    blobs = sum(np.sign(ndimage.gaussian_filter(rng.normal(size=shape), (0, s, s))) for s in (3, 7, 15))
    return np.asarray(blobs * 20 + 100 + rng.normal(0, 4, shape), np.float32)


def volume(array: np.ndarray, spacing_mm: tuple[float, float] = (1.5, 1.5)) -> Volume:
    return Volume(array.astype(np.float32), np.diag([8.0, *spacing_mm, 1.0]))


def copies(array: np.ndarray, share: float, pixels: int, axis: int) -> np.ndarray:
    return array + share * (np.roll(array, pixels, axis) + np.roll(array, -pixels, axis))


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize(("share", "pixels"), [(0.08, 45), (0.15, 30), (0.15, 75)])
def test_copies_along_rows_or_columns(axis: int, share: float, pixels: int) -> None:
    assert ghost_strength(volume(copies(anatomy(), share, pixels, axis))) > CLEAR


def test_pixels_need_not_be_square() -> None:
    stretched = np.repeat(copies(anatomy(), 0.15, 45, 2), 2, axis=2)
    assert ghost_strength(volume(stretched, (1.5, 0.75))) > CLEAR


def test_stronger_ghosts_are_stronger() -> None:
    strengths = [ghost_strength(volume(copies(anatomy(), share, 45, 1))) for share in (0, 0.05, 0.1, 0.2)]
    assert strengths == sorted(strengths) and strengths[0] < CLEAR / 2


def stripes() -> np.ndarray:
    return anatomy() + 15 * np.sin(np.arange(200) * 2 * np.pi / 5)


@pytest.mark.parametrize(
    "array",
    [anatomy(), stripes(), np.random.default_rng(1).normal(size=(8, 180, 200)), np.full((3, 80, 80), 7.0), np.ones((1, 1, 200)), np.zeros((2, 12, 9))],
    ids=["anatomy", "stripes", "noise", "constant", "a line", "tiny"],
)  # fmt: skip
def test_what_is_no_ghost(array: np.ndarray) -> None:
    assert ghost_strength(volume(array)) < CLEAR


def test_the_signal_is_in_any_unit() -> None:
    array = copies(anatomy(), 0.1, 45, 1)
    assert ghost_strength(volume(array * 1e-6)) == pytest.approx(ghost_strength(volume(array * 1e5 - 3e6)), abs=0.01)
