"""Blunt apices, infarcts that widen towards the apex, dark fat: what training adds to a drawn patient."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from LGETextTrainLib import phantom
from LGETextTrainLib.harder_hearts import blunter, fat_darkened, harder, widened, with_dark_fat
from LGETextTrainLib.patient import TISSUE, Patient, draw, draw_scar
from LGETextTrainLib.samples import disturbed

POSE = phantom.Pose(96, 96, 1.25, 1.25)


@pytest.fixture()
def infarcted() -> Patient:
    rng = np.random.default_rng(4)
    patient = draw(rng, 0.0)
    scar = replace(
        draw_scar(rng, patient.anatomy, "ischaemic"), half_width=0.5, levels=(0.0, 0.9), depth=1.0, drift=0.0
    )
    return replace(patient, scars=(scar,))


def scarred_share(patient: Patient) -> np.ndarray:
    """(S,) share of the wall's pixels that is scar."""
    labels = phantom.render(patient, POSE).labels.numpy()
    scar, wall = (np.isin(labels, kinds).sum((1, 2)) for kinds in ((3, 4), (2, 3, 4)))
    return scar / np.maximum(wall, 1)


def test_a_blunt_apex_is_wider_and_the_base_as_it_was() -> None:
    anatomy = draw(np.random.default_rng(2), 0.0).anatomy
    wider = blunter(np.random.default_rng(5), anatomy)
    ratio = (wider.epi / anatomy.epi).mean(1)
    assert ratio[anatomy.s <= 0] == pytest.approx(1.0) and ratio[-1] > 1.2
    assert np.all(np.diff(ratio) >= -1e-6) and np.all(wider.endo < wider.epi) and np.all(wider.endo > 0)


def test_an_infarct_takes_more_of_the_wall_towards_the_apex(infarcted: Patient) -> None:
    rng = np.random.default_rng(1)
    wide = replace(infarcted, scars=(replace(widened(rng, infarcted.scars[0]), widening=3.0, levels=(0.0, 1.4)),))
    before, after = scarred_share(infarcted), scarred_share(wide)
    apical = infarcted.anatomy.s > 0.6
    assert after[apical].mean() > 1.5 * before[apical].mean() > 0
    mid_wall = replace(infarcted.scars[0], kind="mid-wall")
    assert widened(rng, mid_wall) is mid_wall


def test_dark_fat_is_as_dark_as_muscle(infarcted: Patient) -> None:
    scan = with_dark_fat(np.random.default_rng(0), infarcted.scan)
    for name in ("fat", "epicardial_fat"):
        assert abs(scan.signal[TISSUE[name]] - scan.signal[TISSUE["myocardium"]]) <= 0.2 * abs(scan.step) + 1e-6
    assert scan.signal[TISSUE["cavity"]] == infarcted.scan.signal[TISSUE["cavity"]]


def test_fat_of_a_real_heart_is_darkened_outside_the_heart_alone() -> None:
    image = np.full((3, 96, 96), 1.5, np.float32)
    heart = np.zeros((3, 96, 96), bool)
    heart[:, 30:60, 30:60] = True
    dark = fat_darkened(np.random.default_rng(3), image, heart)
    assert dark[:, :20].max() < 0.5 and dark[:, 40:50, 40:50].min() == pytest.approx(1.5)


def test_harder_patients_vary_and_follow_the_seed(infarcted: Patient) -> None:
    made = [harder(np.random.default_rng(seed), infarcted) for seed in range(40)]
    assert 10 < sum(m.scars[0].widening > 0 for m in made) < 30
    assert sum(m.anatomy is not infarcted.anatomy for m in made) > 10
    assert 2 <= sum(m.scan is not infarcted.scan for m in made) < 20
    again = harder(np.random.default_rng(7), infarcted)
    assert np.array_equal(again.anatomy.epi, made[7].anatomy.epi) and np.array_equal(
        again.scan.signal, made[7].scan.signal
    )
    assert again.scars[0].widening == made[7].scars[0].widening


def test_samples_come_with_walls_hidden_and_neighbours_missing() -> None:
    image = np.random.default_rng(0).random((400, 18, 4, 4)).astype(np.float32)
    shown = disturbed(np.random.default_rng(1), image)
    alone = ~shown[:, [1, 2, 3, 4, 5, 7, 13]].any((1, 2, 3))
    no_heart = ~shown[:, [1, 2, 7, 8, 13, 14]].any((1, 2, 3)) & ~alone
    no_look = ~shown[:, [3, 4, 5, 9, 10, 11]].any((1, 2, 3)) & ~alone
    assert 0.22 < alone.mean() < 0.38 and 0.02 < no_heart.mean() < 0.13 and 0.005 < no_look.mean() < 0.08
    ends = (shown[:, 6] == shown[:, 0]).all((1, 2))
    assert 0.05 < ends.mean() < 0.16 and np.array_equal(shown[:, 0], image[:, 0])
