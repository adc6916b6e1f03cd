"""Finding to sentence (write.py), report to finding (report.py), prompt to meaning (prompt.py); the other files serve these three."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..finding import Finding, Meaning
from . import prompt, report, write

if TYPE_CHECKING:
    import numpy as np


def read_report(text: str) -> Finding:
    """What a report says of late enhancement of the LV, as ``Finding`` in finding.py; never raises on any text."""
    return report.read(text)[0]


def explain(text: str) -> list[tuple[str, str]]:
    """(words of the report, what they gave) for every statement that was used, in reading order."""
    return report.read(text)[1]


@lru_cache(maxsize=1024)  # a batch asks the same prompts of every study
def read_prompt(text: str) -> Meaning:
    """What a prompt asks of one study, as ``Meaning`` in finding.py; ``Meaning()`` when that is nothing about LGE of the LV."""
    return prompt.read(text)


def say(finding: Finding) -> str:
    """One caption sentence; ``read_report`` of it gives the finding back."""
    return write.say(finding)


def write_report(rng: np.random.Generator, finding: Finding) -> str:
    """A varied clinical report in which the finding stands among other statements."""
    return write.write_report(rng, finding)
