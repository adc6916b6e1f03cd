"""A whole training: recipe -> heart network -> scar network -> text side -> bundle, calibrated and tested.

Every stage leaves its result in the run folder, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from torch import Tensor

from . import calibrate
from .card import virtual_metrics, write_card
from .cohort import Case, load_cases, save_cases, virtual_cases
from .export import export_networks, write_manifest
from .language import LanguageConfig, LanguageModel
from .recipe import Recipe
from .train_images import refine_scar, train_heart, train_scar
from .train_language import Trainer, make_tokenizer

Log = Callable[[dict[str, object]], None]
CASES_SEED, CALIBRATION_SEED, TEST_SEED = 1, 2, 3  # added to the recipe's: no virtual patient serves twice


def run_training(recipe: Recipe, out: Path, events: Events) -> Path:
    """Run or resume a training in ``out``; returns the bundle's folder."""
    out.mkdir(parents=True, exist_ok=True)
    log = _log_to(out / "log.jsonl", recipe, events)
    log({"stage": "device", "name": device_name()})
    heart = train_heart(recipe.heart, recipe.seed, out, log, recipe.workers)
    scar = train_scar(heart, recipe.scar, recipe.seed, out, log, recipe.workers)
    scar = refine_scar(heart, scar, recipe.refine, recipe.seed, out, log, recipe.workers)
    language = train_language(recipe, heart, scar, out, log)
    folder = calibrate.bundle_folder(out, recipe.name)
    export_networks(heart, scar, language, folder)
    finish_bundle(recipe, folder, log)
    return folder


def device_name() -> str:
    """What trains: the GPU's name or 'cpu'."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def train_language(
    recipe: Recipe, heart: dict[str, Tensor], scar: dict[str, Tensor], out: Path, log: Log
) -> LanguageModel:
    """The text side on cached cases; a finished one is read back."""
    finished = out / "language.pt"
    if finished.exists():
        saved = torch.load(finished, map_location="cpu", weights_only=True)
        model = LanguageModel(LanguageConfig(**json.loads(saved["config"])))
        model.load_state_dict(saved["model"])
        return model.eval()
    stage = recipe.language
    trainer = Trainer(_cases(recipe, heart, scar, out, log), stage, recipe.seed)
    trainer.fit(stage, out, log)
    return trainer.model.cpu()


def _cases(recipe: Recipe, heart: dict[str, Tensor], scar: dict[str, Tensor], out: Path, log: Log) -> list[Case]:
    path = out / "cases.npz"
    if path.exists():
        return load_cases(path)
    cases = virtual_cases(
        recipe.language.patients, recipe.seed + CASES_SEED, heart, scar, lambda n: log({"stage": "cases", "step": n})
    )
    save_cases(cases, path)
    return cases


def finish_bundle(recipe: Recipe, folder: Path, log: Log) -> None:
    """Thresholds from validation patients, figures from test patients, card and manifest; all virtual."""
    tokenizer = make_tokenizer()
    facts: dict[str, Any] = {
        "name": recipe.name, "version": recipe.version, "licence": "Apache-2.0", "thresholds": calibrate.first_thresholds(),
        "intended_use": "Research use, not for diagnosis: evidence of scar in short-axis late gadolinium enhancement stacks.",
        "training": {"data": "virtual patients only", "seed": recipe.seed, "heart_steps": recipe.heart.steps, "scar_steps": recipe.scar.steps, "refine_steps": recipe.refine.steps,
                     "language_patients": recipe.language.patients, "language_steps": recipe.language.steps, "device": device_name()},
    }  # fmt: skip
    write_manifest(folder, tokenizer, facts)
    chosen, refused = calibrate.validation_outcomes(
        Engine(folder, "onnx"),
        recipe.calibration.patients,
        recipe.seed + CALIBRATION_SEED,
        report=lambda n: log({"stage": "calibration", "step": n}),
    )
    facts["thresholds"] = calibrate.fit_thresholds(chosen)
    facts["validation"] = {
        "patients": recipe.calibration.patients,
        "seed": recipe.seed + CALIBRATION_SEED,
        "no_heart_found": refused,
    }
    tested, unseen = calibrate.validation_outcomes(
        Engine(folder, "onnx"),
        recipe.calibration.test_patients,
        recipe.seed + TEST_SEED,
        report=lambda n: log({"stage": "test", "step": n}),
    )
    metrics = virtual_metrics(tested, unseen, facts["thresholds"], recipe.seed + TEST_SEED)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
    write_card(folder, facts, metrics)
    write_manifest(folder, tokenizer, facts)
    log({"stage": "done", **{k: v for k, v in metrics.items() if isinstance(v, (int, float))}})


def _log_to(path: Path, recipe: Recipe, events: Events) -> Log:
    """JSON lines in the run folder, progress to the events."""
    totals = {
        "heart": recipe.heart.steps, "scar": recipe.scar.steps, "refined": recipe.refine.steps, "cases": recipe.language.patients, "language": recipe.language.steps,
        "calibration": recipe.calibration.patients, "test": recipe.calibration.test_patients,
    }  # fmt: skip

    def log(entry: dict[str, object]) -> None:
        stage, step = str(entry.get("stage", "")), entry.get("step")
        if isinstance(step, int) and stage in totals:
            events.progress(stage, step, totals[stage])
        if stage not in ("calibration", "test"):
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"time": round(time.time(), 1), **entry}) + "\n")

    return log
