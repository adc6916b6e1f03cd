"""The figures that travel with a bundle: metrics.json of virtual test patients and the model card made from it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .calibrate import Outcome, calibrated
from .figures import auroc, balanced_accuracy, brier, interval, rates


def virtual_metrics(
    outcomes: Sequence[Outcome], no_heart: int, thresholds: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Figures on virtual test patients; intervals are 95 % bootstrap over patients."""
    counts = {"patients": len(outcomes), "seed": seed, "no_heart_found": no_heart}
    if not outcomes:
        return counts
    true = np.array([o.study.finding.lge == "present" for o in outcomes])
    score = calibrated([o.prediction.probability for o in outcomes], thresholds)
    head = np.array([o.prediction.head_probability for o in outcomes])
    found = score >= thresholds["study"]
    segment_p = np.stack([o.prediction.segment_probability for o in outcomes])
    segment_true = np.array([[n in _named(o) for n in range(1, 18)] for o in outcomes])
    slice_p = [_slices_in_input_order(o) for o in outcomes]
    slice_true = [o.study.scarred for o in outcomes]
    return {
        **counts, "positive": int(true.sum()),
        "patient_auroc": _finite(auroc(score, true)),
        "patient_auroc_95": [_finite(v) for v in interval(lambda k: auroc(score[k], true[k]), len(true))],
        "image_only_auroc": _finite(auroc(head, true)),
        "balanced_accuracy": _finite(balanced_accuracy(found, true)),
        **{k: _finite(v) for k, v in rates(found, true).items()},
        "brier": _finite(brier(score, true)),
        "slice_auroc": _finite(auroc(np.concatenate(slice_p), np.concatenate(slice_true))),
        "segment_auroc": _finite(auroc(segment_p.ravel(), segment_true.ravel())),
        "segment_auroc_95": [_finite(v) for v in interval(lambda k: auroc(segment_p[k].ravel(), segment_true[k].ravel()), len(true))],
    }  # fmt: skip


def _named(outcome: Outcome) -> set[int]:
    return {n for lesion in outcome.study.finding.lesions for n in lesion.segments}


def _slices_in_input_order(outcome: Outcome) -> np.ndarray:
    result = np.zeros(len(outcome.study.scarred), np.float32)
    result[outcome.order] = outcome.prediction.slice_probability
    return result


def _finite(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def write_card(folder: Path, facts: dict[str, Any], metrics: dict[str, Any]) -> None:
    """MODEL_CARD.md; every number in its table is read from ``metrics``."""
    rows = "\n".join(f"| {name} | {json.dumps(value)} |" for name, value in metrics.items())
    training = "\n".join(f"- {name}: {value}" for name, value in facts["training"].items())
    (folder / "MODEL_CARD.md").write_text(
        f"""# {facts["name"]} {facts["version"]}

**Research use, not for diagnosis.** {facts["intended_use"]}

## What it is
A U-Net finds the left ventricle, the same U-Net started from it looks for scar in the orientation-normalised stack, and
a text side (small BERT, contrastive and caption loss) answers sentences from what the second network saw. The study's
answer compares, for each AHA segment, an affirmative with a negative sentence and is the mean of the two segments that
are affirmed most; free prompts go the same way. Layer and transmurality are read off the scar map where it shows the
lesion, else asked as sentences.

## Training data
{training}

Virtual patients only: no image or report of a person was used. Threshold and calibration come from
{facts["validation"]["patients"]} other virtual patients (seed {facts["validation"]["seed"]}).

## Figures on virtual test patients (`metrics.json`)
| figure | value |
|---|---|
{rows}

Virtual patients flatter a model that was trained on virtual patients. Figures on real hearts: `docs/model-log.md`.

## Limits
Not tested on: paediatric hearts, congenital disease, 3D LGE, dark-blood LGE, devices. Small, faint and non-ischaemic
lesions are missed more often than infarcts.
""",
        "utf-8",
    )
