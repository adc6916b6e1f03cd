"""A bundle's thresholds are fitted again and written; known studies move the odds as a whole."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.events import Events
from LGETextDetectLib.refusal import InputRefused

pytest.importorskip("torch")
from LGETextTrainLib import recalibrate as recalibration
from LGETextTrainLib.bundle_figures import manifest_facts
from LGETextTrainLib.export import replaced_bundle, write_manifest
from LGETextTrainLib.recalibrate import Odds, moved_odds, recalibrate
from LGETextTrainLib.virtual_cohort import write_cohort

PATIENTS, SEED = 6, 4


def odds(*logits: tuple[float, int]) -> Odds:
    values, true = np.array(logits, float).T
    return Odds(values, true)


VIRTUAL = odds((-1.0, 0), (1.0, 1), (-2.0, 0), (2.0, 1))


def test_known_studies_called_too_readily_lower_the_odds_and_missed_ones_raise_them() -> None:
    ready = odds((1.0, 0), (0.5, 0), (2.0, 1), (3.0, 1))
    shy = odds((-2.0, 0), (-3.0, 0), (-1.0, 1), (-0.5, 1))
    assert moved_odds(1.0, VIRTUAL, ready) < -0.1
    assert moved_odds(1.0, VIRTUAL, shy) > 0.1
    assert moved_odds(1.0, VIRTUAL, VIRTUAL) == pytest.approx(0, abs=1e-3)


def test_how_many_known_studies_are_scarred_does_not_move_the_odds() -> None:
    known = odds((0.5, 0), (1.5, 1))
    many = odds((0.5, 0), *[(1.5, 1)] * 20)
    assert moved_odds(0.9, VIRTUAL, known) == pytest.approx(moved_odds(0.9, VIRTUAL, many), abs=1e-3)


@pytest.fixture
def bundle(bundled_model: Path, tmp_path: Path) -> Path:
    """The bundled model, said to be calibrated with few patients."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundled_model, folder)
    opened = open_bundle(folder)
    write_manifest(
        folder, opened.tokenizer, manifest_facts(opened) | {"validation": {"patients": PATIENTS, "seed": SEED}}
    )
    return folder


def test_a_bundle_is_calibrated_again_and_says_with_what(bundle: Path, tmp_path: Path) -> None:
    write_cohort(tmp_path / "clinic", PATIENTS, 12, reports=False, events=Events())
    before = open_bundle(bundle)
    scaled = recalibrate(bundle, Events())
    assert scaled["calibration"]["b"] == 0 and open_bundle(bundle).thresholds == scaled
    assert "odds are moved" not in (bundle / "MODEL_CARD.md").read_text("utf-8")
    moved = recalibrate(bundle, Events(), tmp_path / "clinic")
    after = open_bundle(bundle)
    assert after.thresholds == moved and after.sha256 != before.sha256
    shift = moved["calibration"].pop("b")
    scaled["calibration"].pop("b")
    assert shift != 0 and moved == scaled
    assert after.manifest["validation"]["odds_moved_with"] == f"{PATIENTS} studies of clinic"
    assert f"the odds are moved as a whole ({shift})" in (bundle / "MODEL_CARD.md").read_text("utf-8")
    assert after.manifest["files"].keys() == before.manifest["files"].keys()


def test_interrupted_calibration_leaves_the_bundle_as_it_was(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = open_bundle(bundle).sha256
    monkeypatch.setattr(recalibration, "write_manifest", interrupt)
    with pytest.raises(KeyboardInterrupt):
        recalibrate(bundle, Events())
    assert open_bundle(bundle).sha256 == before


def test_too_few_known_studies_are_refused_and_nothing_is_written(bundle: Path, tmp_path: Path) -> None:
    write_cohort(tmp_path / "clinic", 2, 3, reports=False, events=Events())
    before = open_bundle(bundle).sha256
    with pytest.raises(InputRefused, match="few-patients"):
        recalibrate(bundle, Events(), tmp_path / "clinic")
    assert open_bundle(bundle).sha256 == before


def test_a_bundle_that_no_virtual_patient_calibrated_is_refused(untrained_bundle: Path) -> None:
    assert "seed" not in json.loads((untrained_bundle / "manifest.json").read_text("utf-8")).get("validation", {})
    with pytest.raises(InputRefused, match="bad-bundle"):
        recalibrate(untrained_bundle, Events())


def test_a_bundle_whose_successor_cannot_take_its_place_stays(tmp_path: Path) -> None:
    bundle = tmp_path / "lge-x"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}", "utf-8")
    with pytest.raises(FileNotFoundError), replaced_bundle(bundle) as made:
        shutil.rmtree(made)
    assert [path.name for path in tmp_path.iterdir()] == ["lge-x"]
    assert (bundle / "manifest.json").is_file()
