"""Panel section 'Runs': every run of the user, its folder chosen by a double click, its model put to use."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import qt
from LGETextDetectWidgets.models import install_model
from LGETextTrainLib.run_history import RunHistory, RunSummary
from slicer.i18n import tr as _

from .data_section import open_page

TITLES = ("Run", "State", "Began", "Studies", "Figure")


def history_file() -> Path:
    """Where the list of runs lies: beside Slicer's settings file."""
    return Path(qt.QSettings().fileName()).parent / "LGETextDetect" / "training-runs.json"


class HistorySection:
    """Owns the table of runs and the buttons below it."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self.history = RunHistory(history_file())
        self.runs: list[RunSummary] = []
        table = self._ui.historyTable
        table.setColumnCount(len(TITLES))
        table.setHorizontalHeaderLabels([_(title) for title in TITLES])
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.connect("cellDoubleClicked(int,int)", lambda row, column: self.on_choose(row))
        table.connect("itemSelectionChanged()", self.update)
        self._ui.useModelButton.connect("clicked(bool)", lambda checked=False: panel.attempt(self.on_use))
        self._ui.evaluationButton.connect("clicked(bool)", lambda checked=False: open_page(self._evaluation()))
        self.refresh()

    def refresh(self) -> None:
        """Read again how every run stands."""
        self.runs = self.history.runs()
        table = self._ui.historyTable
        table.setRowCount(len(self.runs))
        for row, run in enumerate(self.runs):
            began = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.began)) if run.began else ""
            for column, text in enumerate((run.name, _(run.state), began, str(run.studies or ""), run.figure)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(str(run.folder))
                table.setItem(row, column, item)
        self.update()

    def update(self) -> None:
        """What can be clicked now."""
        run = self._chosen()
        done = run is not None and run.bundle is not None
        self._ui.useModelButton.enabled = done
        self._ui.useModelButton.toolTip = (
            _("Offer this model in LGE Text Detect.") if done else _("Choose a finished run.")
        )
        self._ui.evaluationButton.enabled = self._evaluation() is not None

    def on_choose(self, row: int) -> None:
        """Take a run's folder for the next start, which goes on with it."""
        self._panel._parameterNode.outputFolder = self.runs[row].folder

    def on_use(self) -> None:
        """Copy the run's model to where LGE Text Detect looks for models. Raises as install_model, OSError too."""
        run = self._chosen()
        if run is not None and run.bundle is not None:
            model = install_model(run.bundle)
            self._ui.logText.appendPlainText(
                _("{title} can now be chosen in LGE Text Detect.").format(title=model.title)
            )

    def _chosen(self) -> RunSummary | None:
        rows = {index.row() for index in self._ui.historyTable.selectedIndexes()}
        return self.runs[rows.pop()] if len(rows) == 1 and max(rows) < len(self.runs) else None

    def _evaluation(self) -> Path | None:
        run = self._chosen()
        page = run.folder / "evaluation.html" if run is not None else None
        return page if page is not None and page.is_file() else None
