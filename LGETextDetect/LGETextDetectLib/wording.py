"""Finding to sentence, report to finding, prompt to meaning: the public face of the wording_* files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from . import wording_prompt, wording_report, wording_write
from .finding import Finding, Meaning

if TYPE_CHECKING:
    import numpy as np


def read_report(text: str) -> Finding:
    """What a report says of late enhancement of the LV, as ``Finding`` in finding.py; never raises on any text."""
    return wording_report.read(text)[0]


def explain(text: str) -> list[tuple[str, str]]:
    """(words of the report, what they gave) for every statement that was used, in reading order."""
    return wording_report.read(text)[1]


@lru_cache(maxsize=1024)  # a batch asks the same prompts of every study
def read_prompt(text: str) -> Meaning:
    """What a prompt asks of one study, as ``Meaning`` in finding.py; ``Meaning()`` when that is nothing about LGE of the LV."""
    return wording_prompt.read(text)


def say(finding: Finding) -> str:
    """One caption sentence; ``read_report`` of it gives the finding back."""
    return wording_write.say(finding)


def write_report(rng: np.random.Generator, finding: Finding) -> str:
    """A varied clinical report in which the finding stands among other statements."""
    return wording_write.write_report(rng, finding)
