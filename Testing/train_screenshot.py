"""A picture of the training panel beside a run of the virtual hospital: ``python train_screenshot.py RUN_FOLDER OUT.png``.

The panel is the module's own, on the stand-ins for the Slicer application; all that it shows is read from the run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import slicer_stand_in

HERE = Path(__file__).resolve().parent
PARTS = slicer_stand_in.install()
sys.path[:0] = [str(HERE.parent / "LGETextDetect"), str(HERE.parent / "LGETextTrain")]

from LGETextTrainWidgets import data_section, history_section  # noqa: E402

import LGETextTrain  # noqa: E402

WIDTH, HEIGHT = 620, 1040


def main(run: Path, out: Path) -> int:
    with tempfile.TemporaryDirectory() as place:
        history_section.history_file = lambda: Path(place) / "runs.json"
        history_section.RunHistory(Path(place) / "runs.json").add(run)
        with slicer_stand_in.panel(LGETextTrain.LGETextTrainWidget) as widget:
            ui = widget.ui
            ui.studiesPath.currentPath, ui.reportsPath.currentPath = (
                "out/hospital/train/studies",
                "out/hospital/train/reports.csv",
            )
            ui.recipePath.currentPath, ui.outputPath.currentPath = "recipes/hospital.toml", str(run)
            counts = json.loads((run / "check" / "counts.json").read_text("utf-8"))
            ui.checkLabel.text = data_section.counts_words(counts)
            widget._run_folder = run
            widget._show_curves()
            widget._show_progress("Done", 1, 1)
            ui.historyTable.selectRow(0)
            frame = widget.parent.widget
            frame.resize(WIDTH, HEIGHT)
            frame.show()
            PARTS.qt_application.processEvents()
            out.parent.mkdir(parents=True, exist_ok=True)
            return 0 if frame.grab().save(str(out)) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
