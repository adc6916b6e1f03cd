"""Samples that are changed once more: marks stay with the image, every time differs, the seed decides."""

import numpy as np
import pytest

pytest.importorskip("torch")

from LGETextTrainLib.varied import SIGNAL_RANGE, Varied

SLICES = 60


def ring(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The same wall with a scar of one layer on every slice, shown in all channels; the signal has some texture."""
    rows, columns = np.mgrid[:96, :96] - 47.5
    away = np.hypot(rows, columns)
    wall = (away > 18) & (away < 28)
    scar = wall & (columns > 8) & (rows < 0)
    labels = np.where(scar, 3, np.where(wall, 2, np.where(away <= 18, 1, 0))).astype(np.uint8)
    image = np.repeat(wall[None].astype(np.float32), 18, 0)
    image[[0, 6, 12]] = np.where(away <= 18, 1.0, np.where(scar, 1.2, 0.1))
    stacked = np.repeat(labels[None], SLICES, 0)
    return {
        "image": np.repeat(image[None], SLICES, 0).astype(np.float16), "labels": stacked,
        "layer": np.where(stacked == 3, 5, 0).astype(np.uint8),
    }  # fmt: skip


def test_marks_stay_with_the_image_wherever_a_slice_goes() -> None:
    shown = Varied(ring)(np.random.default_rng(0))
    still = ring(np.random.default_rng(0))
    wall, seen = np.isin(shown["labels"], (2, 3)), shown["image"][:, 2] > 0.5
    overlap = 2 * (wall & seen).sum((1, 2)) / (wall.sum((1, 2)) + seen.sum((1, 2)))
    assert overlap.min() > 0.93
    before = 2 * (wall & np.isin(still["labels"], (2, 3))).sum((1, 2)) / (2 * wall.sum((1, 2)))
    assert 0.1 < (before > 0.999).mean() < 0.5, "some slices stay where they are"
    assert np.array_equal(shown["layer"] == 5, shown["labels"] == 3)
    for neighbour in (8, 14):  # moved as the slice itself
        assert np.array_equal(shown["image"][:, neighbour], shown["image"][:, 2])


def test_sizes_sides_and_signal_differ_within_what_scanners_give() -> None:
    shown = Varied(ring)(np.random.default_rng(1))
    area = np.isin(shown["labels"], (2, 3)).sum((1, 2))
    assert area.min() < 0.85 * np.median(area) and area.max() > 1.15 * np.median(area)
    upper = np.array([np.argwhere(s == 3)[:, 0].mean() for s in shown["labels"]]) < 47.5
    assert 0.6 < upper.mean() < 0.97, "some frames are upside down"
    blood = np.array([s[0][m == 1].mean() for s, m in zip(shown["image"], shown["labels"], strict=True)], float)
    assert blood.std() > 0.05 and blood.min() > 0.6 and blood.max() < 1.5
    assert SIGNAL_RANGE[0] <= shown["image"].min() and shown["image"].max() <= SIGNAL_RANGE[1]
    walls = [k for k in range(18) if k % 6]
    assert shown["image"][:, walls].min() >= 0 and shown["image"][:, walls].max() <= 1


def test_the_seed_decides_and_the_kinds_are_those_of_a_sample() -> None:
    first, again, other = (Varied(ring)(np.random.default_rng(seed)) for seed in (2, 2, 3))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["image"], other["image"])
    usual = ring(np.random.default_rng(0))
    assert {n: (v.shape, v.dtype) for n, v in first.items()} == {n: (v.shape, v.dtype) for n, v in usual.items()}
