"""What is measured beside a result, on masks that can be counted and on one virtual study through the whole detection."""

import json
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.events import Events
from LGETextDetectLib.volume_files import load_study, write_nrrd
from LGETextTrainLib.measures import dice, find_mask, measure_studies, peak, points_at, read_measures
from LGETextTrainLib.threshold_rules import rule_names
from test_threshold_rules import ring


def test_dice() -> None:
    first, second = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    first[0, :2], second[0, 1:3] = True, True
    assert dice(first, second) == 0.5
    assert dice(first & second, first & second) == 1
    assert dice(first & ~first, second & ~second) == 1


@pytest.mark.parametrize(
    ("place", "expected"), [((1, 4, 4), True), ((1, 3, 3), True), ((1, 2, 4), False), ((0, 4, 4), False)]
)
def test_pointing_forgives_one_pixel_in_plane(place: tuple[int, int, int], expected: bool) -> None:
    scar, evidence = np.zeros((3, 9, 9), bool), np.full((3, 9, 9), 0.1, np.float32)
    scar[1, 4:6, 4:6] = True
    evidence[place] = 0.9
    assert points_at(evidence, scar) is expected


def test_no_evidence_points_nowhere() -> None:
    assert not points_at(np.zeros((1, 5, 5), np.float32), np.ones((1, 5, 5), bool))


def test_peak_names_input_slice_and_segment() -> None:
    stack = ring(1.0)
    reversed_input = type(stack)(**{**stack.__dict__, "index": np.array([2, 1, 0])})
    evidence = np.zeros((3, 96, 96), np.float32)
    evidence[0, 30, 48] = 0.8  # basal slice, straight up: the anterior wall
    assert peak(reversed_input, evidence) == {"index": 2, "segment": 1, "evidence": 0.8}


@pytest.mark.parametrize("text", ['{"format": 3, "cavity', "[3]", "\udcff"])
def test_a_damaged_file_of_measures_holds_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_measures(tmp_path, "a") == {}


@pytest.mark.parametrize("study", ["a", "a [1]", "a*"])
def test_the_mask_of_a_study_is_found_by_its_name_as_it_is(tmp_path: Path, study: str) -> None:
    for name in ("ab_mask.nrrd", f"{study}_mask.nii.gz"):
        (tmp_path / name).touch()
    assert find_mask(tmp_path, study) == tmp_path / f"{study}_mask.nii.gz"


def test_a_study_is_measured_once_for_its_images_and_mask(
    bundled_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from LGETextTrainLib.sample_patient import sample_patient
    from LGETextTrainLib.virtual_study import render_study

    monkeypatch.setenv("LGETEXT_BUNDLE", str(bundled_model))
    root, results, out = tmp_path / "root", tmp_path / "results", tmp_path / "measures"
    study = render_study(sample_patient())
    (results / "a").mkdir(parents=True)
    root.mkdir()
    write_nrrd(study.volume, root / "a.nrrd")
    _note_images(root, results)
    write_nrrd(study.volume.with_array(study.labels.astype(np.float32)), root / "a_mask.nrrd")
    write_nrrd(study.volume, root / "without-result.nrrd")
    assert find_mask(root, "a") == root / "a_mask.nrrd"
    measure_studies(root, out, results, 1, Events())
    found = read_measures(out, "a")
    assert [path.name for path in out.iterdir()] == ["a.json"]
    assert 0 <= found["head_probability"] <= 1
    assert set(found["rules"]) == set(rule_names())
    assert found["cavity_dice"] > 0.7
    assert found["myocardium_dice"] > 0.5
    assert found["cavity_ml"] == pytest.approx(_true_cavity_ml(study), rel=0.35)
    assert found["points_at_scar"] in (True, False)
    marked = found | {"cavity_ml": -1}

    def measured_again() -> bool:
        (out / "a.json").write_text(json.dumps(marked), "utf-8")
        measure_studies(root, out, results, 1, Events())
        return read_measures(out, "a").get("cavity_ml") != -1

    assert not measured_again()
    write_nrrd(study.volume.with_array(np.minimum(study.labels, 2).astype(np.float32)), root / "a_mask.nrrd")
    assert measured_again() and read_measures(out, "a")["scar_dice"] is None
    marked = read_measures(out, "a") | {"cavity_ml": -1}
    write_nrrd(study.volume.with_array(study.volume.array * 2), root / "a.nrrd")
    _note_images(root, results)
    assert measured_again()
    write_nrrd(study.volume.with_array(np.zeros(study.labels.shape, np.float32)), root / "a_mask.nrrd")
    assert measured_again() and "cavity_dice" not in read_measures(out, "a"), (
        "an empty mask is none, no older one is kept"
    )


def _note_images(root: Path, results: Path) -> None:
    """What a batch would have noted of the images as they are now."""
    images = {"sha256": load_study(root / "a.nrrd").facts.sha256}
    (results / "a" / "result.json").write_text(json.dumps({"input": images}), "utf-8")


def _true_cavity_ml(study) -> float:
    return float((study.labels == 1).sum() * np.prod(study.volume.spacing_mm) / 1000)
