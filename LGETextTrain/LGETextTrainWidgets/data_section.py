"""Panel section 'Data and recipe': the entries of a hospital's recipe, the data check and the preview of painted scars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from LGETextDetectLib.child_process import Child
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.recipe import HospitalRecipe, read_hospital_recipe, write_hospital_recipe
from slicer.i18n import tr as _

from .recipe_form import RecipeForm

PAGES = {"check-data": ("check", "check.html"), "preview-scars": ("preview", "preview.html")}
RECIPE_NAME = "recipe.toml"


class DataSection:
    """Owns the section's widgets and one child process, which ends with the panel."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self.form = RecipeForm(self._ui.formArea)
        self.child: Child | None = None
        self._page_to_be, self._page, self._shown = Path(), None, ""
        self._saved: HospitalRecipe | None = None
        self._taken: dict[str, str] = {}  # the chosen studies and reports that the entries have followed
        self._ui.saveButton.connect("clicked(bool)", lambda checked=False: panel.attempt(self.on_save))
        self._ui.checkButton.connect(
            "clicked(bool)", lambda checked=False: panel.attempt(lambda: self.on_run("check-data"))
        )
        self._ui.previewButton.connect(
            "clicked(bool)", lambda checked=False: panel.attempt(lambda: self.on_run("preview-scars"))
        )
        self._ui.openPageButton.connect("clicked(bool)", lambda checked=False: open_page(self._page))
        for widget in self.form.widgets.values():
            signal = next(
                s
                for s in ("textChanged(QString)", "toggled(bool)", "currentIndexChanged(int)")
                if hasattr(widget, s.split("(")[0])
            )
            widget.connect(signal, lambda *changed: self.update())

    def follow(self, parameters: Any) -> None:
        """Show the recipe of the file when another one is chosen; put studies and reports chosen later into the entries."""
        path = parameters.recipe
        if path.is_file() and str(path) != self._shown:
            self._shown = str(path)
            try:
                self._saved = read_hospital_recipe(path)
            except InputRefused:
                self._saved = None  # a recipe of virtual patients, or a wrong one: Start says what is wrong
            else:
                self.form.show(self._saved)
                self._taken = chosen_data(parameters)  # chosen for an earlier recipe
                parameters.studies, parameters.reports = Path(self._saved.data.studies), Path(self._saved.data.reports)
        for entry, chosen in chosen_data(parameters).items():
            if chosen not in ("", ".", self._taken.get(entry)):
                self.form.set(entry, chosen)
            self._taken[entry] = chosen
        self.update()

    def unsaved(self) -> bool:
        """Whether the entries say something else than the recipe file of a hospital that is chosen."""
        try:
            return self._saved is not None and self.form.recipe() != self._saved
        except InputRefused:
            return True

    def update(self) -> None:
        """What can be clicked now, and why not."""
        parameters, busy = self._panel._parameterNode, self.child is not None
        if parameters is None:
            return
        target, wrong = recipe_target(parameters), ""
        try:
            self.form.recipe()
        except InputRefused as refused:
            wrong = refused.cause
        missing = wrong or ("" if target else _("Choose a recipe file or an output folder."))
        self._ui.saveButton.enabled = not missing
        self._ui.saveButton.toolTip = missing or _("Write the entries to {path}.").format(path=target)
        ready = self._saved is not None and not self.unsaved() and not busy and folder_chosen(parameters)
        why = _("A check is running.") if busy else _("Save the recipe first.")
        if self._saved is not None and not self.unsaved() and not folder_chosen(parameters):
            why = _("Choose an output folder first.")
        for button, said in ((self._ui.checkButton, _("Match, read and judge studies and reports; trains nothing.")),
                             (self._ui.previewButton, _("Paint a dozen scars into scar-free studies, to look at."))):  # fmt: skip
            button.enabled, button.toolTip = ready, said if ready else why
        self._ui.openPageButton.enabled = self._page is not None
        self._ui.openPageButton.toolTip = str(self._page) if self._page else _("Check the data first.")

    def on_save(self) -> None:
        """Write the entries to the recipe file, or to the output folder when none is chosen.

        Raises InputRefused for entries that are no recipe, OSError when the file cannot be written.
        """
        parameters = self._panel._parameterNode
        recipe, target = self.form.recipe(), recipe_target(parameters)
        write_hospital_recipe(recipe, target)
        self._saved, self._shown = read_hospital_recipe(target), str(target)
        self.form.show(self._saved)
        parameters.recipe = target
        self._panel._checkCanApply()

    def on_run(self, command: str) -> None:
        """Start the check or the preview in a process of its own. Raises as LGETextTrainLogic.look."""
        parameters = self._panel._parameterNode
        self._page_to_be, self._page = Path(parameters.outputFolder).joinpath(*PAGES[command]), None
        self._ui.checkLabel.text = ""
        self.child = self._panel.logic.look(command, parameters.recipe, parameters.outputFolder)
        self._ui.checkLabel.text = _("Reading studies ...")
        self._panel.start_polling()
        self.update()

    def poll(self) -> None:
        """Show what the process said; its end."""
        if self.child is None:
            return
        for event in self.child.poll():
            kind = event["event"]
            if kind == "progress":
                self._ui.checkLabel.text = _("Reading studies {done}/{total}").format(
                    done=event["done"], total=event["total"]
                )
            elif kind == "result" and "counts" in event["data"]:
                self._ui.checkLabel.text = counts_words(event["data"]["counts"])
            elif kind == "result":
                self._ui.checkLabel.text = _("Scars are painted.")
            elif kind == "error":
                self._panel._show_error(f"[{event.get('code')}] {event.get('cause')}\n{event.get('remedy')}")
            elif kind in ("log", "warning"):
                self._ui.logText.appendPlainText(str(event.get("text", "")))
        if self.child.finished:
            self._page = self._page_to_be if self._page_to_be.is_file() else None
            self.child = None
            self.update()

    def close(self) -> None:
        """Leave no process behind."""
        if self.child is not None:
            self.child.kill()
            self.child = None


def recipe_target(parameters: Any) -> Path | None:
    """Where the entries are saved; None when neither a recipe nor an output folder is chosen."""
    if str(parameters.recipe) not in ("", "."):
        return Path(parameters.recipe)
    return Path(parameters.outputFolder) / RECIPE_NAME if folder_chosen(parameters) else None


def chosen_data(parameters: Any) -> dict[str, str]:
    """Entry of the recipe -> what the panel's own fields say of it."""
    return {"data.studies": str(parameters.studies), "data.reports": str(parameters.reports)}


def folder_chosen(parameters: Any) -> bool:
    return str(parameters.outputFolder) not in ("", ".")


def counts_words(counts: Any) -> str:
    """The data check in two lines."""
    reports = _("Reports: {present} present, {absent} absent, {uncertain} uncertain, {not_stated} not stated.").format(
        **counts
    )
    usable = _("{usable} studies of {patients} patients can be learnt from.").format(**counts)
    return f"{reports}\n{usable}"


def open_page(path: Path | None) -> None:
    """Show a page in the browser."""
    if path is not None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))
