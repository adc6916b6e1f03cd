"""One evaluated study: its row of the truth table, its finding, its result.json and what was measured beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.finding import ENDOCARDIAL, LAYERS, Finding, Lesion, images_unfit
from LGETextDetectLib.results_table import TABLE, read_rows

from .measures import read_measures
from .truth_table import patient_of, read_truth

Facts = set[tuple[int, str | None]]


@dataclass(frozen=True, eq=False)
class Case:
    """One study; ``finding`` is what is true as far as the tables tell (all of it when ``complete``).

    ``measures`` is empty when none were taken.
    """

    name: str
    truth: dict[str, str]
    result: dict[str, Any]
    finding: Finding
    measures: dict[str, Any] = field(default_factory=dict)
    complete: bool = False

    @property
    def patient(self) -> str:
        """Whose study it is."""
        return patient_of({"study": self.name, **self.truth})

    @property
    def scarred(self) -> bool:
        """Whether the study holds scar."""
        return self.truth["lge"] == "1"

    @property
    def located(self) -> bool:
        """Whether the truth says in which segments: an empty cell does so of a scar-free study alone."""
        return self._told("segments")

    @property
    def layered(self) -> bool:
        """Whether the truth says in which segments, and of each in which layer."""
        lesions = self.finding.lesions
        return self.located and (not self.scarred or bool(lesions)) and all(lesion.layer for lesion in lesions)

    @property
    def scored(self) -> bool:
        """Whether the truth scores the transmurality of every segment: all scar, if any, reaches from the endocardium."""
        endocardial = all(lesion.layer in ENDOCARDIAL for lesion in self.finding.lesions)
        return self.located and self._told("transmurality") and endocardial

    def _told(self, column: str) -> bool:
        """Whether the table has a column and, of a scarred study, something in it."""
        return column in self.truth and (not self.scarred or self.truth[column] != "")

    @property
    def segments(self) -> set[int]:
        """Truly scarred segments."""
        return {int(v) for v in self.truth.get("segments", "").split()}

    @property
    def named(self) -> set[int]:
        """Segments that the finding names."""
        return {int(n) for lesion in self.result["finding"]["lesions"] for n in lesion["segments"]}

    @property
    def probability(self) -> float:
        """Probability of scar as in the result, calibrated."""
        return float(self.result["detection"]["probability"])

    @property
    def called(self) -> bool:
        """Whether the probability reaches the shipped threshold, abstained or not."""
        return self.probability >= float(self.result["detection"]["threshold"])

    @property
    def answered(self) -> bool:
        """Whether the study has an answer."""
        return not self.result["detection"]["abstained"]

    @property
    def answers_prompts(self) -> bool:
        """Whether its images are fit for answers to prompts."""
        return not images_unfit(self.result["detection"]["reasons"])

    @property
    def slice_truth(self) -> list[bool] | None:
        """Which slices, in input order, hold scar; None when the table does not tell."""
        count = len(self.result["slices"])
        if self.truth.get("slice_lge"):
            flags = [v == "1" for v in self.truth["slice_lge"].split()]
            return flags if len(flags) == count else None
        # In tables of presence alone 'slices' may be their number.
        if "segments" in self.truth and self._told("slices"):
            scarred = {int(v) for v in self.truth["slices"].split()}
            return [k in scarred for k in range(count)]
        return None


def read_cases(results: Path, truth: Path, measures: Path | None = None) -> tuple[list[Case], list[str]]:
    """Cases with a result, and the names of those without one. Raises InputRefused as :func:`read_truth`.

    Where a batch's table lies beside the results, one that it does not call ok is an older result of other images, or of a study
    that is gone.
    """
    known = read_truth(truth)
    table = results / TABLE
    good = {row["study"] for row in read_rows(table) if row["status"] == "ok"} if table.is_file() else None
    cases, missing = [], []
    for row in known.rows:
        name, path = row["study"], results / row["study"] / "result.json"
        if not path.is_file() or (good is not None and name not in good):
            missing.append(name)
            continue
        measured = read_measures(measures, name) if measures is not None else {}
        finding = known.findings.get(name) or finding_of_row(row)
        cases.append(Case(name, row, json.loads(path.read_text("utf-8")), finding, measured, name in known.findings))
    return cases, missing


def finding_of_row(row: dict[str, str]) -> Finding:
    """What a row of a truth table says: presence, and one lesion when it names segments, of one layer or, with none or several, of none that is known."""
    if row["lge"] != "1":
        return Finding("absent")
    segments = tuple(int(v) for v in row.get("segments", "").split())
    layers = [layer for layer in row.get("layer", "").split() if layer in LAYERS]
    lesions = (Lesion(segments, layers[0] if len(layers) == 1 else None),) if segments else ()
    aetiology = row.get("aetiology") or None
    return Finding("present", lesions, aetiology if aetiology in ("ischaemic", "non-ischaemic") else None)


def facts(finding: Finding) -> Facts:
    """(segment, layer) pairs that a finding states as present or possible."""
    return {(n, lesion.layer) for lesion in finding.lesions for n in lesion.segments}


def patients(cases: Sequence[Case]) -> list[str]:
    """Whose study each case is."""
    return [case.patient for case in cases]


def truths(cases: Sequence[Case]) -> npt.NDArray[np.bool_]:
    """(N,) whether each case holds scar."""
    return np.array([case.scarred for case in cases], bool)


def probabilities(cases: Sequence[Case]) -> npt.NDArray[np.float64]:
    """(N,) probabilities of scar."""
    return np.array([case.probability for case in cases], float)
