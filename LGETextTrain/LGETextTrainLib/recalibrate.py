"""Thresholds of a finished bundle again: from its virtual validation patients, the odds moved as known studies ask for too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from LGETextDetectLib.bundle import Bundle, open_bundle
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.studies_below import find_studies
from LGETextDetectLib.study import detect
from scipy.optimize import minimize_scalar

from .bundle_figures import manifest_facts, read_metrics
from .calibrate import MIN_CLASS, Floats, enough_of_both, fit_thresholds, logit, validation_outcomes
from .card import write_card
from .evaluate import describe_set
from .export import changed_bundle, write_manifest
from .truth_table import read_truth

TRUTH = "truth.csv"
MAX_MOVE = 3.0  # in logits


@dataclass(frozen=True, eq=False)
class Odds:
    """Logits of the text's answers (N,), not calibrated, and whether there is scar (N,), 0 or 1."""

    logits: Floats
    true: Floats


def recalibrate(folder: Path, events: Events, known: Path | None = None) -> dict[str, Any]:
    """Fit a bundle's thresholds anew, write them to its manifest and card, and return them.

    known: folder of studies with a truth.csv; the odds are then moved as a whole as these and the virtual validation
    patients together ask for. Without it they are only scaled. Figures in metrics.json stay: evaluate again. All or nothing.
    Raises InputRefused('bad-bundle') for a bundle that virtual patients did not calibrate, as :func:`read_truth`, and
    'few-patients' where one class of ``known`` has fewer than three answered studies.
    """
    bundle = open_bundle(folder)
    count, seed = _validation_patients(bundle)
    metrics = read_metrics(folder)
    engine = Engine(bundle.folder, "onnx")
    asked = _known_odds(known, engine, events) if known else None
    outcomes, _ = validation_outcomes(
        engine, count, seed, report=lambda n: events.progress("validation patients", n, count)
    )
    thresholds = fit_thresholds(outcomes, own_kind=False)
    validation = {name: value for name, value in bundle.manifest["validation"].items() if name != "odds_moved_with"}
    if known and asked:
        virtual = _odds([(o.prediction.probability, o.study.finding.lge == "present") for o in outcomes])
        thresholds["calibration"]["b"] = round(moved_odds(thresholds["calibration"]["a"], virtual, asked), 4)
        validation["odds_moved_with"] = f"{len(asked.true)} studies of {describe_set(known)['set']}"
    facts = manifest_facts(bundle) | {"thresholds": thresholds, "validation": validation}
    with changed_bundle(folder) as made:
        write_card(made, facts, metrics)
        write_manifest(made, bundle.tokenizer, facts)
    return thresholds


def moved_odds(scale: float, virtual: Odds, known: Odds) -> float:
    """b of sigmoid(scale * logit + b): least sum of the mean log losses of both sets, the known one's classes weighed alike.

    A set of patients that were known to a clinic holds more scar than the next patient's chance of it, so its share is
    not taken for the truth; virtual patients hold both alike.
    """
    share = np.where(known.true == 1, 0.5 / known.true.sum(), 0.5 / (1 - known.true).sum())

    def losses(odds: Odds, move: float) -> Floats:
        z = scale * odds.logits + move
        return np.asarray(np.logaddexp(0, z) - odds.true * z)

    def cost(move: float) -> float:
        return float(losses(virtual, move).mean() + (share * losses(known, move)).sum())

    return float(minimize_scalar(cost, bounds=(-MAX_MOVE, MAX_MOVE), method="bounded").x)


def _validation_patients(bundle: Bundle) -> tuple[int, int]:
    """Number and seed of the virtual patients that a bundle was calibrated with."""
    said = bundle.manifest.get("validation", {})
    if not {"patients", "seed"} <= set(said):
        raise InputRefused("bad-bundle", "this bundle was not calibrated with virtual patients.")
    return int(said["patients"]), int(said["seed"])


def _known_odds(root: Path, engine: Engine, events: Events) -> Odds:
    """What the text answers about the studies below a folder, of those that can be answered."""
    scarred = {row["study"]: row["lge"] == "1" for row in read_truth(root / TRUTH).rows}
    studies = [study for study in find_studies(root) if study.name in scarred]
    answers: list[tuple[float, bool]] = []
    for number, study in enumerate(studies, start=1):
        try:
            answers.append((detect(study.source, engine).prediction.probability, scarred[study.name]))
        except InputRefused as refused:
            events.log(f"left out: {study.name} ({refused.code})")
        events.progress("known studies", number, len(studies))
    positive = sum(true for _, true in answers)
    if not enough_of_both([true for _, true in answers]):
        raise InputRefused(
            "few-patients", f"Of the known studies {positive} are scarred and {len(answers) - positive} are not.",
            f"Give at least {MIN_CLASS} of each that can be answered.",
        )  # fmt: skip
    return _odds(answers)


def _odds(answers: Sequence[tuple[float, bool]]) -> Odds:
    """Of (probability, whether there is scar) of each study."""
    return Odds(logit([p for p, _ in answers]), np.array([float(true) for _, true in answers]))
