"""The report of a painted study: its LGE statement is replaced, so that image and text change together."""

from __future__ import annotations

import numpy as np
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.wording import explain, read_report, say
from LGETextDetectLib.wording.write import lge_statement


def painted_report(rng: np.random.Generator, text: str, finding: Finding, varied: bool = True) -> str:
    """``text`` with the sentence on late enhancement replaced by one that says ``finding``, the others dropped.

    varied: worded in many ways; else, and wherever a wording is not read back as what was painted, canonically.
    """
    for statement in ([lge_statement(rng, finding)] if varied else []) + [say(finding)]:
        replaced = _with_statement(text, statement)
        if agrees(read_report(replaced), finding):
            return replaced
    return say(finding)


def agrees(read: Finding, meant: Finding) -> bool:
    """Whether a report is read as the finding that it was written for: class, segments and layers."""
    return read.lge == meant.lge and _places(read) == _places(meant)


def _places(finding: Finding) -> set[tuple[int, str | None]]:
    return {(n, lesion.layer) for lesion in finding.lesions for n in lesion.segments}


def _with_statement(text: str, statement: str) -> str:
    used = [words for words, _ in explain(text) if words and words in text]
    if not used:
        return f"{text.rstrip()} {statement}"
    text = text.replace(used[0], statement, 1)
    for words in used[1:]:
        text = text.replace(words, "", 1)
    return text
