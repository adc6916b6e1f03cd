"""results.csv: one row a study, kept up to date while a batch runs, also by several shards at once."""

from __future__ import annotations

import csv
import io
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .output_folder import written_below
from .refusal import InputRefused

COLUMNS = (
    "study", "path", "status", "reason", "lge", "probability", "threshold", "abstained", "segments", "layer", "slices",
    "image_type", "model_version", "seconds",
)  # fmt: skip
TABLE = "results.csv"
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet's formulas begin with
TRY_EVERY_S = 0.2
Row = dict[str, str]


class TableInUse(InputRefused):
    """The table cannot be replaced now: on Windows, another program has it open."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "out-unwritable",
            f"{name} is open in another program, or write-protected.",
            f"Close {name} and run again with --resume.",
        )


def done_row(study: str, path: str, result: Mapping[str, Any]) -> Row:
    """The row of a study with a result.json."""
    detection, lesions = result["detection"], result["finding"]["lesions"]
    layers = dict.fromkeys(lesion["layer"] for lesion in lesions if lesion["layer"])
    return _row(
        study=study, path=path, status="ok", reason=" ".join(detection["reasons"]), lge=result["finding"]["lge"],
        probability=detection["probability"], threshold=detection["threshold"], abstained=str(detection["abstained"]).lower(),
        segments=" ".join(str(n) for n in sorted({n for lesion in lesions for n in lesion["segments"]})),
        layer=" ".join(layers), slices=result["input"]["slices"], image_type=result["input"]["image_type"],
        model_version=result["model"]["version"], seconds=result["seconds"]["total"],
    )  # fmt: skip


def failed_row(study: str, path: str, status: str, reason: str) -> Row:
    """The row of a study without a result; status is 'refused' or 'error'."""
    return _row(study=study, path=path, status=status, reason=reason)


def _row(**cells: object) -> Row:
    return {name: safe_cell(str(cells.get(name, ""))) for name in COLUMNS}


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula and that UTF-8 can hold, on one line; printable texts stay different."""
    line = "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode("utf-8"))
    return f"'{line}" if line.lstrip("' ")[:1] in FORMULA else line


def write_rows(path: Path, rows: Iterable[Row], patience_s: float = 0.0) -> None:
    """Replace a table at once; rows in order of their study.

    Raises InputRefused('out-unwritable'), and TableInUse when the old table cannot be replaced for ``patience_s``.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row["study"]))
    partial = path.with_name(f".{path.name}.part-{secrets.token_hex(4)}")
    with written_below(path.parent):
        try:
            with partial.open("x", encoding="utf-8", newline="") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
            _replace(partial, path, patience_s)
        finally:
            partial.unlink(missing_ok=True)


def _replace(new: Path, old: Path, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            os.replace(new, old)
            return
        except PermissionError as error:
            if time.monotonic() >= until:
                raise TableInUse(old.name) from error
        time.sleep(TRY_EVERY_S)


def read_rows(path: Path) -> list[Row]:
    """Rows of a table written by :func:`write_rows`; none when there is no such table."""
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return list(reader) if tuple(reader.fieldnames or ()) == COLUMNS else []
    except (UnicodeDecodeError, csv.Error):  # damaged
        return []


class ResultsTable:
    """The rows of one batch run, or of one of ``shard[1]`` parts of it that share an output folder.

    A shard keeps its own rows in a hidden file; results.csv is always made of all shards' files, again until none of
    them has changed meanwhile, so that the last one to write leaves it whole.
    """

    def __init__(self, out: Path, shard: tuple[int, int]) -> None:
        self.rows: dict[str, Row] = {}
        self._path = out / TABLE
        part, count = shard
        parts = [out / f".results-{k}-of-{count}.csv" for k in range(1, count + 1)] if count > 1 else []
        self._own = parts.pop(part - 1) if parts else None
        self._others = parts

    def remove_other_parts(self) -> None:
        """Take away what runs in other numbers of parts left: their rows are older than this run's."""
        for path in set(self._path.parent.glob(".results-*-of-*.csv")) - {self._own, *self._others}:
            path.unlink(missing_ok=True)

    def write(self, patience_s: float = 0.0) -> None:
        """Bring the files up to date; raises as :func:`write_rows`."""
        if self._own is None:
            write_rows(self._path, self.rows.values(), patience_s)
            return
        write_rows(self._own, self.rows.values(), patience_s)
        seen = None
        while seen != (seen := self._read_others()):
            write_rows(self._path, {**seen, **self.rows}.values(), patience_s)

    def without_row(self, studies: Iterable[str]) -> int:
        """How many of these studies have no row, of any part."""
        return len(set(studies) - {*self.rows, *self._read_others()})

    def _read_others(self) -> dict[str, Row]:
        return {row["study"]: row for path in self._others for row in read_rows(path)}
