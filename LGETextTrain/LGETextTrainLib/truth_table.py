"""The truth of an evaluated set: truth.csv, and findings.jsonl beside it; read whole and checked before anything is detected."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

from LGETextDetectLib.finding import Finding
from LGETextDetectLib.refusal import InputRefused

REQUIRED = ("study", "lge")
SEGMENT = r"(?:[1-9]|1[0-7])"
# What a cell must look like, and in words.
CELLS = {
    "study": (r".+", "a name"),
    "lge": (r"[01](?:\.0+)?", "0 (scar-free) or 1 (scarred)"),
    "segments": (rf"(?:{SEGMENT}(?: +{SEGMENT})*)?", "AHA segments 1 to 17 with spaces between them"),
    "transmurality": (rf"(?:{SEGMENT}:[0-4](?: +{SEGMENT}:[0-4])*)?", "segment:score pairs like '4:2 10:3'"),
    "slices": (r"(?:\d+(?: +\d+)*)?", "slice numbers with spaces between them"),
    "slice_lge": (r"(?:[01](?: +[01])*)?", "0 or 1 for every slice, with spaces between them"),
}


@dataclass(frozen=True, eq=False)
class Truth:
    """rows: of the table, one a study, ``lge`` '0' or '1'; findings: all that is true of a study, of those that are known."""

    rows: tuple[dict[str, str], ...]
    findings: dict[str, Finding]


def patient_of(row: dict[str, str]) -> str:
    """Whose study a row is of: what its column ``patient`` says, else the study is a patient."""
    return row.get("patient") or row["study"]


def read_truth(path: Path) -> Truth:
    """A CSV file in UTF-8, with commas or semicolons, with the columns study and lge and any others.

    Raises InputRefused('not-found', or 'bad-truth' naming row and column, or the study; the header is row 1).
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=";" if ";" in header and "," not in header else ",")
            lines = [
                (reader.line_num, [cell.strip() for cell in line]) for line in reader if any(c.strip() for c in line)
            ]
    except OSError as error:
        raise InputRefused("not-found", f"The truth table {path.name} cannot be opened.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefused("bad-truth", f"{path.name} is no CSV file in UTF-8.") from error
    if len(lines) < 2:
        raise InputRefused("bad-truth", f"{path.name} has no row of a study.")
    known = Truth(tuple(_rows(path.name, lines)), _read_findings(path.parent / "findings.jsonl"))
    for row in known.rows:
        _refuse_contradiction(path.name, row, known.findings.get(row["study"]))
    return known


def _refuse_contradiction(name: str, row: dict[str, str], finding: Finding | None) -> None:
    """Raise InputRefused('bad-truth') for a study of which the truth says both: some figures would count it so, others otherwise."""
    if row["lge"] == "0" and (row.get("segments") or "1" in row.get("slice_lge", "")):
        raise InputRefused(
            "bad-truth", f"{name}, study {row['study']}: scar-free (lge 0), but with scarred segments or slices."
        )
    if (
        finding is not None
        and finding.lge in ("present", "absent")
        and (finding.lge == "present") != (row["lge"] == "1")
    ):
        raise InputRefused(
            "bad-truth", f"{name}, study {row['study']}: lge is {row['lge']}, but findings.jsonl beside it says {finding.lge}.",
            "Correct one of the two, or take findings.jsonl away.",
        )  # fmt: skip


def _rows(name: str, lines: list[tuple[int, list[str]]]) -> list[dict[str, str]]:
    """Rows by column name, checked; lines: (row number, cells), the header first."""
    columns = lines[0][1]
    for required in REQUIRED:
        if required not in columns:
            raise InputRefused("bad-truth", f"{name} has no column '{required}'; its columns are {', '.join(columns)}.")
    rows, seen = [], dict[str, int]()
    for number, cells in lines[1:]:
        if len(cells) > len(columns):
            raise InputRefused("bad-truth", f"{name}, row {number}: more cells than columns.")
        row = dict(zip(columns, cells + [""] * (len(columns) - len(cells)), strict=True))
        for column, (pattern, words) in CELLS.items():
            if column in row and not re.fullmatch(pattern, row[column]):
                raise InputRefused(
                    "bad-truth", f"{name}, row {number}, column '{column}': expected {words}, got {row[column]!r}."
                )
        first = seen.setdefault(row["study"], number)
        if first != number:
            raise InputRefused(
                "bad-truth", f"{name}, row {number}, column 'study': this study stands in row {first} already."
            )
        rows.append(row | {"lge": row["lge"][0]})
    return rows


def _read_findings(path: Path) -> dict[str, Finding]:
    """Findings by study; nothing where there is no such file."""
    if not path.is_file():
        return {}
    findings: dict[str, Finding] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                entry = json.loads(line.decode("utf-8-sig"))
                findings[str(entry["id"])] = Finding.from_dict(entry["finding"])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputRefused("bad-truth", f"{path.name}, row {number}: no id and finding.") from error
    return findings
