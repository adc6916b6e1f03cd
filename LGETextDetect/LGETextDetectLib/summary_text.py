"""A result as plain text for a terminal: the finding, and the answers to prompts with what to know before trusting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .events import one_line
from .finding import Meaning, images_unfit
from .outputs.report_words import segment_rows
from .questions import prompt_pair

NOTICE = "Research use, not for diagnosis."
LIKELIEST = 5  # segments, where none is named
PROMPT_WIDTH = 60
NOT_UNDERSTOOD = "(not understood as a question about late enhancement)"
_ANSWERS = {True: "scar found", False: "no scar found", None: "no answer"}


def finding_text(result: Mapping[str, Any], report: Path) -> str:
    """The finding of one study, a line each; ``result`` is result.json."""
    detection, model = result["detection"], result["model"]
    lines = [
        f"Caption:     {result['caption']}",
        _verdict(detection),
        f"Probability: {detection['probability']:.2f} (threshold {detection['threshold']:.2f})",
        _segments(result),
        *_quality(result["quality"]),
        f"Model:       {model['name']} {model['version']}, backend {model['backend']}, device {model['device']}",
        f"Report:      {report}",
    ]
    if result["prompts"]:
        lines += ["", prompts_table(result["prompts"], images_unfit(detection["reasons"]))]
    return "\n".join([*lines, NOTICE])


def query_text(result: Mapping[str, Any]) -> str:
    """The answers to prompts, below the study's own answer and its quality; ``result`` is result.json."""
    detection = result["detection"]
    table = prompts_table(result["prompts"], images_unfit(detection["reasons"]))
    return "\n".join([_verdict(detection), *_quality(result["quality"]), "", table, NOTICE])


def _verdict(detection: Mapping[str, Any]) -> str:
    reasons = f" ({', '.join(detection['reasons'])})" if detection["reasons"] else ""
    return f"Detection:   {_ANSWERS[detection['present']]}{reasons}"


def _segments(result: Mapping[str, Any]) -> str:
    """The segments of the finding, or the likeliest ones where it names none, each with its probability."""
    named = {number for lesion in result["finding"]["lesions"] for number in lesion["segments"]}
    seen = [row for row in segment_rows(result) if row["probability"] is not None]
    ranked = sorted(seen, key=lambda row: -row["probability"])
    shown = [row for row in ranked if row["aha"] in named] or ranked[:LIKELIEST]
    label = "Segments:    " if named else "Likeliest:   "
    return label + ", ".join(f"{row['aha']} {row['name']} {row['probability']:.2f}" for row in shown)


def _quality(flags: Sequence[Mapping[str, str]]) -> list[str]:
    if not flags:
        return ["Quality:     no remarks"]
    lines = [f"[{flag['severity']}] {flag['code']}: {flag['text']}" for flag in flags]
    return [("Quality:     " if k == 0 else " " * 13) + line for k, line in enumerate(lines)]


def prompts_table(prompts: Sequence[Mapping[str, Any]], unfit: bool = False) -> str:
    """Table of prompts: as typed, understood or not, probability, and the question that was put to the model.

    unfit: the study's images are; then what was understood is said not to be answered.
    """
    rows = [("Prompt", "Understood", "Probability", "Asked")]
    for row in prompts:
        unanswered = "not answered" if unfit and row["understood"] else "-"
        probability = unanswered if row["probability"] is None else f"{row['probability']:.2f}"
        rows.append(
            (shortened(row["text"]), "yes" if row["understood"] else "no", probability, asked_sentence(row["meaning"]))
        )
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]) for row in rows
    )


def asked_sentence(meaning: Mapping[str, Any]) -> str:
    """The canonical sentence whose truth was asked for, from a prompt's ``meaning`` in result.json."""
    understood = Meaning(**{**meaning, "segments": tuple(meaning["segments"]), "layers": tuple(meaning["layers"])})
    return prompt_pair(understood)[understood.negated] if understood.understood else NOT_UNDERSTOOD


def shortened(text: str) -> str:
    """A prompt on one line of at most ``PROMPT_WIDTH`` characters."""
    line = one_line(text)
    return line if len(line) <= PROMPT_WIDTH else line[: PROMPT_WIDTH - 3] + "..."
