"""A stack looked at in several views: each view lies back where it was, and the mean is of all of them."""

import numpy as np
import pytest
from LGETextDetectLib.looks import SCAR_INPUTS
from LGETextDetectLib.views import VIEWS, View, look_in_views
from scipy import ndimage


@pytest.fixture()
def smooth() -> np.ndarray:
    """A smooth image that is dark at its rim, so that nothing is lost beyond it."""
    image = ndimage.gaussian_filter(np.random.default_rng(3).random((96, 96)), 5)
    row, column = np.mgrid[:96, :96] - 47.5
    return (image / image.max() * (np.hypot(row, column) < 36)).astype(np.float32)[None, None]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_what_is_seen_in_a_view_lies_where_it_was(view: View, smooth: np.ndarray) -> None:
    back = view.back(view.show(smooth))
    inside = ndimage.binary_erosion(smooth[0, 0] > 0, iterations=3)
    assert np.abs(back - smooth)[0, 0][inside].max() < 0.02


def test_a_view_shows_the_heart_larger_or_upside_down() -> None:
    image = np.zeros((1, 1, 96, 96), np.float32)
    image[0, 0, 20:30, 40:60] = 1
    assert View(scale=1.5).show(image).sum() == pytest.approx(1.5**2 * image.sum(), rel=0.02)
    assert np.array_equal(View(upside_down=True).show(image)[0, 0, 66:76, 40:60], np.ones((10, 20)))


def test_all_views_count_alike() -> None:
    """A network that always answers the same number in each of its eight looks: the maps are the mean of them."""
    calls: list[np.ndarray] = []

    def see(image: np.ndarray) -> np.ndarray:
        calls.append(image)
        return np.full((len(image), 11, 96, 96), len(calls) % 2, np.float32)

    maps = look_in_views(see, np.ones((3, SCAR_INPUTS, 96, 96), np.float32))
    assert len(calls) == 2 * len(VIEWS) and maps.dtype == np.float32
    assert np.allclose(maps, 0.5, atol=1e-6)


def test_what_lies_left_of_the_septum_stays_left() -> None:
    """No view mirrors the heart sideways: the right ventricle stays where the network learnt it."""
    left = np.zeros((1, SCAR_INPUTS, 96, 96), np.float32)
    left[..., :40] = 1
    for view in VIEWS:
        shown = view.show(left)
        assert shown[..., :36].min() > 0.99 and shown[..., 48:].max() < 0.01
