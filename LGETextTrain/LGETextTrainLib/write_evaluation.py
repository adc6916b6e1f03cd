"""An evaluation on disk: figures, the table of cases, plots, and for virtual patients pictures of failures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from .evaluate import Evaluation, EvaluationFolders
from .evaluated_case import Case
from .failures import write_failures
from .plots import write_plots

CASE_COLUMNS = (
    "study", "lge", "probability", "present", "abstained", "reasons", "head_probability", "segments_true", "segments_found", "layer_true",
    "layers_found", "points_at_scar", "myocardium_dice", "cavity_ml", "caption",
)  # fmt: skip


def write_evaluation(out: Path, folders: EvaluationFolders, evaluation: Evaluation) -> None:
    """figures.json, cases.csv (one row a study: truth, probability, answer, what was measured), plots; failures if virtual."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "figures.json").write_text(json.dumps(evaluation.figures, indent=1, ensure_ascii=False) + "\n", "utf-8")
    with (out / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CASE_COLUMNS)
        writer.writeheader()
        writer.writerows(_case_row(case) for case in evaluation.cases)
    write_plots(out, evaluation.figures)
    if evaluation.figures["virtual"]:  # no picture of a person leaves the data's own folder
        write_failures(out, folders.root, folders.results, evaluation.cases)


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
