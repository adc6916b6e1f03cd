"""Experiments on the virtual hospital: what training on it is worth (proof), and what each part of the method is worth (ablation).

``python -m LGETextTrainLib.hospital_trial proof out/hospital --document docs/hospital.md`` (also ``ablation``). Trainings
run side by side, one a core, and are resumed when the command is given again. Test patients are others than those
learnt from, and their truth is that of the image, not of a report. The arms differ in the recipe alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.events import Events, TerminalEvents
from LGETextDetectLib.model import Engine
from LGETextDetectLib.studies_below import Study, find_studies
from LGETextDetectLib.worker_pool import run_tasks

from .hospital_training import start_bundle, train_hospital
from .painted_samples import SampleStudy
from .prepared_study import Reading, frame_folder, load_prepared, prepare_all
from .recipe import HospitalRecipe, read_hospital_recipe
from .training_curves import read_log
from .training_log import LOG_NAME
from .trial_figures import Answers, Known, as_document, figures_of, gain
from .truth_table import patient_of, read_truth
from .virtual_hospital import write_hospital

Change = Callable[[HospitalRecipe], HospitalRecipe]
Task = tuple[str, int]  # arm and seed
PAUSE_S = 600.0  # without a line in the log: the run was stopped and went on later


@dataclass(frozen=True)
class Size:
    """Studies to train on and to test on, seeds of the trainings, and the steps of both stages (0: the recipe's own)."""

    train: int
    test: int
    seeds: int
    scar_steps: int = 0
    text_steps: int = 0


def _same(recipe: HospitalRecipe) -> HospitalRecipe:
    return recipe


def _unpainted(recipe: HospitalRecipe) -> HospitalRecipe:
    return replace(recipe, paint=replace(recipe.paint, share=0.0))


def _unturned(recipe: HospitalRecipe) -> HospitalRecipe:
    return replace(recipe, data=replace(recipe.data, normalise_orientation=False))


def _uncaptioned(recipe: HospitalRecipe) -> HospitalRecipe:
    return replace(recipe, text=replace(recipe.text, caption_weight=0.0))


def _unsegmented(recipe: HospitalRecipe) -> HospitalRecipe:
    return replace(recipe, start=replace(recipe.start, weights="none"))


def from_reports_alone(recipe: HospitalRecipe) -> HospitalRecipe:
    """As in the reference method: nothing but segmentation is known before, no virtual patient is mixed in."""
    return replace(
        recipe, start=replace(recipe.start, weights="heart"), scar=replace(recipe.scar, virtual_share=0.0, peak=1e-3),
        text=replace(recipe.text, virtual_patients=0, peak=1e-3),
    )  # fmt: skip


BUNDLED, TRAINED, NOT_PAINTED = "bundled model, before", "trained on the hospital", "the same without painted scars"
PROOF: dict[str, Change] = {TRAINED: _same, NOT_PAINTED: _unpainted}
FULL, NO_CAPTION = "full", "without caption loss"
ABLATION: dict[str, Change] = {
    FULL: _same, "without synthetic scars": _unpainted, "without orientation normalisation": _unturned,
    NO_CAPTION: _uncaptioned, "without segmentation initialisation": _unsegmented,
}  # fmt: skip
SAME_IMAGES = {NO_CAPTION: FULL}  # arms that differ in the text side alone: what comes before is not made twice
BEFORE_TEXT = ("scar.pt", "cases-real.npz", "cases-painted.npz", "cases-validation.npz")
SIZES = {"proof": Size(200, 400, 1), "ablation": Size(200, 150, 3, 400, 200)}
FIRST = 100  # test studies of the proof that are also looked at alone: what a hospital might have
TRAIN_SEED, TEST_SEED = 101, 202


@dataclass(frozen=True)
class Trial:
    """One experiment: where its cohorts and runs lie, the recipe that its arms change, how many runs go on at once."""

    kind: str
    out: Path
    recipe: HospitalRecipe
    at_once: int

    @property
    def arms(self) -> dict[str, Change]:
        return PROOF if self.kind == "proof" else ABLATION

    def arm(self, task: Task) -> HospitalRecipe:
        """The recipe of one arm with one seed; side by side every run has one process."""
        name, seed = task
        base = self.recipe if self.kind == "proof" else from_reports_alone(self.recipe)
        changed = self.arms[name](base)
        workers = 0 if self.at_once > 1 else changed.run.workers
        return replace(changed, seed=seed, run=replace(changed.run, workers=workers))

    def folder(self, task: Task) -> Path:
        return self.out / self.kind / f"{task[0].replace(' ', '-')}-{task[1]}"

    def prepared(self, cohort: str) -> Path:
        """Where a cohort's studies lie, each frame in its own folder."""
        return self.out / "prepared" / cohort


def run_trial(kind: str, recipe: HospitalRecipe, out: Path, size: Size, at_once: int, events: Events) -> dict[str, Any]:
    """Write both cohorts, train every arm with every seed, answer the test studies; figures by arm."""
    for name, count, seed in (("train", size.train, TRAIN_SEED), ("test", size.test, TEST_SEED)):
        if not (out / name / "reports.csv").is_file():
            write_hospital(out / name, count, seed, events)
    data = replace(recipe.data, studies=str(out / "train" / "studies"), reports=str(out / "train" / "reports.csv"))
    trial = Trial(kind, out, _sized(replace(recipe, data=data), size), at_once)
    before, started = time_at_work(out / kind), time.monotonic()
    arms, seeds = trial.arms, range(recipe.seed, recipe.seed + size.seeds)
    tests, truth = _prepare(trial, [trial.arm((name, recipe.seed)).data.normalise_orientation for name in arms], events)
    answers: dict[str, list[Answers]] = {name: [] for name in arms}
    own = [name for name in arms if name not in SAME_IMAGES]
    for names in (own, [name for name in arms if name in SAME_IMAGES]):
        told = _trained(trial, tests, [(name, seed) for name in names for seed in seeds], events)
        for name in names:
            answers[name] = [told[name, seed] for seed in seeds]
    figures = (
        _proof(answers, _answers(start_bundle(recipe), trial, tests, True), truth)
        if kind == "proof"
        else _ablation(answers, truth)
    )
    facts = {
        "train": size.train, "test": len(truth), "test_scarred": sum(known.finding.lge == "present" for known in truth), "seeds": size.seeds,
        "scar_steps": trial.recipe.scar.steps, "text_steps": trial.recipe.text.steps,
        "minutes": round((time.monotonic() - started + before / at_once) / 60, 1),
    }  # fmt: skip
    return {"kind": kind, "start": _named(start_bundle(recipe)), "facts": facts, "figures": figures}


def _proof(answers: dict[str, list[Answers]], bundled: Answers, truth: Sequence[Known]) -> dict[str, Any]:
    figures = {name: figures_of(own, truth) for name, own in {BUNDLED: [bundled], **answers}.items()}
    figures["gain of training"] = gain([bundled], answers[TRAINED], truth)
    if len(truth) > FIRST:
        figures[f"gain of training, first {FIRST} test studies"] = gain([bundled], answers[TRAINED], truth[:FIRST])
    figures["gain of painted scars"] = gain(answers[NOT_PAINTED], answers[TRAINED], truth)
    return figures


def _ablation(answers: dict[str, list[Answers]], truth: Sequence[Known]) -> dict[str, Any]:
    plain = "image-only (plain classifier of 'full')"
    arms = {**answers, plain: [a.of_head() for a in answers[FULL]]}
    figures = {name: figures_of(own, truth) for name, own in arms.items()}
    gains = {name.replace("without", "gain of").replace(plain, "gain of text"): name for name in arms if name != FULL}
    return figures | {name: gain(arms[arm], arms[FULL], truth) for name, arm in gains.items()}


def time_at_work(runs: Path) -> float:
    """Seconds that trainings below ``runs`` took before this command: their logs' gaps of less than a pause."""
    logs = [[float(line["time"]) for line in read_log(path)] for path in sorted(runs.glob("*/" + LOG_NAME))]
    return float(sum(sum(gap for gap in np.diff(times) if gap < PAUSE_S) for times in logs))


def _sized(recipe: HospitalRecipe, size: Size) -> HospitalRecipe:
    scar = replace(recipe.scar, steps=size.scar_steps or recipe.scar.steps)
    return replace(recipe, scar=scar, text=replace(recipe.text, steps=size.text_steps or recipe.text.steps))


def _named(bundle: Path) -> str:
    opened = open_bundle(bundle)
    return f"{opened.name} {opened.version}"


def _prepare(trial: Trial, frames: Sequence[bool], events: Events) -> tuple[list[SampleStudy], list[Known]]:
    """Bring both cohorts into every frame that an arm asks for; the test studies that can be read, whatever the frame."""
    table = read_truth(trial.out / "test" / "studies" / "truth.csv")
    truth = {row["study"]: Known(table.findings[row["study"]], patient_of(row)) for row in table.rows}
    kept: dict[str, str] = {}
    for upright in sorted(set(frames)):
        _prepare_cohort(trial, "train", upright, events)
        studies, readings = _prepare_cohort(trial, "test", upright, events)
        kept = {s.name: r.sha256 for s, r in zip(studies, readings, strict=True) if r.sha256}
    return [SampleStudy(sha256, truth[name].finding) for name, sha256 in kept.items()], [truth[name] for name in kept]


def _prepare_cohort(trial: Trial, cohort: str, upright: bool, events: Events) -> tuple[list[Study], list[Reading]]:
    studies = find_studies(trial.out / cohort / "studies")
    readings = prepare_all(
        studies, start_bundle(trial.recipe), trial.prepared(cohort), workers=trial.at_once, normalise_orientation=upright,
        report=lambda done: events.progress(f"{cohort} studies", done, len(studies)),
    )  # fmt: skip
    return studies, readings


# --- runs side by side -----------------------------------------------------------------------------------------------


def _trained(trial: Trial, tests: Sequence[SampleStudy], tasks: Sequence[Task], events: Events) -> dict[Task, Answers]:
    """Answers of every run, trained now or as it was trained before. Raises RuntimeError when a run ends without any."""
    if trial.at_once == 1:
        return {task: _Run(trial, tests, events)(task) for task in tasks}
    told: dict[Task, Answers] = {}
    for task, answers in run_tasks(tasks, partial(_Run, trial, tests), trial.at_once, {"OMP_NUM_THREADS": "1"}):
        if answers is None:
            raise RuntimeError(f"The run '{task[0]}', seed {task[1]}, ended early; its own message is above.")
        told[task] = answers
        events.log(f"{task[0]}, seed {task[1]}: {len(told)} of {len(tasks)} runs")
    return told


class _Run:
    """Trains one arm with one seed, or takes it as it was trained, and lets it answer the test studies."""

    def __init__(self, trial: Trial, tests: Sequence[SampleStudy], events: Events | None = None) -> None:
        self.trial, self.tests, self.events = trial, tests, events or Events()
        if trial.at_once > 1:
            torch.set_num_threads(1)

    def __call__(self, task: Task) -> Answers:
        recipe, folder = self.trial.arm(task), self.trial.folder(task)
        upright = recipe.data.normalise_orientation
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "prepared").exists():
            shutil.copytree(self.trial.prepared("train"), folder / "prepared", copy_function=os.link)
        if task[0] in SAME_IMAGES:
            _take_over(self.trial.folder((SAME_IMAGES[task[0]], task[1])), folder)
        return _answers(train_hospital(recipe, folder, self.events), self.trial, self.tests, upright)


def _take_over(made: Path, folder: Path) -> None:
    """What an arm of the same images has made before its text side."""
    for name in BEFORE_TEXT:
        if (made / name).is_file() and not (folder / name).exists():
            os.link(made / name, folder / name)


def _answers(bundle: Path, trial: Trial, tests: Sequence[SampleStudy], upright: bool) -> Answers:
    engine = Engine(bundle, "onnx", threads=1 if trial.at_once > 1 else 0)
    prepared = frame_folder(trial.prepared("test"), start_bundle(trial.recipe), upright)
    said = [engine.predict(load_prepared(prepared, study.sha256).stack()) for study in tests]
    return Answers(
        np.array([s.probability for s in said], float), np.array([s.head_probability for s in said], float),
        np.stack([s.segment_probability for s in said]).astype(float),
    )  # fmt: skip


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="hospital_trial", description=__doc__)
    parser.add_argument("kind", choices=tuple(SIZES))
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/hospital.toml"))
    parser.add_argument("--document", type=Path, required=True)
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="runs side by side; 1: one, with all cores"
    )
    for name in ("train", "test", "seeds", "scar-steps", "text-steps"):
        parser.add_argument(f"--{name}", type=int, help=f"instead of {SIZES['proof']} or {SIZES['ablation']}")
    given = parser.parse_args(words)
    asked = {
        n: v for n in ("train", "test", "seeds", "scar_steps", "text_steps") if (v := getattr(given, n)) is not None
    }
    size, recipe = replace(SIZES[given.kind], **asked), read_hospital_recipe(given.recipe)
    trial = run_trial(given.kind, recipe, given.out, size, given.at_once, TerminalEvents())
    (given.out / f"{given.kind}.json").write_text(json.dumps(trial, indent=1) + "\n", "utf-8")
    given.document.write_text(as_document(trial), "utf-8")
    print(as_document(trial))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
