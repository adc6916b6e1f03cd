"""LGETextDetect in 3D Slicer: module, panel, logic and in-application test. The library does the work in a child process."""

import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import qt
import slicer
import vtk
from LGETextDetectLib.child_process import Child, stop_tree
from LGETextDetectLib.events import Cancelled
from LGETextDetectLib.refusal import REMEDIES, InputRefused
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-slicer.txt"
SAMPLE_NAME = "LGEVirtualPatient"
POLL_MS = 100
GRACE_S = 5.0  # for the engine to clean up after Cancel, then its tree is killed
FOREGROUND_OPACITY = 0.6


class LGETextDetect(ScriptedLoadableModule):
    """The module as Slicer's module list shows it."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("LGE Text Detect")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        self.parent.dependencies = []
        self.parent.contributors = ["LGETextDetect contributors"]
        self.parent.helpText = _(
            "Finds scar in late gadolinium enhancement cardiac MR: a finding in words, the evidence for it on the images, "
            "the 17 AHA segments, and answers to questions. Research use, not for diagnosis."
        )
        self.parent.acknowledgementText = _("Trained on virtual patients only.")
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data():
    """Offer the bundled virtual patient in the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="LGETextDetect",
        sampleName=SAMPLE_NAME,
        thumbnailFileName=str(HERE / "Resources" / "Icons" / "LGETextDetect.png"),
        uris="file:SampleStudy",  # needed, not opened: the study comes with the extension
        fileNames=SAMPLE_NAME,
        nodeNames=SAMPLE_NAME,
        customDownloader=lambda source: [LGETextDetectLogic().load_sample()],
    )


@parameterNodeWrapper
class LGETextDetectParameterNode:
    """What the user chose; saved with the scene. landmarks: points set by hand that override found ones, or None."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    landmarks: slicer.vtkMRMLMarkupsFiducialNode
    prompt: str = ""
    device: Annotated[str, Choice(["auto", "cpu", "cuda"])] = "auto"


# --- logic -----------------------------------------------------------------------------------------------------------


class EngineFailed(RuntimeError):
    """The engine ended without a result and without a refusal; ``log`` holds its last lines."""

    def __init__(self, cause: str, log: Sequence[str] = ()) -> None:
        super().__init__("\n".join([cause, *log]))


class DetectionRun:
    """One detection under way: the child process and the temporary folder that it reads and writes."""

    def __init__(self, volume_node: Any, folder: tempfile.TemporaryDirectory, child: Child) -> None:
        self.volume_node = volume_node
        self.child = child
        self.error: dict[str, Any] | None = None
        self.log: list[str] = []
        self._folder = folder

    @property
    def result_folder(self) -> Path:
        return Path(self._folder.name) / "result"

    def take_events(self) -> list[dict[str, Any]]:
        """The engine's events since the last call; at once."""
        events = self.child.poll()
        for event in events:
            if event["event"] == "error":
                self.error = event
            elif event["event"] == "log":
                self.log = [*self.log[-9:], str(event.get("text", ""))]
        return events

    def close(self) -> None:
        """End what still runs and remove the temporary files."""
        self.child.kill()
        self._folder.cleanup()


class LGETextDetectLogic(ScriptedLoadableModuleLogic):
    """Detection from MRML nodes; needs no panel. ``engine`` is the command before ``detect``."""

    def __init__(self, engine: Sequence[str] | None = None) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._engine = tuple(engine or (python_executable(), "-m", "LGETextDetectLib"))

    def getParameterNode(self):
        return LGETextDetectParameterNode(super().getParameterNode())

    def process(
        self,
        volume_node: Any,
        prompts: Sequence[str] = (),
        landmarks_node: Any = None,
        device: str = "auto",
        on_event: Callable[[dict[str, Any]], None] = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Any:
        """Detect and wait: the result's nodes (mrml.ResultNodes).

        Raises InputRefused for unfit input, EngineFailed when the engine breaks, Cancelled when ``should_stop``.
        """
        run = self.start(volume_node, prompts, landmarks_node, device)
        try:
            while not run.child.finished:
                if should_stop():
                    stop_tree(run.child, GRACE_S)
                    raise Cancelled
                for event in run.take_events():
                    on_event(event)
                run.child.rest()
            return self.finish(run)
        finally:
            run.close()

    def start(
        self, volume_node: Any, prompts: Sequence[str] = (), landmarks_node: Any = None, device: str = "auto"
    ) -> DetectionRun:
        """Start a detection and return at once; poll its child, then call :meth:`finish` and ``close``."""
        if volume_node is None:
            raise ValueError("no input volume")
        ensure_packages(REQUIREMENTS, "LGETextDetect")
        from LGETextDetectLib import mrml
        from LGETextDetectLib.volume_files import write_nrrd

        volume = mrml.volume_from_node(volume_node)
        folder = tempfile.TemporaryDirectory(prefix="LGETextDetect-")
        try:
            source = Path(folder.name) / "input.nrrd"
            write_nrrd(volume, source)
            arguments = [
                "detect",
                str(source),
                "--out",
                str(Path(folder.name) / "result"),
                "--device",
                device,
                "--events",
            ]
            for prompt in prompts:
                arguments.append(f"--prompt={prompt}")  # one word: a prompt may start with a dash
            if landmarks_node is not None:
                points = Path(folder.name) / "landmarks.mrk.json"
                mrml.node_to_markups_file(landmarks_node, points)
                arguments += ["--landmarks", str(points)]
            return DetectionRun(volume_node, folder, Child([*self._engine, *arguments], environment=library_path()))
        except BaseException:
            folder.cleanup()
            raise

    def finish(self, run: DetectionRun) -> Any:
        """The nodes of a finished run; raises InputRefused or EngineFailed, and then the scene is as it was."""
        from LGETextDetectLib import mrml

        run.take_events()
        if run.error is not None:
            code, cause, remedy = (str(run.error.get(key, "")) for key in ("code", "cause", "remedy"))
            if code in REMEDIES:
                raise InputRefused(code, cause, remedy)
            raise EngineFailed(f"{code}: {cause} {remedy}", run.log)
        if run.child.exit_code != 0:
            raise EngineFailed(f"The engine ended with exit code {run.child.exit_code}.", run.log)
        scene = run.volume_node.GetScene()
        if scene is None:
            raise EngineFailed("The input volume was removed from the scene meanwhile.")
        try:
            return mrml.load_result(run.result_folder, run.volume_node, scene)
        except (OSError, ValueError, KeyError) as error:
            raise EngineFailed(f"The engine's result cannot be shown ({error}).", run.log) from error

    def load_sample(self) -> Any:
        """The bundled virtual patient as a volume node."""
        ensure_packages(REQUIREMENTS, "LGETextDetect")
        from LGETextDetectLib import mrml
        from LGETextDetectLib.study import sample_study
        from LGETextDetectLib.volume_files import load_study

        return mrml.volume_to_node(load_study(sample_study()).volume, slicer.mrmlScene, SAMPLE_NAME)


def python_executable() -> str:
    """The interpreter that shares Slicer's packages: PythonSlicer in the application."""
    return shutil.which("PythonSlicer") or sys.executable


def library_path(*more: Path) -> dict[str, str]:
    """Environment in which a child process finds this library and ``more`` folders, wherever the extension lies."""
    import LGETextDetectLib

    folders = [
        str(Path(LGETextDetectLib.__file__).resolve().parents[1]),
        *map(str, more),
        os.environ.get("PYTHONPATH", ""),
    ]
    return {"PYTHONPATH": os.pathsep.join(folder for folder in folders if folder)}


def ensure_packages(requirements: Path, requester: str) -> None:
    """Ask once for the packages that are missing and install them; raises RuntimeError when the user declines."""
    try:
        import slicer.packaging as packaging
    except ImportError:  # Slicer 5.10
        _install_missing(requirements, requester)
        return
    packaging.pip_ensure(packaging.load_requirements(requirements), requester=requester)


def _install_missing(requirements: Path, requester: str) -> None:
    """Slicer 5.10's way; like the newer one, nothing is installed while tests run."""
    from packaging.requirements import Requirement

    lines = (line.strip() for line in requirements.read_text("utf-8").splitlines())
    missing = [line for line in lines if line and line[0] not in "#-" and not _satisfied(Requirement(line))]
    if not missing or slicer.app.testingEnabled():
        return
    question = _("{requester} needs these Python packages: {missing}. Install them now?").format(
        requester=requester, missing=", ".join(missing)
    )
    if not slicer.util.confirmOkCancelDisplay(question):
        raise RuntimeError(_("The packages {missing} were not installed.").format(missing=", ".join(missing)))
    slicer.util.pip_install(["--only-binary", ":all:", *missing])


def _satisfied(requirement: Any) -> bool:
    try:
        return importlib.metadata.version(requirement.name) in requirement.specifier
    except importlib.metadata.PackageNotFoundError:
        return False


# --- what the panel says ---------------------------------------------------------------------------------------------


def volume_text(volume_node: Any) -> str:
    """One line about a volume node: slices and spacing."""
    if volume_node is None or volume_node.GetImageData() is None:
        return ""
    columns, rows, slices = volume_node.GetImageData().GetDimensions()
    column_mm, row_mm, slice_mm = volume_node.GetSpacing()
    return _("{slices} slices of {rows} x {columns}, {row:.2f} x {column:.2f} mm, {gap:.1f} mm apart").format(
        slices=slices, rows=rows, columns=columns, row=row_mm, column=column_mm, gap=slice_mm
    )


def result_text(result: Any) -> str:
    """The finding in words; an abstention is shown as one, never as 'no scar'."""
    detection = result["detection"]
    answer = {True: _("Scar found."), False: _("No scar found."), None: _("Undecided: look at the images.")}
    lines = [
        answer[detection["present"]],
        result["caption"],
        _("Probability {p:.2f}").format(p=detection["probability"]),
    ]
    lines += [str(reason) for reason in detection["reasons"]]
    for prompt in result["prompts"]:
        known = prompt["probability"] is not None
        lines.append(
            f"{prompt['text']}  {prompt['probability']:.2f}" if known else f"{prompt['text']}  " + _("not understood")
        )
    lines += [f"{flag['severity']}: {flag['text']}" for flag in result["quality"] if flag["severity"] != "info"]
    return "\n".join(lines)


def error_text(error: Exception) -> str:
    """Code, cause and remedy of a refusal; else the message."""
    if isinstance(error, InputRefused):
        return f"[{error.code}] {error.cause}\n{error.remedy}"
    return str(error)


# --- panel -----------------------------------------------------------------------------------------------------------


class LGETextDetectWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: starts a detection, polls it by a timer, shows what it says."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._run = None
        self._kill_at_s = None  # set by Cancel: when to stop asking and kill
        self._followed = None  # the volume whose changes are observed

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/LGETextDetect.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = LGETextDetectLogic()
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.ui.sampleButton.connect("clicked(bool)", self.onLoadSample)
        self.ui.promptLineEdit.connect("returnPressed()", self.onPromptEntered)
        self.initializeParameterNode()

    def cleanup(self):
        self._abandon()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)

    def onSceneStartClose(self, caller=None, event=None):
        self._abandon()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller=None, event=None):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Use the scene's parameter node; the first volume is chosen when none is."""
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.inputVolume is None:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if first is not None:
                self._parameterNode.inputVolume = first

    def setParameterNode(self, parameter_node):
        """Follow another parameter node, or none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = parameter_node
        if self._parameterNode is not None:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None):
        """What can be clicked now, and why not."""
        running = self._run is not None
        volume_node = self._parameterNode.inputVolume if self._parameterNode is not None else None
        self._follow(volume_node)
        ready = volume_node is not None and volume_node.GetImageData() is not None
        self.ui.seriesLabel.text = volume_text(volume_node)
        self.ui.applyButton.enabled = ready and not running
        self.ui.cancelButton.enabled = running and self._kill_at_s is None
        self.ui.sampleButton.enabled = not running
        if running:
            self.ui.applyButton.toolTip = _("A detection is running.")
        elif ready:
            self.ui.applyButton.toolTip = _("Look for scar in this volume.")
        else:
            self.ui.applyButton.toolTip = _("Choose a volume with a short-axis LGE stack first.")

    def _follow(self, volume_node):
        """Look again when the chosen volume gets or changes its image."""
        if volume_node is self._followed:
            return
        if self._followed is not None:
            self.removeObserver(self._followed, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._followed = volume_node
        if volume_node is not None:
            self.addObserver(volume_node, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)

    def onLoadSample(self, checked=False):
        with slicer.util.tryWithErrorDisplay(_("The sample study could not be loaded."), waitCursor=True):
            node = self.logic.load_sample()
            self._parameterNode.inputVolume = node
            if slicer.app.layoutManager() is not None:
                slicer.util.setSliceViewerLayers(background=node, fit=True)

    def onPromptEntered(self):
        if self.ui.applyButton.enabled:
            self.onApply()

    def onApply(self, checked=False):
        """Start a detection; unfit input is said in the panel."""
        self._show_error("")
        self.ui.resultLabel.text = ""
        self.ui.logText.plainText = ""
        prompt = self._parameterNode.prompt.strip()
        try:
            with slicer.util.tryWithErrorDisplay(show=False, waitCursor=True):
                self._run = self.logic.start(
                    self._parameterNode.inputVolume,
                    [prompt] if prompt else [],
                    self._parameterNode.landmarks,
                    self._parameterNode.device,
                )
        except Exception as error:  # whatever it is, it belongs in the panel: the user can act on it
            self._show_error(error_text(error))
        else:
            self._kill_at_s = None
            self._show_progress(_("Starting"), 0, 0)
            self._timer.start()
        self._checkCanApply()

    def onCancel(self, checked=False):
        """Ask the engine to stop; :meth:`_poll` kills its tree when it does not."""
        if self._run is not None:
            self._run.child.ask_to_stop()
            self._kill_at_s = time.monotonic() + GRACE_S
            self._show_progress(_("Cancelling"), 0, 0)
        self._checkCanApply()

    def _poll(self):
        """Take the engine's events; when it has ended, show the result."""
        run = self._run
        if run is None:
            self._timer.stop()
            return
        for event in run.take_events():
            self._show_event(event)
        if not run.child.finished:
            if self._kill_at_s is not None and time.monotonic() > self._kill_at_s:
                run.child.kill()
            return
        cancelled = self._kill_at_s is not None
        self._end_run()
        try:
            if cancelled:
                self._show_progress(_("Cancelled"), 0, 1)
            else:
                self._show_result(self.logic.finish(run))
        except Exception as error:  # as in onApply
            self._show_progress("", 0, 1)
            self._show_error(error_text(error))
        finally:
            run.close()
            self._checkCanApply()

    def _end_run(self):
        self._timer.stop()
        self._run = None
        self._kill_at_s = None

    def _abandon(self):
        """Leave no process behind when the scene or the application closes."""
        run = self._run
        if run is not None:
            self._end_run()
            run.close()
            self._show_progress(_("Cancelled"), 0, 1)

    def _show_event(self, event):
        kind = event["event"]
        if kind == "progress" and self._kill_at_s is None:
            self._show_progress(str(event.get("stage", "")), int(event.get("done", 0)), int(event.get("total", 0)))
        elif kind in ("log", "warning"):
            self.ui.logText.appendPlainText(str(event.get("text", "")))

    def _show_progress(self, stage, done, total):
        """A stage's name and the bar; ``total`` 0 is a bar without an end."""
        self.ui.stageLabel.text = stage
        self.ui.progressBar.maximum = total
        self.ui.progressBar.value = done

    def _show_result(self, nodes):
        self._show_progress(_("Done"), 1, 1)
        self.ui.resultLabel.text = result_text(nodes.result)
        if slicer.app.layoutManager() is not None:
            volume_node = self._parameterNode.inputVolume
            slicer.util.setSliceViewerLayers(
                background=volume_node, foreground=nodes.evidence, foregroundOpacity=FOREGROUND_OPACITY
            )

    def _show_error(self, text):
        self.ui.errorLabel.text = text
        self.ui.errorLabel.visible = bool(text)


# --- in-application test ---------------------------------------------------------------------------------------------


class LGETextDetectTest(ScriptedLoadableModuleTest):
    """Run inside Slicer by 'Reload and Test' and by Testing/InSlicer."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        for test in (self.test_sample_study, self.test_refusal):
            self.setUp()
            test()

    def test_sample_study(self):
        """From the bundled study to nodes beside it."""
        self.delayDisplay("Detection on the sample study")
        node = LGETextDetectLogic().load_sample()
        nodes = LGETextDetectLogic().process(node, prompts=["scar in the inferior wall"])
        self.assertEqual(nodes.table.GetNumberOfRows(), 17)
        self.assertEqual(len(nodes.result["prompts"]), 1)
        self.assertEqual(json.loads(nodes.text.GetText())["schema_version"], 1)

    def test_refusal(self):
        """A constant image is refused with its code, and nothing stays behind."""
        self.delayDisplay("Refusal of a constant image")
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "constant")
        import numpy as np

        slicer.util.updateVolumeFromArray(node, np.ones((8, 64, 64), np.float32))
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(InputRefused) as refused:
            LGETextDetectLogic().process(node)
        self.assertEqual(refused.exception.code, "constant-image")
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
