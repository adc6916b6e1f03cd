"""The training panel, clicked off-screen: data, check, recipe, start, stop, attach again, curves, history, model to use."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from panel_cases import HERE, wait_until

import slicer  # isort: skip
import slicer_stand_in
from LGETextTrainLib import run_history
from LGETextTrainLib.recipe import read_hospital_recipe
from LGETextTrainLib.run_lock import running_process
from LGETextTrainWidgets import history_section

import LGETextTrain  # isort: skip

ENGINE = (sys.executable, str(HERE / "train_engine_stand_in.py"))
RECIPE = 'name = "h"\nversion = "1"\nseed = 1\n[data]\nstudies = "/s"\nreports = "/r.csv"\n'


@pytest.fixture(autouse=True)
def own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No test sees a person's runs or models, nor leaves a process behind."""
    slicer.mrmlScene.Clear(1)
    monkeypatch.setattr(history_section, "history_file", lambda: tmp_path / "runs.json")
    yield
    for folder in (tmp_path / "out", tmp_path / "other"):
        if folder.is_dir() and running_process(folder):
            run_history.AttachedRun(folder).kill()
    slicer.mrmlScene.Clear(1)


@pytest.fixture
def open_panel(tmp_path: Path):
    """Opens a panel whose engine is the stand-in; several one after another, as Slicer started anew."""

    def opened():
        panel = slicer_stand_in.panel(LGETextTrain.LGETextTrainWidget)
        widget = panel.__enter__()
        widget.logic = LGETextTrain.LGETextTrainLogic(ENGINE)
        held.append(panel)
        return widget

    held: list = []
    yield opened
    for panel in held:
        panel.__exit__(None, None, None)


def choose(panel, tmp_path: Path, text: str = RECIPE, out: str = "out") -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(text, "utf-8")
    panel.ui.recipePath.currentPath, panel.ui.outputPath.currentPath = str(path), str(tmp_path / out)
    return path


# --- recipe ----------------------------------------------------------------------------------------------------------


def test_every_entry_has_a_field_that_says_what_it_does(open_panel) -> None:
    form = open_panel().data.form
    assert {"paint.share", "start.weights", "run.tensorboard", "text.caption_weight"} <= set(form.widgets)
    assert all(len(widget.toolTip) > 8 for widget in form.widgets.values())


def test_a_recipe_is_shown_changed_and_saved(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    path = choose(panel, tmp_path)
    form, ui = panel.data.form, panel.ui
    assert form.widgets["name"].text == "h" and form.widgets["data.studies"].text == "/s"
    assert ui.startButton.enabled
    form.widgets["paint.share"].text = "0.25"
    panel._checkCanApply()
    assert not ui.startButton.enabled and "Save the recipe" in ui.startButton.toolTip
    ui.saveButton.click()
    assert read_hospital_recipe(path).paint.share == 0.25
    assert ui.startButton.enabled and ui.checkButton.enabled
    form.widgets["paint.share"].text = "lots"
    assert not ui.saveButton.enabled and "'paint.share' must be a number" in ui.saveButton.toolTip


def test_chosen_data_make_a_recipe_in_the_output_folder(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    ui = panel.ui
    ui.outputPath.currentPath = str(tmp_path / "out")
    ui.studiesPath.currentPath, ui.reportsPath.currentPath = str(tmp_path), str(tmp_path / "r.csv")
    for name, text in (("name", "mine"), ("version", "2"), ("seed", "7")):
        panel.data.form.set(name, text)
    ui.saveButton.click()
    recipe = read_hospital_recipe(tmp_path / "out" / "recipe.toml")
    assert (recipe.name, recipe.seed, recipe.data.studies) == ("mine", 7, str(tmp_path))
    assert ui.recipePath.currentPath == str(tmp_path / "out" / "recipe.toml")


def test_an_entry_that_is_typed_stays_after_data_were_chosen(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    panel.ui.studiesPath.currentPath = str(tmp_path)
    typed = panel.data.form.widgets["data.studies"]
    assert typed.text == str(tmp_path)
    typed.text = "/typed"
    panel._checkCanApply()
    assert typed.text == "/typed"
    choose(panel, tmp_path)  # another recipe keeps its own studies
    assert typed.text == "/s" and panel.ui.startButton.enabled


def test_a_newly_chosen_recipe_keeps_its_own_data(open_panel, tmp_path: Path) -> None:
    """What was chosen for an earlier recipe does not go into the next one; what is chosen afterwards does."""
    panel = open_panel()
    ui, form = panel.ui, panel.data.form
    choose(panel, tmp_path)
    ui.studiesPath.currentPath = str(tmp_path)
    assert form.widgets["data.studies"].text == str(tmp_path)
    ui.saveButton.click()
    (tmp_path / "second.toml").write_text(RECIPE.replace('"/s"', '"/second"').replace("/r.csv", "/second.csv"), "utf-8")
    ui.recipePath.currentPath = str(tmp_path / "second.toml")
    assert [form.widgets[f"data.{name}"].text for name in ("studies", "reports")] == ["/second", "/second.csv"]
    assert ui.studiesPath.currentPath == "/second" and ui.startButton.enabled
    ui.studiesPath.currentPath = str(tmp_path / "other")
    assert form.widgets["data.studies"].text == str(tmp_path / "other") and not ui.startButton.enabled
    assert form.widgets["data.reports"].text == "/second.csv"


def test_data_are_checked_and_scars_previewed(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    choose(panel, tmp_path)
    ui = panel.ui
    assert not ui.openPageButton.enabled
    ui.checkButton.click()
    assert not ui.checkButton.enabled
    wait_until(lambda: ui.openPageButton.enabled)
    assert "5 present, 7 absent" in ui.checkLabel.text and "12 studies of 11 patients" in ui.checkLabel.text
    ui.previewButton.click()
    wait_until(lambda: ui.previewButton.enabled)
    assert str(panel.data._page).endswith("preview.html")


def test_wrong_data_say_why(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    choose(panel, tmp_path, RECIPE.replace("/r.csv", "/bad.csv"))
    panel.ui.checkButton.click()
    wait_until(lambda: panel.ui.checkButton.enabled)
    assert "[bad-reports]" in panel.ui.errorLabel.text and not panel.ui.openPageButton.enabled


def test_a_recipe_that_cannot_be_written_is_said(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    path = choose(panel, tmp_path)
    panel.data.form.widgets["paint.share"].text = "0.25"
    panel._checkCanApply()
    path.unlink()
    path.mkdir()
    panel.ui.saveButton.click()
    assert "recipe.toml" in panel.ui.errorLabel.text and panel.data.unsaved()
    path.rmdir()
    panel.ui.saveButton.click()
    assert not panel.ui.errorLabel.text and path.is_file()


def test_a_check_that_cannot_start_is_said(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    choose(panel, tmp_path)
    panel.logic = LGETextTrain.LGETextTrainLogic((str(tmp_path / "no such program"),))
    for button in (panel.ui.checkButton, panel.ui.previewButton):
        button.click()
        assert "no such program" in panel.ui.errorLabel.text and not panel.ui.checkLabel.text
        assert panel.data.child is None and button.enabled


def test_a_check_keeps_its_own_folder_when_another_is_chosen(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    choose(panel, tmp_path)
    panel.ui.checkButton.click()
    panel.ui.outputPath.currentPath = str(tmp_path / "other")
    wait_until(lambda: panel.ui.openPageButton.enabled)
    assert panel.data._page == tmp_path / "out" / "check" / "check.html"


# --- run -------------------------------------------------------------------------------------------------------------


def test_a_run_survives_the_panel_and_is_attached_to_again(open_panel, tmp_path: Path) -> None:
    first = open_panel()
    choose(first, tmp_path)
    first.ui.startButton.click()
    wait_until(lambda: first.ui.stageLabel.text.startswith("scar 100/400"))
    first.cleanup()
    assert running_process(tmp_path / "out")
    second = open_panel()
    assert second._run is not None and second.ui.stopButton.enabled
    wait_until(lambda: second.ui.stageLabel.text.startswith("scar 100/400"))
    second.ui.stopButton.click()
    wait_until(lambda: second.ui.stageLabel.text == "Stopped")
    assert running_process(tmp_path / "out") is None
    choose(second, tmp_path)
    assert second.ui.startButton.text == "Go on"
    (tmp_path / "out" / "stop").unlink()
    (tmp_path / "out" / "quick").touch()
    second.ui.startButton.click()
    wait_until(lambda: second.ui.stageLabel.text == "Done")


def test_curves_history_and_the_model_to_use(open_panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = []
    monkeypatch.setattr(history_section, "install_model", lambda bundle: installed.append(bundle) or Installed())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "quick").touch()
    panel = open_panel()
    choose(panel, tmp_path)
    ui = panel.ui
    ui.startButton.click()
    wait_until(lambda: ui.stageLabel.text == "Done")
    assert not ui.curveLabel.pixmap.isNull() and ui.plotsButton.enabled
    ui.plotsButton.click()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 1
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 3
    cells = [ui.historyTable.item(0, column).text() for column in range(5)]
    assert cells[:2] == ["lge-x 1", "done"] and cells[4] == "validation AUROC 0.80"
    assert not ui.useModelButton.enabled
    ui.historyTable.selectRow(0)
    assert ui.useModelButton.enabled
    ui.useModelButton.click()
    assert [bundle.name for bundle in installed] == ["lge-x"] and "lge-x 1" in ui.logText.toPlainText()


def test_a_model_that_cannot_be_installed_is_said(open_panel, tmp_path: Path) -> None:
    """The stand-in's bundle is none: its manifest names no files."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "quick").touch()
    panel = open_panel()
    choose(panel, tmp_path)
    panel.ui.startButton.click()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    panel.ui.historyTable.selectRow(0)
    panel.ui.useModelButton.click()
    assert panel.ui.errorLabel.text.startswith("[bad-bundle]")


def test_stop_kills_a_training_that_cannot_be_asked(open_panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(6, "The handle is invalid")

    killed: list[bool] = []
    monkeypatch.setattr(LGETextTrain, "GRACE_S", 0.0)
    panel = open_panel()
    run = SimpleNamespace(ask_to_stop=refuse, kill=lambda: killed.append(True), poll=list, finished=False)
    panel._follow(run, None)
    with pytest.raises(OSError):
        panel.onStop()
    wait_until(lambda: bool(killed))
    panel._run = None


def test_leaving_the_module_stops_following_the_choices_but_not_the_training(open_panel, tmp_path: Path) -> None:
    panel = open_panel()
    choose(panel, tmp_path)
    ui, chosen = panel.ui, panel._parameterNode
    ui.startButton.click()
    wait_until(lambda: ui.stageLabel.text.startswith("scar 100/400"))
    panel.exit()
    panel.exit()  # once more does no harm
    ui.outputPath.currentPath = str(tmp_path / "other")
    assert chosen.outputFolder == tmp_path / "out"
    chosen.recipe = Path()
    assert "recipe first" not in ui.startButton.toolTip
    (tmp_path / "out" / "quick").touch()
    wait_until(lambda: ui.stageLabel.text == "Done")
    panel.enter()
    assert "recipe first" in ui.startButton.toolTip and ui.outputPath.currentPath == str(tmp_path / "out")
    ui.outputPath.currentPath = str(tmp_path / "other")
    assert chosen.outputFolder == tmp_path / "other"


class Installed:
    title = "lge-x 1"


def test_a_double_click_chooses_an_older_run(open_panel, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "runs.json").write_text(json.dumps([str(tmp_path / "other"), str(tmp_path / "gone")]), "utf-8")
    panel = open_panel()
    assert panel.ui.historyTable.rowCount == 1
    panel.ui.historyTable.cellDoubleClicked.emit(0, 0)
    assert panel.ui.outputPath.currentPath == str(tmp_path / "other")
