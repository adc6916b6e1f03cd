"""An evaluation on disk: figures, the table of cases, plots, and for virtual patients pictures of failures."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from LGETextDetectLib.bundle import file_sha256
from LGETextDetectLib.events import Events

from .evaluate import TRUTH_SHA256, Evaluation, EvaluationFolders
from .evaluated_case import Case
from .evaluation_report import PLOTS
from .failures import LIST, write_failures
from .plots import write_plots
from .whole_file import written_whole

FIGURES, CASES = "figures.json", "cases.csv"

CASE_COLUMNS = (
    "study", "lge", "probability", "present", "abstained", "reasons", "head_probability", "segments_true", "segments_found", "layer_true",
    "layers_found", "points_at_scar", "myocardium_dice", "cavity_ml", "caption",
)  # fmt: skip


def remove_evaluation(out: Path, truth: Path, events: Events) -> None:
    """Take away what an older evaluation said, if there is one: it would stand beside results that are others.

    Warns when that was of another truth table.
    """
    if not (out / FIGURES).is_file():
        return
    older: dict[str, Any] = {}
    with suppress(ValueError):
        older = json.loads((out / FIGURES).read_text("utf-8"))
    if older.get(TRUTH_SHA256, "") not in ("", file_sha256(truth)):
        said = f"{truth.name} has changed since the older evaluation; all is counted by the new one"
        events.warning("truth-changed", said)
    drawn = [*(f"{plot}.svg" for plot in PLOTS), *(path.name for path in out.glob("failure-*.png"))]
    for name in (CASES, LIST, *drawn, FIGURES):
        (out / name).unlink(missing_ok=True)


def write_evaluation(out: Path, folders: EvaluationFolders, evaluation: Evaluation) -> None:
    """cases.csv (one row a study: truth, probability, answer, what was measured), plots, failures if virtual; figures.json last."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / CASES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CASE_COLUMNS)
        writer.writeheader()
        writer.writerows(_case_row(case) for case in evaluation.cases)
    write_plots(out, evaluation.figures)
    if evaluation.figures["virtual"]:  # no picture of a person leaves the data's own folder
        write_failures(out, folders.root, folders.results, evaluation.cases)
    with written_whole(out / FIGURES) as path:
        path.write_text(json.dumps(evaluation.figures, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _case_row(case: Case) -> dict[str, Any]:
    detection, measures = case.result["detection"], case.measures
    found = {str(row["layer"]) for row in case.result["segments"] if row["layer"]}
    return {
        "study": case.name, "lge": case.truth["lge"], "probability": detection["probability"], "present": detection["present"],
        "abstained": detection["abstained"], "reasons": " ".join(detection.get("reasons", ())),
        "head_probability": measures.get("head_probability"), "segments_true": case.truth.get("segments", ""),
        "segments_found": " ".join(map(str, sorted(case.named))), "layer_true": case.truth.get("layer", ""),
        "layers_found": " ".join(sorted(found)), "points_at_scar": measures.get("points_at_scar"),
        "myocardium_dice": measures.get("myocardium_dice"), "cavity_ml": measures.get("cavity_ml"), "caption": case.result["caption"],
    }  # fmt: skip
