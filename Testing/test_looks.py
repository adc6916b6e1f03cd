"""What the scar network is shown, and what of it on which look."""

import numpy as np
import pytest
from LGETextDetectLib.looks import (
    FIRST_LOOK,
    OF_SLICE,
    OLDER_INPUTS,
    SCAR_INPUTS,
    SIGNAL,
    as_shown_to,
    look_twice,
    network_image,
    with_look,
    without_wall,
)
from LGETextDetectLib.refusal import InputRefused

Float32 = np.ndarray


@pytest.fixture()
def stack() -> tuple[Float32, Float32]:
    """Four slices whose signal is their number, and a round ventricle that gets smaller."""
    image = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((1, 96, 96), np.float32)
    row, column = np.mgrid[:96, :96] - 47.5
    radius = np.hypot(row, column)
    inner, outer = (np.array(r)[:, None, None] for r in ((20, 18, 15, 10), (28, 26, 24, 20)))
    maps = np.stack([radius < inner, (radius >= inner) & (radius < outer), np.zeros((4, 96, 96), bool)], 1)
    return image, maps.astype(np.float32)


def test_a_slice_comes_with_the_slices_above_and_below_and_their_walls(stack: tuple[Float32, Float32]) -> None:
    image, maps = stack
    shown = network_image(image, maps)
    assert shown.shape == (4, SCAR_INPUTS, 96, 96)
    own, above, below = (shown[:, k : k + OF_SLICE] for k in SIGNAL)
    assert above[:, 0, 0, 0].tolist() == [0, 0, 1, 2]  # at an end the slice itself
    assert below[:, 0, 0, 0].tolist() == [1, 2, 3, 3]
    assert (own[:, 1:3] != maps[:, :2]).mean() < 0.005  # a round wall needs hardly any mending
    assert np.array_equal(above[1:, 1:3], own[:-1, 1:3]) and np.array_equal(below[:-1, 1:3], own[1:, 1:3])


def test_the_first_look_is_at_the_signal_alone(stack: tuple[Float32, Float32]) -> None:
    shown = network_image(*stack)
    hidden = without_wall(shown)
    assert not np.delete(hidden, SIGNAL, 1).any() and shown[:, 1:3].any()
    assert np.array_equal(hidden[:, list(SIGNAL)], shown[:, list(SIGNAL)])


def test_a_look_is_shown_of_the_slice_and_of_its_neighbours(stack: tuple[Float32, Float32]) -> None:
    shown = network_image(*stack)
    look = np.random.default_rng(0).random((4, 11, 96, 96)).astype(np.float32)
    after = with_look(shown, look)
    assert not shown[:, list(FIRST_LOOK)].any()  # the input itself is not touched
    assert np.array_equal(after[:, 3:6], look[:, :3])
    assert np.array_equal(after[2, 9:12], look[1, :3]) and np.array_equal(after[2, 15:18], look[3, :3])
    assert np.array_equal(np.delete(after, FIRST_LOOK, 1), np.delete(shown, FIRST_LOOK, 1))


def test_the_second_look_sees_the_first_and_both_count(stack: tuple[Float32, Float32]) -> None:
    looks: list[Float32] = []

    def see(image: Float32) -> Float32:
        looks.append(image)
        return np.full((len(image), 11, 96, 96), 0.2 if len(looks) == 1 else 0.8, np.float32)

    maps = look_twice(see, network_image(*stack))
    assert len(looks) == 2 and not looks[0][:, list(FIRST_LOOK)].any()
    assert np.allclose(looks[1][:, list(FIRST_LOOK)], 0.2) and np.allclose(maps, 0.5)


def test_an_older_network_is_shown_five_channels(stack: tuple[Float32, Float32]) -> None:
    shown = network_image(*stack)
    assert np.array_equal(as_shown_to(lambda image: image, len(OLDER_INPUTS))(shown), shown[:, list(OLDER_INPUTS)])
    assert as_shown_to(lambda image: image, SCAR_INPUTS)(shown) is shown
    with pytest.raises(InputRefused) as refused:
        as_shown_to(lambda image: image, 7)
    assert refused.value.code == "bad-bundle"
