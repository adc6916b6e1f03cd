"""What an export adds around the images to fill its matrix changes nothing."""

import numpy as np
import pytest
from LGETextDetectLib.padding import without_padding
from LGETextDetectLib.volume import Volume
from sample_detection import sample_volume

IMAGE = sample_volume(3, 40)


def padded(volume: Volume, rows: tuple[int, int], columns: tuple[int, int], fill: float) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_lps([0, -rows[0], -columns[0]])
    return Volume(np.pad(volume.array, ((0, 0), rows, columns), constant_values=fill), affine, volume.image_type)


@pytest.mark.parametrize("fill", [0.0, -1024.0, 77.0])
@pytest.mark.parametrize(
    ("rows", "columns"), [((5, 5), (0, 0)), ((0, 0), (7, 1)), ((12, 3), (0, 30)), ((9, 9), (9, 9))]
)
def test_the_image_is_left(rows: tuple[int, int], columns: tuple[int, int], fill: float) -> None:
    volume = without_padding(padded(IMAGE, rows, columns, fill))
    assert np.array_equal(volume.array, IMAGE.array)
    assert np.allclose(volume.affine, IMAGE.affine) and volume.image_type == IMAGE.image_type


def test_each_slice_may_be_filled_with_a_value_of_its_own() -> None:
    array = padded(IMAGE, (4, 4), (6, 6), 0.0).array
    array[1][array[1] == 0] = 50.0
    volume = padded(IMAGE, (4, 4), (6, 6), 0.0).with_array(array)
    assert np.array_equal(without_padding(volume).array, IMAGE.array)


def test_an_image_without_padding_is_the_same_object() -> None:
    assert without_padding(IMAGE) is IMAGE


@pytest.mark.parametrize("values", [(1.0, 2.0, 3.0), (0.0, 7.0, 0.0)])
def test_slices_of_one_value_each_are_left_to_others(values: tuple[float, ...]) -> None:
    volume = IMAGE.with_array(np.repeat(np.float32(values), 1600).reshape(3, 40, 40))
    assert without_padding(volume) is volume


def test_two_halves_of_one_value_each_are_left_to_others() -> None:
    for axis in (1, 2):
        halves = np.zeros_like(IMAGE.array)
        np.moveaxis(halves, axis, 0)[20:] = 100
        volume = IMAGE.with_array(halves)
        assert without_padding(volume) is volume


def test_air_around_a_body_is_part_of_the_image() -> None:
    """A round body in air of one value: its outermost rows hold mostly air, nothing was filled up."""
    row, column = np.indices((40, 40)) - 19.5
    body = np.hypot(row, column) < 14
    volume = IMAGE.with_array(np.where(body, IMAGE.array, np.float32(0)))
    assert without_padding(volume) is volume
