"""Panel section 'Export': report, PDF, folder, scene and DICOM objects of the result that is shown."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from LGETextDetectLib import mrml_roles
from slicer.i18n import tr as _

from . import exports
from .dicom_source import is_dicom, source_folder
from .panel_words import error_text


class ExportSection:
    """Owns the section's buttons; ``choose_file`` and ``choose_folder`` ask for a place ('' when given up)."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self.choose_file, self.choose_folder = choose_file, choose_folder
        self._dicom_target: Path | None = None
        self._dicom_source: Any = None
        self._ui.htmlButton.connect("clicked(bool)", self.on_html)
        self._ui.pdfButton.connect("clicked(bool)", self.on_pdf)
        self._ui.folderButton.connect("clicked(bool)", self.on_folder)
        self._ui.sceneButton.connect("clicked(bool)", self.on_scene)
        self._ui.dicomButton.connect("clicked(bool)", self.on_dicom)
        self._tips = {name: getattr(self._ui, name).toolTip for name in self._buttons()}

    def _buttons(self) -> tuple[str, ...]:
        return ("htmlButton", "pdfButton", "folderButton", "sceneButton")

    def update(self, busy: bool) -> None:
        there = self._panel.result_folder is not None and not self._panel.result.stale
        for name in self._buttons():
            button = getattr(self._ui, name)
            button.enabled = there
            button.toolTip = self._tips[name] if there else _("Press Apply first.")
        possible = there and not busy and is_dicom(self._panel.volume_node)
        installed = importlib.util.find_spec("highdicom") is not None
        self._ui.dicomButton.enabled = possible and installed
        self._ui.dicomButton.toolTip = (
            _("Save the segmentation as DICOM SEG and the finding as DICOM SR.")
            if possible and installed
            else _("Needs the Python package highdicom (part of Slicer 5.12).")
            if possible
            else _("Only after Apply, for a volume that was loaded from DICOM.")
        )

    def _save(self, path: str, write: Callable[[Path], Any]) -> None:
        """Write to a chosen place and say so; what fails is said in the panel."""
        if not path:
            return
        self._panel.show_error("")
        self._ui.exportLabel.text = ""
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                write(Path(path))
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self._panel.show_error(error_text(error))
        else:
            self._ui.exportLabel.text = _("Saved: {path}").format(path=path)

    def on_html(self, checked=False) -> None:
        folder = self._panel.result_folder
        self._save(self.choose_file("report.html", "HTML (*.html)"), lambda path: exports.copy_report(folder, path))

    def on_pdf(self, checked=False) -> None:
        report = (self._panel.result_folder / "report.html").read_text("utf-8")
        result = self._panel.nodes.result
        self._save(self.choose_file("report.pdf", "PDF (*.pdf)"), lambda path: exports.write_pdf(result, report, path))

    def on_folder(self, checked=False) -> None:
        folder, chosen = self._panel.result_folder, self.choose_folder()
        name = f"LGE-{self._panel.nodes.result['study']}"
        self._save(str(Path(chosen) / name) if chosen else "", lambda path: exports.copy_folder(folder, path))

    def on_scene(self, checked=False) -> None:
        from LGETextDetectLib import mrml_bundle

        volume_node, folder = self._panel.volume_node, self._panel.result_folder
        older = mrml_roles.result_nodes(volume_node, slicer.mrmlScene)
        kept = [node for node in older if node.GetAttribute(mrml_roles.KEPT_ATTRIBUTE) is not None]
        self._save(
            self.choose_file("LGE.mrb", "MRB (*.mrb)"),
            lambda path: mrml_bundle.write_clean_mrb(volume_node, folder, kept, path),
        )

    def on_dicom(self, checked=False) -> None:
        """Run the engine on the volume's own files, for objects that refer to them."""
        chosen = self.choose_folder()
        if not chosen:
            return
        try:
            self._dicom_source = source_folder(self._panel.volume_node)
        except Exception as error:
            self._panel.show_error(error_text(error))
            return
        self._dicom_target = Path(chosen)
        self._panel.run_for_dicom(Path(self._dicom_source.name))

    def finish_dicom(self, folder: Path) -> None:
        """Copy what a run for DICOM objects wrote."""
        target = self._dicom_target
        self.close()
        self._save(str(target), lambda path: exports.copy_dicom(folder, path))

    def close(self) -> None:
        """Remove the links to the DICOM files."""
        if self._dicom_source is not None:
            self._dicom_source.cleanup()
        self._dicom_source, self._dicom_target = None, None


def choose_file(name: str, kind: str) -> str:
    """Path of a file to write; '' when the user gives up."""
    answer = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), _("Save"), name, kind)
    return str(answer[0] if isinstance(answer, tuple) else answer)


def choose_folder() -> str:
    """Path of an existing folder; '' when the user gives up."""
    return str(qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Choose a folder")))
