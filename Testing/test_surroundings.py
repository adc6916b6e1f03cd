"""What a token says of its column, its neighbours, the wall's borders and the lesion that it is part of."""

import numpy as np
import pytest
from LGETextDetectLib import aha
from LGETextDetectLib.finding import LAYERS
from LGETextDetectLib.surroundings import OF_BORDERS, OF_COLUMN, surroundings
from LGETextDetectLib.tokens import MEASURES, OWN_MEASURES, study_tokens
from LGETextDetectLib.wall_regions import BANDS, PER_SLICE, SECTORS, drawn_cavity_and_wall, wall_regions

SLICES, SIZE = 6, 96
ROW, COLUMN = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2).astype(float)
RADIUS = np.hypot(ROW, COLUMN)
ENDO, EPI = 18.0, 30.0
CAVITY, WALL = RADIUS < ENDO, (RADIUS >= ENDO) & (RADIUS < EPI)
SECTOR = aha.frame_angles() // 30
POSITION = ((np.arange(SLICES) + 0.5) / SLICES).astype(np.float32)
BLOOD, FAT = 1.0, 2.0
SIZE_OF, SLICES_OF, ROUND, INNER, OUTER, SHARE, SCAR, SIGNAL = range(OF_COLUMN + OF_BORDERS, OF_COLUMN + OF_BORDERS + 8)


def heart(lesion: np.ndarray, layer: str = "transmural", cavity: np.ndarray = CAVITY) -> tuple[np.ndarray, np.ndarray]:
    """Image and maps of a round ventricle, its lesion (S, 96, 96) bright and of one layer."""
    image = np.where(cavity, BLOOD, np.where(WALL, 0.0, FAT)) * np.ones((SLICES, 1, 1))
    image[lesion] = BLOOD
    maps = np.zeros((SLICES, 4 + len(LAYERS), SIZE, SIZE))
    maps[:, 0], maps[:, 1], maps[:, 2] = cavity, WALL & ~cavity, lesion & WALL & ~cavity
    maps[:, 4 + LAYERS.index(layer)] = 1
    return image.astype(np.float32), maps.astype(np.float32)


def on_slices(mask: np.ndarray, *numbers: int) -> np.ndarray:
    lesion = np.zeros((SLICES, SIZE, SIZE), bool)
    lesion[list(numbers)] = mask
    return lesion


def measured(image: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(S, 12, 3, 28)."""
    values = surroundings(image, maps, wall_regions(maps[:, 0] > 0.5, maps[:, 1] > 0.5))
    return values.reshape(SLICES, SECTORS, BANDS, -1)


def test_a_transmural_lesion_is_described_to_every_part_of_it_and_to_nothing_else() -> None:
    there = WALL & np.isin(SECTOR, (4, 5))
    image, maps = heart(on_slices(there, 2, 3))
    values = measured(image, maps)
    lesion = values[2:4, 4:6].reshape(-1, values.shape[-1])
    assert np.allclose(lesion[:, :BANDS], 1)  # its column's thirds
    assert np.allclose(lesion[:, SIZE_OF], np.log1p(2 * there.sum()) / 6)
    assert np.allclose(lesion[:, SLICES_OF], 2 / 5) and np.allclose(lesion[:, ROUND], 60 / 360)
    assert np.allclose(lesion[:, [INNER, OUTER, SHARE, SCAR, SIGNAL]], 1)
    assert np.allclose(lesion[:, SIGNAL + 1 :], np.eye(len(LAYERS))[LAYERS.index("transmural")])
    values[2:4, 4:6] = 0
    assert (values[..., SIZE_OF:] == 0).all()


@pytest.mark.parametrize(("low", "high", "inner", "outer"), [(0, 0.3, 1, 0), (0.36, 0.64, 0, 0), (0.7, 1, 0, 1)])
def test_depth_of_a_lesion_is_told(low: float, high: float, inner: float, outer: float) -> None:
    depth = (RADIUS - ENDO) / (EPI - ENDO)
    image, maps = heart(on_slices(WALL & (depth >= low) & (depth < high) & (SECTOR == 7), 1, 2))
    lesion = measured(image, maps)[1, 7]
    lesion = lesion[lesion[:, SIZE_OF] > 0]
    assert len(lesion) and np.allclose(lesion[:, [INNER, OUTER]], (inner, outer), atol=0.15)
    assert np.allclose(lesion[:, SHARE], high - low, atol=0.1)


def test_lesions_that_do_not_touch_are_told_apart() -> None:
    small, large = on_slices(WALL & (SECTOR == 1), 1), on_slices(WALL & np.isin(SECTOR, (6, 7, 8)), 3, 4)
    image, maps = heart(small | large)
    size = measured(image, maps)[..., SIZE_OF]
    assert np.allclose(size[1, 1], np.log1p(small.sum()) / 6) and np.allclose(size[3, 7], np.log1p(large.sum()) / 6)


def test_neighbours_are_the_columns_above_below_and_beside() -> None:
    image, maps = heart(on_slices(WALL & (SECTOR == 5), 2))
    above, below, before, after = (measured(image, maps)[:, :, 0, BANDS + k] for k in range(4))
    assert above[3, 5] == pytest.approx(1) and below[1, 5] == pytest.approx(1)
    assert before[2, 6] == pytest.approx(1) and after[2, 4] == pytest.approx(1)
    assert all(side.sum() == pytest.approx(1) for side in (above, below, before, after))


def test_borders_tell_blood_from_fat_and_where_a_lesion_was_taken_for_blood() -> None:
    lost = WALL & (RADIUS < ENDO + 6) & (SECTOR == 4)
    image, maps = heart(on_slices(lost, *range(SLICES)), cavity=CAVITY | lost)
    outside, inside, outer_bay, inner_bay, _, signal = (
        measured(image, maps)[2, :, 0, OF_COLUMN + k] for k in range(OF_BORDERS)
    )
    assert np.allclose(outside, FAT) and np.allclose(inside, BLOOD)
    assert inner_bay.argmax() == 4 and inner_bay[4] > 2 * inner_bay[[0, 1, 2, 6, 7, 8, 9, 10, 11]].max()
    assert signal[4] == pytest.approx(BLOOD) and outer_bay.max() < inner_bay[4] / 2


def test_turning_the_heart_turns_the_tokens() -> None:
    rng = np.random.default_rng(4)
    image, maps = heart(on_slices(WALL & (SECTOR == 4) & (RADIUS < 25), 2, 3), "subendocardial")
    image += rng.normal(0, 0.1, image.shape).astype(np.float32)
    maps[:, 2] *= rng.uniform(0.4, 1, maps[:, 2].shape)
    turned = [np.ascontiguousarray(np.rot90(array, axes=(-2, -1))) for array in (image, maps)]
    before, after = (study_tokens(i, m, POSITION) for i, m in ((image, maps), turned))
    values = [t.values.reshape(SLICES, SECTORS, BANDS, MEASURES) for t in (before, after)]
    assert np.allclose(np.roll(values[0], 3, 1), values[1], atol=1e-4)


def test_a_study_without_wall_has_no_measures_and_no_tokens() -> None:
    tokens = study_tokens(
        np.zeros((2, SIZE, SIZE), np.float32), np.zeros((2, 11, SIZE, SIZE), np.float32), POSITION[:2]
    )
    assert tokens.values.shape == (2 * PER_SLICE, MEASURES) and not tokens.values.any() and not tokens.present.any()
    assert OWN_MEASURES < MEASURES


def test_the_drawn_wall_takes_what_may_be_blood_and_the_ventricle_stays_whole() -> None:
    cavity, wall = np.float32([0.9, 0.66, 0.6, 0.3, 0.2]), np.float32([0.1, 0.3, 0.4, 0.3, 0.2])
    inside, muscle = drawn_cavity_and_wall(cavity, wall)
    assert inside.tolist() == [True, True, False, False, False]
    assert muscle.tolist() == [False, False, True, True, False]
