"""LGETextTrain in 3D Slicer: start and stop a training of LGETextDetect's model in a process of its own."""

import os
import time
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from LGETextDetectLib.child_process import Child
from LGETextDetectLib.detached_child import DetachedChild
from LGETextDetectWidgets.engine_process import EngineFailed, library_path, python_executable
from LGETextDetectWidgets.packages import ensure_packages
from LGETextDetectWidgets.panel_words import error_text
from LGETextTrainLib.run_history import EVENTS_NAME, AttachedRun, TimeLeft, minutes_words, summary_of
from LGETextTrainLib.training_curves import curves_of, read_log
from LGETextTrainWidgets.curve_picture import show_plots, stage_pixmap
from LGETextTrainWidgets.data_section import DataSection
from LGETextTrainWidgets.history_section import HistorySection
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-slicer-train.txt"
LOG_NAME = EVENTS_NAME
POLL_MS = 500
CURVES_EVERY = 6  # polls between two looks at the log's curves
GRACE_S = 20.0  # for the training to write its checkpoint after Stop, then its tree is killed


class LGETextTrain(ScriptedLoadableModule):
    """The module as Slicer's module list shows it."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("LGE Text Train")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        self.parent.dependencies = ["LGETextDetect"]
        self.parent.contributors = ["LGETextDetect contributors"]
        self.parent.helpText = _(
            "Trains the model of LGE Text Detect on a hospital's studies and reports, or on virtual patients. "
            "Needs the PyTorch extension. Research use, not for diagnosis."
        )
        self.parent.acknowledgementText = ""


@parameterNodeWrapper
class LGETextTrainParameterNode:
    """What the user chose; saved with the scene."""

    recipe: Path
    outputFolder: Path
    studies: Path
    reports: Path


# --- logic -----------------------------------------------------------------------------------------------------------


class LGETextTrainLogic(ScriptedLoadableModuleLogic):
    """Training without a panel. ``engine`` is the command before ``train``, this Slicer's Python by default."""

    def __init__(self, engine=None) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._engine = None if engine is None else tuple(engine)

    def getParameterNode(self):
        return LGETextTrainParameterNode(super().getParameterNode())

    def start(self, recipe: Path, output_folder: Path) -> DetachedChild:
        """Start a training that goes on when Slicer is closed; its events are also kept in the output folder.

        Raises EngineFailed when PyTorch is not there, OSError when the folder cannot be made.
        """
        output_folder.mkdir(parents=True, exist_ok=True)
        command = [*self._ready_engine(), "train", str(recipe), "--out", str(output_folder), "--events"]
        return DetachedChild(command, output_folder / LOG_NAME, library_path(HERE))  # LGETextTrainLib lies beside

    def look(self, command: str, recipe: Path, output_folder: Path) -> Child:
        """Start 'check-data' or 'preview-scars', which end with Slicer. Raises as :meth:`start`."""
        words = [*self._ready_engine(), command, str(recipe), "--out", str(output_folder), "--events"]
        return Child(words, environment=library_path(HERE))

    def _ready_engine(self):
        if self._engine is None:
            ensure_torch()
            ensure_packages(REQUIREMENTS, "LGETextTrain")
        return self._engine or (python_executable(), "-m", "LGETextDetectLib")


def ensure_torch() -> None:
    """Install torch through the PyTorch extension, which asks; raises EngineFailed when it is not there afterwards."""
    import importlib.util

    if importlib.util.find_spec("torch") is not None:
        return
    try:
        import PyTorchUtils
    except ImportError as error:
        raise EngineFailed(_("Install the PyTorch extension in the Extensions Manager, then start again.")) from error
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True) is None:
        raise EngineFailed(_("PyTorch was not installed."))


def missing_input(recipe: Path, output_folder: Path) -> str:
    """What is to be chosen before a training can start; empty when nothing is."""
    if not recipe.is_file():
        return _("Choose a recipe first.")
    if str(output_folder) in ("", "."):
        return _("Choose an output folder first.")
    nearest = next(place for place in (output_folder, *output_folder.parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        return _("The output folder cannot be written.")
    return ""


# --- panel -----------------------------------------------------------------------------------------------------------


class LGETextTrainWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: starts a training, follows its log by a timer, stops it."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._run: Any = None
        self._run_folder = None
        self._time_left = TimeLeft()
        self._polls = 0
        self._kill_at_s = None  # set by Stop: when to stop asking and kill

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/LGETextTrain.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = LGETextTrainLogic()
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.startButton.connect("clicked(bool)", self.onStart)
        self.ui.stopButton.connect("clicked(bool)", self.onStop)
        self.ui.plotsButton.connect("clicked(bool)", self.onPlots)
        self.data = DataSection(self)
        self.history = HistorySection(self)
        self.initializeParameterNode()
        self.attach()

    def cleanup(self):
        self._timer.stop()  # the training itself goes on
        self.data.close()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        """Another module is shown: the panel no longer follows its parameters; a training is watched on."""
        self._stop_following()

    def onSceneStartClose(self, caller=None, event=None):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller=None, event=None):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Use the scene's parameter node."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameter_node):
        """Follow another parameter node, or none."""
        self._stop_following()
        self._parameterNode = parameter_node
        if self._parameterNode is not None:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._checkCanApply()

    def _stop_following(self):
        if self._parameterNodeGuiTag is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._parameterNodeGuiTag = None

    def attach(self):
        """Follow a training that an earlier Slicer started and that still runs."""
        running = self.history.history.running()
        if self._run is None and running is not None:
            self._follow(AttachedRun(running.folder), running.folder)

    def _follow(self, run, folder):
        self._run, self._run_folder, self._kill_at_s = run, folder, None
        self._time_left, self._polls = TimeLeft(), 0
        self._show_progress(_("Starting"), 0, 0)
        self.start_polling()
        self._checkCanApply()

    def attempt(self, action):
        """Do what a button of a section asks for; what fails is said in the panel."""
        self._show_error("")
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                action()
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self._show_error(error_text(error))
        self._checkCanApply()

    def start_polling(self):
        """Listen to the child processes."""
        self._timer.start()

    def _checkCanApply(self, caller=None, event=None):
        """What can be clicked now, and why not."""
        running = self._run is not None
        chosen = self._parameterNode
        if chosen is not None and hasattr(self, "data"):
            self.data.follow(chosen)
        missing = missing_input(chosen.recipe, chosen.outputFolder) if chosen is not None else _("No scene.")
        if not missing and self.data.unsaved():
            missing = _("Save the recipe first.")
        goes_on = not missing and summary_of(chosen.outputFolder).state == "stopped"
        self.ui.startButton.enabled = not missing and not running
        self.ui.startButton.text = _("Go on") if goes_on else _("Start")
        ready = _("Go on where the run stopped.") if goes_on else _("Start the training.")
        self.ui.startButton.toolTip = _("A training is running.") if running else missing or ready
        self.ui.stopButton.enabled = running and self._kill_at_s is None

    def onStart(self, checked=False):
        """Start a training, or go on with one; what is missing is said in the panel."""
        self._show_error("")
        self.ui.logText.plainText = ""
        folder = self._parameterNode.outputFolder
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                run = self.logic.start(self._parameterNode.recipe, folder)
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self._show_error(error_text(error))
        else:
            self.history.history.add(folder)
            self.history.refresh()
            self._follow(run, folder)
        self._checkCanApply()

    def onStop(self, checked=False):
        """Ask the training to stop; :meth:`_poll` kills its tree when it does not."""
        if self._run is not None:
            self._kill_at_s = time.monotonic() + GRACE_S  # first: whatever asking does, it is killed then
            self._run.ask_to_stop()
            self._show_progress(_("Stopping"), 0, 0)
        self._checkCanApply()

    def _poll(self):
        """Show what the processes have said; at the training's end, how it ended."""
        self.data.poll()
        run = self._run
        if run is None:
            if self.data.child is None:
                self._timer.stop()
            return
        for event in run.poll():
            self._show_event(event)
        self._polls += 1
        if self._polls % CURVES_EVERY == 1:
            self._show_curves()
        if not run.finished:
            if self._kill_at_s is not None and time.monotonic() > self._kill_at_s:
                run.kill()
            return
        stopped = self._kill_at_s is not None
        self._run, self._kill_at_s = None, None
        run.kill()  # whatever its head left behind
        self._show_end(run.exit_code, stopped)
        self._show_curves()
        self.history.refresh()
        self._checkCanApply()

    def _show_end(self, exit_code, stopped):
        if stopped:
            self._show_progress(_("Stopped"), 0, 1)
        elif exit_code == 0:
            self._show_progress(_("Done"), 1, 1)
        else:
            self._show_progress("", 0, 1)
            if not self.ui.errorLabel.text:
                self._show_error(_("The training ended with exit code {code}; see the log.").format(code=exit_code))

    def _show_curves(self):
        """The loss and validation curves of the stage that was trained last."""
        curves = curves_of(read_log(self._run_folder / "log.jsonl")) if self._run_folder else []
        self.ui.plotsButton.enabled = bool(curves)
        if curves:
            stage = curves[-1].stage
            self.ui.curveLabel.setPixmap(stage_pixmap([c for c in curves if c.stage == stage], stage))

    def onPlots(self, checked=False):
        """All curves as Slicer plots, the last chart shown."""
        curves = curves_of(read_log(self._run_folder / "log.jsonl"))
        chart = show_plots(slicer.mrmlScene, curves, summary_of(self._run_folder).name)
        if slicer.app.layoutManager() is not None and chart is not None:
            slicer.modules.plots.logic().ShowChartInLayout(chart)

    def _show_event(self, event):
        kind = event["event"]
        if kind == "progress" and self._kill_at_s is None:
            stage, done, total = str(event.get("stage", "")), int(event.get("done", 0)), int(event.get("total", 0))
            self._show_progress(stage, done, total, minutes_words(self._time_left.of(stage, done, total)))
        elif kind == "error":
            self._show_error(f"[{event.get('code')}] {event.get('cause')}\n{event.get('remedy')}")
        elif kind in ("log", "warning"):
            self.ui.logText.appendPlainText(str(event.get("text", "")))

    def _show_progress(self, stage, done, total, left=""):
        """A stage's name, the bar and the time left; ``total`` 0 is a bar without an end."""
        words = f"{stage} {done}/{total}" if total > 1 else stage
        self.ui.stageLabel.text = f"{words}, {left}" if left else words
        self.ui.progressBar.maximum = total
        self.ui.progressBar.value = done

    def _show_error(self, text):
        self.ui.errorLabel.text = text
        self.ui.errorLabel.visible = bool(text)


# --- in-application test ---------------------------------------------------------------------------------------------


class LGETextTrainTest(ScriptedLoadableModuleTest):
    """Run inside Slicer by 'Reload and Test' and by Testing/InSlicer; trains nothing."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_start_needs_a_recipe()

    def test_start_needs_a_recipe(self):
        """The panel opens, says what is missing and does not start."""
        self.delayDisplay("Start without a recipe")
        widget = slicer.modules.lgetexttrain.widgetRepresentation().self()
        self.assertFalse(widget.ui.startButton.enabled)
        self.assertTrue(widget.ui.startButton.toolTip)
