"""How well a hospital's model reads its own patients: figures against the reports, the card and a page that travel with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.model import Engine, Prediction
from LGETextDetectLib.outputs.report_style import STYLE

from .ask import segment_answers
from .calibrate import MIN_CLASS, calibrated
from .figures import auroc, balanced_accuracy, brier, estimate, plain, rates
from .painted_samples import SampleStudy
from .prepared_study import load_prepared

Indices = npt.NDArray[np.int64]
NOTICE = "Research use, not for diagnosis."


@dataclass(frozen=True)
class Reported:
    """What a report says of a study, taken for the truth."""

    finding: Finding


@dataclass(frozen=True, eq=False)
class ReportedOutcome:
    """A prediction beside what the report says."""

    prediction: Prediction
    study: Reported
    patient: int


def reported_outcomes(
    engine: Engine, prepared: Path, studies: Sequence[SampleStudy], patients: Sequence[int]
) -> list[ReportedOutcome]:
    """Predictions for prepared studies, as detection would make them."""
    return [
        ReportedOutcome(engine.predict(load_prepared(prepared, study.sha256).stack()), Reported(study.finding), patient)
        for study, patient in zip(studies, patients, strict=True)
    ]


def reported_metrics(outcomes: Sequence[ReportedOutcome], thresholds: Mapping[str, Any]) -> dict[str, Any]:
    """Figures against the reports, of segments where a report decides them; intervals are 95 % bootstrap over patients."""
    if not outcomes:
        return {}
    true = np.array([o.study.finding.lge == "present" for o in outcomes])
    score = calibrated([o.prediction.probability for o in outcomes], dict(thresholds))
    head = np.array([o.prediction.head_probability for o in outcomes], float)
    found = score >= thresholds["study"]
    segment_p = np.stack([o.prediction.segment_probability for o in outcomes]).astype(float)
    segment_true, decided = segment_answers([o.study.finding for o in outcomes])
    patients = [o.patient for o in outcomes]
    figures = {
        "studies": len(outcomes), "patients": len(set(patients)), "positive": int(true.sum()),
        **estimate("patient_auroc", lambda k: auroc(score[k], true[k]), patients),
        **estimate("balanced_accuracy", lambda k: balanced_accuracy(found[k], true[k]), patients),
        **rates(found, true), "brier": brier(score, true),
        **estimate("segment_auroc", lambda k: auroc(segment_p[k][decided[k]], segment_true[k][decided[k]]), patients),
        **estimate("image_only_auroc", lambda k: auroc(head[k], true[k]), patients),
    }  # fmt: skip
    return {name: plain(value) for name, value in figures.items()}


def write_hospital_card(folder: Path, facts: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """MODEL_CARD.md; every number of its tables is read from ``metrics``, a table a split."""
    training = "\n".join(f"- {name}: {value}" for name, value in facts["training"].items())
    tables = "\n".join(_card_table(split, own) for split, own in metrics.items())
    chosen = "stopping, threshold and calibration were" if facts["validation"]["fitted"] else "stopping was"
    (folder / "MODEL_CARD.md").write_text(
        f"""# {facts["name"]} {facts["version"]}

**{NOTICE}** {facts["intended_use"]}

## What it is
{_what_it_is(facts["training"])}

## Training data
{training}

{_where_thresholds_come_from(facts)}

## Figures against the reports (`metrics.json`)
{tables}
A report is not a truth: readers differ, and a report says less than the image. A segment counts where the report decides
whether it is scarred; scar without a place leaves all of them open. Figures of the validation patients flatter,
since {chosen} chosen on them.

## Limits
Made for the hospital that it learnt from; elsewhere its figures are unknown. Not tested on: paediatric hearts, congenital disease,
3D LGE, dark-blood LGE, devices.
""",
        "utf-8",
    )


def _what_it_is(training: Mapping[str, Any]) -> str:
    """What became of the start bundle's networks, and what they were shown."""
    started = f'the model "{training["started_from"]}"'
    become = {
        "all": f"{started[0].upper()}{started[1:]}, trained further on studies and reports of one hospital.",
        "heart": f"The heart network of {started}; the scar network, begun from it, and the text side were trained anew on studies and "
        "reports of one hospital.",
        "none": f"The heart network of {started}; the scar network and the text side were trained anew on studies and reports of one "
        "hospital.",
    }[training["weights"]]
    if not training["scar_steps"] and not training["text_steps"]:
        become = f"{started[0].upper()}{started[1:]}; no network was trained."
    painted = (
        ", and scars of known place were painted into studies reported scar-free" if training["painted_share"] else ""
    )
    return f"""{become} No mask was drawn: the reports
say what is there{painted}. Report text reached the
networks only as what was understood of it, said in the model's closed vocabulary."""


def _where_thresholds_come_from(facts: Mapping[str, Any]) -> str:
    training = facts["training"]
    if facts["validation"]["fitted"]:
        return "Threshold and calibration come from the validation patients alone."
    kept = (
        f"are those of {training['started_from']}" if training["weights"] == "all" else "are not fitted to any patients"
    )
    return (
        f"Threshold and calibration {kept}: with fewer than {MIN_CLASS} scarred or {MIN_CLASS} scar-free validation studies they "
        "cannot be fitted to this hospital's."
    )


def _card_table(split: str, metrics: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| {name} | {json.dumps(value)} |" for name, value in metrics.items())
    return f"### {split} patients\n| figure | value |\n|---|---|\n{rows}\n"


def write_evaluation_page(
    path: Path, name: str, metrics: Mapping[str, Mapping[str, Any]], curves: Sequence[tuple[str, str]]
) -> None:
    """evaluation.html: the figures of every split and the training's curves (title, SVG); self-contained."""
    sections = [_section(split, own) for split, own in metrics.items()]
    drawn = "".join(f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>" for title, svg in curves)
    body = f"""<p class="disclaimer">{NOTICE}</p><header><h1>Evaluation of {escape(name)}</h1></header>
<p>Against the reports, which are no truth: readers differ. A segment counts where the report decides whether it is scarred. Intervals: 95 %, bootstrap over patients.</p>{"".join(sections)}
<section><h2>Training</h2><div class="pair">{drawn}</div></section>"""
    page = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title><style>{STYLE}</style></head><body>{body}</body></html>'
    path.write_text(page + "\n", "utf-8")


def _section(split: str, metrics: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(key.replace('_', ' '))}</th><td>{escape(_cell(metrics, key))}</td></tr>"
        for key in metrics
        if not key.endswith("_95")
    )
    return f'<section><h2>{escape(split)} patients</h2><table class="facts">{rows}</table></section>'


def _cell(metrics: Mapping[str, Any], key: str) -> str:
    value, bounds = metrics[key], metrics.get(f"{key}_95")
    text = "not defined" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if not bounds or None in bounds else f"{text} ({bounds[0]:.3f}-{bounds[1]:.3f})"
