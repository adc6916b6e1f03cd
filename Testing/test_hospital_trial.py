"""Trials on the virtual hospital: arms that differ in one thing, runs side by side, figures with their gains."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from LGETextDetectLib.events import Events
from LGETextDetectLib.finding import Finding, Lesion
from LGETextTrainLib import hospital_trial
from LGETextTrainLib.hospital_trial import Size, run_trial, time_at_work
from LGETextTrainLib.recipe import HospitalRecipe, read_hospital_recipe
from LGETextTrainLib.trial_figures import WORDS, Answers, Known, as_document, figures_of, gain

RECIPES = Path(__file__).parents[1] / "recipes"


def findings(count: int, studies_each: int = 1) -> list[Known]:
    """Half scar-free, half with one lesion; so many studies of each patient."""
    scarred = [Finding("present", (Lesion((1 + k % 16,), "subendocardial", 2),)) for k in range(count)]
    return [Known(Finding("absent") if k % 2 else scarred[k], f"P{k // studies_each}") for k in range(count)]


def test_time_at_work_counts_resumed_runs_but_no_pause(tmp_path: Path) -> None:
    for name, times in (("full-1", (0, 60, 5000, 5030)), ("painted-1", (10, 100))):
        (tmp_path / name).mkdir()
        lines = [json.dumps({"time": time, "stage": "scar"}) for time in times]
        (tmp_path / name / "log.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    assert time_at_work(tmp_path) == 60 + 30 + 90
    assert time_at_work(tmp_path / "nothing-yet") == 0


def answers(quality: float, truth: list[Known]) -> Answers:
    """Scores that follow the truth as closely as ``quality`` (0 noise .. 1 right)."""
    rng = np.random.default_rng(1)
    scarred = np.array([known.finding.lge == "present" for known in truth], float)
    named = np.array([[any(n in x.segments for x in k.finding.lesions) for n in range(1, 18)] for k in truth], float)
    noise = 1 - quality
    return Answers(
        quality * scarred + noise * rng.random(len(truth)),
        rng.random(len(truth)),
        quality * named + noise * rng.random(named.shape),
    )


def test_figures_and_gain_of_a_trial() -> None:
    truth = findings(60)
    good, bad = answers(0.9, truth), answers(0.1, truth)
    figures = figures_of([good, bad], truth)
    assert figures["patient_auroc"] == pytest.approx(np.mean(figures["patient_auroc_by_seed"]))
    better = gain([bad, bad], [good, good], truth)
    assert better["patient_auroc_95"][0] > 0.1 and better["segment_auroc"] > 0.1
    assert gain([bad, good], [good, bad], truth)["patient_auroc_95"] == (0.0, 0.0)
    assert gain([bad], [good], truth[:20])["patient_auroc"] > 0.1
    of_head = gain([good.of_head()], [good], truth)
    assert of_head["patient_auroc"] > 0.1 and "segment_auroc" not in of_head
    facts = {"train": 9, "test": 60, "test_scarred": 30, "seeds": 2, "scar_steps": 5, "text_steps": 6, "minutes": 1.0}
    for kind in WORDS:
        text = as_document(
            {"kind": kind, "start": "x 1", "facts": facts, "figures": {"full": figures, "gain of training": better}}
        )
        assert f"{figures['patient_auroc']:.3f}" in text and "not for diagnosis" in text and "60 other studies" in text


def test_studies_of_one_patient_are_drawn_together() -> None:
    twice, once = findings(60, 2), findings(60)
    said = answers(0.2, twice)
    pairs = [figures_of([said], truth) for truth in (twice, once)]
    assert pairs[0]["patient_auroc"] == pairs[1]["patient_auroc"]
    assert pairs[0]["patient_auroc_95"] != pairs[1]["patient_auroc_95"]


def test_every_arm_changes_the_recipe_and_nothing_else() -> None:
    recipe = read_hospital_recipe(RECIPES / "hospital.toml")
    assert hospital_trial.PROOF["the same without painted scars"](recipe).paint.share == 0
    base = hospital_trial.from_reports_alone(recipe)
    assert base.start.weights == "heart" and base.text.virtual_patients == 0 and base.scar.virtual_share == 0
    changed = {name: change(base) for name, change in hospital_trial.ABLATION.items()}
    assert changed["full"] == base and len(set(changed.values())) == 5
    assert changed["without orientation normalisation"] == replace(
        base, data=replace(base.data, normalise_orientation=False)
    )
    assert changed["without caption loss"].text.caption_weight == 0
    assert changed["without segmentation initialisation"].start.weights == "none"


def test_arms_of_the_same_images_differ_in_the_text_side_alone() -> None:
    base = hospital_trial.from_reports_alone(read_hospital_recipe(RECIPES / "hospital.toml"))
    for arm, first in hospital_trial.SAME_IMAGES.items():
        one, other = (hospital_trial.ABLATION[name](base) for name in (arm, first))
        assert one != other and replace(one, text=other.text) == other
        assert (one.text.painted, one.text.virtual_patients) == (other.text.painted, other.text.virtual_patients)


@pytest.fixture(scope="module")
def small(bundled_model: Path) -> HospitalRecipe:
    """A recipe that is not looked at while it learns."""
    read = read_hospital_recipe(RECIPES / "hospital.toml")
    return replace(
        read, start=replace(read.start, bundle=str(bundled_model)), scar=replace(read.scar, batch=4), run=replace(read.run, validate_every=0),
        text=replace(read.text, batch=4, questions=20, painted=1),
    )  # fmt: skip


def test_an_ablation_runs_side_by_side_and_again_from_what_it_left(
    small: HospitalRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = ("full", "without orientation normalisation", "without caption loss")
    monkeypatch.setattr(hospital_trial, "ABLATION", {name: hospital_trial.ABLATION[name] for name in arms})
    size = Size(train=16, test=6, seeds=1, scar_steps=2, text_steps=2)
    trial = run_trial("ablation", small, tmp_path, size, 2, Events())
    runs = tmp_path / "ablation"
    full, uncaptioned = (runs / f"{name.replace(' ', '-')}-{small.seed}" for name in (arms[0], arms[2]))
    assert all((uncaptioned / name).samefile(full / name) for name in hospital_trial.BEFORE_TEXT)
    figures = trial["figures"]
    assert [name for name in figures if "gain" in name] == [
        "gain of orientation normalisation",
        "gain of caption loss",
        "gain of text",
    ]
    assert "segment_auroc" not in figures["gain of text"] and 0 < figures["full"]["segment_auroc"] < 1
    made = {path: path.stat().st_mtime_ns for name in ("*/*.pt", "*/bundle/*/*") for path in runs.glob(name)}
    again = run_trial("ablation", small, tmp_path, size, 1, Events())
    assert again["figures"] == figures
    assert {path: path.stat().st_mtime_ns for path in made} == made
