"""Held-back patients lie beside the training recipe, and a reader would still see their scars."""

import json
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.events import Events
from LGETextTrainLib.diagnostic import draw_clinical, is_reportable
from LGETextTrainLib.held_back import draw_held_back
from LGETextTrainLib.virtual_cohort import write_cohort
from LGETextTrainLib.virtual_study import render_study


def patients(count: int, scar_share: float = 0.5) -> list:
    return [draw_held_back(np.random.default_rng((3, number)), scar_share) for number in range(count)]


def test_same_seed_same_patient() -> None:
    first, second = (render_study(draw_held_back(np.random.default_rng(8))) for _ in range(2))
    assert np.array_equal(first.volume.array, second.volume.array)
    assert first.finding == second.finding


def test_ranges_lie_beside_the_training_recipe() -> None:
    held_back = patients(60)
    trained = [draw_clinical(np.random.default_rng((4, number))) for number in range(60)]

    def span(values: list[float]) -> tuple[float, float]:
        return min(values), max(values)

    assert (
        span([p.scan.noise / p.scan.step for p in held_back])[0]
        >= span([p.scan.noise / p.scan.step for p in trained])[1] - 1e-6
    )
    assert span([p.scan.noise_blur_px for p in held_back])[0] >= 1.3
    lengths = [p.anatomy.length_mm for p in held_back]
    assert all(not 68 < mm < 108 for mm in lengths)
    assert min(lengths) < 68 and max(lengths) > 108
    oval = [
        np.ptp(p.anatomy.epi[len(p.anatomy.s) // 2]) / p.anatomy.epi[len(p.anatomy.s) // 2].mean() for p in held_back
    ]
    assert np.median(oval) > 0.15


def test_hearts_are_possible() -> None:
    for patient in patients(40):
        wall = patient.anatomy.epi - patient.anatomy.endo
        assert (patient.anatomy.endo > 0).all()
        assert wall.min() > 0
        assert np.isfinite(patient.scan.signal).all()


def test_scars_are_reportable_and_visible() -> None:
    seen = []
    for patient in patients(7, 1.0):
        assert is_reportable(patient.scars[0], patient.anatomy)
        study = render_study(patient)
        scar, remote = study.labels == 3, study.labels == 2
        if study.finding.lge != "present" or not scar.any():
            continue
        k = int(scar.sum((1, 2)).argmax())
        image = study.volume.array[k]
        seen.append((image[scar[k]].mean() - image[remote[k]].mean()) / image[remote[k]].std())
    assert len(seen) >= 5
    assert np.median(seen) > 1.5
    assert np.mean(np.array(seen) > 0.5) >= 0.9


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_scar_share(share: float) -> None:
    assert {bool(patient.scars) for patient in patients(5, share)} == {share == 1}


def test_a_cohort_says_what_it_is(tmp_path: Path) -> None:
    write_cohort(tmp_path / "held", 1, 5, False, Events(), held_back=True)
    write_cohort(tmp_path / "usual", 1, 5, False, Events())
    held, usual = (json.loads((tmp_path / name / "cohort.json").read_text("utf-8")) for name in ("held", "usual"))
    assert held["virtual"] and usual["virtual"]
    assert "held-back" in held["about"] and "held-back" not in usual["about"]
    assert (tmp_path / "held" / "truth.csv").read_text("utf-8") != (tmp_path / "usual" / "truth.csv").read_text("utf-8")
