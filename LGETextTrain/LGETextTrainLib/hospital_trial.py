"""Experiments on the virtual hospital: what training on it is worth (proof), and what each part of the method is worth (ablation).

``python -m LGETextTrainLib.hospital_trial proof out/hospital --document docs/hospital.md`` (also ``ablation``). Every
training is resumed when the command is given again. Test patients are others than those learnt from, and their truth is
that of the image, not of a report. The arms differ in the recipe alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.events import Events, TerminalEvents
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.model import Engine
from LGETextDetectLib.studies_below import find_studies

from .figures import auroc, interval
from .hospital_evaluation import reported_outcomes
from .hospital_training import start_bundle, train_hospital
from .painted_samples import SampleStudy
from .prepared_study import prepare_all
from .recipe import HospitalRecipe, read_hospital_recipe
from .training_curves import read_log
from .training_log import LOG_NAME
from .virtual_hospital import write_hospital

Change = Callable[[HospitalRecipe], HospitalRecipe]
Floats = npt.NDArray[np.float64]
PAUSE_S = 600.0  # without a line in the log: the run was stopped and went on later
NOTICE = "Research use, not for diagnosis."


@dataclass(frozen=True)
class Size:
    """Studies to train on and to test on, seeds of the trainings, and the steps of both stages (0: the recipe's own)."""

    train: int
    test: int
    seeds: int
    scar_steps: int = 0
    text_steps: int = 0


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model says of the test studies: study (N,), plain head (N,), segments (N, 17)."""

    study: Floats
    head: Floats
    segment: Floats


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


PROOF: dict[str, Change] = {"trained on the hospital": _same, "the same without painted scars": _unpainted}
ABLATION: dict[str, Change] = {
    "full": _same, "without synthetic scars": _unpainted, "without orientation normalisation": _unturned,
    "without caption loss": _uncaptioned, "without segmentation initialisation": _unsegmented,
}  # fmt: skip
SIZES = {"proof": Size(200, 400, 1), "ablation": Size(100, 80, 3, 80, 80)}
FIRST = 100  # test studies of the proof that are also looked at alone: what a hospital might have
TRAIN_SEED, TEST_SEED = 101, 202


def run_trial(kind: str, recipe: HospitalRecipe, out: Path, size: Size, events: Events) -> dict[str, Any]:
    """Write both cohorts, train every arm with every seed, answer the test studies; figures by arm."""
    for name, count, seed in (("train", size.train, TRAIN_SEED), ("test", size.test, TEST_SEED)):
        if not (out / name / "reports.csv").is_file():
            write_hospital(out / name, count, seed, events)
    data = replace(recipe.data, studies=str(out / "train" / "studies"), reports=str(out / "train" / "reports.csv"))
    base = _sized(replace(recipe, data=data), size)
    arms = PROOF if kind == "proof" else ABLATION
    before, started, answers = time_at_work(out / kind), time.monotonic(), dict[str, list[Answers]]()
    truth: list[Finding] = []
    if kind == "proof":
        bundled, truth = _answers(start_bundle(base), base, out, events)
        answers["bundled model, before"] = [bundled]
    for name, change in arms.items():
        for seed in range(base.seed, base.seed + size.seeds):
            changed = change(base if kind == "proof" else from_reports_alone(base))
            own, truth = _trained(replace(changed, seed=seed), name, out / kind, out, events)
            answers.setdefault(name, []).append(own)
    figures = {name: figures_of(own, truth, seed=0) for name, own in answers.items()}
    if kind == "ablation":
        figures["image-only (plain classifier of 'full')"] = figures_of(
            [replace(a, study=a.head) for a in answers["full"]], truth, 0, False
        )
    if kind == "proof":
        first, last = answers["bundled model, before"][0], answers["trained on the hospital"][0]
        figures["gain of training"] = gain(first, last, truth)
        if len(truth) > FIRST:
            figures[f"gain of training, first {FIRST} test studies"] = gain(first, last, truth[:FIRST])
        figures["gain of painted scars"] = gain(answers["the same without painted scars"][0], last, truth)
    scarred = sum(finding.lge == "present" for finding in truth)
    facts = {
        "train": size.train,
        "test": len(truth),
        "test_scarred": scarred,
        "seeds": size.seeds,
        "minutes": round((time.monotonic() - started + before) / 60, 1),
    }
    return {"kind": kind, "start": _named(start_bundle(base)), "facts": facts, "figures": figures}


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


def _trained(recipe: HospitalRecipe, arm: str, runs: Path, out: Path, events: Events) -> tuple[Answers, list[Finding]]:
    """Train one arm, or take it as it was trained, and let it answer."""
    folder = runs / f"{arm.replace(' ', '-')}-{recipe.seed}"
    shared = out / ("prepared" if recipe.data.normalise_orientation else "prepared-as-acquired")
    if shared.is_dir() and not (folder / "prepared").exists():
        shutil.copytree(shared, folder / "prepared", copy_function=os.link)
    events.log(f"{arm}, seed {recipe.seed}")
    bundle = train_hospital(recipe, folder, events)
    if not shared.is_dir():
        shutil.copytree(folder / "prepared", shared, copy_function=os.link)
    return _answers(bundle, recipe, out, events)


def _answers(bundle: Path, recipe: HospitalRecipe, out: Path, events: Events) -> tuple[Answers, list[Finding]]:
    """A model's answers on the test studies that can be read, and what is true of these."""
    root = out / "test" / "studies"
    studies = find_studies(root)
    upright = recipe.data.normalise_orientation
    prepared = out / ("prepared-test" if upright else "prepared-test-as-acquired")
    readings = prepare_all(studies, start_bundle(recipe), prepared, workers=recipe.run.workers, normalise_orientation=upright,
                           report=lambda done: events.progress("test studies", done, len(studies)))  # fmt: skip
    lines = [json.loads(line) for line in (root / "findings.jsonl").read_text("utf-8").splitlines()]
    truth = {line["id"]: Finding.from_dict(line["finding"]) for line in lines}
    kept = [SampleStudy(r.sha256, truth[s.name]) for s, r in zip(studies, readings, strict=True) if r.sha256]
    outcomes = reported_outcomes(Engine(bundle, "onnx"), prepared, kept, range(len(kept)))
    answers = Answers(
        np.array([o.prediction.probability for o in outcomes], float), np.array([o.prediction.head_probability for o in outcomes], float),
        np.stack([o.prediction.segment_probability for o in outcomes]).astype(float),
    )  # fmt: skip
    return answers, [study.finding for study in kept]


def _true(truth: Sequence[Finding]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    named = [{n for lesion in finding.lesions for n in lesion.segments} for finding in truth]
    return np.array([f.lge == "present" for f in truth]), np.array([[n in own for n in range(1, 18)] for own in named])


def figures_of(
    answers: Sequence[Answers], truth: Sequence[Finding], seed: int, with_segments: bool = True
) -> dict[str, Any]:
    """Patient and segment AUROC, mean of the seeds; 95 % bootstrap over patients of that mean, and the spread of the seeds."""
    scarred, segments = _true(truth)

    def patient(k: npt.NDArray[np.int64]) -> float:
        return float(np.mean([auroc(a.study[k], scarred[k]) for a in answers]))

    def places(k: npt.NDArray[np.int64]) -> float:
        return float(np.mean([auroc(a.segment[k].ravel(), segments[k].ravel()) for a in answers]))

    every = np.arange(len(truth))
    figures: dict[str, Any] = {"patient_auroc": patient(every), "patient_auroc_95": interval(patient, len(truth), seed)}
    figures["patient_auroc_by_seed"] = [auroc(a.study, scarred) for a in answers]
    if with_segments:
        figures |= {"segment_auroc": places(every), "segment_auroc_95": interval(places, len(truth), seed)}
    return figures


def gain(before: Answers, after: Answers, truth: Sequence[Finding]) -> dict[str, Any]:
    """Difference of AUROCs on the same patients, those of ``truth``, with 95 % bootstrap intervals of the difference."""
    scarred, segments = _true(truth)

    def patient(k: npt.NDArray[np.int64]) -> float:
        return auroc(after.study[k], scarred[k]) - auroc(before.study[k], scarred[k])

    def places(k: npt.NDArray[np.int64]) -> float:
        true = segments[k].ravel()
        return auroc(after.segment[k].ravel(), true) - auroc(before.segment[k].ravel(), true)

    every = np.arange(len(truth))  # the first ones, where there are more answers
    return {
        "patient_auroc": patient(every), "patient_auroc_95": interval(patient, len(truth)),
        "segment_auroc": places(every), "segment_auroc_95": interval(places, len(truth)),
    }  # fmt: skip


# --- document --------------------------------------------------------------------------------------------------------

WORDS = {
    "proof": (
        "What training on a hospital is worth",
        "The bundled model, and the same model trained further on {train} studies of a virtual hospital and their reports "
        "(`lgetext phantom --hospital`: one scanner's look, own sentences; no mask, no truth was used), on {test} other studies of that "
        "hospital ({test_scarred} scarred), against the truth of the images.",
        "make hospital",
    ),
    "ablation": (
        "What each part of the method is worth",
        "The reference method's experiment (arXiv 2502.12948), repeated on the virtual hospital: {train} studies and reports, nothing "
        "known before but segmentation, no virtual patients mixed in; {test} other studies ({test_scarred} scarred), {seeds} seeds. A small "
        "setting: rows whose intervals overlap are not told apart. The reference reports about +10 points for synthetic scars, +6 for orientation, +3 for "
        "the caption loss on its own 965 patients.",
        "make ablation",
    ),
}  # fmt: skip


def as_document(trial: Mapping[str, Any]) -> str:
    """The trial as Markdown."""
    title, words, command = WORDS[trial["kind"]]
    rows = [
        f"| {name} | {_cell(own, 'patient_auroc')} | {_cell(own, 'segment_auroc')} | {_by_seed(own)} |"
        for name, own in trial["figures"].items()
    ]
    return "\n".join((
        f"# {title}", "", f"{NOTICE} Virtual patients throughout: this shows that the training works, not how well it does on persons.", "",
        words.format(**trial["facts"]), "", "| | patient AUROC (95 %) | segment AUROC (95 %) | patient AUROC by seed |", "|---|---|---|---|", *rows, "",
        f"Start: {trial['start']}. Intervals: bootstrap over test patients. Reprint: `{command}` ({trial['facts']['minutes']} minutes when it was last run).", "",
    ))  # fmt: skip


def _cell(figures: Mapping[str, Any], name: str) -> str:
    if name not in figures:
        return ""
    low, high = figures[f"{name}_95"]
    return f"{figures[name]:.3f} ({low:.3f} to {high:.3f})"


def _by_seed(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{value:.3f}" for value in figures.get("patient_auroc_by_seed", []))


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="hospital_trial", description=__doc__)
    parser.add_argument("kind", choices=tuple(SIZES))
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/hospital.toml"))
    parser.add_argument("--document", type=Path, required=True)
    for name in ("train", "test", "seeds", "scar-steps", "text-steps"):
        parser.add_argument(f"--{name}", type=int, help=f"instead of {SIZES['proof']} or {SIZES['ablation']}")
    given = parser.parse_args(words)
    asked = {
        n: v for n in ("train", "test", "seeds", "scar_steps", "text_steps") if (v := getattr(given, n)) is not None
    }
    size = replace(SIZES[given.kind], **asked)
    trial = run_trial(given.kind, read_hospital_recipe(given.recipe), given.out, size, TerminalEvents())
    (given.out / f"{given.kind}.json").write_text(json.dumps(trial, indent=1) + "\n", "utf-8")
    given.document.write_text(as_document(trial), "utf-8")
    print(as_document(trial))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
