"""What is said and asked: prompts, the same question in other words, its negation, and the caption against the segment table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.study import read_prompts
from LGETextDetectLib.wording import read_prompt, read_report

from .evaluated_case import Case, Facts, facts, patients
from .figures import auroc, estimate

MIN_CLASS = 3  # a prompt needs as many true and as many false studies to be scored


@dataclass(frozen=True)
class Question:
    """One question in five wordings, and its negation."""

    name: str
    wordings: tuple[str, ...]
    negated: str


QUESTIONS = (
    Question(
        "anywhere",
        (
            "Is there late gadolinium enhancement?", "scar in the left ventricle", "any myocardial fibrosis present?",
            "evidence of delayed hyperenhancement", "does the heart show LGE",
        ),
        "no late gadolinium enhancement",
    ),
    Question(
        "septum",
        (
            "scar in the septum", "Is there septal late enhancement?", "LGE of the interventricular septum",
            "fibrosis of the septal wall", "does the septum show hyperenhancement?",
        ),
        "no scar in the septum",
    ),
    Question(
        "inferior wall",
        (
            "inferior wall scar", "Is there late enhancement of the inferior wall?", "LGE in the inferior segments",
            "inferior myocardial fibrosis", "hyperenhancement of the inferior LV wall",
        ),
        "the inferior wall is free of scar",
    ),
    Question(
        "lateral wall, not ischaemic",
        (
            "non-ischaemic scar of the lateral wall", "non-ischaemic late enhancement in the lateral wall",
            "lateral wall LGE of non-ischaemic pattern", "non-ischaemic fibrosis of the free wall",
            "is there a non-ischaemic lateral scar?",
        ),
        "no non-ischaemic scar in the lateral wall",
    ),
)  # fmt: skip


def standing_prompts() -> tuple[str, ...]:
    """What is asked of every evaluated study besides the prompts given: all wordings and their negations."""
    return tuple(text for question in QUESTIONS for text in (*question.wordings, question.negated))


def write_prompts(path: Path, given: Path | None) -> Path:
    """One file of the prompts given and the standing ones, each once; raises InputRefused('bad-prompts') for a bad file.

    given: one prompt a line, or JSON lines (.jsonl) with ``text`` and, if known, ``meaning``.
    """
    texts = dict.fromkeys((*_given_prompts(given), *standing_prompts()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return path


def _given_prompts(given: Path | None) -> dict[str, Meaning | None]:
    """Prompts of a file with the meaning that it states, None where it states none; line breaks become spaces."""
    if given is None:
        return {}
    lines = read_prompts(given)
    if given.suffix != ".jsonl":
        return dict.fromkeys(lines)
    try:
        entries = [json.loads(line) for line in lines]
        known = {" ".join(str(entry["text"]).split()): _stated(entry.get("meaning")) for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        raise InputRefused("bad-prompts", "The prompt file is not JSON lines with text.") from error
    return {text: meaning for text, meaning in known.items() if text}


def _stated(meaning: dict[str, Any] | None) -> Meaning | None:
    if meaning is None:
        return None
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in meaning.items()}
    return Meaning(**fields)


def prompts(cases: Sequence[Case], given: Path | None) -> dict[str, Any]:
    """AUROC of every prompt that is true of some studies that answer prompts and false of others, by the studies' true findings.

    What a prompt means is what its file states, and only without that what the program understands. A prompt that has a
    meaning but was not understood tells nothing: 0.5.
    """
    kept = [case for case in cases if case.complete and case.answers_prompts]
    asked = _given_prompts(given)
    if not kept or not asked:
        return {}
    scores: dict[str, float] = {}
    stated = {text: meaning for text, meaning in asked.items() if meaning is not None}
    for text, meaning in asked.items():
        meaning = meaning or read_prompt(text)
        true = np.array([meaning.true_for(case.finding) for case in kept])
        if meaning.understood and min(true.sum(), (~true).sum()) >= MIN_CLASS:
            scores[text] = auroc([_said(case, text) for case in kept], true)
    right = [read_prompt(text) == meaning for text, meaning in stated.items()]
    return {
        "prompts_scored": len(scores), "prompts_not_scored": len(asked) - len(scores),
        **({"prompts_read_as_stated": float(np.mean(right))} if right else {}),
        **({"prompt_auroc_mean": float(np.mean(list(scores.values()))), "prompt_auroc": scores} if scores else {}),
    }  # fmt: skip


def _said(case: Case, text: str) -> float:
    """The probability given to a prompt, 0.5 when it was not understood or not asked."""
    found = next((row["probability"] for row in case.result["prompts"] if row["text"] == text), None)
    return 0.5 if found is None else float(found)


def wording_sensitivity(cases: Sequence[Case]) -> dict[str, Any]:
    """How far the probability moves with the wording (largest minus smallest of five), and whether a negation mirrors it.

    Over all studies that answer prompts and all questions; a wording that was not understood counts as a difference of 1.
    """
    spreads: list[float] = []
    mirrors: list[float] = []
    rows: dict[str, dict[str, float]] = {}
    for question in QUESTIONS:
        answers = [_answers(case, question) for case in cases if case.answers_prompts]
        spread = [_spread(said) for said, _ in answers if said]
        mirror = [_mirror(said, negated) for said, negated in answers if said]
        if spread:
            rows[question.name] = {
                "median_difference": float(np.median(spread)), "largest_difference": float(np.max(spread)),
                "median_mirror_error": float(np.median(mirror)),
            }  # fmt: skip
        spreads, mirrors = spreads + spread, mirrors + mirror
    if not spreads:
        return {}
    return {
        "wording_difference_median": float(np.median(spreads)), "wording_difference_95_percent": float(np.percentile(spreads, 95)),
        "negation_mirror_error_median": float(np.median(mirrors)), "negation_mirror_error_largest": float(np.max(mirrors)),
        "by_question": rows,
    }  # fmt: skip


def _answers(case: Case, question: Question) -> tuple[list[float | None], float | None]:
    """Probabilities of the wordings that were asked and of the negation; an empty list when the question was not asked."""
    said = {row["text"]: row["probability"] for row in case.result["prompts"]}
    if not all(text in said for text in (*question.wordings, question.negated)):
        return [], None
    return [said[text] for text in question.wordings], said[question.negated]


def _spread(said: Sequence[float | None]) -> float:
    known = [p for p in said if p is not None]
    return max(known) - min(known) if len(known) == len(said) else 1.0


def _mirror(said: Sequence[float | None], negated: float | None) -> float:
    """|mean of the affirmative answers + the negated one - 1|."""
    known = [p for p in said if p is not None]
    return abs(float(np.mean(known)) + negated - 1) if known and negated is not None else 1.0


def captions(cases: Sequence[Case]) -> dict[str, Any]:
    """The caption, read back as a report, against the segment table of the same result and against the truth.

    caption_agrees_on_presence: the caption says (possible) enhancement exactly when a segment's probability reaches the
    threshold for naming segments. caption_names_the_table: it names exactly the segments that carry a layer in the table.
    caption_fact_f1: (segment, layer) pairs of all captions together against those of the true findings, of studies whose
    layers are known; caption_segment_f1: segments, where those are.
    """
    read = [read_report(case.result["caption"]) for case in cases]
    said = [finding.lge in ("present", "uncertain") for finding in read]
    figures: dict[str, Any] = {}
    table = [_over_threshold(case) for case in cases]
    if None not in table:
        figures["caption_agrees_on_presence"] = float(np.mean([a == b for a, b in zip(said, table, strict=True)]))
    named = [{n for n, _ in facts(finding)} == case.named for finding, case in zip(read, cases, strict=True)]
    figures["caption_names_the_table"] = float(np.mean(named))
    figures["caption_right_on_presence"] = float(
        np.mean([a == case.scarred for a, case in zip(said, cases, strict=True)])
    )
    pairs = [(facts(f), facts(case.finding)) for f, case in zip(read, cases, strict=True) if case.layered]
    who = patients([case for case in cases if case.layered])
    if any(true for _, true in pairs):  # scar-free studies alone hold no fact to be found
        figures |= estimate("caption_fact_f1", lambda k: _f1([pairs[i] for i in k]), who)
    places = [
        (_places(facts(f)), _places(facts(case.finding))) for f, case in zip(read, cases, strict=True) if case.located
    ]
    if any(true for _, true in places):
        figures["caption_segment_f1"] = _f1(places)
    return figures


def _over_threshold(case: Case) -> bool | None:
    cut = case.measures.get("segment_threshold")
    return None if cut is None else any(row["probability"] >= round(cut, 4) for row in case.result["segments"])


def _places(found: Facts) -> Facts:
    return {(n, None) for n, _ in found}


def _f1(pairs: Sequence[tuple[Facts, Facts]]) -> float:
    """F1 of all facts of all studies together; NaN when nothing is said and nothing is true."""
    both = sum(len(said & true) for said, true in pairs)
    total = sum(len(said) + len(true) for said, true in pairs)
    return 2 * both / total if total else float("nan")
