"""A hospital's training from studies and reports to a bundle: it resumes, keeps secrets and refuses before it starts."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from conftest import child_environment  # noqa: E402
from LGETextDetectLib.backends import read_safetensors  # noqa: E402
from LGETextDetectLib.bundle import file_sha256, open_bundle  # noqa: E402
from LGETextDetectLib.events import Events  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextTrainLib import hospital_training, train  # noqa: E402
from LGETextTrainLib.export import read_networks  # noqa: E402
from LGETextTrainLib.hospital_evaluation import write_hospital_card  # noqa: E402
from LGETextTrainLib.hospital_training import (  # noqa: E402
    calibrated_entropy,
    export_hospital,
    kept_mean,
    train_hospital,
    training_facts,
)
from LGETextTrainLib.processes import Processes  # noqa: E402
from LGETextTrainLib.recipe import HospitalRecipe, read_hospital_recipe, read_recipe, write_hospital_recipe  # noqa: E402
from LGETextTrainLib.stored_weights import save_weights  # noqa: E402
from LGETextTrainLib.train import run_training  # noqa: E402
from LGETextTrainLib.virtual_hospital import write_hospital  # noqa: E402

CANARIES = ("Zyxwvut", "QUOKKA", "Plinthover")  # a name, an identifier, a word of the reports
RECIPE = """
name = "lge-test"
version = "0.1"
seed = 4
[data]
studies = "studies"
reports = "reports.csv"
validation_share = 0.25
[scar]
steps = 6
batch = 4
virtual_share = 0.0
accumulate = 2
[text]
steps = 6
batch = 4
questions = 20
painted = 1
virtual_patients = 0
accumulate = 2
[run]
validate_every = 3
checkpoint_minutes = 0.0
workers = 0
"""


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual hospital with canaries in its file names, headers and reports, and a recipe for it."""
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(folder, 14, 6, Events())
    with (folder / "reports.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["text"] = (
            f"Patient: {CANARIES[0]}, MRN: {CANARIES[1]}77123. {CANARIES[2]} noted incidentally. {row['text']}"
        )
    name = rows[0]["study"]
    (folder / "studies" / name).rename(folder / "studies" / f"{CANARIES[1]}-{name}")
    rows[0]["study"] = f"{CANARIES[1]}-{name}"
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ("study", "text"))
        table.writeheader()
        table.writerows(rows)
    (folder / "recipe.toml").write_text(RECIPE, "utf-8")
    return folder


@pytest.fixture(scope="module")
def recipe(hospital: Path, bundled_model: Path) -> HospitalRecipe:
    read = read_hospital_recipe(hospital / "recipe.toml")
    return replace(read, start=replace(read.start, bundle=str(bundled_model)))


@pytest.fixture(scope="module")
def run(recipe: HospitalRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was not interrupted."""
    out = tmp_path_factory.mktemp("run")
    train_hospital(recipe, out, Events())
    return out


def entries(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]


def test_it_ends_with_a_bundle_a_card_and_a_page(run: Path) -> None:
    bundle = open_bundle(run / "bundle" / "lge-test")
    metrics = json.loads((bundle.folder / "metrics.json").read_text("utf-8"))
    card = (bundle.folder / "MODEL_CARD.md").read_text("utf-8")
    for name, value in metrics["validation"].items():
        assert f"| {name} | {json.dumps(value)} |" in card
    assert "trained further on studies" in card and "scars of known place were painted" in card
    counted = json.loads((run / "check" / "counts.json").read_text("utf-8"))["splits"]
    assert f"- data: {sum(counted['train'].values())} studies of" in card and "- scar_steps: 6" in card
    assert "not for diagnosis" in card and "not for diagnosis" in (run / "evaluation.html").read_text("utf-8")
    assert json.loads((run / "run.json").read_text("utf-8"))["state"] == "done"
    assert {entry["stage"] for entry in entries(run)} == {"estimate", "scar", "text", "done"}


def test_the_bundle_holds_the_mean_of_what_was_there_and_what_was_learnt(
    run: Path, bundled_model: Path, tmp_path: Path
) -> None:
    _, scar, language = read_networks(run / "bundle" / "lge-test")
    _, old_scar, old_language = read_networks(bundled_model)
    for stage, new, old in (("scar", scar, old_scar), ("text", language.state_dict(), old_language.state_dict())):
        learnt = torch.load(run / f"{stage}.pt", weights_only=True)["best"]
        for name, value in learnt.items():
            if value.is_floating_point():
                save_weights({name: (old[name] + value) / 2}, tmp_path / "mean.safetensors")
                expected = torch.from_numpy(read_safetensors(tmp_path / "mean.safetensors")[name])
                same = torch.isclose(new[name], expected, rtol=1e-5, atol=1e-6)
                in_8_bits = not torch.equal(expected, (old[name] + value) / 2)
                assert same.float().mean() >= (0.999 if in_8_bits else 1.0), name  # a tie may round either way


def test_too_few_validation_studies_leave_the_start_s_thresholds_and_the_card_says_so(
    run: Path, bundled_model: Path
) -> None:
    bundle, start = open_bundle(run / "bundle" / "lge-test"), open_bundle(bundled_model)
    counted = json.loads((run / "check" / "counts.json").read_text("utf-8"))
    assert min(counted["splits"]["validation"].values()) < 3
    assert any("will not be fitted" in problem["text"] for problem in counted["problems"])
    assert bundle.thresholds == start.thresholds
    card = (bundle.folder / "MODEL_CARD.md").read_text("utf-8")
    assert f"Threshold and calibration are those of {start.name} {start.version}:" in card
    assert "since stopping was chosen on them" in card


@pytest.mark.parametrize(
    ("weights", "share", "said", "unsaid"),
    [
        ("all", 0.6, ["trained further", "were painted", "kept: 0.5", "painted_share: 0.6"], ["anew"]),
        ("all", 0.0, ["trained further", "kept: 0.5", "painted_share: 0.0"], ["painted into"]),
        (
            "heart",
            0.0,
            ["begun from it", "trained anew", "are not fitted to any"],
            ["trained further", "painted into", "kept"],
        ),
        ("none", 0.6, ["the scar network and the text side were trained anew", "painted"], ["begun from", "kept"]),
    ],
)
def test_the_card_says_what_happened(
    recipe: HospitalRecipe, run: Path, tmp_path: Path, weights: str, share: float, said: list[str], unsaid: list[str]
) -> None:
    """Also how many steps were done of those allowed, and how many studies were learnt from."""
    own = replace(
        recipe, start=replace(recipe.start, weights=weights), paint=replace(recipe.paint, share=share),
        scar=replace(recipe.scar, steps=4000),
    )  # fmt: skip
    hospital = SimpleNamespace(
        recipe=own, out=run, check=SimpleNamespace(counts={"splits": {}}), patients=lambda split: [1, 1, 2]
    )
    facts = {
        "name": "h", "version": "1", "intended_use": "-", "training": training_facts(hospital, "lge-x 1"), "validation": {"fitted": False},
    }  # fmt: skip
    write_hospital_card(tmp_path, facts, {})
    card = (tmp_path / "MODEL_CARD.md").read_text("utf-8")
    assert all(words in card for words in [*said, "- scar_steps: 6\n", "- data: 3 studies of 2 patients"])
    assert not any(words in card for words in unsaid)


def test_a_new_network_has_nothing_to_keep(recipe: HospitalRecipe) -> None:
    start, trained = {"w": torch.zeros(2), "steps": torch.tensor(1)}, {"w": torch.ones(2), "steps": torch.tensor(7)}
    for weights, kept, expected in (("all", 0.25, 0.75), ("all", 0.0, 1.0), ("heart", 0.25, 1.0)):
        own = replace(recipe, start=replace(recipe.start, weights=weights, kept=kept))
        mean = kept_mean(start, trained, own)
        assert mean["w"].tolist() == [expected, expected] and int(mean["steps"]) == 7


def test_a_look_at_the_validation_patients_sees_past_scale_and_shift_of_the_odds() -> None:
    rng = np.random.default_rng(3)
    true = torch.from_numpy((rng.random(300) < 0.2).astype(np.float32))
    odds = torch.from_numpy(rng.normal(0, 1, 300).astype(np.float32)) + 2 * true
    fit = calibrated_entropy(odds, true)
    assert calibrated_entropy(4 * odds - 3, true) == pytest.approx(fit, abs=1e-3)
    assert fit < calibrated_entropy(odds + torch.from_numpy(rng.normal(0, 2, 300).astype(np.float32)), true) - 0.05
    for scale, shift in ((0.03, 1.0), (0.001, 0.1), (1e-5, -8.0), (50.0, 400.0)):
        assert calibrated_entropy(odds.double() * scale + shift, true) == pytest.approx(fit, abs=1e-3), scale
    coin = np.log(2)
    assert calibrated_entropy(torch.full((300,), 0.3), true) == pytest.approx(coin, abs=1e-3)
    assert fit < coin and calibrated_entropy(-odds, true) == pytest.approx(coin, abs=0.01)


def test_without_a_bundle_named_it_starts_from_the_program_s_own(
    recipe: HospitalRecipe, untrained_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever model is in use for detection."""
    monkeypatch.setenv("LGETEXT_BUNDLE", str(untrained_bundle))
    unnamed = replace(recipe, start=replace(recipe.start, bundle=""))
    assert open_bundle(hospital_training.start_bundle(unnamed)).name == "lge-virtual"


def test_a_gpu_without_memory_left_is_refused_with_what_helps(
    recipe: HospitalRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(hospital_training, "_train", full)
    monkeypatch.setattr(train, "_trained", full)
    tiny = read_recipe(Path(__file__).parents[1] / "recipes" / "tiny.toml")
    for run_it in (
        lambda: train_hospital(recipe, tmp_path / "a", Events()),
        lambda: run_training(tiny, tmp_path / "b", Events()),
    ):
        with pytest.raises(InputRefused) as refused:
            run_it()
        assert refused.value.code == "gpu-memory"
        assert "'batch'" in refused.value.remedy and "'accumulate'" in refused.value.remedy


def test_nothing_of_reports_or_identifiers_is_left(run: Path) -> None:
    files = [path for path in run.rglob("*") if path.is_file()]
    assert len(files) > 15
    for path in files:
        content = path.read_bytes().lower()
        if path.suffix in (".npz", ".pt"):
            content += b"".join(_unpacked(path)).lower()
        for word in (*CANARIES, "hospital-6", "incidentally", "77123", "H6-00"):
            assert word.lower().encode() not in content, f"{word} in {path.name}"


def _unpacked(path: Path) -> list[bytes]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


def test_killed_and_resumed_it_ends_with_the_same_bundle(
    run: Path, recipe: HospitalRecipe, bundled_model: Path, tmp_path: Path
) -> None:
    write_hospital_recipe(recipe, tmp_path / "recipe.toml")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "LGETextDetectLib", "train", str(tmp_path / "recipe.toml"), "--out", str(out)]
    child = subprocess.Popen(command, env=child_environment(bundled_model), stderr=subprocess.DEVNULL)
    while not (out / "scar.pt").exists():
        assert child.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not (out / "bundle").exists()
    train_hospital(recipe, out, Events())
    bundles = [folder / "bundle" / "lge-test" for folder in (out, run)]
    files = ("scar.safetensors", "language.safetensors", "caption.safetensors")
    made, kept = ({file: file_sha256(bundle / file) for file in files} for bundle in bundles)
    assert made == kept


def test_export_writes_a_finished_run_s_bundle_again(run: Path, recipe: HospitalRecipe, tmp_path: Path) -> None:
    out = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("bundle"))
    before = [(out / name).stat().st_mtime_ns for name in ("scar.pt", "text.pt")]
    bundle = open_bundle(export_hospital(recipe, out, Events()))
    assert bundle.sha256 == open_bundle(run / "bundle" / "lge-test").sha256
    assert [(out / name).stat().st_mtime_ns for name in ("scar.pt", "text.pt")] == before
    (out / "text.pt").unlink()
    with pytest.raises(InputRefused) as refused:
        export_hospital(recipe, out, Events())
    assert refused.value.code == "run-unfinished" and not (out / "text.pt").exists()


def test_a_run_goes_on_only_with_its_own_recipe_and_data(
    run: Path, recipe: HospitalRecipe, hospital: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(run, tmp_path / "run")
    splits = (run / "splits.csv").read_text("utf-8")
    with pytest.raises(InputRefused) as refused:
        train_hospital(replace(recipe, seed=5), run, Events())
    assert refused.value.code == "recipe-changed"
    table = hospital / "reports.csv"
    before = table.read_text("utf-8")
    try:
        table.write_text(before.replace("No ", "Some "), "utf-8")
        with pytest.raises(InputRefused) as refused:
            train_hospital(recipe, run, Events())
    finally:
        table.write_text(before, "utf-8")
    assert refused.value.code in ("data-changed", "one-class", "few-patients")
    assert (run / "splits.csv").read_text("utf-8") == splits, "a refused start must not touch the run's splits"


class SecondProcess(Processes):
    """One of three processes, which takes the first one's word."""

    def from_first(self, value: object) -> object:  # type: ignore[override]
        assert value is None, "it has made a data check of its own"
        return "the first process's check"

    def wait(self) -> None:
        """The others are never late."""


def test_only_the_first_process_writes(run: Path, recipe: HospitalRecipe) -> None:
    """Three that wrote the same files at once met each other's half-written ones."""
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert hospital_training._train(recipe, run, Events(), SecondProcess(1, 3)) == run / "bundle" / "lge-test"
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


@pytest.mark.parametrize(
    ("reports", "code"),
    [
        ("study,text\nnobody,No LGE.\n", "images-missing"),
        ("study,text\nhospital-6-0001,No LGE.\nhospital-6-0002,LGE of the inferior wall.\n", "few-patients"),
        ("patient,text\na,b\n", "bad-reports"),
    ],
)
def test_wrong_data_is_refused_before_anything_is_trained(
    recipe: HospitalRecipe, tmp_path: Path, reports: str, code: str
) -> None:
    (tmp_path / "reports.csv").write_text(reports, "utf-8")
    wrong = replace(recipe, data=replace(recipe.data, reports=str(tmp_path / "reports.csv")))
    with pytest.raises(InputRefused) as refused:
        train_hospital(wrong, tmp_path / "out", Events())
    assert refused.value.code == code
    assert not (tmp_path / "out" / "scar.pt").exists() and not (tmp_path / "out" / "run.json").exists()


def test_the_check_is_a_page_with_every_study_and_no_name(run: Path) -> None:
    page = (run / "check" / "check.html").read_text("utf-8")
    assert page.count("<img") == 14 and "not for diagnosis" in page
    with (run / "check" / "studies.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 14
    lines = (run / "splits.csv").read_text("utf-8").splitlines()
    assert lines[0] == "study,split" and len(lines) == 15


def test_the_command_line_checks_and_previews(hospital: Path, bundled_model: Path, tmp_path: Path, run: Path) -> None:
    words = [sys.executable, "-m", "LGETextDetectLib"]
    recipe_file, environment = str(hospital / "recipe.toml"), child_environment(bundled_model)
    out = tmp_path / "seen"
    shutil.copytree(run / "prepared", out / "prepared")
    done = subprocess.run(
        [*words, "check-data", recipe_file, "--out", str(out), "--names"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning [one-class]: Only" in done.stdout and "error" not in done.stdout
    assert CANARIES[1] in (out / "check" / "names.csv").read_text("utf-8")
    done = subprocess.run(
        [*words, "preview-scars", recipe_file, "--out", str(out), "--n", "2"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (out / "preview" / "preview.html").is_file()
    assert (out / "preview" / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_weights_balance_classes_and_sources() -> None:
    from LGETextDetectLib.finding import Finding
    from LGETextTrainLib.cohort import Case
    from LGETextTrainLib.hospital_cases import balanced_weights

    def case(lge: str) -> Case:
        return Case(
            np.zeros((1, 1), np.float16),
            np.zeros((1, 1), np.float16),
            np.ones(1, bool),
            Finding(lge),
            np.zeros(1, bool),
        )

    absent, present = [case("absent")] * 9, [case("present")]
    weights = balanced_weights([(absent + present, 3.0), ([case("present")] * 5, 2.0)])
    assert weights[:9].sum() == pytest.approx(1.0) == pytest.approx(weights[9:].sum())
    assert weights[9] == pytest.approx(0.6)
