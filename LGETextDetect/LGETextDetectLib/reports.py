"""Report text in, findings out: what training would understand of a hospital's reports."""

from __future__ import annotations

import csv
import json
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from .events import one_line
from .finding import Finding
from .refusal import InputRefused
from .wording import explain, read_report

MAX_REPORT_CHARACTERS = 1_000_000
MORE_CELLS = "The row that ends on line {} has more cells than the table has columns; text with commas needs quotes."
Report = tuple[str | int, str]


def read_reports(path: Path) -> Iterator[Report]:
    """(id, text) of a .csv file with the columns id and text, or of JSON lines with these fields; one at a time.

    Raises InputRefused(not-found, bad-reports); the line is named, its content never.
    """
    if not os.path.isfile(path):
        raise InputRefused("not-found", "The report file does not exist, or cannot be reached.")
    return _reports_of(path)


def _reports_of(path: Path) -> Iterator[Report]:
    read = _csv_reports if path.suffix.lower() == ".csv" else _json_reports
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from read(file)
    except UnicodeDecodeError as error:
        raise InputRefused("bad-reports", "The report file is not UTF-8 text.") from error


def _csv_reports(file: TextIO) -> Iterator[Report]:
    csv.field_size_limit(min(MAX_REPORT_CHARACTERS, sys.maxsize))
    rows = csv.DictReader(file)
    try:
        if not {"id", "text"} <= set(rows.fieldnames or ()):
            raise InputRefused("bad-reports", "The table has no columns id and text.")
        if any(list(rows.fieldnames or ()).count(name) > 1 for name in ("id", "text")):
            raise InputRefused("bad-reports", "The table has a column id or text twice.")
        for row in rows:
            if row["id"] is None or row["text"] is None:
                raise InputRefused("bad-reports", f"The row that ends on line {rows.line_num} is too short.")
            if None in row:
                raise InputRefused("bad-reports", MORE_CELLS.format(rows.line_num))
            yield row["id"], row["text"]
    except csv.Error as error:
        raise InputRefused("bad-reports", f"The table is malformed near line {rows.line_num}.") from error


def json_lines(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Number, counted from 1, and content of every line that is not blank; raises InputRefused('bad-reports')."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputRefused("bad-reports", f"Line {number} is not JSON.") from error
        yield number, entry


def _json_reports(file: TextIO) -> Iterator[Report]:
    for number, entry in json_lines(file):
        known = isinstance(entry, dict) and isinstance(entry.get("text"), str)
        if not known or not isinstance(entry.get("id"), (str, int)) or isinstance(entry["id"], bool):
            raise InputRefused("bad-reports", f"Line {number} has no id and text.")
        if len(entry["text"]) > MAX_REPORT_CHARACTERS:
            raise InputRefused("bad-reports", f"The report on line {number} is far too long.")
        yield entry["id"], entry["text"]


def write_findings(reports: Iterable[Report], path: Path) -> Iterator[tuple[str | int, str, Finding]]:
    """Write {"id", "finding"} a line and hand on (id, text, finding); the file appears when the last one is written.

    Raises InputRefused('out-occupied') when ``path`` is a folder.
    """
    if path.is_dir():
        raise InputRefused("out-occupied", "The output path is a folder.", "Name a file for the findings.")
    made = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part-{secrets.token_hex(4)}")
    try:
        with partial.open("x", encoding="utf-8", newline="\n") as file:
            for identifier, text in reports:
                finding = read_report(text)
                line = json.dumps({"id": identifier, "finding": finding.to_dict()}, ensure_ascii=False)
                file.write(line.encode("utf-8", "replace").decode("utf-8") + "\n")
                yield identifier, text, finding
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
        if made and not any(path.parent.iterdir()):
            path.parent.rmdir()


def explanation(identifier: str | int, text: str, finding: Finding) -> str:
    """What was understood of one report: its statements that were used, and what each gave."""
    lines = [one_line(f"{identifier}: {finding.lge}")]
    lines += [one_line(f'"{words}" -> {meaning}') for words, meaning in explain(text)]
    return "\n    ".join(lines)
