"""Patients of diagnostic quality: a scar that nobody could tell from fat or blood beside it is not among them."""

from dataclasses import replace

import numpy as np
import pytest
from LGETextDetectLib.finding import LAYERS
from LGETextTrainLib.diagnostic import draw_clinical, is_reportable, is_told_apart
from LGETextTrainLib.held_back import draw_held_back
from LGETextTrainLib.patient import TISSUE, Anatomy, Patient, Scan, draw_anatomy, draw_scan, draw_scar
from LGETextTrainLib.phantom import LABELS
from LGETextTrainLib.truth import layer_labels
from LGETextTrainLib.virtual_study import render_study


def lateral_scar(fat_mm: float, rv_mm: float = 0.0) -> tuple[Anatomy, Scan]:
    rng = np.random.default_rng(5)
    anatomy = draw_anatomy(rng)
    anatomy = replace(anatomy, fat=np.full_like(anatomy.fat, fat_mm), rv=np.full_like(anatomy.rv, rv_mm))
    scan = draw_scan(rng, len(anatomy.s), physical_share=1.0)
    signal = scan.signal.copy()
    for name, steps in (("myocardium", 0.0), ("cavity", 1.0), ("rv", 1.0), ("epicardial_fat", 1.2), ("lung", 0.1)):
        signal[TISSUE[name]] = steps
    return anatomy, replace(scan, psir=True, signal=signal, step=1.0, scar_contrast=1.1)


@pytest.mark.parametrize(
    ("fat_mm", "rv_mm", "seen"),
    [(0.0, 0.0, True), (0.8, 0.0, True), (3.0, 0.0, False), (0.0, 12.0, False)],
    ids=["beside lung", "thin fat", "under fat of its brightness", "beside RV blood"],
)
def test_subepicardial_scar_must_differ_from_what_lies_outside(fat_mm: float, rv_mm: float, seen: bool) -> None:
    anatomy, scan = lateral_scar(fat_mm, rv_mm)
    scar = replace(draw_scar(np.random.default_rng(1), anatomy, "subepicardial"), levels=(0.1, 0.9))
    assert is_told_apart(scar, anatomy, scan) == seen
    assert is_told_apart(replace(scar, kind="ischaemic"), anatomy, scan)  # seen against the rest of the wall
    dark_fat = scan.signal.copy()
    dark_fat[[TISSUE["epicardial_fat"], TISSUE["rv"]]] = 0.2
    assert is_told_apart(scar, anatomy, replace(scan, signal=dark_fat))


@pytest.mark.parametrize("draw", [draw_clinical, draw_held_back])
def test_every_drawn_scar_can_be_reported(draw) -> None:
    patients: list[Patient] = [draw(np.random.default_rng((6, k)), 1.0) for k in range(40)]
    assert {p.scars[0].kind for p in patients} >= {"ischaemic", "mid-wall", "subepicardial"}
    for patient in patients:
        assert is_told_apart(patient.scars[0], patient.anatomy, patient.scan)
        assert patient.scars[0].kind == "ischaemic" or is_reportable(patient.scars[0], patient.anatomy)


def test_scarred_pixels_carry_the_layer_of_their_lesion() -> None:
    layers = set()
    for number in range(30):
        patient = draw_clinical(np.random.default_rng((8, number)), 1.0)
        study = render_study(patient)
        if study.finding.lge != "present":
            continue
        angle = np.zeros(study.labels.shape, np.float32)
        marked = layer_labels(study.finding, np.full(len(study.labels), 0.5, np.float32), study.labels, angle)
        scar = np.isin(study.labels, (LABELS["scar"], LABELS["no_reflow"]))
        named = {1 + LAYERS.index(str(lesion.layer)) for lesion in study.finding.lesions}
        assert ((marked > 0) == scar).all() and set(np.unique(marked[scar])) <= named
        layers |= {LAYERS[k - 1] for k in np.unique(marked[scar])}
    assert {"subendocardial", "mid-wall"} <= layers
