"""The training side of the command line: phantom, train, evaluate, export, bundle."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from LGETextDetectLib.cli import positive
from LGETextDetectLib.events import Events
from LGETextDetectLib.output_folder import check_writable, written_below

if TYPE_CHECKING:  # it needs numpy, which --help can do without
    from LGETextDetectLib.bundle import Bundle

NOTICE = "Research use, not for diagnosis."


def add_commands(commands: Any) -> None:
    """Add the sub-commands to an argparse sub-parsers object."""
    phantom = commands.add_parser("phantom", help="write virtual patients: DICOM series, truth, report text")
    phantom.add_argument("out", type=Path, metavar="OUT")
    phantom.add_argument("--n", type=positive, default=10, help="number of patients")
    phantom.add_argument("--seed", type=_seed, default=0)
    phantom.add_argument("--reports", action="store_true", help="also write reports.jsonl")
    kind = phantom.add_mutually_exclusive_group()
    kind.add_argument("--held-back", action="store_true", help="draw from a recipe that training never draws from")
    kind.add_argument(
        "--hospital", action="store_true", help="a virtual hospital: another look, own reports (reports.csv)"
    )
    train = commands.add_parser("train", help="train a model from a recipe and bundle it")
    _add_run(train, "run folder; an interrupted run goes on there")
    check = commands.add_parser(
        "check-data", help="say whether a recipe's studies and reports can be trained on; trains nothing"
    )
    _add_run(check, "where table, page and prepared studies are written; the run folder to be", "out/check")
    check.add_argument(
        "--names", action="store_true", help="also write names.csv, which tells the study's name of each pseudonym"
    )
    preview = commands.add_parser("preview-scars", help="paint scars into a recipe's scar-free studies, to look at")
    _add_run(preview, "where the page and prepared studies are written; the run folder to be", "out/check")
    preview.add_argument("--n", type=positive, default=12, help="number of scars")
    evaluate = commands.add_parser("evaluate", help="detect below ROOT and compare with a truth table")
    evaluate.add_argument("root", type=Path, metavar="ROOT")
    evaluate.add_argument("--truth", type=Path, required=True, metavar="truth.csv")
    evaluate.add_argument("--out", type=Path, default=Path("out/evaluation"))
    evaluate.add_argument("--prompts", type=Path, help="prompts to score against findings.jsonl beside the truth table")
    evaluate.add_argument("--workers", type=positive, default=2)
    evaluate.add_argument(
        "--biomedclip", type=Path, metavar="DIR", help="also run BiomedCLIP from its open_clip folder"
    )
    evaluate.add_argument("--med-flamingo", type=Path, metavar="DIR", help="also run Med-Flamingo from its folder")
    evaluate.add_argument(
        "--report", type=Path, metavar="FILE.md", help="also write all sets evaluated beside it into one document"
    )
    export = commands.add_parser(
        "export", help="write a finished run's bundle again from its checkpoints, calibrated; trains nothing"
    )
    export.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    export.add_argument("--out", type=Path, required=True, help="run folder")
    bundle = commands.add_parser("bundle", help="check a bundle's hashes and print what it is")
    bundle.add_argument("folder", type=Path, metavar="FOLDER", nargs="?")
    bundle.add_argument(
        "--calibrate",
        action="store_true",
        help="fit the thresholds again, on the virtual validation patients, and write them",
    )
    bundle.add_argument(
        "--known", type=Path, metavar="ROOT",
        help="--calibrate, and move the odds as these studies, with a truth.csv, ask for too",
    )  # fmt: skip
    bundle.add_argument("--test", action="store_true", help="compute the card's figures of virtual test patients again")
    bundle.add_argument(
        "--evaluations", type=Path, metavar="DIR", help="take the sets evaluated below DIR into the card"
    )


def _add_run(parser: Any, said: str, default: str = "") -> None:
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument("--out", type=Path, required=not default, default=Path(default) if default else None, help=said)


def _seed(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a number from 0 is expected")
    return number


def run(command: str, arguments: argparse.Namespace, events: Events) -> int:
    """Run one training-side command; returns the exit code."""
    commands = {
        "phantom": _phantom, "train": _train, "check-data": _check_data, "preview-scars": _preview_scars, "evaluate": _evaluate,
        "export": _train, "bundle": _bundle,
    }  # fmt: skip
    return commands[command](arguments, events)


def _phantom(arguments: argparse.Namespace, events: Events) -> int:
    from .new_folder import new_folder

    with new_folder(arguments.out) as out:
        if arguments.hospital:
            from .virtual_hospital import write_hospital

            write_hospital(out, arguments.n, arguments.seed, events)
        else:
            from .virtual_cohort import write_cohort

            write_cohort(out, arguments.n, arguments.seed, arguments.reports, events, arguments.held_back)
    events.result({"studies": arguments.n, "out": str(arguments.out)})
    events.log(f"{arguments.n} virtual studies: {arguments.out}")
    return 0


def _train(arguments: argparse.Namespace, events: Events) -> int:
    """Train, or go on with a run; a finished one is taken as it ended. ``export`` writes a finished one's bundle again."""
    from .recipe import HospitalRecipe, read_recipe

    recipe = read_recipe(arguments.recipe)
    again = arguments.command == "export"
    if isinstance(recipe, HospitalRecipe):
        from .hospital_training import export_hospital, train_hospital

        folder = (export_hospital if again else train_hospital)(recipe, arguments.out, events)
    else:
        from .train import export_training, run_training

        folder = (export_training if again else run_training)(recipe, arguments.out, events)
    if os.environ.get("RANK", "0") == "0":  # of several processes started by torchrun the first speaks
        events.result({"bundle": str(folder)})
        events.log(f"bundle: {folder}")
    return 0


def _check_data(arguments: argparse.Namespace, events: Events) -> int:
    from .data_check import as_text, write_names
    from .hospital_training import check_recipe_data
    from .recipe import read_hospital_recipe
    from .run_lock import run_lock

    recipe = read_hospital_recipe(arguments.recipe)
    with run_lock(arguments.out, trains=False):
        check = check_recipe_data(recipe, arguments.out, events)
        if arguments.names:
            write_names(recipe.data, check, arguments.out / "check" / "names.csv")
    page = arguments.out / "check" / "check.html"
    events.result({"counts": check.counts, "page": str(page)})
    said = f"{as_text(check)}\n{page}\nResearch use, not for diagnosis."
    if arguments.events:
        events.log(said)
    else:
        print(said)
    check.refuse_errors()
    return 0


def _preview_scars(arguments: argparse.Namespace, events: Events) -> int:
    from .hospital_training import check_recipe_data
    from .preview_scars import write_preview
    from .recipe import read_hospital_recipe
    from .run_lock import run_lock

    recipe = read_hospital_recipe(arguments.recipe)
    with run_lock(arguments.out, trains=False):
        check = check_recipe_data(recipe, arguments.out, events)
        page = write_preview(check, recipe.paint, arguments.n, recipe.seed, arguments.out / "preview")
    events.result({"page": str(page)})
    events.log(f"painted scars: {page}")
    return 0


def _evaluate(arguments: argparse.Namespace, events: Events) -> int:
    from LGETextDetectLib.batch import BatchOptions, run_batch

    from .evaluate import EvaluationFolders, evaluate
    from .evaluate_words import write_prompts
    from .evaluation_report import main_table, systems_table, write_report
    from .measures import measure_studies
    from .truth_table import read_truth
    from .write_evaluation import remove_evaluation, write_evaluation
    from .zero_shot import check_parts, zero_shot_scores

    out, workers = arguments.out, arguments.workers
    read_truth(arguments.truth)  # refused before the hours, not after
    check_parts(arguments.biomedclip, arguments.med_flamingo)
    if arguments.report:
        check_writable(arguments.report.parent)
    folders = EvaluationFolders(arguments.root, arguments.truth, out / "results", out / "measures", arguments.prompts)
    asked = write_prompts(out / "prompts.txt", arguments.prompts)
    remove_evaluation(out, arguments.truth, events)
    run_batch(arguments.root, folders.results, BatchOptions(workers=workers, resume=True, prompts=asked), events)
    measure_studies(arguments.root, out / "measures", folders.results, workers, events)
    others = zero_shot_scores(folders.results, arguments.biomedclip, arguments.med_flamingo, events)
    evaluation = evaluate(folders, others, events)
    write_evaluation(out, folders, evaluation)
    if arguments.report:
        with written_below(arguments.report.parent):
            write_report(arguments.report)
    events.result(evaluation.figures)
    if not arguments.events:
        print(main_table([evaluation.figures]), systems_table(evaluation.figures["systems"]), NOTICE, sep="\n\n")
    return 0


def _bundle(arguments: argparse.Namespace, events: Events) -> int:
    """Check and print; --calibrate fits the thresholds, --test computes the test patients' figures again, --evaluations takes
    figures into the card.
    """
    from LGETextDetectLib.bundle import default_bundle, open_bundle

    folder = open_bundle(
        (arguments.folder or default_bundle()).resolve()
    ).folder  # '.' is another one once it is replaced
    if arguments.calibrate or arguments.known or arguments.evaluations:
        check_writable(folder.parent)  # where its successor is made
    with written_below(folder.parent):
        found = _worked_on(folder, arguments, events)
    bundle = open_bundle(folder)
    events.result({"name": bundle.name, "version": bundle.version, "sha256": bundle.sha256, **found})
    if not arguments.events:
        print(_as_text(bundle, found, bool(arguments.evaluations)) if arguments.test else _card(bundle))
    return 0


def _worked_on(folder: Path, arguments: argparse.Namespace, events: Events) -> dict[str, Any]:
    """Do to a bundle what is asked for; figures and thresholds that were computed."""
    from .bundle_figures import evaluated_sets, repeat_test, take_in_evaluations

    if arguments.evaluations:
        evaluated_sets(arguments.evaluations)  # refused before the test's minutes, not after
    found: dict[str, Any] = {}
    if arguments.calibrate or arguments.known:
        from .recalibrate import recalibrate

        found["thresholds"] = recalibrate(folder, events, arguments.known)
    if arguments.test:
        found["figures"], found["differing"] = repeat_test(folder, events)
    if arguments.evaluations:
        count = take_in_evaluations(folder, arguments.evaluations, found.get("figures"))
        events.log(f"{count} evaluated sets are now in the card")
    if "thresholds" in found:
        events.log(
            f"thresholds: {found['thresholds']}; the card's figures are of the old ones until they are evaluated again"
        )
    return found


def _card(bundle: Bundle) -> str:
    return f"{_named(bundle)}\n{(bundle.folder / 'MODEL_CARD.md').read_text('utf-8')}"


def _named(bundle: Bundle) -> str:
    return f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}"


def _as_text(bundle: Bundle, found: dict[str, Any], renewed: bool) -> str:
    """The figures of ``bundle --test`` for a person."""
    rows = [f"{name:24} {value}" for name, value in found["figures"].items()]
    differing = ", ".join(found["differing"])
    said = "metrics.json renewed" if renewed else "not as in metrics.json"
    return "\n".join([_named(bundle), *rows, f"{said}: {differing}" if differing else "all as in metrics.json", NOTICE])
