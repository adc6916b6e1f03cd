"""The training side of the command line: phantom, train, evaluate, export, bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from LGETextDetectLib.events import Events


def add_commands(commands: Any) -> None:
    """Add the sub-commands to an argparse sub-parsers object."""
    phantom = commands.add_parser("phantom", help="write virtual patients: DICOM series, truth, report text")
    phantom.add_argument("out", type=Path, metavar="OUT")
    phantom.add_argument("--n", type=int, default=10, help="number of patients")
    phantom.add_argument("--seed", type=int, default=0)
    phantom.add_argument("--reports", action="store_true", help="also write reports.jsonl")
    train = commands.add_parser("train", help="train a model from a recipe and bundle it")
    train.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    train.add_argument("--out", type=Path, required=True, help="run folder; an interrupted run goes on there")
    evaluate = commands.add_parser("evaluate", help="detect below ROOT and compare with a truth table")
    evaluate.add_argument("root", type=Path, metavar="ROOT")
    evaluate.add_argument("--truth", type=Path, required=True, metavar="truth.csv")
    evaluate.add_argument("--out", type=Path, default=Path("out/evaluation"))
    evaluate.add_argument("--prompts", type=Path, help="prompts to score against findings.jsonl beside the truth table")
    evaluate.add_argument("--workers", type=int, default=2)
    export = commands.add_parser("export", help="export a run folder's networks to its bundle again, calibrated")
    export.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    export.add_argument("--out", type=Path, required=True, help="run folder")
    bundle = commands.add_parser("bundle", help="check a bundle's hashes and print what it is")
    bundle.add_argument("folder", type=Path, metavar="FOLDER", nargs="?")


def run(command: str, arguments: argparse.Namespace, events: Events) -> int:
    """Run one training-side command; returns the exit code."""
    return {"phantom": _phantom, "train": _train, "evaluate": _evaluate, "export": _train, "bundle": _bundle}[command](
        arguments, events
    )


def _phantom(arguments: argparse.Namespace, events: Events) -> int:
    from .virtual_cohort import write_cohort

    write_cohort(arguments.out, arguments.n, arguments.seed, arguments.reports, events)
    return 0


def _train(arguments: argparse.Namespace, events: Events) -> int:
    """Train, or go on with a run; a finished run is only exported and calibrated again."""
    from .recipe import read_recipe
    from .train import run_training

    folder = run_training(read_recipe(arguments.recipe), arguments.out, events)
    events.log(f"bundle: {folder}")
    return 0


def _evaluate(arguments: argparse.Namespace, events: Events) -> int:
    from LGETextDetectLib.batch import BatchOptions, run_batch

    from .evaluate import as_table, evaluate, write_evaluation

    results = arguments.out / "results"
    run_batch(
        arguments.root, results, BatchOptions(workers=arguments.workers, resume=True, prompts=arguments.prompts), events
    )
    figures = evaluate(arguments.root, results, arguments.truth)
    write_evaluation(arguments.out, figures, results, arguments.truth)
    print(as_table(figures))
    return 0


def _bundle(arguments: argparse.Namespace, events: Events) -> int:
    from LGETextDetectLib.bundle import default_bundle, open_bundle

    bundle = open_bundle(arguments.folder or default_bundle())
    print(f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}")
    print((bundle.folder / "MODEL_CARD.md").read_text("utf-8"))
    return 0
