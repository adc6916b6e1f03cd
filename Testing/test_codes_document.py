"""docs/codes.md names every code that a result can hold."""

import re
from pathlib import Path

import pytest
from LGETextDetectLib.outputs.report_words import REASONS
from LGETextDetectLib.refusal import REMEDIES

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "codes.md").read_text("utf-8")
NO_ANSWER, QUALITY, REFUSALS = re.split(r"^## .*$", DOCUMENT, flags=re.M)[1:]


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text))


def in_table(text: str) -> set[str]:
    """Codes of a table's first column."""
    return {code for cell in re.findall(r"^\| (`.*?) \|", text, re.M) for code in re.findall(r"`([a-z-]+)`", cell)}


def flags_in(*files: str) -> set[str]:
    """Codes of the quality flags that these files give."""
    folder = ROOT / "LGETextDetect" / "LGETextDetectLib"
    source = "".join((folder / name).read_text("utf-8") for name in files)
    return {a or b for a, b in re.findall(r'Flag\(\s*"([a-z-]+)"|UNSEEN = "([a-z-]+)"', source)}


def test_every_reason_for_no_answer() -> None:
    assert named(NO_ANSWER) == set(REASONS)


def test_every_flag_of_the_images_and_the_answer() -> None:
    flags = flags_in("quality.py")
    assert len(flags) >= 15 and flags <= in_table(QUALITY)
    assert in_table(QUALITY) - flags <= {
        "other-acquisitions", "retaken-slices", "duplicate-images", "plane-unclear", "kind-unlabelled", "blank-slices",
    }  # fmt: skip


@pytest.mark.parametrize("code", sorted(named(REFUSALS)))
def test_refusals_are_known(code: str) -> None:
    assert code in REMEDIES
