"""Reports of a hospital: a CSV or JSONL table with study and text, or a folder of text files and DICOM structured reports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from LGETextDetectLib.dicom_frames import is_dicom
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.reports import MORE_CELLS, json_lines
from pydicom import dcmread

MAX_TABLE_BYTES = 500_000_000
MAX_CHARACTERS = 1_000_000  # of one report
STUDY_COLUMNS = ("study", "id")  # either names the study
SR_TAGS = ["PatientID", "StudyInstanceUID", "AccessionNumber", "ContentSequence", "Modality"]


@dataclass(frozen=True)
class ReportText:
    """One report. study: every name by which its study may go; patient: its patient, '' when not said."""

    study: tuple[str, ...]
    text: str
    patient: str = ""


def read_report_texts(path: Path) -> list[ReportText]:
    """All reports of a table (.csv, .jsonl) or of a folder with .txt files named after their study and DICOM SR files.

    Raises InputRefused(not-found, bad-reports); the line is named, its content never.
    """
    if not path.exists():
        raise InputRefused("not-found", "The reports do not exist at the path of the recipe.")
    if path.is_dir():
        return list(_of_folder(path))
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise InputRefused("bad-reports", "The report table is far too large.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused("bad-reports", "The report table is not UTF-8 text.") from error
    rows = _csv_rows(text) if path.suffix.lower() in (".csv", ".tsv") else _json_rows(text)
    return [ReportText((study,), words, patient) for study, words, patient in rows]


def _csv_rows(text: str) -> Iterator[tuple[str, str, str]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(MAX_CHARACTERS)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    names = dict(zip(columns, rows.fieldnames or (), strict=True))
    if any(columns.count(name) > 1 for name in (*STUDY_COLUMNS, "text", "patient")):
        raise InputRefused("bad-reports", "The table has a column study, id, text or patient twice.")
    study = next((names[name] for name in STUDY_COLUMNS if name in names), None)
    if study is None or "text" not in names:
        raise InputRefused("bad-reports", "The table has no columns study and text.")
    try:
        for row in rows:
            if row[study] is None or row[names["text"]] is None:
                raise InputRefused("bad-reports", f"The row that ends on line {rows.line_num} is too short.")
            if None in row:
                raise InputRefused("bad-reports", MORE_CELLS.format(rows.line_num))
            patient = (row.get(names["patient"]) or "") if "patient" in names else ""
            yield row[study].strip(), row[names["text"]], patient.strip()
    except csv.Error as error:
        raise InputRefused("bad-reports", f"The table is malformed near line {rows.line_num}.") from error


def _json_rows(text: str) -> Iterator[tuple[str, str, str]]:
    for number, entry in json_lines(text.split("\n")):
        study = (
            next((entry[name] for name in STUDY_COLUMNS if name in entry), None) if isinstance(entry, dict) else None
        )
        if study is None or not isinstance(entry.get("text"), str):
            raise InputRefused("bad-reports", f"Line {number} has no study and text.")
        yield str(study).strip(), entry["text"], str(entry.get("patient") or "").strip()


def _of_folder(folder: Path) -> Iterator[ReportText]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        if path.suffix.lower() == ".txt":
            try:
                yield ReportText((path.stem,), path.read_text("utf-8-sig"))
            except UnicodeDecodeError as error:
                raise InputRefused("bad-reports", "A text file among the reports is not UTF-8 text.") from error
        elif is_dicom(path):
            report = _structured_report(path)
            if report is not None:
                yield report


def _structured_report(path: Path) -> ReportText | None:
    """A DICOM SR as its text values in reading order; None for any other object."""
    try:
        header = dcmread(path, specific_tags=SR_TAGS)
    except Exception as error:  # whatever is wrong with it, it is no report that can be read
        raise InputRefused("bad-reports", "A DICOM file among the reports cannot be read.") from error
    if header.get("Modality") != "SR":
        return None
    names = tuple(str(header.get(tag) or "") for tag in ("StudyInstanceUID", "AccessionNumber"))
    words = "\n".join(_text_values(header.get("ContentSequence") or []))
    return ReportText(tuple(name for name in names if name), words, str(header.get("PatientID") or ""))


def _text_values(items: Any) -> Iterator[str]:
    for item in items:
        if item.get("ValueType") == "TEXT" and item.get("TextValue"):
            yield str(item.TextValue)
        yield from _text_values(item.get("ContentSequence") or [])
