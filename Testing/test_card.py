"""The card is made from metrics.json and says what evaluations and pictures are in it."""

import errno
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib import cli
from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.finding import Finding, Lesion
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import write_nrrd

pytest.importorskip("torch")
from LGETextTrainLib import bundle_figures
from LGETextTrainLib import cli as cli_of_training
from LGETextTrainLib.bundle_figures import read_metrics, take_in_evaluations
from LGETextTrainLib.card import write_card
from LGETextTrainLib.evaluated_case import Case
from LGETextTrainLib.failures import failure_picture, worst_cases, write_failures

METRICS = {"patients": 4, "seed": 7, "no_heart_found": 0, "patient_auroc": 0.8123, "patient_auroc_95": [0.7, 0.9]}
FACTS = {
    "name": "lge-x", "version": "1.2", "intended_use": "Research use, not for diagnosis: nothing else.",
    "training": {"data": "virtual patients only", "steps": 3}, "validation": {"patients": 5, "seed": 6},
}  # fmt: skip


def evaluated(folder: Path, name: str, virtual: bool) -> None:
    """A set's folder as ``lgetext evaluate`` leaves it, with one plot and, if virtual, one picture."""
    (folder / name).mkdir(parents=True)
    figures = {
        "set": name, "virtual": virtual, "about": f"about {name}", "studies": 3, "positive": 2, "patient_auroc": 0.6543,
        "patient_auroc_95": [0.5, 0.75], "roc": [[0, 0], [1, 1]], "systems": [{"system": "text answer (shipped)", "auroc": 0.6543}],
    }  # fmt: skip
    (folder / name / "figures.json").write_text(json.dumps(figures), "utf-8")
    (folder / name / "roc.svg").write_text("<svg/>", "utf-8")
    if virtual:
        (folder / name / "failure-missed.png").write_bytes(b"png")
        (folder / name / "failures.json").write_text(
            '[{"file": "failure-missed.png", "text": "Missed: a scar."}]', "utf-8"
        )


@pytest.fixture
def bundle(untrained_bundle: Path, tmp_path: Path) -> Path:
    """A bundle with figures of virtual test patients."""
    from LGETextTrainLib.export import write_manifest

    folder = tmp_path / "bundle"
    shutil.copytree(untrained_bundle, folder)
    (folder / "metrics.json").write_text(json.dumps(METRICS), "utf-8")
    write_card(folder, FACTS, METRICS)
    facts = FACTS | {"thresholds": open_bundle(untrained_bundle).thresholds}
    write_manifest(folder, open_bundle(untrained_bundle).tokenizer, facts)
    return folder


def test_card_tells_what_metrics_hold(bundle: Path) -> None:
    card = (bundle / "MODEL_CARD.md").read_text("utf-8")
    for name, value in METRICS.items():
        assert f"| {name} | {json.dumps(value)} |" in card
    for words in ("not for diagnosis", "Intended use", "Training data", "Limits and failure modes", "seed 6"):
        assert words in card


def test_evaluations_are_taken_in_apart(bundle: Path, tmp_path: Path) -> None:
    for name, virtual in (("held-back", True), ("somewhere", False)):
        evaluated(tmp_path / "sets", name, virtual)
    before = open_bundle(bundle).sha256
    assert take_in_evaluations(bundle, tmp_path / "sets") == 2
    opened = open_bundle(bundle)  # every hash is right again
    assert opened.sha256 != before
    assert opened.thresholds == open_bundle(bundle).thresholds
    card = (bundle / "MODEL_CARD.md").read_text("utf-8")
    virtual_part, real_part = card.split("## Figures on real patients")
    assert "0.654 (0.500 to 0.750)" in virtual_part.split("## Figures on other virtual patients")[1]
    assert "about somewhere" in real_part and "about somewhere" not in virtual_part
    assert "![Missed: a scar.](failure-held-back-missed.png)" in card
    assert {"held-back-roc.svg", "somewhere-roc.svg", "failure-held-back-missed.png"} <= set(opened.manifest["files"])
    kept = json.loads((bundle / "metrics.json").read_text("utf-8"))["evaluations"]
    assert "roc" not in kept[0]


def test_figures_of_the_test_patients_are_replaced(bundle: Path, tmp_path: Path) -> None:
    evaluated(tmp_path / "sets", "held-back", True)
    take_in_evaluations(bundle, tmp_path / "sets", {"brier": 0.0123})
    assert "| brier | 0.0123 |" in (bundle / "MODEL_CARD.md").read_text("utf-8")
    assert read_metrics(bundle)["brier"] == 0.0123 and read_metrics(bundle)["seed"] == METRICS["seed"]


def test_interrupted_taking_in_leaves_the_bundle_as_it_was(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    evaluated(tmp_path / "sets", "held-back", True)
    before = open_bundle(bundle).sha256
    monkeypatch.setattr(bundle_figures, "write_card", interrupt)
    with pytest.raises(KeyboardInterrupt):
        take_in_evaluations(bundle, tmp_path / "sets")
    assert open_bundle(bundle).sha256 == before
    assert not list(bundle.glob("held-back-*")) and not list(bundle.parent.glob(".bundle*"))


@pytest.mark.parametrize("words", [["--calibrate"], ["--known", "known"], ["--test", "--evaluations", "sets"]])
def test_a_bundle_that_cannot_be_written_is_refused_before_the_work(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    def closed(**_: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", closed)
    monkeypatch.setattr(cli_of_training, "_worked_on", lambda *_: pytest.fail("work has started"))
    assert cli.main(["bundle", str(bundle), *words]) == cli.REFUSED
    assert "[out-unwritable]" in capsys.readouterr().err


def test_a_disk_that_fills_while_a_bundle_is_written_is_a_refusal(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    evaluated(tmp_path / "sets", "held-back", True)
    monkeypatch.setattr(bundle_figures, "write_card", full)
    assert cli.main(["bundle", str(bundle), "--evaluations", str(tmp_path / "sets")]) == cli.REFUSED
    assert "no space left on device" in capsys.readouterr().err


def test_a_bundle_is_changed_where_one_stands(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated(tmp_path / "sets", "held-back", True)
    monkeypatch.chdir(bundle)
    assert cli.main(["bundle", ".", "--evaluations", str(tmp_path / "sets")]) == 0
    assert (bundle / "held-back-roc.svg").is_file() and open_bundle(bundle)


def test_taking_in_again_replaces(bundle: Path, tmp_path: Path) -> None:
    evaluated(tmp_path / "sets", "held-back", True)
    take_in_evaluations(bundle, tmp_path / "sets")
    first = (bundle / "MODEL_CARD.md").read_text("utf-8")
    take_in_evaluations(bundle, tmp_path / "sets")
    assert (bundle / "MODEL_CARD.md").read_text("utf-8") == first
    shutil.rmtree(tmp_path / "sets")
    evaluated(tmp_path / "sets", "other", False)
    take_in_evaluations(bundle, tmp_path / "sets")
    assert not list(bundle.glob("*held-back*"))


def test_nothing_evaluated_is_refused(bundle: Path, untrained_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        take_in_evaluations(bundle, tmp_path)
    with pytest.raises(InputRefused):
        read_metrics(untrained_bundle)


def case(name: str, probability: float, true: tuple[int, ...], named: tuple[int, ...]) -> Case:
    finding = Finding("present", (Lesion(true, "mid-wall"),)) if true else Finding("absent")
    result = {
        "detection": {"probability": probability, "threshold": 0.5}, "finding": {"lesions": [{"segments": list(named)}]}, "caption": "said",
    }  # fmt: skip
    return Case(name, {"lge": str(int(bool(true))), "segments": " ".join(map(str, true))}, result, finding)


CASES = [
    case("right", 0.9, (4,), (4,)), case("missed", 0.1, (4, 5), ()), case("missed less", 0.4, (4,), ()),
    case("invented", 0.8, (), (1,)), case("elsewhere", 0.7, (3,), (12,)), case("clean", 0.1, (), ()),
]  # fmt: skip


def test_the_worst_of_each_kind_is_shown() -> None:
    failures = {failure.kind: failure for failure in worst_cases(CASES)}
    assert {kind: failure.case.name for kind, failure in failures.items()} == {
        "missed": "missed", "invented": "invented", "elsewhere": "elsewhere",
    }  # fmt: skip
    assert "mid-wall in segment(s) 4, 5" in failures["missed"].text
    assert worst_cases([CASES[0], CASES[-1]]) == []


def test_pictures_show_scar_and_evidence(tmp_path: Path) -> None:
    affine = np.diag([8.0, 1.0, 1.0, 1.0])
    labels = np.zeros((4, 120, 120), np.float32)
    labels[:, 40:80, 40:80] = 2
    labels[2, 45:60, 45:60] = 3
    evidence = np.zeros_like(labels)
    evidence[2, 70:78, 70:78] = 1
    results = tmp_path / "results" / "missed"
    results.mkdir(parents=True)
    rng = np.random.default_rng(0)
    write_nrrd(Volume(rng.uniform(0, 1, labels.shape).astype(np.float32), affine), tmp_path / "missed.nrrd")
    write_nrrd(Volume(labels, affine), tmp_path / "missed_mask.nrrd")
    write_nrrd(Volume(evidence, affine), results / "evidence.nrrd")
    picture = failure_picture(tmp_path / "missed.nrrd", tmp_path / "missed_mask.nrrd", results / "evidence.nrrd")
    assert picture.shape == (480, 320, 3)
    blue = (picture == (86, 180, 233)).all(-1)
    assert blue[:, 160:].any() and not blue[:, :160].any()
    warm = picture[..., 0].astype(int) > picture[..., 2].astype(int) + 60
    assert warm[:, 160:].any() and not warm[:, :160].any()


def test_nothing_wrong_no_picture(tmp_path: Path) -> None:
    assert write_failures(tmp_path, tmp_path, tmp_path, [CASES[0]]) == []
    assert json.loads((tmp_path / "failures.json").read_text("utf-8")) == []
