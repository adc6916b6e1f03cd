"""The text answer beside simpler systems on the same studies, and beside published figures, in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .evaluated_case import Case, patients, probabilities, truths
from .figures import auroc, balanced_accuracy, best_balanced_accuracy, estimate
from .threshold_rules import rule_names

Floats = npt.NDArray[np.float64]
NOT_RUN = "not run: weights not given"


@dataclass(frozen=True)
class Published:
    """A balanced accuracy that somebody else printed, on patients that are not ours."""

    system: str
    balanced_accuracy: float
    source: str


SOURCE = "arXiv 2502.12948, that hospital's own patients; cited, not reproduced"
PUBLISHED = (
    Published("vision-language method of the paper", 0.83, SOURCE),
    Published("image-only classifier of the paper", 0.77, SOURCE),
    Published("BiomedCLIP in the paper", 0.58, SOURCE),
    Published("Med-Flamingo in the paper", 0.50, SOURCE),
)


def systems(cases: Sequence[Case], zero_shot: Mapping[str, Mapping[str, float] | None]) -> list[dict[str, Any]]:
    """One row a system: AUROC with interval, balanced accuracy at its own threshold if it has one, and at the best one.

    zero_shot: per model its score of every study, or None when it was not run. The best threshold is chosen on these
    very studies: an upper bound, which favours every system the same way.
    """
    true, who = truths(cases), patients(cases)
    called = np.array([case.called for case in cases])
    rows = [_row("text answer (shipped)", probabilities(cases), true, who, called)]
    if all("head_probability" in case.measures for case in cases):
        rows.append(_row("plain head, no text", _measured(cases, "head_probability"), true, who))
        for name in rule_names():
            share = np.array([case.measures["rules"][name]["share"] for case in cases], float)
            piece = np.array([case.measures["rules"][name]["piece_mm2"] for case in cases], float)
            label = "FWHM" if name == "fwhm" else f"{name[:-2]} SD"
            rows += [
                _row(f"{label}, share of myocardium", share, true, who),
                _row(f"{label}, largest piece", piece, true, who),
            ]
    rows.append(_row("always positive", np.ones(len(cases)), true, who, np.ones(len(cases), bool)))
    for name, scores in zero_shot.items():
        if scores is None:
            rows.append({"system": name, "note": NOT_RUN})
            continue
        kept = [case for case in cases if case.name in scores]
        score = np.array([scores[case.name] for case in kept], float)
        rows.append({**_row(name, score, truths(kept), patients(kept), score >= 0.5), "studies": len(kept)})
    return rows


def published_rows() -> list[dict[str, Any]]:
    """Citations as rows of the same table."""
    return [{"system": p.system, "balanced_accuracy": p.balanced_accuracy, "note": p.source} for p in PUBLISHED]


def _row(
    system: str,
    score: Floats,
    true: npt.NDArray[np.bool_],
    who: Sequence[str],
    called: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"system": system, **estimate("auroc", lambda k: auroc(score[k], true[k]), who)}
    if called is not None:
        row |= estimate("balanced_accuracy", lambda k: balanced_accuracy(called[k], true[k]), who)
    return {**row, "best_balanced_accuracy_on_this_set": best_balanced_accuracy(score, true)}


def _measured(cases: Sequence[Case], name: str) -> Floats:
    return np.array([case.measures[name] for case in cases], float)


def text_against_head(cases: Sequence[Case]) -> dict[str, Any]:
    """AUROC of the text answer minus that of the plain head, on the same patients (paired bootstrap)."""
    kept = [case for case in cases if "head_probability" in case.measures]
    if not kept:
        return {}
    true, text, head = truths(kept), probabilities(kept), _measured(kept, "head_probability")
    return {
        **estimate("head_auroc", lambda k: auroc(head[k], true[k]), patients(kept)),
        **estimate("text_minus_head_auroc", lambda k: auroc(text[k], true[k]) - auroc(head[k], true[k]), patients(kept)),
    }  # fmt: skip
