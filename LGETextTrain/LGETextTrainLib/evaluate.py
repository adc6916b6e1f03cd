"""Evaluation of one set of studies: result files and measures against a truth table, to figures and a per-case table.

Knows nothing of the networks: what they said lies in the results, what was measured beside it in the measures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from LGETextDetectLib.bundle import file_sha256
from LGETextDetectLib.events import Events
from LGETextDetectLib.refusal import InputRefused

from .baselines import systems, text_against_head
from .evaluate_landmarks import landmark_errors
from .evaluate_places import layers, masks, pointing, segments, slices, transmurality
from .evaluate_presence import abstention, calibration, heart_size, presence
from .evaluate_words import captions, prompts, wording_sensitivity
from .evaluated_case import Case, patients, read_cases
from .figures import plain

TRUTH_SHA256 = "truth_sha256"  # the figure that says by which truth table all others were counted
COHORT = "cohort.json"  # written beside virtual patients: what they are


@dataclass(frozen=True)
class EvaluationFolders:
    """Where everything of one evaluated set lies; measures, and the file of the prompts asked, may be missing."""

    root: Path
    truth: Path
    results: Path
    measures: Path | None = None
    prompts: Path | None = None


@dataclass(frozen=True)
class Evaluation:
    """All figures of one set, with its cases."""

    figures: dict[str, Any]
    cases: list[Case] = field(repr=False)


def evaluate(
    folders: EvaluationFolders,
    zero_shot: Mapping[str, Mapping[str, float] | None] | None = None,
    events: Events | None = None,
) -> Evaluation:
    """All figures that truth, results and measures allow; intervals are 95 % bootstrap over patients (1,000 resamples).

    Raises InputRefused('no-studies') when no study of the truth table has a result.
    """
    cases, missing = read_cases(folders.results, folders.truth, folders.measures)
    if not cases:
        raise InputRefused(
            "no-studies", "No study of the truth table has a result.",
            "Use the names of studies as results/results.csv has them, and see what it says of each.",
        )  # fmt: skip
    figures = {
        **describe_set(folders.root), "studies": len(cases), "patients": len(set(patients(cases))), "without_result": missing, "model": _model(cases),
        TRUTH_SHA256: file_sha256(folders.truth),
        **presence(cases), **calibration(cases), **abstention(cases), **slices(cases), **segments(cases), **layers(cases),
        **transmurality(cases), **pointing(cases), **masks(cases), **landmark_errors(folders.root, cases, folders.truth.parent, events or Events()),
        **captions(cases), **prompts(cases, folders.prompts), **wording_sensitivity(cases), **heart_size(cases), **text_against_head(cases),
        "systems": systems(cases, zero_shot or {}),
    }  # fmt: skip
    return Evaluation(plain(figures), cases)


def describe_set(root: Path) -> dict[str, Any]:
    """Name of a set, whether its patients are virtual, and what is known of them: from cohort.json, else real."""
    path = root / COHORT
    about = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {"set": root.resolve().name, "virtual": bool(about.get("virtual", False)), "about": about.get("about", "")}


def _model(cases: list[Case]) -> str:
    """Name, version and hash of what gave the results; all must be of one model."""
    models = {json.dumps(case.result.get("model", {}), sort_keys=True) for case in cases}
    if len(models) > 1:
        raise InputRefused("bad-bundle", "The results are of different models.", "Evaluate into a new folder.")
    model = cases[0].result.get("model", {})
    return " ".join(str(model[key])[:12] for key in ("name", "version", "sha256") if key in model)
