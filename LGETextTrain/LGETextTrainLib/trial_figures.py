"""Figures of an experiment on the virtual hospital, and the document that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.finding import Finding

from .figures import auroc, interval

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
NOTICE = "Research use, not for diagnosis."
PATIENT, SEGMENT = "patient_auroc", "segment_auroc"


@dataclass(frozen=True)
class Known:
    """What is true of one test study, and whose it is."""

    finding: Finding
    patient: str


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model says of the test studies: study (N,), plain head (N,), segments (N, 17); None: it tells no segments."""

    study: Floats
    head: Floats
    segment: Floats | None

    def of_head(self) -> Answers:
        """The plain classifier in the text's place."""
        return Answers(self.head, self.head, None)


def figures_of(answers: Sequence[Answers], truth: Sequence[Known]) -> dict[str, Any]:
    """Patient and segment AUROC, mean of the seeds; 95 % bootstrap over patients of that mean, and the patients' by seed."""
    scarred, _ = _true([known.finding for known in truth])
    return _measured(answers, truth) | {f"{PATIENT}_by_seed": [auroc(a.study, scarred) for a in answers]}


def gain(before: Sequence[Answers], after: Sequence[Answers], truth: Sequence[Known]) -> dict[str, Any]:
    """Difference of the mean AUROCs on the same studies, the first ones that ``truth`` tells of, with 95 % bootstrap intervals."""
    return _measured(after, truth, before)


def _measured(answers: Sequence[Answers], truth: Sequence[Known], less: Sequence[Answers] = ()) -> dict[str, Any]:
    """Mean AUROCs of ``answers``, less those of ``less``, by patient and, where all tell segments, by segment."""
    scarred, segments = _true([known.finding for known in truth])
    who = [known.patient for known in truth]

    def patients(of: Sequence[Answers], k: Indices) -> float:
        return float(np.mean([auroc(a.study[k], scarred[k]) for a in of])) if of else 0.0

    def places(of: Sequence[Answers], k: Indices) -> float:
        told = [a.segment[k].ravel() for a in of if a.segment is not None]
        return float(np.mean([auroc(own, segments[k].ravel()) for own in told])) if told else 0.0

    measures = {PATIENT: patients}
    if all(a.segment is not None for a in (*answers, *less)):
        measures[SEGMENT] = places
    figures: dict[str, Any] = {}
    for name, measure in measures.items():
        difference = lambda k, own=measure: own(answers, k) - own(less, k)  # noqa: E731
        figures |= {name: difference(np.arange(len(truth))), f"{name}_95": interval(difference, who)}
    return figures


def _true(findings: Sequence[Finding]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    named = [{n for lesion in finding.lesions for n in lesion.segments} for finding in findings]
    return np.array([f.lge == "present" for f in findings]), np.array(
        [[n in own for n in range(1, 18)] for own in named]
    )


# --- document --------------------------------------------------------------------------------------------------------

WORDS = {
    "proof": (
        "What training on a hospital is worth",
        "The bundled model, and the same model trained further on {train} studies of a virtual hospital and their reports "
        "(`lgetext phantom --hospital`: one scanner's look, own sentences; no mask, no truth was used), on {test} other studies of that "
        "hospital ({test_scarred} scarred), against the truth of the images.",
        "make hospital",
    ),
    "ablation": (
        "What each part of the method is worth",
        "The reference method's experiment (arXiv 2502.12948), repeated on the virtual hospital: {train} studies and reports, nothing "
        "known before but segmentation, no virtual patients mixed in; {scar_steps} steps of the scar network and {text_steps} of the text side at most; "
        "{test} other studies ({test_scarred} scarred), {seeds} seeds. A gain is 'full' less the arm without that part, on the same patients. The "
        "reference reports about +10 points for synthetic scars, +6 for orientation, +3 for the caption loss on its own 965 patients.",
        "make ablation",
    ),
}  # fmt: skip


def as_document(trial: Mapping[str, Any]) -> str:
    """The trial as Markdown."""
    title, words, command = WORDS[trial["kind"]]
    rows = [
        f"| {name} | {_cell(own, PATIENT)} | {_cell(own, SEGMENT)} | {_by_seed(own)} |"
        for name, own in trial["figures"].items()
    ]
    return "\n".join((
        f"# {title}", "", f"{NOTICE} Virtual patients throughout: this shows that the training works, not how well it does on persons.", "",
        words.format(**trial["facts"]), "", "| | patient AUROC (95 %) | segment AUROC (95 %) | patient AUROC by seed |", "|---|---|---|---|", *rows, "",
        f"Start: {trial['start']}. Intervals: bootstrap over test patients. Reprint: `{command}` ({trial['facts']['minutes']} minutes when it was last run).", "",
    ))  # fmt: skip


def _cell(figures: Mapping[str, Any], name: str) -> str:
    if name not in figures:
        return ""
    low, high = figures[f"{name}_95"]
    return f"{figures[name]:.3f} ({low:.3f} to {high:.3f})"


def _by_seed(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{value:.3f}" for value in figures.get(f"{PATIENT}_by_seed", []))
