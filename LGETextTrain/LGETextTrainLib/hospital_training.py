"""A training on a hospital's studies and reports: check -> scar network -> text side -> calibrated, evaluated bundle.

Every stage leaves its result in the run folder, so a run that was stopped or killed goes on where it was and ends with
the same weights (on a GPU, within rounding).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from LGETextDetectLib.bundle import bundled_model, open_bundle
from LGETextDetectLib.decisions import LIKELIEST
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from scipy.optimize import minimize
from torch import Tensor, nn

from . import calibrate
from .ask import PRESENCE, SEGMENTS
from .cohort import Case, join_cases
from .data_check import DataCheck, as_text, check_data, write_table
from .data_check_html import write_page
from .export import export_networks, read_networks, refuse_unfinished, replaced_bundle, write_manifest
from .figures import auroc
from .gpu_memory import refused_when_full
from .hospital_cases import PAINTED, REAL, VIRTUAL, HospitalCases, balanced_weights
from .hospital_evaluation import reported_metrics, reported_outcomes, write_evaluation_page, write_hospital_card
from .language import LanguageModel
from .network import scar_network, start_from_heart
from .optimise import Log, Loop, Validate, optimise
from .painted_samples import PaintedSamples, SampleStudy
from .processes import ALONE, Processes, joined_processes
from .recipe import HospitalRecipe
from .run_estimate import estimate_run
from .run_history import STOP_FILE
from .run_lock import run_lock
from .run_record import begin_run, digest, end_run, has_ended
from .sample_stream import sample_source
from .samples import EarlierNetworks
from .train_images import image_loss, on_device, scar_terms
from .train_language import LanguageLoss, Terms, fit_language, make_tokenizer, new_language_model, truth_table
from .training_curves import all_svgs, read_log
from .training_log import LOG_NAME, training_log

VALIDATION_STACKS = 24  # painted and scar-free validation studies on which the scar network is judged
TINY = 1e-12  # spread of odds that are all the same
ASKED = [PRESENCE, *SEGMENTS]


@dataclass(frozen=True)
class Hospital:
    """What the stages share: recipe, run folder, checked data, the start bundle's networks, log and processes."""

    recipe: HospitalRecipe
    out: Path
    check: DataCheck
    heart: dict[str, Tensor]
    scar: dict[str, Tensor]
    language: LanguageModel
    log: Log
    processes: Processes

    def networks(self) -> EarlierNetworks:
        """What scar samples are seen through: no first look where the scar network is new."""
        return EarlierNetworks(self.heart, self.scar if self.recipe.start.weights == "all" else None)

    def studies(self, split: str) -> list[SampleStudy]:
        """The usable studies of one split."""
        chosen = [self.check.members[k] for k in self.check.chosen(split)]
        texts = [self.check.texts[k] for k in self.check.chosen(split)]
        return [SampleStudy(m.reading.sha256, m.finding, text) for m, text in zip(chosen, texts, strict=True)]

    def patients(self, split: str) -> list[int]:
        """The patient of each usable study of one split."""
        return [self.check.members[k].patient for k in self.check.chosen(split)]


def start_bundle(recipe: HospitalRecipe) -> Path:
    """The bundle that the recipe starts from; without one the program's own, whatever model is in use for detection."""
    return Path(recipe.start.bundle) if recipe.start.bundle else bundled_model()


def check_recipe_data(recipe: HospitalRecipe, out: Path, events: Events) -> DataCheck:
    """The data check of a recipe, written to ``out``/check: studies.csv, counts.json and check.html."""
    open_bundle(start_bundle(recipe))
    check = check_data(
        recipe.data, start_bundle(recipe), out, recipe.seed, workers=ALONE.workers(recipe.run.workers),
        normalise_orientation=recipe.data.normalise_orientation, report=lambda done, total: events.progress("check", done, total),
    )  # fmt: skip
    write_table(check, out / "check")
    write_page(check, out / "check" / "check.html")
    return check


@refused_when_full()
def train_hospital(recipe: HospitalRecipe, out: Path, events: Events) -> Path:
    """Run or resume a hospital's training in ``out``, or take it as it ended; returns the bundle's folder.

    Raises InputRefused before anything is trained when the data or the recipe forbid it, later when the GPU's memory runs
    out; Cancelled when stopped.
    """
    out.mkdir(parents=True, exist_ok=True)
    with joined_processes() as processes:
        return _train(recipe, out, events, processes)


def _train(recipe: HospitalRecipe, out: Path, events: Events, processes: Processes) -> Path:
    with run_lock(out) if processes.speaks else nullcontext():
        if processes.speaks:
            (out / STOP_FILE).unlink(missing_ok=True)
        check = processes.from_first(_checked(recipe, out, events) if processes.speaks else None)
        assert check is not None  # the first process always has one
        folder = calibrate.bundle_folder(out, recipe.name)
        if has_ended(out, folder):
            events.log("this run has ended before; its bundle is as it was written")
            return folder
        hospital = _hospital(recipe, out, check, events, processes)
        if processes.speaks:
            _say_estimate(hospital, events)
        scar = train_scar_network(hospital)
        language = train_text_side(hospital, scar)
        if processes.speaks:
            _write_bundle(hospital, scar, language)
        processes.wait()
    return folder


def export_hospital(recipe: HospitalRecipe, out: Path, events: Events) -> Path:
    """Write the bundle of a finished run again, from its checkpoints; returns its folder.

    Raises InputRefused('run-unfinished') before anything is written, and as :func:`train_hospital`.
    """
    refuse_unfinished(out, {"scar": recipe.scar.steps, "text": recipe.text.steps})
    with run_lock(out):
        hospital = _hospital(recipe, out, _checked(recipe, out, events), events, ALONE)
        scar = train_scar_network(hospital)
        _write_bundle(hospital, scar, train_text_side(hospital, scar))
    return calibrate.bundle_folder(out, recipe.name)


def _write_bundle(hospital: Hospital, scar: dict[str, Tensor], language: LanguageModel) -> None:
    """The bundle, whole or not at all, and with it the end of the run."""
    with replaced_bundle(calibrate.bundle_folder(hospital.out, hospital.recipe.name)) as made:
        export_networks(hospital.heart, scar, language, made)
        finish_bundle(hospital, made)
    end_run(hospital.out)


def _checked(recipe: HospitalRecipe, out: Path, events: Events) -> DataCheck:
    """The data check, told and enforced; a run goes on only with the recipe and data that it began with."""
    check = check_recipe_data(recipe, out, events)
    for problem in check.problems:
        if problem.severity == "warning":
            events.warning(problem.code, problem.text)
    events.log(as_text(check).split("\n")[2])
    check.refuse_errors()
    begin_run(out, _run_facts(recipe, check))
    return check


def _digest(recipe: HospitalRecipe) -> str:
    """Of everything that decides the weights; not of where files lie, nor of how checkpoints and logs are written."""
    facts = dataclasses.asdict(recipe)
    for table, names in (
        ("data", ("studies", "reports", "splits")),
        ("run", ("checkpoint_minutes", "workers", "tensorboard")),
    ):
        facts[table] = {name: value for name, value in facts[table].items() if name not in names}
    facts["start"]["bundle"] = open_bundle(start_bundle(recipe)).sha256
    return digest(facts)


def _run_facts(recipe: HospitalRecipe, check: DataCheck) -> dict[str, Any]:
    """What run.json says of a run beside its state; no path, no identifier."""
    return {
        "name": recipe.name, "version": recipe.version, "recipe": _digest(recipe), "data": check.fingerprint(), "studies": check.counts["usable"],
    }  # fmt: skip


def _hospital(recipe: HospitalRecipe, out: Path, check: DataCheck, events: Events, processes: Processes) -> Hospital:
    heart, scar, language = read_networks(start_bundle(recipe), recipe.seed)
    if recipe.start.weights != "all":
        torch.manual_seed(recipe.seed)
        network = scar_network()
        if recipe.start.weights == "heart":
            start_from_heart(network, heart)
        scar, language = network.state_dict(), new_language_model(recipe.text, recipe.seed)
    free = sum(s.finding.lge == "absent" for s in (check.members[k] for k in check.chosen("train")))
    totals = {
        "scar": recipe.scar.steps, "real": len(check.chosen("train")), "painted": free, "virtual": recipe.text.virtual_patients,
        "text": recipe.text.steps, "calibration": 1,
    }  # fmt: skip
    log = training_log(out, totals, events, recipe.run.tensorboard and processes.speaks)
    return Hospital(recipe, out, check, heart, scar, language, log, processes)


def _say_estimate(hospital: Hospital, events: Events) -> None:
    estimate = estimate_run(hospital.recipe, hospital.check, hospital.heart, hospital.scar, hospital.language)
    hospital.log(
        {
            "stage": "estimate",
            "minutes": round(estimate.minutes, 1),
            "memory_gib": round(estimate.memory_gib, 2),
            "device": str(hospital.processes.device),
        }
    )
    events.log(
        f"about {estimate.minutes:.0f} minutes at most and {estimate.memory_gib:.1f} GiB of memory on {hospital.processes.device.type}"
    )


# --- scar network ----------------------------------------------------------------------------------------------------


def train_scar_network(hospital: Hospital) -> dict[str, Tensor]:
    """The scar network on painted, scar-free, reported and virtual studies; the best on validation patients."""
    recipe, table = hospital.recipe, hospital.recipe.scar
    network = scar_network()
    network.load_state_dict(hospital.scar)
    if not table.steps:
        return hospital.scar
    network = on_device(network, hospital.processes.device)
    make = PaintedSamples(hospital.check.prepared, hospital.studies("train"), recipe.paint, table, hospital.networks())
    workers = hospital.processes.workers(recipe.run.workers)
    source = sample_source(make, recipe.seed, table.batch, workers)
    loss_of = image_loss(network, scar_terms, hospital.processes.device)
    loop = _loop(recipe, "scar", table.steps, table.peak, table.accumulate)
    trained = optimise(
        network, source, loss_of, loop, hospital.out / "scar.pt", hospital.log, validate=_judge_scar(hospital),
        processes=hospital.processes,
    )  # fmt: skip
    return kept_mean(hospital.scar, trained, recipe)


def kept_mean(start: Mapping[str, Tensor], trained: Mapping[str, Tensor], recipe: HospitalRecipe) -> dict[str, Tensor]:
    """The mean of what a network started from and what became of it (WiSE-FT: Wortsman et al., CVPR 2022).

    As trained where the network was new at the start: there is nothing to keep.
    """
    share = recipe.start.kept if recipe.start.weights == "all" else 0.0
    return {
        key: torch.lerp(new, start[key].to(new), share) if new.is_floating_point() else new
        for key, new in trained.items()
    }


def _loop(recipe: HospitalRecipe, stage: str, steps: int, peak: float, accumulate: int) -> Loop:
    text = stage == "text"
    return Loop(
        stage, steps, peak, recipe.seed + int(text), accumulate, 0.01 if text else 1e-3, 1.0 if text else 5.0, recipe.run.validate_every,
        recipe.run.patience, recipe.run.checkpoint_minutes * 60,
    )  # fmt: skip


def _judge_scar(hospital: Hospital) -> Validate:
    """Loss on the same validation studies every time, half of them painted."""
    table = dataclasses.replace(hospital.recipe.scar, virtual_share=0.0)
    paint = dataclasses.replace(hospital.recipe.paint, share=0.5 if hospital.recipe.paint.share else 0.0)
    make = PaintedSamples(hospital.check.prepared, hospital.studies("validation"), paint, table, hospital.networks())
    stacks: list[Any] = []

    def validate(network: nn.Module) -> dict[str, float]:
        if not stacks:
            stacks.extend(make(np.random.default_rng((hospital.recipe.seed, 17, k))) for k in range(VALIDATION_STACKS))
        loss_of = image_loss(network, scar_terms, hospital.processes.device)
        judged = [loss_of(stack) for stack in stacks]
        loss = float(np.mean([float(value) for value, _ in judged]))
        dice = float(
            np.mean(
                [
                    terms["dice_scar"]
                    for stack, (_, terms) in zip(stacks, judged, strict=True)
                    if (stack["labels"] == 3).any()
                ]
                or [0.0]
            )
        )
        return {"score": -loss, "loss": loss, "dice_scar": dice}

    return validate


# --- text side -------------------------------------------------------------------------------------------------------


def train_text_side(hospital: Hospital, scar: Mapping[str, Tensor]) -> LanguageModel:
    """The text side on real reports, painted scars and virtual patients; the best on validation patients."""
    recipe, table = hospital.recipe, hospital.recipe.text
    makers = HospitalCases(hospital.out, hospital.check.prepared, recipe, hospital.heart, dict(scar))
    if hospital.processes.speaks:
        _sources(hospital, makers)
    hospital.processes.wait()
    sources, validation = _sources(hospital, makers)
    cases = [case for own, _ in sources for case in own]
    terms = Terms(table.caption_weight, table.supervised_weight, table.layer_weight)
    loop = _loop(recipe, "text", table.steps, table.peak, table.accumulate)
    if not table.steps:
        return hospital.language
    start = {key: value.clone() for key, value in hospital.language.state_dict().items()}
    model = fit_language(
        hospital.language, cases, table, loop, hospital.out / "text.pt", hospital.log, terms=terms,
        weights=balanced_weights(sources), validate=_judge_text(hospital, validation), processes=hospital.processes,
    )  # fmt: skip
    model.load_state_dict(kept_mean(start, model.state_dict(), recipe))
    return model


def _sources(hospital: Hospital, makers: HospitalCases) -> tuple[list[tuple[list[Case], float]], list[Case]]:
    train = hospital.studies("train")
    say = lambda stage: lambda n: hospital.log({"stage": stage, "step": n}) if hospital.processes.speaks else None  # noqa: E731
    sources = [
        (makers.real("real", train, say("real")), REAL), (makers.painted(train, say("painted")), PAINTED),
        (makers.virtual(say("virtual")), VIRTUAL),
    ]  # fmt: skip
    return sources, makers.real("validation", hospital.studies("validation"), lambda n: None)


def _judge_text(hospital: Hospital, cases: list[Case]) -> Validate:
    """Balanced cross-entropy of presence and segments on the validation patients, and their AUROC.

    Segments that a report leaves open do not count. The entropy is as it is once the odds are scaled and moved to fit
    best: that is done after the training, and must not stop it.
    """
    batch = join_cases(cases, hospital.processes.device)
    true, decided = (table.to(hospital.processes.device) for table in truth_table(ASKED, batch.findings))
    named = decided[:, 1:]

    def validate(model: nn.Module) -> dict[str, float]:
        assert isinstance(model, LanguageModel)
        loss = LanguageLoss(model, cases, Terms(), hospital.processes.device)
        segments = loss.answers(batch, ASKED)[:, 1:]
        study = segments.topk(LIKELIEST, 1).values.mean(1)  # as decisions.study_logit
        placed, places = segments[named], true[:, 1:][named]
        parts = [calibrated_entropy(study, true[:, 0]), calibrated_entropy(placed, places)]
        area = auroc(study.cpu().numpy(), true[:, 0].cpu().numpy() > 0.5)
        place_area = auroc(placed.cpu().numpy(), places.cpu().numpy() > 0.5)
        return {"score": -sum(parts), "loss": sum(parts), "auroc": area, "segment_auroc": place_area}

    return validate


def calibrated_entropy(logits: Tensor, true: Tensor) -> float:
    """Cross-entropy of sigmoid(a * logit + b), both classes weighing alike, at the a > 0 and b that make it least."""
    z, signs = logits.double().cpu().numpy().ravel(), np.where(true.cpu().numpy().ravel() > 0.5, 1.0, -1.0)
    z = (z - z.mean()) / max(float(z.std()), TINY)  # the search begins with small steps at a = 1, b = 0
    classes = [signs == sign for sign in (1.0, -1.0) if (signs == sign).any()]

    def entropy(x: npt.NDArray[np.float64]) -> float:
        each = np.logaddexp(0, -signs * (np.exp(x[0]) * z + x[1]))
        return float(np.mean([each[own].mean() for own in classes]))

    return float(minimize(entropy, np.zeros(2), method="Nelder-Mead").fun)


# --- bundle ----------------------------------------------------------------------------------------------------------


def training_facts(hospital: Hospital, started_from: str) -> dict[str, Any]:
    """What the networks learnt from and how, as it happened: steps done, not those allowed; nothing that was not used."""
    recipe, start = hospital.recipe, hospital.recipe.start
    patients = hospital.patients("train")
    painted = recipe.scar.steps or (recipe.text.steps and recipe.text.painted)
    return {
        "data": f"{len(patients)} studies of {len(set(patients))} patients of one hospital with their reports",
        "splits": json.dumps(hospital.check.counts["splits"]), "started_from": started_from, "weights": start.weights,
        **({"kept": start.kept} if start.weights == "all" else {}), "painted_share": recipe.paint.share if painted else 0.0,
        **{f"{stage}_steps": _steps_done(hospital.out / f"{stage}.pt") for stage in ("scar", "text")},
        "virtual_patients": recipe.text.virtual_patients if recipe.text.steps else 0, "seed": recipe.seed,
    }  # fmt: skip


def _steps_done(checkpoint: Path) -> int:
    """Steps after which a stage ended; 0 where it was left out."""
    if not checkpoint.is_file():
        return 0
    return int(json.loads(torch.load(checkpoint, map_location="cpu", weights_only=True)["facts"])["step"])


def finish_bundle(hospital: Hospital, folder: Path) -> None:
    """Threshold and calibration from validation patients only; metrics.json, card, manifest; the page in the run folder."""
    recipe, tokenizer = hospital.recipe, make_tokenizer()
    started = open_bundle(start_bundle(recipe))
    facts: dict[str, Any] = {
        "name": recipe.name, "version": recipe.version, "licence": "as the hospital decides", "thresholds": calibrate.first_thresholds(),
        "intended_use": "Research use, not for diagnosis: evidence of scar in short-axis late gadolinium enhancement stacks of the hospital that it learnt from.",
        "training": training_facts(hospital, f"{started.name} {started.version}"),
    }  # fmt: skip
    write_manifest(folder, tokenizer, facts)
    engine = Engine(folder, "onnx")
    outcomes = {
        split: reported_outcomes(engine, hospital.check.prepared, hospital.studies(split), hospital.patients(split))
        for split in ("validation", "test")
    }
    begin = started.thresholds if recipe.start.weights == "all" else None
    facts["thresholds"] = calibrate.fit_thresholds(outcomes["validation"], begin=begin)
    facts["validation"] = {
        "patients": len(set(hospital.patients("validation"))), "data": hospital.check.fingerprint(),
        "fitted": calibrate.enough_of_both([outcome.study.finding.lge == "present" for outcome in outcomes["validation"]]),
    }  # fmt: skip
    metrics = {split: own for split in outcomes if (own := reported_metrics(outcomes[split], facts["thresholds"]))}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
    write_hospital_card(folder, facts, metrics)
    write_manifest(folder, tokenizer, facts)
    hospital.log({"stage": "calibration", "step": 1})
    hospital.log({"stage": "done", **{f"{split}_auroc": own["patient_auroc"] for split, own in metrics.items()}})
    write_evaluation_page(
        hospital.out / "evaluation.html", recipe.name, metrics, all_svgs(read_log(hospital.out / LOG_NAME))
    )
