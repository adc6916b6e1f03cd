"""Evaluation of detections against a truth table: per-case table, figures with intervals, landmark errors.

Reads what ``lgetext batch`` wrote; knows nothing of the networks.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.orientation import display_angle, turn
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume_files import load_study
from LGETextDetectLib.wording import read_prompt

from .figures import auroc, balanced_accuracy, brier, interval, rates

CENTRE_MM, RVIP_DEG = 10.0, 20.0
MIN_CLASS = 3  # a prompt needs as many true and as many false studies to be scored


@dataclass(frozen=True, eq=False)
class Case:
    """One study: its row of the truth table and its result.json."""

    name: str
    truth: dict[str, str]
    result: dict[str, Any]


def read_cases(results: Path, truth: Path) -> tuple[list[Case], list[str]]:
    """Cases with a result, and the names of those without one."""
    with truth.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cases, missing = [], []
    for row in rows:
        path = results / row["study"] / "result.json"
        if path.is_file():
            cases.append(Case(row["study"], row, json.loads(path.read_text("utf-8"))))
        else:
            missing.append(row["study"])
    return cases, missing


def evaluate(root: Path, results: Path, truth: Path) -> dict[str, Any]:
    """All figures that truth and results allow; intervals are 95 % bootstrap over patients."""
    cases, missing = read_cases(results, truth)
    if not cases:
        raise InputRefused("no-studies", "No study of the truth table has a result.")
    figures: dict[str, Any] = {"studies": len(cases), "without_result": missing}
    figures |= presence(cases) | slices(cases) | segments(cases) | landmark_errors(root, cases, truth.parent)
    findings = truth.parent / "findings.jsonl"
    if findings.is_file():
        figures |= prompts(cases, findings)
    return figures


def presence(cases: Sequence[Case]) -> dict[str, Any]:
    """Study-level figures; abstained studies count by their probability, and again apart."""
    true = np.array([case.truth["lge"] == "1" for case in cases])
    detections = [case.result["detection"] for case in cases]
    score = np.array([d["probability"] for d in detections], float)
    found = np.array([d["probability"] >= d["threshold"] for d in detections])
    answered = np.array([not d["abstained"] for d in detections])
    low, high = interval(lambda k: auroc(score[k], true[k]), len(true))
    ba_low, ba_high = interval(lambda k: balanced_accuracy(found[k], true[k]), len(true))
    return {
        "positive": int(true.sum()), "patient_auroc": auroc(score, true), "patient_auroc_95": [low, high],
        "balanced_accuracy": balanced_accuracy(found, true), "balanced_accuracy_95": [ba_low, ba_high], **rates(found, true),
        "brier": brier(score, true), "abstained": int((~answered).sum()),
        "balanced_accuracy_answered": balanced_accuracy(found[answered], true[answered]),
    }  # fmt: skip


def slices(cases: Sequence[Case]) -> dict[str, Any]:
    """Slice AUROC where the truth table says which slices hold scar."""
    score, true = [], []
    for case in cases:
        probabilities = {row["index"]: row["probability"] or 0.0 for row in case.result["slices"]}
        flags = _slice_truth(case.truth, len(probabilities))
        if flags is not None:
            score += [probabilities[k] for k in range(len(flags))]
            true += flags
    return {"slices": len(true), "slice_auroc": auroc(score, true)} if true else {}


def _slice_truth(row: dict[str, str], count: int) -> list[bool] | None:
    if row.get("slice_lge"):
        flags = [v == "1" for v in row["slice_lge"].split()]
        return flags if len(flags) == count else None
    if "slices" in row and "segments" in row:
        scarred = {int(v) for v in row["slices"].split()}
        return [k in scarred for k in range(count)]
    return None


def segments(cases: Sequence[Case]) -> dict[str, Any]:
    """Segment AUROC over all studies, and over scarred studies alone (where, given that there is scar)."""
    rows = [case for case in cases if "segments" in case.truth]
    if not rows:
        return {}
    score = np.array([[s["probability"] for s in case.result["segments"]] for case in rows], float)
    true = np.array([[str(n) in case.truth["segments"].split() for n in range(1, 18)] for case in rows])
    scarred = np.array([row.any() for row in true], bool)
    layers = [_layer_hit(case) for case, hit in zip(rows, scarred, strict=True) if hit]
    known = [hit for hit in layers if hit is not None]
    return {
        "segment_auroc": auroc(score.ravel(), true.ravel()),
        "segment_auroc_95": list(interval(lambda k: auroc(score[k].ravel(), true[k].ravel()), len(rows))),
        "segment_auroc_scarred": auroc(score[scarred].ravel(), true[scarred].ravel()),
        "strongest_segment_is_scarred": float(np.mean([t[np.argmax(s)] for s, t in zip(score[scarred], true[scarred], strict=True)])),
        "layer_accuracy": float(np.mean(known)) if known else float("nan"),
    }  # fmt: skip


def _layer_hit(case: Case) -> bool | None:
    """Whether the layer of the most probable truly scarred segment is the true one."""
    wanted = case.truth.get("layer", "").split()
    named = [int(v) for v in case.truth["segments"].split()]
    if not wanted or not named:
        return None
    best = max((case.result["segments"][n - 1] for n in named), key=lambda s: s["probability"])
    return best["layer"] in wanted


def prompts(cases: Sequence[Case], findings: Path) -> dict[str, Any]:
    """AUROC of every prompt that was asked of all studies, from the findings' own truth."""
    lines = [json.loads(line) for line in findings.read_text("utf-8").splitlines()]
    truth = {line["id"]: Finding.from_dict(line["finding"]) for line in lines}
    asked = [p["text"] for p in cases[0].result["prompts"]]
    scores: dict[str, float] = {}
    for number, text in enumerate(asked):
        meaning = read_prompt(text)
        true = np.array([meaning.true_for(truth[case.name]) for case in cases])
        if not meaning.understood or min(true.sum(), (~true).sum()) < MIN_CLASS:
            continue
        scores[text] = auroc([case.result["prompts"][number]["probability"] for case in cases], true)
    return (
        {
            "prompts_scored": len(scores),
            "prompt_auroc_mean": float(np.mean(list(scores.values()))),
            "prompt_auroc": scores,
        }
        if scores
        else {}
    )


def landmark_errors(root: Path, cases: Sequence[Case], tables: Path) -> dict[str, Any]:
    """LV centre against the masks' centroids, insertion points against rvip.csv (angles seen from the centroid)."""
    readers = _read_rvip(tables / "rvip.csv")
    centre_mm: list[float] = []
    angle_deg: list[float] = []
    for case in cases:
        mask = next((p for p in sorted(root.glob(f"{case.name}_mask.*"))), None)
        if mask is None:
            continue
        labels = load_study(mask).volume
        marks = {row["index"]: row for row in case.result["landmarks"]["slices"]}
        for index in range(len(labels.array)):
            lv = np.argwhere((labels.array[index] >= 1) & (labels.array[index] <= 4))
            if not len(lv):
                continue
            centroid = labels.to_lps([index, *lv.mean(0)])
            found = marks[index]["lv_centre"]
            centre_mm.append(math.inf if found is None else float(np.linalg.norm(np.subtract(found, centroid))))
            for name, expected in readers.get((case.name, index), {}).items():
                point = marks[index][name]
                off = (
                    math.inf
                    if point is None
                    else abs(float(turn(expected, display_angle(labels, np.subtract(point, centroid)))))
                )
                angle_deg.append(off)
    figures: dict[str, Any] = {}
    if centre_mm:
        figures |= {
            "centre_slices": len(centre_mm),
            "centre_within_10_mm": _share(centre_mm, CENTRE_MM),
            "centre_median_mm": float(np.median(centre_mm)),
        }
    if angle_deg:
        figures |= {
            "rvips": len(angle_deg),
            "rvip_within_20_deg": _share(angle_deg, RVIP_DEG),
            "rvip_median_deg": float(np.median(angle_deg)),
        }
    return figures


def _share(values: Sequence[float], limit: float) -> float:
    return float(np.mean(np.asarray(values) <= limit))


def _read_rvip(path: Path) -> dict[tuple[str, int], dict[str, float]]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["study"], int(row["slice"])): {
                "rvip_anterior": float(row["anterior_deg"]),
                "rvip_inferior": float(row["inferior_deg"]),
            }
            for row in csv.DictReader(file)
        }


def write_evaluation(out: Path, figures: dict[str, Any], results: Path, truth: Path) -> None:
    """figures.json and cases.csv (one row a study: truth, probability, answer)."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "figures.json").write_text(json.dumps(_rounded(figures), indent=1) + "\n", "utf-8")
    cases, _ = read_cases(results, truth)
    with (out / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "study",
                "lge",
                "probability",
                "present",
                "abstained",
                "segments_true",
                "segments_found",
                "layer_true",
                "caption",
            ]
        )
        for case in cases:
            detection, lesions = case.result["detection"], case.result["finding"]["lesions"]
            named = sorted({n for lesion in lesions for n in lesion["segments"]})
            writer.writerow([
                case.name, case.truth["lge"], detection["probability"], detection["present"], detection["abstained"],
                case.truth.get("segments", ""), " ".join(map(str, named)), case.truth.get("layer", ""), case.result["caption"],
            ])  # fmt: skip


def as_table(figures: dict[str, Any]) -> str:
    """Figures as aligned lines for a terminal."""
    lines = []
    for name, value in _rounded(figures).items():
        if isinstance(value, dict):
            lines += [f"  {v}  {text}" for text, v in value.items()]
        else:
            lines.append(f"{name:32} {value}")
    return "\n".join(lines)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
