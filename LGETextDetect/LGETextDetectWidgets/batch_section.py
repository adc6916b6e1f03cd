"""Panel section 'Batch': every study below a folder, the table filling while it runs, a row opened with a click."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qt
import slicer
from LGETextDetectLib.child_process import Child, stop_tree
from LGETextDetectLib.results_table import read_rows
from slicer.i18n import tr as _

from .engine_process import library_path
from .engine_watch import EngineWatch
from .models import model_of
from .panel_words import error_text, stage_text
from .result_section import fill_table

COLUMNS = ("study", "status", "lge", "probability", "segments")
TITLES = ("Study", "Status", "Scar", "Prob.", "Segments")
DONE, SOME_FAILED = 0, 5  # exit codes of `lgetext batch`
STOP_S = 15.0  # for all workers of a batch to clean up after Stop, then its tree is killed
READ_EVERY_S = 1.0  # the table is read at most this often while a batch runs; a long one seldomer
READ_SHARE = 0.1  # of the window's time at most


class BatchRun:
    """A batch under way; its results lie in the folder that the user chose and stay there.

    places: folders of its studies and of its results, whatever is chosen in the panel meanwhile.
    """

    def __init__(self, child: Child, places: tuple[Path, Path]) -> None:
        self.child, self.places, self.grace_s = child, places, STOP_S
        self.error: Mapping[str, Any] | None = None

    def take_events(self) -> list[dict[str, Any]]:
        events = self.child.poll()
        self.error = next((event for event in events if event["event"] == "error"), self.error)
        return events

    def close(self) -> None:
        """Stop what still runs: it removes what it has half written, and is killed only when it does not end."""
        stop_tree(self.child, self.grace_s)


class BatchSection:
    """Owns the section's widgets and its own child process."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self.watch = EngineWatch(self._on_event, self._on_end)
        self.rows: list[Mapping[str, str]] = []
        self._places = self._chosen = (Path(), Path())  # whose rows are shown; what was chosen when that was settled
        self._read: tuple[Any, ...] = ()  # the file that the rows come from, as it was
        self._read_at_s = 0.0  # when it may be read again
        table = self._ui.batchTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels([_(title) for title in TITLES])
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.connect("cellDoubleClicked(int,int)", lambda row, column: self.on_open())
        table.connect("itemSelectionChanged()", lambda: self.update(False))
        self._ui.batchStartButton.connect("clicked(bool)", self.on_start)
        self._ui.batchStopButton.connect("clicked(bool)", self.on_stop)
        self._ui.openButton.connect("clicked(bool)", self.on_open)

    def update(self, busy: bool) -> None:
        parameters = self._panel.parameters
        missing = self._missing() if parameters is not None else _("No scene.")
        running = self.watch.run is not None
        self._ui.batchStartButton.enabled = not missing and not running
        self._ui.batchStartButton.toolTip = missing or _("Detect in every study below the folder.")
        self._ui.batchStopButton.enabled = running and not self.watch.cancelling
        self._ui.openButton.enabled = self._chosen_row() is not None
        if parameters is not None and not running and not missing:
            if self._choice() != self._chosen:
                self._show_places(self._choice())
            self._show_rows()

    def _missing(self) -> str:
        """What is to be chosen before a batch can start; empty when nothing is."""
        parameters = self._panel.parameters
        if (
            not str(parameters.batchFolder)
            or not Path(parameters.batchFolder).is_dir()
            or str(parameters.batchFolder) == "."
        ):
            return _("Choose the folder of studies.")
        if str(parameters.batchResults) in ("", "."):
            return _("Choose a folder for the results.")
        return ""

    def on_start(self, checked=False) -> None:
        parameters = self._panel.parameters
        self._panel.show_error("")
        try:
            self._panel.logic.ensure_packages()
            words = [
                "batch",
                str(parameters.batchFolder),
                "--out",
                str(parameters.batchResults),
                "--resume",
                "--events",
            ]
            environment = library_path()
            if parameters.model:
                environment["LGETEXT_BUNDLE"] = str(model_of(parameters.model).folder)
            words += ["--device", parameters.device]
            child = Child([*self._panel.logic.engine, *words], environment=environment)
            self.watch.watch(BatchRun(child, self._choice()))
            self._show_places(self._choice())
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self._ui.batchLabel.text = ""
            self._panel.show_error(error_text(error))
        else:
            self._ui.batchLabel.text = _("Starting")
        self.update(False)

    def on_stop(self, checked=False) -> None:
        self.watch.cancel()
        self._ui.batchLabel.text = _("Stopping")
        self.update(True)

    def close(self) -> None:
        """Leave no process behind when the panel goes. A scene may close: a batch does not depend on it."""
        if self.watch.abandon():
            self._ui.batchLabel.text = _("Stopped")

    def _on_event(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "progress":
            done, total = int(event.get("done", 0)), int(event.get("total", 0))
            self._ui.batchLabel.text = f"{stage_text(str(event.get('stage', '')))}: {done} / {total}"
            if time.monotonic() >= self._read_at_s:
                self._show_rows()
        elif event["event"] in ("log", "warning"):
            self._panel.log(str(event.get("text", "")))

    def _on_end(self, run: BatchRun, cancelled: bool) -> None:
        self._show_rows()
        self._chosen = self._choice()  # shown when it is changed again: the run's own rows stay till then
        failed = sum(row["status"] != "ok" for row in self.rows)
        if cancelled:
            self._ui.batchLabel.text = _("Stopped")
        elif run.child.exit_code in (DONE, SOME_FAILED):
            self._ui.batchLabel.text = _("{count} studies, {failed} without a result").format(
                count=len(self.rows), failed=failed
            )
        else:
            error = run.error or {"code": "internal", "cause": _("The batch ended early."), "remedy": _("See the log.")}
            self._ui.batchLabel.text = ""
            self._panel.show_error(f"[{error['code']}] {error['cause']}\n{error['remedy']}")
        self.update(False)

    def _choice(self) -> tuple[Path, Path]:
        """Folders of studies and of results that are chosen now; without a scene those that are shown."""
        parameters = self._panel.parameters
        if parameters is None:
            return self._places
        return Path(parameters.batchFolder), Path(parameters.batchResults)

    def _show_places(self, places: tuple[Path, Path]) -> None:
        """Show the rows of these folders from now on."""
        self._places = self._chosen = places
        self._read_at_s = 0.0

    def _show_rows(self) -> None:
        """Fill the table when the file has changed."""
        path = self._places[1] / "results.csv"
        stat = path.stat() if path.is_file() else None
        file = (path, stat and (stat.st_mtime_ns, stat.st_size, stat.st_ino))
        if file == self._read:
            return
        began_s = time.monotonic()
        self._read, rows = file, read_rows(path)
        if rows != self.rows:
            self.rows = rows
            fill_table(self._ui.batchTable, [[row[name] for name in COLUMNS] for row in rows])
        now_s = time.monotonic()
        self._read_at_s = now_s + max(READ_EVERY_S, (now_s - began_s) / READ_SHARE)

    def _chosen_row(self) -> Mapping[str, str] | None:
        number = self._ui.batchTable.currentRow()
        row = self.rows[number] if 0 <= number < len(self.rows) else None
        return row if row is not None and row["status"] == "ok" else None

    def on_open(self, checked=False) -> None:
        """Load the chosen row's study and its result into the scene."""
        row = self._chosen_row()
        if row is None:
            return
        studies, results = self._places
        self._panel.show_error("")
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                self._panel.logic.ensure_packages()
                from LGETextDetectLib.studies_below import source_at

                source = source_at(studies, row["path"], leave_out=results)
                self._panel.open_study(source, results / row["study"], row["study"])
        except Exception as error:
            self._panel.show_error(error_text(error))
