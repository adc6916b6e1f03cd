"""Figures of a finished bundle: its virtual test patients again, and evaluations taken into its card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from LGETextDetectLib.bundle import Bundle, open_bundle
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.refusal import InputRefused

from .calibrate import validation_outcomes
from .card import EVALUATIONS, FAILURES, kept_figures, virtual_metrics, write_card
from .evaluation_report import read_sets
from .export import changed_bundle, write_manifest
from .failures import LIST

METRICS = "metrics.json"
MADE = ("networks", "input_frame", "files")  # parts of a manifest that write_manifest adds to the facts


def repeat_test(folder: Path, events: Events) -> tuple[dict[str, Any], list[str]]:
    """The figures of the card's virtual test patients, computed again, and the names of those that differ from metrics.json."""
    engine = Engine(folder, "onnx")
    metrics = read_metrics(folder)
    count = int(metrics["patients"]) + int(metrics["no_heart_found"])
    outcomes, unseen = validation_outcomes(
        engine, count, int(metrics["seed"]), report=lambda n: events.progress("test", n, count)
    )
    again = virtual_metrics(outcomes, unseen, engine.bundle.thresholds, int(metrics["seed"]))
    return again, [name for name, value in again.items() if metrics.get(name) != value]


def read_metrics(folder: Path) -> dict[str, Any]:
    """metrics.json of a bundle; raises InputRefused('bad-bundle') when it has none of virtual test patients."""
    path = folder / METRICS
    metrics = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if not {"patients", "no_heart_found", "seed"} <= set(metrics):
        raise InputRefused("bad-bundle", "the bundle has no figures of virtual test patients.")
    return dict(metrics)


def evaluated_sets(evaluations: Path) -> list[dict[str, Any]]:
    """Figures of the sets evaluated below a folder; raises InputRefused('no-studies') without any."""
    sets = read_sets(evaluations)
    if not sets:
        raise InputRefused("no-studies", "There is no evaluated set (figures.json) below that folder.")
    return sets


def manifest_facts(bundle: Bundle) -> dict[str, Any]:
    """What a manifest says besides the parts that write_manifest adds."""
    return {name: value for name, value in bundle.manifest.items() if name not in MADE}


def take_in_evaluations(folder: Path, evaluations: Path, test: Mapping[str, Any] | None = None) -> int:
    """Write the sets evaluated below ``evaluations`` into a bundle's metrics.json and card, with plots and pictures.

    test: figures of the virtual test patients (:func:`repeat_test`) that take the place of the bundle's. The bundle's
    hash changes with its card; all or nothing. Returns the number of sets; raises InputRefused as :func:`evaluated_sets`.
    """
    bundle = open_bundle(folder)
    sets = evaluated_sets(evaluations)
    with changed_bundle(folder) as made:
        _take_in(made, bundle, evaluations, sets, test or {})
    return len(sets)


def _take_in(
    folder: Path, bundle: Bundle, evaluations: Path, sets: Sequence[Mapping[str, Any]], test: Mapping[str, Any]
) -> None:
    for old in (*folder.glob("*.svg"), *folder.glob("failure-*.png")):
        old.unlink()
    metrics = (
        read_metrics(folder) | dict(test) | {EVALUATIONS: [kept_figures(figures) for figures in sets], FAILURES: []}
    )
    for figures in sets:
        source = evaluations / str(figures["folder"])
        for plot in sorted(source.glob("*.svg")):
            shutil.copyfile(plot, folder / f"{figures['set']}-{plot.name}")
        if figures["virtual"] and (source / LIST).is_file():
            metrics[FAILURES] += _take_in_pictures(source, folder, str(figures["set"]))
    (folder / METRICS).write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", "utf-8")
    facts = manifest_facts(bundle)
    write_card(folder, facts, metrics)
    write_manifest(folder, bundle.tokenizer, facts)


def _take_in_pictures(source: Path, folder: Path, name: str) -> list[dict[str, str]]:
    kept = []
    for failure in json.loads((source / LIST).read_text("utf-8")):
        file = str(failure["file"]).replace("failure-", f"failure-{name}-", 1)
        shutil.copyfile(source / failure["file"], folder / file)
        kept.append({"file": file, "text": str(failure["text"])})
    return kept
