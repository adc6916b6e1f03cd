"""The figures that travel with a bundle: metrics.json, and the model card that is made from it and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .calibrate import Outcome, calibrated
from .evaluation_report import NOTICE, REAL_SOURCE, ROWS, main_table, systems_table
from .figures import auroc, balanced_accuracy, brier, calibration_error, estimate, plain, rates

EVALUATIONS, FAILURES = "evaluations", "failures"  # keys of metrics.json besides the figures of virtual test patients
PLOTS = "*.svg"
SAID_ALREADY = "Research use, not for diagnosis:"


def virtual_metrics(
    outcomes: Sequence[Outcome], no_heart: int, thresholds: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Figures on virtual test patients; intervals are 95 % bootstrap over patients."""
    counts = {"patients": len(outcomes), "seed": seed, "no_heart_found": no_heart}
    if not outcomes:
        return counts
    each = range(len(outcomes))  # a study a patient
    true = np.array([o.study.finding.lge == "present" for o in outcomes])
    score = calibrated([o.prediction.probability for o in outcomes], thresholds)
    head = np.array([o.prediction.head_probability for o in outcomes])
    found = score >= thresholds["study"]
    segment_p = np.stack([o.prediction.segment_probability for o in outcomes])
    segment_true = np.array([[n in _named(o) for n in range(1, 18)] for o in outcomes])
    slice_p = [_slices_in_input_order(o) for o in outcomes]
    slice_true = [o.study.scarred for o in outcomes]
    figures: dict[str, Any] = {"positive": int(true.sum())}
    figures |= estimate("patient_auroc", lambda k: auroc(score[k], true[k]), each)
    figures |= estimate("image_only_auroc", lambda k: auroc(head[k], true[k]), each)
    figures |= estimate("balanced_accuracy", lambda k: balanced_accuracy(found[k], true[k]), each)
    for name in ("sensitivity", "specificity", "ppv", "npv"):
        figures |= estimate(name, lambda k, name=name: rates(found[k], true[k])[name], each)  # type: ignore[misc]
    figures |= estimate("brier", lambda k: brier(score[k], true[k]), each)
    figures |= estimate("calibration_error", lambda k: calibration_error(score[k], true[k]), each)
    figures |= estimate("slice_auroc", lambda k: auroc(_join(slice_p, k), _join(slice_true, k)), each)
    figures |= estimate("segment_auroc", lambda k: auroc(segment_p[k].ravel(), segment_true[k].ravel()), each)
    return counts | {name: plain(value) for name, value in figures.items()}


def _named(outcome: Outcome) -> set[int]:
    return {n for lesion in outcome.study.finding.lesions for n in lesion.segments}


def _slices_in_input_order(outcome: Outcome) -> npt.NDArray[np.float32]:
    result = np.zeros(len(outcome.study.scarred), np.float32)
    result[outcome.order] = outcome.prediction.slice_probability
    return result


def _join(parts: Sequence[npt.NDArray[Any]], chosen: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    return np.concatenate([parts[k] for k in chosen])


def kept_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What of an evaluated set travels with the bundle: the figures of the main table, with intervals, and the baselines."""
    names = {name for row, _ in ROWS for name in (row, f"{row}_95")}
    facts = ("set", "virtual", "about", "studies", "patients", "positive", "without_result", "systems")
    return {name: value for name, value in figures.items() if name in names or name in facts}


# --- the card --------------------------------------------------------------------------------------------------------


def write_card(folder: Path, facts: dict[str, Any], metrics: dict[str, Any]) -> None:
    """MODEL_CARD.md; every number in its tables is read from ``metrics``."""
    parts = [
        f"# {facts['name']} {facts['version']}",
        f"{NOTICE} {facts['intended_use'].removeprefix(SAID_ALREADY).strip()}",
        INTENDED, WHAT_IT_IS, _training(facts), _test_table(metrics),
        *_evaluations(folder, metrics.get(EVALUATIONS, [])),
        LIMITS, *_failures(metrics.get(FAILURES, [])),
    ]  # fmt: skip
    (folder / "MODEL_CARD.md").write_text("\n\n".join(parts) + "\n", "utf-8")


INTENDED = """## Intended use
For researchers who read short-axis LGE stacks: to find studies and segments worth a look, and to study learning from text.
In scope: adult hearts, 2D short-axis LGE stacks, PSIR or magnitude, 1.5 or 3 T. Out of scope: any decision about a patient,
screening, other sequences and views. A reader must look at the images; an answer that was withheld is no negative one."""

WHAT_IT_IS = """## What it is
A U-Net finds the left ventricle. The same U-Net started from it looks for scar in the orientation-normalised stack, at every
slice with its two neighbours, twice: at the signal alone, then also at the first network's wall and at what it saw itself the first
time, on all three slices. It does so in four views of the stack (as it is, upside down, smaller and larger); the mean of all looks
counts. A text side (small BERT, contrastive and caption loss) answers sentences from what the second network saw in every part of
the wall and around it. For each AHA segment an affirmative is compared with a negative sentence; the study's answer is the mean of
the three most affirmed, and no slice is called likelier scarred than the study. The odds of one segment are then taken in proportion
to the share of its wall where scar is seen, up to three tenths: a neighbour of the lesion is not named with it. Free prompts are
asked the same way, and scar of some kind is never called likelier than scar there. The layer is the one of seven whose sentence is
affirmed most, in the segment itself and in those named that touch it; transmurality is read off the scar map where it shows the
lesion."""

LIMITS = """## Limits and failure modes
Not tested on: paediatric hearts, congenital disease, 3D LGE, dark-blood LGE, devices. Small, faint and non-ischaemic
lesions are missed more often than infarcts. Scar as bright as blood may be taken for cavity, epicardial scar for fat;
large dark cores, thin apical walls and the most basal slice (outflow tract, mitral annulus) mislead it. Virtual patients
flatter a model that was trained on virtual patients; the sets of real patients are small and infarcts prevail in them."""


def _training(facts: Mapping[str, Any]) -> str:
    rows = "\n".join(f"- {name}: {value}" for name, value in facts["training"].items())
    said, moved = facts["validation"], ""
    if others := said.get("odds_moved_with"):
        by = facts["thresholds"]["calibration"]["b"]
        moved = f", but for how far the odds are moved as a whole ({by}): as they and {others}, weighed alike, together ask for"
    return (
        f"## Training data\n{rows}\n\nNo late enhancement image and no report of a person was used for training. "
        f"Threshold and calibration come from {said['patients']} other virtual patients (seed {said['seed']}){moved}."
    )


def _test_table(metrics: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in metrics.items() if name not in (EVALUATIONS, FAILURES)}
    rows = "\n".join(f"| {name} | {json.dumps(value)} |" for name, value in kept.items())
    return (
        "## Figures on virtual test patients\nOf the recipe that it was trained with, other seeds. `lgetext bundle --test` "
        f"prints them again. Intervals (`_95`) are 95 % bootstrap over patients.\n\n| figure | value |\n|---|---|\n{rows}"
    )


def _evaluations(folder: Path, sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tables of evaluated sets, virtual and real apart, and their plots where these lie in the folder."""
    parts = []
    for virtual, heading in ((True, "Figures on other virtual patients"), (False, "Figures on real patients")):
        chosen = [figures for figures in sets if figures["virtual"] == virtual]
        if not chosen:
            continue
        source = "" if virtual else f" {REAL_SOURCE}"
        parts += [f"## {heading}", f"`make evaluate` prints them again.{source}", main_table(chosen)]
        for figures in chosen:
            plots = " ".join(f"![{p.stem}]({p.name})" for p in sorted(folder.glob(f"{figures['set']}-{PLOTS}")))
            parts += [
                part
                for part in (f"### {figures['set']}", str(figures["about"]), systems_table(figures["systems"]), plots)
                if part
            ]
    return parts


def _failures(failures: Sequence[Mapping[str, str]]) -> list[str]:
    """Pictures of virtual patients only."""
    if not failures:
        return []
    legend = (
        "Virtual patients. Left the image, right it with the true scar outlined in blue and the evidence in orange."
    )
    return [legend, *(f"{failure['text']}\n\n![{failure['text']}]({failure['file']})" for failure in failures)]
