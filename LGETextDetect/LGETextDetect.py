"""LGETextDetect in 3D Slicer: module, logic, panel and in-application test. The library does the work in a child process.

The panel's sections lie in LGETextDetectWidgets; here is what they share: the scene's parameters and the run under way.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import slicer
import vtk
from LGETextDetectLib import mrml_roles
from LGETextDetectLib.child_process import stop_tree
from LGETextDetectLib.events import Cancelled
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectWidgets import engine_process, packages
from LGETextDetectWidgets.batch_section import BatchSection
from LGETextDetectWidgets.detection_run import DetectionRun, Request, show_run, start_run
from LGETextDetectWidgets.dicom_source import SAMPLE_ATTRIBUTE, check_files
from LGETextDetectWidgets.engine_watch import EngineWatch
from LGETextDetectWidgets.export_section import ExportSection
from LGETextDetectWidgets.input_section import InputSection
from LGETextDetectWidgets.landmark_section import LandmarkSection
from LGETextDetectWidgets.panel_runs import PanelRuns
from LGETextDetectWidgets.panel_words import IMAGE_TYPE_ATTRIBUTE
from LGETextDetectWidgets.question_section import QuestionSection
from LGETextDetectWidgets.result_section import ResultSection
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
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
SAMPLE_SUMS = HERE / "Resources" / "SampleStudy.sha256"


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
        self.parent.acknowledgementText = _(
            "Trained on virtual patients and on public cine (Sunnybrook Cardiac Data, CC0) with painted scars."
        )
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data():
    """Offer the bundled virtual patient in the Sample Data module; every file of it is checked when it is loaded."""
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
    """What the user chose; saved with the scene. landmarks: the points in use; model: a key of models.py."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    landmarks: slicer.vtkMRMLMarkupsFiducialNode
    prompt: str = ""
    device: Annotated[str, Choice(["auto", "cpu", "cuda"])] = "auto"
    model: str = ""
    autoUpdate: bool = True
    showSegments: bool = True
    showEvidence: bool = True
    showLegend: bool = True
    evidenceThreshold: Annotated[float, WithinRange(0.0, 1.0)] = 0.2
    batchFolder: Path
    batchResults: Path


class LGETextDetectLogic(ScriptedLoadableModuleLogic):
    """Detection from MRML nodes; needs no panel. ``engine`` is the command before ``detect``."""

    def __init__(self, engine: Sequence[str] | None = None) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.engine = tuple(engine or engine_process.engine_command())

    def getParameterNode(self):
        return LGETextDetectParameterNode(super().getParameterNode())

    def process(
        self,
        volume_node: Any,
        on_event: Callable[[dict[str, Any]], None] = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
        **wishes: Any,
    ) -> Any:
        """Detect and wait: the result's nodes (mrml_results.ResultNodes). wishes: prompts and the rest of Request.

        Raises InputRefused for unfit input, EngineFailed when the engine breaks, Cancelled when ``should_stop``.
        """
        run = self.start(Request(volume_node, **wishes))
        try:
            while not run.child.finished:
                if should_stop():
                    stop_tree(run.child, engine_process.GRACE_S)
                    raise Cancelled
                for event in run.take_events():
                    on_event(event)
                run.child.rest()
            return show_run(run)
        finally:
            run.close()

    def start(self, request: Request) -> DetectionRun:
        """Start a detection and return at once; poll its child, then ``show_run`` and ``close``."""
        if request.volume_node is None:
            raise ValueError("no input volume")
        self.ensure_packages()
        return start_run(request, self.engine)

    def ensure_packages(self) -> None:
        """Ask once for what the engine needs."""
        packages.ensure_packages(REQUIREMENTS, "LGETextDetect")

    def load_sample(self) -> Any:
        """The bundled virtual patient as a volume node; raises InputRefused('no-sample') when a file is not the shipped one."""
        from LGETextDetectLib.study import sample_study

        check_files(sample_study(), SAMPLE_SUMS)
        node = self.load_study(sample_study(), SAMPLE_NAME)
        node.SetAttribute(SAMPLE_ATTRIBUTE, "1")
        return node

    def load_study(self, source: Path | tuple[Path, ...], name: str) -> Any:
        """A study, read as the engine reads it, as a volume node."""
        self.ensure_packages()
        from LGETextDetectLib import mrml
        from LGETextDetectLib.volume_files import load_study

        volume = load_study(source).volume
        node = mrml.volume_to_node(volume, slicer.mrmlScene, name)
        node.SetAttribute(IMAGE_TYPE_ATTRIBUTE, volume.image_type)
        return node


class LGETextDetectWidget(PanelRuns, ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: sections around the scene's parameters; what is run and shown is in PanelRuns."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.parameters = None
        self.nodes = None  # mrml_results.ResultNodes of the volume in use
        self._gui_tag = None
        self._result_folder = (
            None  # a TemporaryDirectory with the engine's files, as long as they are the shown result's
        )
        self._followed = None  # the volume whose changes are observed
        self._again = False  # points moved during a run

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/LGETextDetect.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = LGETextDetectLogic()
        self.watch = EngineWatch(self._on_event, self._on_end)
        self.input, self.landmarks, self.result = InputSection(self), LandmarkSection(self), ResultSection(self)
        self.questions, self.export, self.batch = QuestionSection(self), ExportSection(self), BatchSection(self)
        self._sections = (self.input, self.landmarks, self.result, self.questions, self.export, self.batch)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.ui.copyLogButton.connect("clicked(bool)", self.onCopyLog)
        self.initializeParameterNode()

    def cleanup(self):
        self._let_go()
        self.batch.close()
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        """Another module is shown: the panel no longer follows its parameters; what runs and what was found stays."""
        self._stop_following()

    def onSceneStartClose(self, caller=None, event=None):
        self._let_go()

    def onSceneEndClose(self, caller=None, event=None):
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller, event, node):
        """A volume takes its result along, before the selector looks for another one to choose."""
        is_image = isinstance(node, slicer.vtkMRMLScalarVolumeNode) and not mrml_roles.made_here(node)
        if not is_image or caller.IsClosing() or not mrml_roles.result_nodes(node, caller):
            return
        from LGETextDetectLib import mrml_results

        if node is self.volume_node:
            self._forget_result()
        mrml_results.remove_with_input(node, caller)

    def _let_go(self):
        """Leave no process, file or drawing of this scene behind when it or the application closes; a batch goes on."""
        if self.watch.abandon():
            self._show_progress(_("Cancelled"), 0, 1)
        self.export.close()
        self._forget_result()
        self.landmarks.close()
        self.setParameterNode(None)

    def initializeParameterNode(self):
        """Use the scene's parameter node; the first volume that is no part of a result is chosen when none is."""
        self.input.fill_models()
        self.setParameterNode(self.logic.getParameterNode())
        if self.parameters.inputVolume is None:
            first = mrml_roles.first_image(slicer.mrmlScene)
            if first is not None:
                self.parameters.inputVolume = first

    def setParameterNode(self, parameter_node):
        """Follow another parameter node, or none."""
        self._stop_following()
        self.parameters = parameter_node
        if self.parameters is not None:
            self._gui_tag = self.parameters.connectGui(self.ui)
            self.addObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._checkCanApply()

    def _stop_following(self):
        if self._gui_tag is not None:
            self.parameters.disconnectGui(self._gui_tag)
            self.removeObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._gui_tag = None

    @property
    def volume_node(self):
        return self.parameters.inputVolume if self.parameters is not None else None

    @property
    def ready(self):
        """Whether there is a volume that can be read."""
        return self.input.ready()

    @property
    def result_folder(self):
        """The engine's files of the shown result; None when they are gone, for example after a scene was opened."""
        return Path(self._result_folder.name) / "result" if self._result_folder is not None else None

    def _checkCanApply(self, caller=None, event=None):
        """What can be clicked now, and why not."""
        busy = self.watch.run is not None
        self._follow(self.volume_node)
        for section in self._sections:
            section.update(busy)
        self.ui.applyButton.enabled = self.ready and not busy
        self.ui.cancelButton.enabled = busy and not self.watch.cancelling
        if busy:
            self.ui.applyButton.toolTip = _("A detection is running.")
        elif self.ready:
            self.ui.applyButton.toolTip = _("Look for scar in this volume.")
        else:
            self.ui.applyButton.toolTip = _("Choose a volume with a short-axis LGE stack first.")

    def _follow(self, volume_node):
        """Look again when the chosen volume gets or changes its image; another volume has its own points and result."""
        if volume_node is self._followed:
            return
        if self._followed is not None:
            for event, slot in self._slots_of(self._followed):
                self.removeObserver(self._followed, event, slot)
        changed, self._followed = self._followed is not None, volume_node
        self._forget_result()
        if volume_node is None:
            self._forget_points_and_questions()
            return
        for event, slot in self._slots_of(volume_node):
            self.addObserver(volume_node, event, slot)
        nodes = self._result_in_scene(volume_node)
        if nodes is not None:
            self._use_result(nodes)
            self.questions.restore()
        elif changed:
            self._forget_points_and_questions()

    def _slots_of(self, volume_node):
        return (
            (vtk.vtkCommand.ModifiedEvent, self._checkCanApply),
            (volume_node.ImageDataModifiedEvent, self._checkCanApply),
            (volume_node.TransformModifiedEvent, self.onTransformModified),
        )

    def onTransformModified(self, caller=None, event=None):
        """A transform put the volume elsewhere: its result goes along."""
        if packages.library_ready() and mrml_roles.result_nodes(self.volume_node, slicer.mrmlScene):
            from LGETextDetectLib import mrml_results

            self.landmarks.take_over(lambda: mrml_results.follow_transform(self.volume_node, slicer.mrmlScene))
        self._checkCanApply()

    def _forget_points_and_questions(self):
        """They belong to the volume that was chosen; the next one must not inherit them."""
        if self.parameters is not None:
            self.parameters.landmarks = None
        self.questions.forget()

    def _result_in_scene(self, volume_node):
        """A result that the scene holds for a volume; the library is loaded only where there may be one."""
        if slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLTableNode") is None or not packages.library_ready():
            return None
        from LGETextDetectLib import mrml_results

        return mrml_results.find_result(volume_node, slicer.mrmlScene)


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
        logic = LGETextDetectLogic()
        nodes = logic.process(logic.load_sample(), prompts=["scar in the inferior wall"])
        self.assertEqual(nodes.table.GetNumberOfRows(), 17)
        self.assertEqual(len(nodes.result["prompts"]), 1)
        self.assertEqual(nodes.result["schema_version"], 1)

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
