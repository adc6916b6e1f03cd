"""A whole training: recipe -> heart network -> scar network -> text side -> bundle, calibrated and tested.

Every stage leaves its result in the run folder, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import dataclasses
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from LGETextDetectLib.bundle import file_sha256
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.refusal import InputRefused
from torch import Tensor

from . import calibrate
from .card import virtual_metrics, write_card
from .cine_hearts import FILE, cine_hearts, load_hearts, save_hearts
from .cohort import Case, load_cases, save_cases, virtual_cases
from .export import export_networks, refuse_unfinished, replaced_bundle, write_manifest
from .gpu_memory import refused_when_full
from .language import LanguageModel
from .optimise import Log, Loop
from .processes import ALONE, Processes, joined_processes
from .recipe import Recipe
from .run_history import STOP_FILE
from .run_lock import run_lock
from .run_record import begin_run, digest, end_run, has_ended, read_run
from .samples import trained_heart
from .train_images import refine_scar, train_heart, train_scar
from .train_language import Terms, fit_language, make_tokenizer, new_language_model
from .training_log import training_log

CINE = "cine.npz"
Networks = tuple[dict[str, Tensor], dict[str, Tensor], LanguageModel]  # heart, scar, text side
STAGES = ("heart", "scar", "refined", "language")  # each has its checkpoint, <stage>.pt
CASES_SEED, CALIBRATION_SEED, TEST_SEED = 1, 2, 3  # added to the recipe's: no virtual patient serves twice


@refused_when_full()
def run_training(recipe: Recipe, out: Path, events: Events) -> Path:
    """Run or resume a training in ``out``, or take it as it ended; returns the bundle's folder.

    Raises InputRefused('recipe-changed' or 'data-changed') when the folder holds a run of another recipe or of other
    cine; Cancelled when stopped.
    """
    out.mkdir(parents=True, exist_ok=True)
    with joined_processes() as processes, run_lock(out) if processes.speaks else nullcontext():
        if processes.speaks:
            (out / STOP_FILE).unlink(missing_ok=True)
            begin_own_run(recipe, out)
        processes.wait()
        folder = calibrate.bundle_folder(out, recipe.name)
        if has_ended(out, folder):
            events.log("this run has ended before; its bundle is as it was written")
            return folder
        log = training_log(out, _totals(recipe), events)
        if processes.speaks:
            log({"stage": "device", "name": device_name(), "processes": processes.count})
        networks = _trained(recipe, out, log, processes)
        if processes.speaks:
            _write_bundle(recipe, networks, out, log)
        processes.wait()
    return folder


def export_training(recipe: Recipe, out: Path, events: Events) -> Path:
    """Write the bundle of a finished run again, from its checkpoints; returns its folder.

    Raises InputRefused('run-unfinished') before anything is written, and as :func:`run_training`.
    """
    refuse_unfinished(out, {stage: steps for stage, steps in _totals(recipe).items() if stage in STAGES})
    with run_lock(out):
        begin_own_run(recipe, out)
        log = training_log(out, _totals(recipe), events)
        _write_bundle(recipe, _trained(recipe, out, log, ALONE), out, log)
    return calibrate.bundle_folder(out, recipe.name)


def _write_bundle(recipe: Recipe, networks: Networks, out: Path, log: Log) -> None:
    """The bundle, whole or not at all, and with it the end of the run."""
    with replaced_bundle(calibrate.bundle_folder(out, recipe.name)) as made:
        export_networks(*networks, made)
        finish_bundle(recipe, made, log)
    end_run(out)


def begin_own_run(recipe: Recipe, out: Path) -> None:
    """Note the recipe's run in its folder. Raises InputRefused as :func:`run_record.begin_run`.

    Also when there are checkpoints of which no run.json says the recipe, as earlier versions left them.
    """
    if not read_run(out) and any((out / f"{stage}.pt").exists() for stage in STAGES):
        raise InputRefused(
            "recipe-changed", "The run folder holds checkpoints of a run whose recipe is not known.", "Name a new run folder."
        )  # fmt: skip
    begin_run(out, {
        "name": recipe.name, "version": recipe.version, "recipe": recipe_digest(recipe), "data": cine_fingerprint(recipe),
    })  # fmt: skip


def recipe_digest(recipe: Recipe) -> str:
    """Of everything that decides weights and bundle; not of where the cine lies, nor of how many processes make samples."""
    facts = dataclasses.asdict(recipe)
    del facts["workers"], facts["cine"]["folder"]
    return digest(facts)


def cine_fingerprint(recipe: Recipe) -> str:
    """SHA-256 of the recipe's cine; empty without any. Raises InputRefused('bad-recipe') when its file is not there."""
    if not recipe.cine.folder:
        return ""
    path = Path(recipe.cine.folder) / FILE
    if not path.is_file():
        raise InputRefused("bad-recipe", f"The cine folder holds no {FILE}.")
    return file_sha256(path)


def _trained(recipe: Recipe, out: Path, log: Log, processes: Processes) -> Networks:
    """Heart and scar weights and the text side, trained now or as their checkpoints hold them."""
    heart = train_heart(recipe.heart, recipe.seed, out, log, recipe.workers, processes)
    cine = real_hearts(recipe, heart, out, log, processes)
    scar = train_scar(heart, recipe.scar, recipe.seed, out, log, recipe.workers, processes)
    scar = refine_scar(
        heart, scar, recipe.refine, recipe.seed, out, log, recipe.workers, processes, cine, recipe.cine.share
    )
    return heart, scar, train_language(recipe, heart, scar, out, log, processes)


def real_hearts(
    recipe: Recipe, heart: dict[str, Tensor], out: Path, log: Log, processes: Processes = ALONE
) -> Path | None:
    """The recipe's cine as training takes it, prepared once with the heart network of virtual patients; None without any."""
    if not recipe.cine.folder:
        return None
    path = out / CINE
    if processes.speaks and not path.exists():
        folder, segment = Path(recipe.cine.folder), trained_heart(heart)
        save_hearts(cine_hearts(folder, segment, lambda n: log({"stage": "cine", "step": n})), path)
    processes.wait()
    return path


def device_name() -> str:
    """What trains: the GPU's name or 'cpu'."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def train_language(
    recipe: Recipe, heart: dict[str, Tensor], scar: dict[str, Tensor], out: Path, log: Log,
    processes: Processes = ALONE,
) -> LanguageModel:  # fmt: skip
    """The text side on cached cases."""
    stage = recipe.language
    loop = Loop("language", stage.steps, stage.peak, recipe.seed, stage.accumulate, weight_decay=0.01, clip=1.0)
    if processes.speaks:
        _cases(recipe, heart, scar, out, log)
    processes.wait()
    return fit_language(
        new_language_model(stage, recipe.seed), _cases(recipe, heart, scar, out, log), stage, loop, out / "language.pt", log,
        terms=Terms(stage.caption_weight, layers=stage.layer_weight), processes=processes,
    )  # fmt: skip


def _cases(recipe: Recipe, heart: dict[str, Tensor], scar: dict[str, Tensor], out: Path, log: Log) -> list[Case]:
    path = out / "cases.npz"
    if path.exists():
        return load_cases(path)
    cases = virtual_cases(
        recipe.language.patients, recipe.seed + CASES_SEED, heart, scar, lambda n: log({"stage": "cases", "step": n}),
        load_hearts(out / CINE) if recipe.cine.folder else (), recipe.cine.case_share,
    )  # fmt: skip
    save_cases(cases, path)
    return cases


def training_data(recipe: Recipe) -> str:
    """What the card says that the networks learnt from."""
    return f"virtual patients{' and Sunnybrook cine (CC0) with painted scars' if recipe.cine.folder else ' only'}"


def finish_bundle(recipe: Recipe, folder: Path, log: Log) -> None:
    """Thresholds from validation patients, figures from test patients, card and manifest; all virtual."""
    tokenizer = make_tokenizer()
    facts: dict[str, Any] = {
        "name": recipe.name, "version": recipe.version, "licence": "Apache-2.0", "thresholds": calibrate.first_thresholds(),
        "intended_use": "Research use, not for diagnosis: evidence of scar in short-axis late gadolinium enhancement stacks.",
        "training": {"data": training_data(recipe), "seed": recipe.seed, "heart_steps": recipe.heart.steps, "scar_steps": recipe.scar.steps, "refine_steps": recipe.refine.steps,
                     "language_patients": recipe.language.patients, "language_steps": recipe.language.steps, "device": device_name()},
    }  # fmt: skip
    write_manifest(folder, tokenizer, facts)
    chosen, refused = calibrate.validation_outcomes(
        Engine(folder, "onnx"),
        recipe.calibration.patients,
        recipe.seed + CALIBRATION_SEED,
        report=lambda n: log({"stage": "calibration", "step": n}),
    )
    facts["thresholds"] = calibrate.fit_thresholds(chosen, own_kind=False)
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


def _totals(recipe: Recipe) -> dict[str, int]:
    """Steps of every stage."""
    return {
        "heart": recipe.heart.steps, "scar": recipe.scar.steps, "refined": recipe.refine.steps, "cases": recipe.language.patients, "language": recipe.language.steps,
        "calibration": recipe.calibration.patients, "test": recipe.calibration.test_patients,
    }  # fmt: skip
