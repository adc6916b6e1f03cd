"""Both Slicer modules on a real MRML scene (slicer-core), their panels clicked off-screen (PySide6) around stand-ins."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from panel_cases import HERE, PARTS, ROOT, clean_scene, views, wait_until

import slicer  # isort: skip
import engine_stand_in
import slicer.util
import slicer_stand_in
import vtk
from LGETextDetectLib import mrml, mrml_results, mrml_roles
from LGETextDetectLib.events import Cancelled
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from vtk.util.numpy_support import vtk_to_numpy

import LGETextDetect  # isort: skip
from LGETextDetectWidgets import engine_process, models, packages, panel_words
from LGETextDetectWidgets.engine_process import EngineFailed

import LGETextTrain

__all__ = ["clean_scene", "views"]  # fixtures
ENGINE = (sys.executable, str(HERE / "engine_stand_in.py"))


def add_volume(name: str = "LGE", seed: int = 0):
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0.0, 0, 1.5], [0, 1.5, 0], [8.0, 0, 0]])
    values = np.random.default_rng(seed).normal(100, 20, (4, 8, 6)).astype(np.float32)
    return mrml.volume_to_node(Volume(values, affine), slicer.mrmlScene, name)


@pytest.fixture
def panel():
    with slicer_stand_in.panel(LGETextDetect.LGETextDetectWidget) as widget:
        widget.logic = LGETextDetect.LGETextDetectLogic(ENGINE)
        yield widget


def apply(panel, prompt: str = "") -> None:
    panel.ui.promptLineEdit.text = prompt
    panel.ui.applyButton.click()


def applied(panel, prompt: str = ""):
    """A volume with its result shown."""
    node = add_volume()
    apply(panel, prompt)
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    return node


def finding_nodes() -> list[str]:
    count = slicer.mrmlScene.GetNumberOfNodes()
    return [
        name for name in (slicer.mrmlScene.GetNthNode(k).GetName() or "" for k in range(count)) if "LGE finding" in name
    ]


# --- start-up --------------------------------------------------------------------------------------------------------


def test_nothing_heavy_is_imported_or_installed_before_the_first_apply() -> None:
    program = f"""
import sys
sys.path[:0] = {[str(HERE), str(ROOT / "LGETextDetect"), str(ROOT / "LGETextTrain")]!r}
import slicer_stand_in
parts = slicer_stand_in.install()
import LGETextDetect, LGETextTrain
LGETextDetect.LGETextDetect(type("", (), {{}})())
for widget in (LGETextDetect.LGETextDetectWidget, LGETextTrain.LGETextTrainWidget):
    with slicer_stand_in.panel(widget):
        pass
assert not parts.packages.installed and not parts.sample_data.sources
heavy = {{"scipy", "onnxruntime", "torch", "pydicom", "SimpleITK", "monai", "transformers"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_sample_data_is_registered_when_start_up_is_complete() -> None:
    PARTS.app.slots.clear()
    parent = SimpleNamespace()
    LGETextDetect.LGETextDetect(parent)
    assert parent.title and parent.categories == ["Cardiac"] and "not for diagnosis" in parent.helpText
    assert not PARTS.sample_data.sources
    PARTS.app.emit("startupCompleted()")
    (source,) = PARTS.sample_data.sources
    assert source["category"] == "LGETextDetect" and Path(source["thumbnailFileName"]).is_file()
    PARTS.sample_data.sources.clear()


@pytest.mark.parametrize("module", [LGETextDetect, LGETextTrain])
def test_requirements_have_floors_and_leave_slicers_own_packages_alone(module) -> None:
    lines = packages.required_packages(module.REQUIREMENTS)
    assert lines and all(">=" in line and "==" not in line for line in lines)
    names = {line.split(">=")[0].lower() for line in lines}
    assert not names & {"numpy", "simpleitk", "pydicom", "torch", "vtk"}
    assert set(lines) <= set(_dependencies())


def _dependencies() -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["train"]]


# --- panel: input ----------------------------------------------------------------------------------------------------


def test_apply_waits_for_a_volume(panel) -> None:
    assert not panel.ui.applyButton.enabled and "Choose a volume" in panel.ui.applyButton.toolTip
    add_volume()
    assert panel.ui.applyButton.enabled
    words = "PSIR or magnitude not stated: 4 slices of 8 x 6, 1.50 x 1.50 mm, 8.0 mm apart"
    assert panel.ui.seriesLabel.text == words
    assert not panel.ui.cancelButton.enabled


def test_a_volume_that_gets_its_image_later_can_be_applied(panel) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "late")
    assert panel.ui.inputSelector.currentNode() is node and not panel.ui.applyButton.enabled
    assert panel.ui.seriesLabel.text == "Unfit: the volume holds no image."
    slicer.util.updateVolumeFromArray(node, np.random.default_rng(0).random((3, 4, 5), np.float32))
    assert panel.ui.applyButton.enabled and "3 slices of 4 x 5" in panel.ui.seriesLabel.text


def _nan(node) -> None:
    slicer.util.arrayFromVolume(node)[0, 0, 0] = np.nan


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_nan, "Unfit: the volume has voxels that are no finite number."),
        (lambda node: slicer.util.updateVolumeFromArray(node, np.ones((4, 8, 6), np.float32)), "will be refused"),
        (lambda node: node.GetImageData().SetDimensions(3, 3, 3), "Unfit: the volume holds no image."),  # as yet
        (lambda node: node.SetSpacing(1.5, 1.5, 1.0), "unusual for a short-axis"),
        (lambda node: slicer.util.updateVolumeFromArray(node, np.eye(5, dtype=np.float32)[None]), "So few slices"),
    ],
)
def test_the_line_says_why_a_series_is_unfit(spoil, says: str) -> None:
    node = add_volume()
    spoil(node)
    assert says in panel_words.volume_text(node)


class Database:
    """Two series of one study, as ctkDICOMDatabase answers."""

    isOpen = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fileForInstance(self, uid):
        return str(self.folder / f"{uid}.dcm")

    def fileValue(self, path, tag):
        return {"0008,0008": "ORIGINAL\\PRIMARY\\M\\IR", "0008,103e": "short axis"}[tag]

    def seriesForFile(self, path):
        return "one"

    def studyForSeries(self, series):
        return "study"

    def seriesForStudy(self, study):
        return ["one", "two"]

    def filesForSeries(self, series):
        return [str(path) for path in sorted(self.folder.glob(f"{series}*.dcm"))]


def test_an_evidence_map_is_no_input(panel) -> None:
    node = applied(panel)
    evidence = panel.nodes.evidence
    assert panel.ui.inputSelector.nodes() == [node]
    panel.parameters.inputVolume = evidence
    assert not panel.ui.applyButton.enabled and "part of a result" in panel.ui.seriesLabel.text
    panel.parameters.inputVolume = None
    panel.enter()
    assert panel.volume_node is node


def test_kind_and_files_of_a_dicom_volume(panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from LGETextDetectWidgets import dicom_source

    for name in ("one1", "one2", "two1"):
        (tmp_path / f"{name}.dcm").write_bytes(name.encode())
    node = add_volume()
    assert not panel.ui.stackButton.enabled
    monkeypatch.setattr(slicer, "dicomDatabase", Database(tmp_path), raising=False)
    node.SetAttribute(dicom_source.UIDS_ATTRIBUTE, "one1 one2")
    assert panel.ui.stackButton.enabled and panel.ui.seriesLabel.text.startswith("magnitude: 4 slices")
    assert [path.stem for path in dicom_source.study_files(node)] == ["one1", "one2", "two1"]
    with dicom_source.source_folder(node) as folder:
        assert sorted(path.read_bytes() for path in Path(folder).iterdir()) == [b"one1", b"one2"]
    panel.ui.stackButton.click()  # these are no DICOM files: refused, in the panel
    assert panel.ui.errorLabel.text.startswith("[")


def test_models_are_offered_and_their_card_is_shown(panel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert panel.ui.modelComboBox.count() == 1 and "(bundled)" in panel.ui.modelComboBox.currentText
    installed = models.install_model(models.available_models()[0].folder)
    assert installed.folder.parent == models.models_folder() and models.model_of(installed.key) == installed
    panel.enter()
    assert panel.ui.modelComboBox.count() == 2
    panel.ui.modelComboBox.activated.emit(1)
    assert panel.parameters.model == installed.key
    panel.ui.cardButton.click()
    text = panel.input.card.findChild(slicer_stand_in.qt_stand_in.QtWidgets.QTextEdit).toPlainText()
    assert installed.key.rpartition("-")[0] in text
    panel.input.card.close()
    panel.parameters.model = "gone"
    add_volume()
    apply(panel)
    assert panel.ui.errorLabel.text.startswith("[bad-bundle]")
    with pytest.raises(InputRefused):
        models.install_model(HERE)


@pytest.mark.parametrize("fails", ["moving the old one away", "moving the new one in"])
def test_a_model_that_cannot_be_replaced_stays_whole(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a folder is not moved while a file in it is open."""
    bundle, rename = models.available_models()[0].folder, Path.rename
    installed = models.install_model(bundle)
    (installed.folder / "own.txt").write_text("the older one", "utf-8")

    def refuse(path: Path, target: Path) -> Path:
        if (path == installed.folder) == (fails == "moving the old one away") and "old" not in path.name:
            raise PermissionError(13, "The process cannot access the file", str(path))
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(PermissionError):
            models.install_model(bundle)
    names = {path.name for path in bundle.iterdir()} | {"own.txt"}
    assert {path.name for path in installed.folder.iterdir()} == names
    assert [path.name for path in models.models_folder().iterdir()] == [installed.folder.name]
    models.install_model(bundle)
    assert not (installed.folder / "own.txt").exists() and len(list(models.models_folder().iterdir())) == 1
    left = models.models_folder() / f".{installed.folder.name}.old-1"
    installed.folder.rename(left)
    assert [model.key for model in models.available_models()] == [""]  # what could not be deleted is no model


def test_research_use_is_always_said(panel) -> None:
    assert "Research use, not for diagnosis" in panel.ui.researchLabel.text
    assert panel.ui.researchLabel.isVisibleTo(panel.parent.widget)


# --- panel: runs -----------------------------------------------------------------------------------------------------


def test_apply_shows_the_finding_and_its_nodes(panel, views) -> None:
    node = add_volume()
    apply(panel, "scar in the inferior wall")
    ui = panel.ui
    assert not ui.applyButton.enabled and ui.cancelButton.enabled and not ui.sampleButton.enabled
    wait_until(lambda: ui.stageLabel.text == "Done")
    assert ui.applyButton.enabled and not ui.cancelButton.enabled and not ui.errorLabel.text
    assert ui.resultLabel.text.splitlines() == [
        "Scar found.", "Subendocardial scar.", "Probability 0.90, threshold 0.50", "stand-in 0 on CPU (onnx)",
    ]  # fmt: skip
    assert ui.flagsLabel.text == "Caution: Few slices." and ui.noticeLabel.isVisibleTo(panel.parent.widget)
    assert "reading done" in ui.logText.toPlainText()
    assert ui.segmentsTable.rowCount == 17 and ui.segmentsTable.item(3, 3).text() == "subendocardial"
    evidence = panel.nodes.evidence
    values = slicer.util.arrayFromVolume(node)
    assert np.array_equal(slicer.util.arrayFromVolume(evidence), (values == values.max()).astype(np.float32))
    assert not PARTS.packages.installed
    layers = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert layers.GetBackgroundVolumeID() == node.GetID() and layers.GetForegroundVolumeID() == evidence.GetID()
    assert panel.parameters.landmarks is panel.nodes.landmarks and panel.nodes.landmarks.GetLocked()


def test_a_refusal_shows_code_cause_and_remedy(panel) -> None:
    add_volume()
    apply(panel, "refuse")
    wait_until(lambda: bool(panel.ui.errorLabel.text))
    assert panel.ui.errorLabel.text == "[constant-image] Every pixel is the same.\nGive a series with an image."
    assert panel.ui.applyButton.enabled and not finding_nodes()


def test_a_crash_shows_what_the_engine_said_last(panel) -> None:
    add_volume()
    apply(panel, "crash")
    wait_until(lambda: bool(panel.ui.errorLabel.text))
    assert "exit code 1" in panel.ui.errorLabel.text and "something broke é" in panel.ui.errorLabel.text
    apply(panel)  # and the panel is usable again
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert not panel.ui.errorLabel.text


def test_declined_packages_are_said(panel, lacking) -> None:
    lacking.answer = False
    add_volume()
    apply(panel)
    assert "not-there-lgetext>=2 were not installed" in panel.ui.errorLabel.text and panel.ui.applyButton.enabled
    assert not PARTS.packages.installed


def test_cancel_leaves_no_process_no_nodes_and_a_usable_panel(
    panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_process, "GRACE_S", 0.2)
    add_volume()
    apply(panel, "hang")
    wait_until(lambda: panel.ui.stageLabel.text == "hanging")
    assert engine_stand_in.is_locked(tmp_path / "lock") and panel.ui.progressBar.value == 1
    folder = panel.watch.run.result_folder.parent
    panel.ui.cancelButton.click()
    assert not panel.ui.cancelButton.enabled
    wait_until(lambda: panel.ui.stageLabel.text == "Cancelled")
    wait_until(lambda: not engine_stand_in.is_locked(tmp_path / "lock"))  # the grandchild is gone too
    assert not folder.exists() and not finding_nodes()
    apply(panel)
    wait_until(lambda: panel.ui.stageLabel.text == "Done")


@pytest.mark.parametrize("close", ["scene", "panel"])
def test_closing_ends_a_running_detection(panel, tmp_path: Path, close: str) -> None:
    add_volume()
    apply(panel, "hang")
    wait_until(lambda: panel.ui.stageLabel.text == "hanging")
    folder = panel.watch.run.result_folder.parent
    if close == "scene":
        slicer.mrmlScene.Clear(0)
        assert panel.ui.inputSelector.currentNode() is None and not panel.ui.applyButton.enabled
        add_volume()
        assert panel.ui.applyButton.enabled  # the new scene's parameter node is in use
    else:
        panel.cleanup()
    wait_until(lambda: not engine_stand_in.is_locked(tmp_path / "lock"))
    assert not folder.exists()


def test_closing_the_scene_takes_the_result_from_the_panel(panel) -> None:
    applied(panel)
    folder = panel.result_folder
    assert folder.is_dir()
    slicer.mrmlScene.Clear(0)
    assert not panel.ui.resultLabel.text and panel.ui.segmentsTable.rowCount == 0 and not folder.exists()
    assert not panel.ui.htmlButton.enabled and "Apply" in panel.ui.htmlButton.toolTip


def test_settings_are_kept_in_the_scene(panel) -> None:
    node = add_volume()
    panel.ui.promptLineEdit.text = "subendocardial scar"
    panel.ui.deviceComboBox.currentIndex = 1
    panel.ui.thresholdSlider.value = 0.35
    panel.ui.autoUpdateCheckBox.checked = False
    with slicer_stand_in.panel(LGETextDetect.LGETextDetectWidget) as again:
        assert again.ui.promptLineEdit.text == "subendocardial scar"
        assert again.ui.deviceComboBox.currentText == "cpu"
        assert again.ui.inputSelector.currentNode() is node
        assert again.ui.thresholdSlider.value == pytest.approx(0.35) and not again.ui.autoUpdateCheckBox.checked


def test_devices_are_those_of_the_command_line() -> None:
    from LGETextDetectLib.cli import DEVICES

    assert LGETextDetect.LGETextDetectParameterNode.hints["device"].__metadata__[0].choices == list(DEVICES)


def test_the_log_is_copied(panel) -> None:
    panel.log("one line")
    panel.ui.copyLogButton.click()
    assert slicer_stand_in.qt_stand_in.QtGui.QGuiApplication.clipboard().text() == "one line"


# --- panel: landmarks ------------------------------------------------------------------------------------------------


def move(node, label: str, by) -> None:
    number = node.GetControlPointIndexByLabel(label)
    node.SetNthControlPointPositionWorld(number, *np.add(node.GetNthControlPointPositionWorld(number), by))


def test_auto_places_points_without_a_result(panel) -> None:
    add_volume()
    assert "Auto finds them" in panel.ui.confidenceLabel.text and not panel.ui.editButton.enabled
    panel.ui.autoButton.click()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    node = panel.parameters.landmarks
    assert node.GetNumberOfControlPoints() == 14 and node.GetLocked() and panel.nodes is None
    assert panel.ui.confidenceLabel.text == "14 points, confidence of the found ones 0.90."
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLinearTransformNode").GetName().endswith("orientation")
    panel.ui.editButton.click()
    assert not node.GetLocked()


def test_a_moved_point_is_by_hand_and_the_answer_follows(panel) -> None:
    applied(panel, "scar?")
    node, first = panel.parameters.landmarks, panel.nodes.evidence
    panel.ui.editButton.click()
    move(node, "rvip_anterior_1", (0.0, 0.6, 0.0))
    wait_until(lambda: panel.nodes is not None and panel.nodes.evidence is not first and panel.watch.run is None)
    assert panel.parameters.landmarks is node and panel.nodes.result["landmarks"]["source"] == "mixed"
    assert "1 set by hand" in panel.ui.confidenceLabel.text
    assert [row[0] for row in panel.questions.rows] == ["scar?"]  # asked again
    assert len([name for name in finding_nodes() if name.endswith("evidence")]) == 2  # volume and segmentation


def test_a_removed_volume_takes_its_result_and_points_along(panel) -> None:
    """The next volume starts afresh: no points, no questions and no evidence map in its place."""
    first = applied(panel, "scar?")
    points, corrected = panel.parameters.landmarks, panel.nodes.segmentation
    panel.ui.editSegmentationButton.click()  # no editor here; it is the user's segmentation from now on
    slicer.mrmlScene.RemoveNode(first)
    assert panel.volume_node is None and panel.nodes is None and panel.parameters.landmarks is None
    assert not panel.ui.resultLabel.text and not panel.questions.rows and not panel.ui.applyButton.enabled
    assert slicer.mrmlScene.IsNodePresent(corrected) and not slicer.mrmlScene.IsNodePresent(points)
    assert finding_nodes() == [corrected.GetName()]
    assert slicer.mrmlScene.GetFirstNode("LGE LGE answers") is None
    second = add_volume("other", seed=1)
    assert panel.volume_node is second and panel.parameters.landmarks is None
    panel.ui.stageLabel.text = ""
    apply(panel)
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert panel.nodes.result["landmarks"]["source"] == "auto"


def test_points_found_in_a_removed_volume_are_not_set_by_hand_in_the_next(panel) -> None:
    first = add_volume()
    panel.ui.autoButton.click()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    points = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    points.SetNodeReferenceID(mrml_roles.INPUT_ROLE, None)  # as in a scene whose volume was removed elsewhere
    slicer.mrmlScene.RemoveNode(first)
    assert panel.parameters.landmarks is None
    add_volume("other", seed=1)
    panel.parameters.landmarks = points
    apply(panel)
    assert panel.ui.errorLabel.text.startswith("[bad-landmarks]") and panel.watch.run is None
    panel.ui.stageLabel.text = ""
    panel.ui.autoButton.click()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert not panel.ui.errorLabel.text and panel.parameters.landmarks is not points


@pytest.mark.parametrize("ends", ["cancelled", "crashed"])
def test_auto_that_does_not_end_well_leaves_the_points_in_use(panel, ends: str) -> None:
    applied(panel)
    panel.ui.autoUpdateCheckBox.checked = False
    points = panel.parameters.landmarks
    move(points, "rvip_anterior_1", (0.0, 0.6, 0.0))
    wait_until(lambda: "1 set by hand" in panel.ui.confidenceLabel.text)
    panel.questions.rows = [("crash" if ends == "crashed" else "hang", "", "", "")]
    panel.ui.autoButton.click()
    if ends == "cancelled":
        panel.ui.cancelButton.click()
    wait_until(lambda: panel.watch.run is None)
    assert panel.parameters.landmarks is points and "1 set by hand" in panel.ui.confidenceLabel.text
    panel.questions.rows = []
    panel.ui.autoButton.click()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert panel.parameters.landmarks is panel.nodes.landmarks and "by hand" not in panel.ui.confidenceLabel.text


def test_points_dragged_off_their_slice_are_shown_with_the_result(panel) -> None:
    """Centre to one side of slice 1, an insertion point to the other: the engine's own file is read again."""
    applied(panel)
    panel.ui.editButton.click()
    node, first = panel.parameters.landmarks, panel.nodes.evidence
    move(node, "lv_centre_1", (0.0, 0.5, 3.2))  # of 8 mm between slices
    move(node, "rvip_anterior_1", (0.0, 0.6, -3.2))
    wait_until(
        lambda: bool(panel.ui.errorLabel.text) or (panel.nodes.evidence is not first and panel.watch.run is None)
    )
    assert not panel.ui.errorLabel.text and panel.nodes.result["landmarks"]["source"] == "mixed"
    assert "2 set by hand" in panel.ui.confidenceLabel.text and len(panel.landmarks.frames()) == 4


def test_a_point_moved_during_a_run_stays_and_is_asked_about_next(panel) -> None:
    applied(panel)
    panel.ui.editButton.click()
    node = panel.parameters.landmarks
    move(node, "rvip_anterior_1", (0.0, 0.6, 0.0))
    wait_until(lambda: panel.watch.run is not None)
    move(node, "rvip_anterior_2", (0.0, 0.7, 0.0))
    place = node.GetNthControlPointPosition(node.GetControlPointIndexByLabel("rvip_anterior_2"))
    first = panel.nodes.evidence
    wait_until(lambda: panel.nodes.evidence is not first)
    second = panel.nodes.evidence
    wait_until(lambda: panel.nodes.evidence is not second and panel.watch.run is None)
    assert node.GetNthControlPointPosition(node.GetControlPointIndexByLabel("rvip_anterior_2")) == pytest.approx(place)
    assert "2 set by hand" in panel.ui.confidenceLabel.text


def test_without_auto_update_a_moved_point_waits_for_apply(panel) -> None:
    applied(panel)
    panel.ui.autoUpdateCheckBox.checked = False
    move(panel.parameters.landmarks, "rvip_anterior_1", (0.0, 0.6, 0.0))
    wait_until(lambda: "1 set by hand" in panel.ui.confidenceLabel.text)
    assert panel.watch.run is None


def test_points_placed_by_hand_get_their_names(panel) -> None:
    add_volume()
    panel.ui.autoUpdateCheckBox.checked = False
    panel.ui.placeComboBox.currentIndex = 1
    started = []
    logic = SimpleNamespace(SetActiveList=started.append, StartPlaceMode=lambda persistent: None)
    slicer.modules.markups = SimpleNamespace(logic=lambda: logic)
    panel.ui.placeButton.click()
    node = panel.parameters.landmarks
    assert started == [node] and not node.GetLocked()
    for _ in range(2):  # the second click replaces the first
        node.AddControlPointWorld(vtk.vtkVector3d(-3.0, -4.5, 16.0))
        panel.landmarks.on_settled()
    assert [node.GetNthControlPointLabel(k) for k in range(node.GetNumberOfControlPoints())] == ["rvip_anterior_2"]
    del slicer.modules.markups


def test_segments_are_drawn_where_the_points_are(panel, views) -> None:
    node = applied(panel)
    red = views.sliceWidget("Red").mrmlSliceNode()
    frames = panel.landmarks.frames()
    assert len(frames) == 4 and panel.ui.reorientButton.enabled
    panel.ui.reorientButton.click()
    renderer = views.sliceWidget("Red").sliceView().renderWindow().GetRenderers().GetItemAsObject(0)
    texts = [a.GetInput() for a in renderer.GetActors2D() if a.IsA("vtkTextActor")]
    assert "Research use, not for diagnosis" in texts and {"7", "12"} < set(texts)
    assert panel.landmarks.overlay.frame_at(red) is not None
    lines = next(a for a in renderer.GetActors2D() if not a.IsA("vtkTextActor")).GetMapper().GetInput()
    before = lines.GetPoint(0)
    panel.ui.autoUpdateCheckBox.checked = False
    move(panel.parameters.landmarks, "lv_centre_2", (-2.0, 0.0, 0.0))  # follows without any new run

    def drawn() -> float:
        lines = next(a for a in renderer.GetActors2D() if not a.IsA("vtkTextActor")).GetMapper().GetInput()
        return np.abs(np.subtract(lines.GetPoint(0), before)).max()

    wait_until(lambda: drawn() > 0.5)
    panel.ui.bordersCheckBox.checked = False
    assert renderer.GetActors2D().GetNumberOfItems() == 0
    assert node is panel.volume_node


def centres(panel) -> np.ndarray:
    return np.array([frame.centre for frame in panel.landmarks.frames()])


def test_segments_points_and_evidence_go_where_a_transform_puts_the_volume(panel, views) -> None:
    """By moving the transform, by another one above it, by putting the volume under one, and by hardening it."""
    node = add_volume()
    parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "parent")
    node.SetAndObserveTransformNodeID(parent.GetID())
    apply(panel, "scar?")
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    panel.ui.autoUpdateCheckBox.checked = False
    move(panel.parameters.landmarks, "rvip_anterior_1", (0.0, 0.1, 0.0))
    wait_until(lambda: "1 set by hand" in panel.ui.confidenceLabel.text)
    first, labels = centres(panel), panel.result.segment_labels()
    assert len(first) == 4
    shift = np.array([16.0, 3.0, -5.0])  # RAS; two slices further

    def moved_by(times: float) -> bool:
        same = np.allclose(centres(panel), first + times * shift * (-1, -1, 1), atol=1e-3)
        return same and np.array_equal(panel.result.segment_labels(), labels)

    def shifting(transform) -> None:
        turn = vtk.vtkTransform()
        turn.Translate(*shift)
        transform.SetMatrixTransformToParent(turn.GetMatrix())

    drawn = []
    show, panel.landmarks.overlay.show = (
        panel.landmarks.overlay.show,
        lambda *given: drawn.append(given) or show(*given),
    )
    shifting(parent)
    assert moved_by(1) and np.allclose(drawn[-1][0][0].centre, centres(panel)[0])
    panel.ui.answersTable.cellClicked.emit(0, 0)
    assert panel.ui.answerLabel.text.startswith("Looked at: 4, 10, 15.")
    above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "above")
    parent.SetAndObserveTransformNodeID(above.GetID())
    shifting(above)
    assert moved_by(2)
    node.SetAndObserveTransformNodeID(above.GetID())
    assert moved_by(1) and mrml.lies_on(panel.nodes.evidence, node)
    node.SetAndObserveTransformNodeID(None)
    assert moved_by(0)
    node.SetAndObserveTransformNodeID(parent.GetID())
    node.HardenTransform()
    assert moved_by(2) and mrml.lies_on(panel.nodes.evidence, node) and not panel.result.stale
    panel.landmarks.on_settled()
    assert "1 set by hand" in panel.ui.confidenceLabel.text  # no point was moved against the images


def _bend(transform) -> None:
    before, after, bend = vtk.vtkPoints(), vtk.vtkPoints(), vtk.vtkThinPlateSplineTransform()
    for place in ((0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10), (5, 5, 5)):
        before.InsertNextPoint(place)
        after.InsertNextPoint((*place[:2], place[2] + (place == (5, 5, 5))))
    bend.SetSourceLandmarks(before)
    bend.SetTargetLandmarks(after)
    bend.SetBasisToR()
    transform.SetAndObserveTransformToParent(bend)


def _shear(transform) -> None:
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 1, 0.3)
    transform.SetMatrixTransformToParent(matrix)


@pytest.mark.parametrize(("spoil", "says"), [(_bend, "non-linear transform"), (_shear, "not orthogonal")])
def test_a_volume_bent_or_sheared_is_said_to_be_unfit(panel, spoil, says: str) -> None:
    node = applied(panel, "scar?")
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "spoilt")
    node.SetAndObserveTransformNodeID(transform.GetID())
    assert panel.ui.applyButton.enabled
    spoil(transform)
    assert not panel.ready and not panel.ui.applyButton.enabled and not panel.ui.placeButton.enabled
    assert panel.ui.seriesLabel.text.startswith("Unfit: ") and says in panel.ui.seriesLabel.text
    assert panel.landmarks.frames() == () and not panel.ui.reorientButton.enabled
    panel.ui.answersTable.cellClicked.emit(0, 0)
    panel.ui.segmentsTable.setCurrentCell(3, 0)
    assert not panel.ui.segmentLabel.text
    node.SetAndObserveTransformNodeID(None)
    assert panel.ready and len(panel.landmarks.frames()) == 4 and not panel.result.stale


def test_a_dragged_point_is_drawn_now_and_then(panel, views, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(panel)
    panel.ui.autoUpdateCheckBox.checked = False
    panel.ui.reorientButton.click()
    computed, shown = [], mrml.shown_landmarks
    monkeypatch.setattr(mrml, "shown_landmarks", lambda *given: computed.append(given) or shown(*given))
    for _ in range(100):
        move(panel.parameters.landmarks, "lv_centre_2", (-0.01, 0.0, 0.0))
    assert not computed  # the mouse is not kept waiting
    wait_until(lambda: "1 set by hand" in panel.ui.confidenceLabel.text)
    assert 1 <= len(computed) <= 3
    for _ in range(5):
        panel._checkCanApply()
    assert len(panel.landmarks.frames()) == 4 and len(computed) <= 3  # nothing moved


def test_an_image_is_searched_for_unfit_voxels_once(panel, monkeypatch: pytest.MonkeyPatch) -> None:
    from LGETextDetectWidgets import input_section

    searched, problem = [], panel_words.volume_problem
    monkeypatch.setattr(input_section, "volume_problem", lambda node: searched.append(node) or problem(node))
    node = add_volume()
    for _ in range(5):
        panel._checkCanApply()
    assert panel.ui.applyButton.enabled and len(searched) == 1
    slicer.util.arrayFromVolume(node)[0, 0, 0] = np.nan
    slicer.util.arrayFromVolumeModified(node)
    panel._checkCanApply()
    assert not panel.ui.applyButton.enabled and len(searched) == 2


# --- panel: result ---------------------------------------------------------------------------------------------------


def test_a_wedge_and_a_row_jump_to_their_segment(panel, views) -> None:
    applied(panel)
    red = views.sliceWidget("Red").mrmlSliceNode()
    qt_gui, qt_core = slicer_stand_in.qt_stand_in.QtGui, slicer_stand_in.qt_stand_in.QtCore
    place = qt_core.QPointF(150, 150 - 150 * 155 / 205)  # the middle of segment 1, above the centre
    kind = qt_core.QEvent.Type.MouseButtonRelease
    button = qt_core.Qt.MouseButton.LeftButton
    event = qt_gui.QMouseEvent(kind, place, place, button, button, qt_core.Qt.KeyboardModifier.NoModifier)
    panel.result.bullseye.mouseReleaseEvent(event)
    assert panel.ui.segmentLabel.text.startswith("Segment 1, basal anterior: probability 0.05")
    here = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS())[:3, 3]
    panel.ui.segmentsTable.setCurrentCell(12, 0)
    assert panel.ui.segmentLabel.text.startswith("Segment 13, apical anterior")
    there = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS())[:3, 3]
    assert np.linalg.norm(there - here) > 8.0
    key = qt_gui.QKeyEvent(
        qt_core.QEvent.Type.KeyPress, qt_core.Qt.Key.Key_Right, qt_core.Qt.KeyboardModifier.NoModifier
    )
    panel.result.bullseye.keyPressEvent(key)
    assert panel.ui.segmentLabel.text.startswith("Segment 14")


def test_overlay_threshold_legend_and_visibility(panel, views) -> None:
    applied(panel)
    ui, evidence = panel.ui, panel.nodes.evidence
    ui.thresholdSlider.value = 0.6
    assert evidence.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.6)
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(evidence)
    assert legend.GetVisibility()
    ui.legendCheckBox.checked = False
    assert not legend.GetVisibility()
    ui.evidenceCheckBox.checked = False
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode").GetForegroundVolumeID() is None
    ui.plotButton.click()
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNodeID() == panel.nodes.chart.GetID()
    assert views.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView


def test_edit_opens_the_segment_editor_and_keeps_the_segmentation(panel, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(panel)
    seen = SimpleNamespace(module="", segmentation=None, volume=None)
    editor = SimpleNamespace(
        setSegmentationNode=lambda node: setattr(seen, "segmentation", node),
        setSourceVolumeNode=lambda node: setattr(seen, "volume", node),
    )
    module = SimpleNamespace(widgetRepresentation=lambda: SimpleNamespace(self=lambda: SimpleNamespace(editor=editor)))
    monkeypatch.setattr(slicer.modules, "segmenteditor", module, raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", lambda name: setattr(seen, "module", name))
    edited = panel.nodes.segmentation
    panel.ui.editSegmentationButton.click()
    assert (seen.module, seen.segmentation, seen.volume) == ("SegmentEditor", edited, panel.volume_node)
    apply(panel)
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert slicer.mrmlScene.IsNodePresent(edited) and panel.nodes.segmentation is not edited


def detection_of(present: bool | None) -> dict:
    reasons = ["near-threshold"] if present is None else []
    return {"present": present, "probability": 0.5, "threshold": 0.5, "abstained": present is None, "reasons": reasons}


@pytest.mark.parametrize(("present", "says"), [(True, "Scar found"), (False, "No scar found"), (None, "No answer")])
def test_the_answer_in_words(present, says: str) -> None:
    text = panel_words.result_text({"detection": detection_of(present), "caption": "A sentence."})
    assert text.startswith(says)
    assert (present is None) == ("too close to the threshold" in text)
    assert present is False or "no scar" not in text.lower()


def test_flags_are_plain_words_the_serious_first() -> None:
    flags = [("info", "PSIR."), ("error", "No base."), ("warning", "Few slices.")]
    text = panel_words.flags_text([{"severity": severity, "text": text} for severity, text in flags])
    assert text.splitlines() == ["Problem: No base.", "Caution: Few slices.", "Note: PSIR."]


# --- panel: questions ------------------------------------------------------------------------------------------------


def test_answers_grow_with_what_was_understood_and_where_it_looked(panel, views) -> None:
    applied(panel)
    panel.ui.promptLineEdit.text = "scar in the inferior wall"
    panel.ui.promptLineEdit.returnPressed.emit()
    wait_until(lambda: len(panel.questions.rows) == 1 and panel.watch.run is None)
    panel.ui.examplesComboBox.activated.emit(1)
    wait_until(lambda: len(panel.questions.rows) == 2 and panel.watch.run is None)
    panel.ui.promptLineEdit.text = "rain?"
    panel.ui.askButton.click()
    wait_until(lambda: len(panel.questions.rows) == 3 and panel.watch.run is None)
    first, last = panel.questions.rows[0], panel.questions.rows[2]
    assert first == ("scar in the inferior wall", "0.70", "Understood: some scar in segments 4, 10, 15", "4 10 15")
    assert last[1:3] == ("no answer", "Not understood as a question about scar")
    assert panel.ui.answerLabel.text == "Not understood as a question about scar"
    panel.ui.answersTable.cellClicked.emit(0, 0)
    assert panel.ui.answerLabel.text.startswith("Looked at: 4, 10, 15.")
    asked = mrml_roles.part_of(panel.volume_node, slicer.mrmlScene, "asked")
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode").GetForegroundVolumeID() == asked.GetID()
    table = mrml_roles.part_of(panel.volume_node, slicer.mrmlScene, "answers")
    assert table.GetNumberOfRows() == 3
    panel.ui.clearButton.click()
    assert not panel.questions.rows and panel.ui.answersTable.rowCount == 0


def test_a_question_before_any_result_runs_the_detection(panel) -> None:
    add_volume()
    panel.ui.promptLineEdit.text = "is there scar?"
    panel.ui.promptLineEdit.returnPressed.emit()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert panel.nodes is not None and [row[0] for row in panel.questions.rows] == ["is there scar?"]


def test_another_volume_has_its_own_result(panel) -> None:
    first = applied(panel, "scar?")
    second = add_volume("other", seed=1)
    panel.ui.inputSelector.setCurrentNode(second)
    assert panel.nodes is None and not panel.ui.resultLabel.text and not panel.questions.rows
    assert panel.parameters.landmarks is None
    panel.ui.inputSelector.setCurrentNode(first)
    assert panel.nodes is not None and panel.ui.resultLabel.text.startswith("Scar found.")
    assert [row[0] for row in panel.questions.rows] == ["scar?"]
    assert panel.parameters.landmarks is panel.nodes.landmarks


def test_a_result_of_images_that_changed_is_said_to_be_stale(panel, views) -> None:
    """No export, no jumps by the old evidence, and the next question is answered, with all others, by a detection."""
    node = applied(panel, "scar?")
    before = slicer.util.arrayFromVolume(node).copy()
    assert panel.ui.htmlButton.enabled and panel.ui.resultLabel.text.startswith("Scar found.")
    other = np.random.default_rng(9).normal(100, 20, (3, 9, 7)).astype(np.float32)
    slicer.util.updateVolumeFromArray(node, other)
    assert panel.ui.resultLabel.text.startswith("The images are not those") and not panel.ui.htmlButton.enabled
    panel.ui.segmentsTable.setCurrentCell(3, 0)
    panel.ui.answersTable.cellClicked.emit(0, 0)
    assert not panel.ui.segmentLabel.text and "Looked at" not in panel.ui.answerLabel.text
    slicer.util.updateVolumeFromArray(node, before)
    assert panel.ui.resultLabel.text.startswith("Scar found.") and panel.ui.htmlButton.enabled
    slicer.util.arrayFromVolume(node)[0, 0, 0] += 500
    node.GetImageData().Modified()  # as filters in C++ say it, without a word of the node
    assert panel.ui.resultLabel.text.startswith("The images are not those")
    old = panel.nodes
    panel.ui.promptLineEdit.text = "other?"
    panel.ui.askButton.click()
    assert panel.watch.run.request.command == "detect"
    wait_until(lambda: panel.watch.run is None)
    assert panel.nodes is not old and panel.ui.resultLabel.text.startswith("Scar found.")
    assert [p["text"] for p in panel.nodes.result["prompts"]] == [row[0] for row in panel.questions.rows]
    assert [row[0] for row in panel.questions.rows] == ["scar?", "other?"] and panel.ui.htmlButton.enabled


def test_images_that_change_while_the_engine_runs_get_no_result(panel) -> None:
    node = add_volume()
    apply(panel)
    slicer.util.arrayFromVolume(node)[0, 0, 0] += 500
    slicer.util.arrayFromVolumeModified(node)
    wait_until(lambda: panel.watch.run is None)
    assert "made of other images" in panel.ui.errorLabel.text and panel.nodes is None and not finding_nodes()


# --- panel: export and batch -----------------------------------------------------------------------------------------


def test_report_folder_scene_and_dicom_are_saved(panel, tmp_path: Path) -> None:
    from LGETextDetectWidgets import dicom_source

    node = applied(panel, "scar?")
    node.SetName("Doe^Jane")
    ui, export = panel.ui, panel.export
    export.choose_folder = lambda: str(tmp_path)
    for button, name, starts in (
        (ui.htmlButton, "a.html", b"<p>Sub"),
        (ui.pdfButton, "a.pdf", b"%PDF"),
        (ui.sceneButton, "a.mrb", b"PK"),
    ):
        export.choose_file = lambda _name, _kind, name=name: str(tmp_path / name)
        button.click()
        assert not ui.errorLabel.text and (tmp_path / name).read_bytes().startswith(starts), name
        assert b"Doe" not in (tmp_path / name).read_bytes()
    ui.folderButton.click()
    assert (tmp_path / "LGE-stand-in" / "result.json").is_file() and "Saved" in ui.exportLabel.text
    ui.folderButton.click()
    assert ui.errorLabel.text  # nothing is written over
    assert not ui.dicomButton.enabled and "DICOM" in ui.dicomButton.toolTip
    node.SetAttribute(dicom_source.SAMPLE_ATTRIBUTE, "1")
    export._dicom_target = tmp_path
    export.finish_dicom(_with_dicom(tmp_path / "made"))
    assert (tmp_path / "scar_seg.dcm").read_bytes() == b"SEG"
    export.choose_file = lambda _name, _kind: ""  # given up
    ui.htmlButton.click()
    assert "Saved" in ui.exportLabel.text


def turned_and_shifted():
    """A rigid transform: 20 degrees about an oblique axis, then a shift."""
    node, turn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved"), vtk.vtkTransform()
    turn.Translate(11.0, -5.0, 30.0)
    turn.RotateWXYZ(20.0, 1.0, 2.0, -1.0)
    node.SetMatrixTransformToParent(turn.GetMatrix())
    return node


def segment_places(node, segment_id: str) -> np.ndarray:
    """(N, 3) world RAS of a segment's voxels, sorted."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    labelmap = segment.GetRepresentation("Binary labelmap")
    to_local = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(to_local)
    matrix = mrml.parent_to_world(node) @ slicer.util.arrayFromVTKMatrix(to_local)
    values = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
    index = np.argwhere(values == segment.GetLabelValue())[:, ::-1] + labelmap.GetExtent()[::2]
    places = np.round(np.column_stack([index, np.ones(len(index))]) @ matrix.T, 3)[:, :3]
    return places[np.lexsort(places.T)]


def test_the_clean_scene_keeps_corrected_segmentations_in_their_place(panel, tmp_path: Path) -> None:
    """The volume lies under a transform; the clean one holds world coordinates, and so must what was corrected on it."""
    node = add_volume()
    node.SetAndObserveTransformNodeID(turned_and_shifted().GetID())
    apply(panel)
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    corrected = panel.nodes.segmentation
    second = corrected.GetSegmentation().AddEmptySegment("second")
    mask = np.zeros(slicer.util.arrayFromVolume(node).shape, bool)
    mask[2, 3:5, 1:3] = True
    drawn, logic = mrml_results._labelmap(mask, node), slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.SetBinaryLabelmapToSegment(drawn, corrected, second, logic.MODE_REPLACE)  # as the Segment Editor does
    assert corrected.GetSegmentation().GetNumberOfLayers() == 1  # both in one labelmap
    panel.ui.editSegmentationButton.click()  # no editor here; it is the user's segmentation from now on
    panel.export.choose_file = lambda _name, _kind: str(tmp_path / "clean.mrb")
    panel.ui.sceneButton.click()
    scene = slicer_stand_in.new_scene()
    assert scene.ReadFromMRB(str(tmp_path / "clean.mrb"))
    clean = scene.GetFirstNode("LGE", "vtkMRMLScalarVolumeNode")
    assert np.allclose(mrml.index_to_world(clean), mrml.index_to_world(node), atol=1e-4)
    count = scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    nodes = [scene.GetNthNodeByClass(k, "vtkMRMLSegmentationNode") for k in range(count)]
    (kept,) = (each for each in nodes if each.GetAttribute(mrml_roles.KEPT_ATTRIBUTE))
    for segment in (mrml_results.SCAR_SEGMENT_ID, second):
        before, after = segment_places(corrected, segment), segment_places(kept, segment)
        assert len(before) and np.allclose(before, after, atol=0.01), segment
    bend = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "bend")
    bend.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    corrected.SetAndObserveTransformNodeID(bend.GetID())
    panel.ui.sceneButton.click()
    assert panel.ui.errorLabel.text.startswith("[bad-orientation]")
    scene.Clear(1)


def test_a_refused_run_for_dicom_objects_leaves_no_copies_of_the_files(
    panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from LGETextDetectWidgets import dicom_source, export_section

    node = applied(panel)
    node.SetAttribute(dicom_source.SAMPLE_ATTRIBUTE, "1")
    (tmp_path / "one.dcm").write_bytes(b"x")
    folder = dicom_source.gathered([tmp_path / "one.dcm"])
    monkeypatch.setattr(export_section, "source_folder", lambda _node: folder)
    panel.export.choose_folder = lambda: str(tmp_path)
    panel.questions.rows = [("refuse", "", "", "")]
    panel.export.on_dicom()
    wait_until(lambda: bool(panel.ui.errorLabel.text))
    assert "[constant-image]" in panel.ui.errorLabel.text and not Path(folder.name).exists()


def test_points_for_the_studys_own_files_lie_where_these_files_lie(
    panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files know nothing of the transform above the volume: the engine reads them where they were."""
    from LGETextDetectLib.markups import read_markups
    from LGETextDetectLib.volume_files import write_nrrd
    from LGETextDetectWidgets import export_section

    node = add_volume()
    own_files = mrml.engine_volume(node)
    node.SetAndObserveTransformNodeID(turned_and_shifted().GetID())
    apply(panel)
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    panel.ui.autoUpdateCheckBox.checked = False
    points = panel.parameters.landmarks
    move(points, "rvip_anterior_1", (0.0, 0.1, 0.0))
    wait_until(lambda: "1 set by hand" in panel.ui.confidenceLabel.text)
    place = points.GetNthControlPointPositionWorld(points.GetControlPointIndexByLabel("rvip_anterior_1"))
    index = mrml.engine_volume(node).to_index(np.multiply(place, (-1, -1, 1)))
    folder = SimpleNamespace(name=str(tmp_path / "study.nrrd"), cleanup=lambda: None)
    write_nrrd(own_files, Path(folder.name))
    monkeypatch.setattr(export_section, "source_folder", lambda _node: folder)
    (tmp_path / "out").mkdir()
    panel.export.choose_folder = lambda: str(tmp_path / "out")
    panel.export.on_dicom()
    handed = read_markups(panel.watch.run.result_folder.parent / "landmarks.mrk.json", own_files)
    assert own_files.to_index(handed.slices[1].rvip_anterior) == pytest.approx(index, abs=1e-3)
    wait_until(lambda: panel.watch.run is None)
    assert not panel.ui.errorLabel.text and (tmp_path / "out" / "scar_seg.dcm").is_file()
    node.GetParentTransformNode().SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    cleaned = []
    folder.cleanup = lambda: cleaned.append(True)
    panel.export.on_dicom()
    assert panel.ui.errorLabel.text.startswith("[bad-orientation]") and panel.watch.run is None and cleaned


def _with_dicom(folder: Path) -> Path:
    folder.mkdir()
    (folder / "scar_seg.dcm").write_bytes(b"SEG")
    (folder / "report_sr.dcm").write_bytes(b"SR")
    return folder


def test_a_batch_fills_its_table_and_opens_a_study(panel, tmp_path: Path, views) -> None:
    from LGETextDetectLib.volume_files import write_nrrd

    ui = panel.ui
    assert not ui.batchStartButton.enabled and "studies" in ui.batchStartButton.toolTip
    studies = tmp_path / "studies"
    studies.mkdir()
    write_nrrd(mrml.volume_from_node(add_volume()), studies / "a.nrrd")
    ui.batchPath.currentPath, ui.batchOutPath.currentPath = str(studies), str(tmp_path / "out")
    ui.batchStartButton.click()
    assert not ui.batchStartButton.enabled and ui.batchStopButton.enabled
    wait_until(lambda: panel.batch.watch.run is None)
    assert ui.batchLabel.text == "2 studies, 1 without a result" and ui.batchTable.rowCount == 2
    assert [ui.batchTable.item(1, k).text() for k in range(2)] == ["b", "refused"]
    ui.batchTable.setCurrentCell(1, 0)
    assert not ui.openButton.enabled
    ui.batchTable.setCurrentCell(0, 0)
    ui.openButton.click()
    assert not ui.errorLabel.text and panel.volume_node.GetName() == "a"
    assert panel.nodes is not None and ui.resultLabel.text.startswith("Scar found.")
    assert not ui.htmlButton.enabled or panel.result_folder is not None


def test_a_row_whose_images_were_replaced_is_not_opened(panel, tmp_path: Path) -> None:
    from LGETextDetectLib.volume_files import write_nrrd

    ui, studies = panel.ui, tmp_path / "studies"
    studies.mkdir()
    write_nrrd(mrml.volume_from_node(add_volume()), studies / "a.nrrd")
    ui.batchPath.currentPath, ui.batchOutPath.currentPath = str(studies), str(tmp_path / "out")
    ui.batchStartButton.click()
    wait_until(lambda: panel.batch.watch.run is None)
    write_nrrd(mrml.volume_from_node(add_volume("other", seed=1)), studies / "a.nrrd")
    ui.batchTable.setCurrentCell(0, 0)
    ui.openButton.click()
    assert "made of other images" in ui.errorLabel.text and panel.nodes is None and not finding_nodes()
    assert slicer.mrmlScene.GetFirstNode("a", "vtkMRMLScalarVolumeNode") is None


def test_a_row_of_a_study_among_others_in_its_folder_opens_all_its_files(
    panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conftest import write_headers
    from LGETextDetectLib.results_table import failed_row, write_rows

    ui, opened = panel.ui, []
    studies, out = tmp_path / "studies", tmp_path / "out"
    for number in range(4):
        write_headers(studies / f"IM{number}", "AB"[number % 2], f"1.{number % 2}")
    out.mkdir()
    write_rows(out / "results.csv", [failed_row(name, name, "ok", "") for name in ("IM0", "IM1")])
    monkeypatch.setattr(panel, "open_study", lambda *words: opened.append(words))
    ui.batchPath.currentPath, ui.batchOutPath.currentPath = str(studies), str(out)
    ui.batchTable.setCurrentCell(1, 0)
    ui.openButton.click()
    assert not ui.errorLabel.text
    assert opened == [((studies / "IM1", studies / "IM3"), out / "IM1", "IM1")]


def test_a_batch_keeps_its_own_folder_when_another_is_chosen(panel, tmp_path: Path, views) -> None:
    from LGETextDetectLib.results_table import failed_row, write_rows
    from LGETextDetectLib.volume_files import write_nrrd

    ui = panel.ui
    for name in ("studies", "other"):
        (tmp_path / name).mkdir()
    write_nrrd(mrml.volume_from_node(add_volume()), tmp_path / "studies" / "a.nrrd")
    write_rows(tmp_path / "other" / "results.csv", [failed_row("z", "z.nrrd", "refused", "no-heart")])
    ui.batchPath.currentPath, ui.batchOutPath.currentPath = str(tmp_path / "studies"), str(tmp_path / "out")
    ui.batchStartButton.click()
    ui.batchPath.currentPath = ui.batchOutPath.currentPath = str(tmp_path / "other")
    wait_until(lambda: panel.batch.watch.run is None)
    assert ui.batchLabel.text == "2 studies, 1 without a result"
    assert [ui.batchTable.item(k, 0).text() for k in range(2)] == ["a", "b"]
    ui.batchTable.setCurrentCell(0, 0)
    ui.openButton.click()
    assert not ui.errorLabel.text and panel.volume_node.GetName() == "a"
    ui.batchOutPath.currentPath = str(tmp_path / "out")
    ui.batchOutPath.currentPath = str(tmp_path / "other")
    assert ui.batchTable.rowCount == 1 and ui.batchTable.item(0, 0).text() == "z"


def half_done_batch(panel, tmp_path: Path) -> Path:
    """Start a batch that has a folder half written; its output folder."""
    from LGETextDetectLib.volume_files import write_nrrd

    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "slow").touch()
    write_nrrd(mrml.volume_from_node(add_volume()), tmp_path / "studies" / "a.nrrd")
    panel.ui.batchPath.currentPath, panel.ui.batchOutPath.currentPath = str(tmp_path / "studies"), str(tmp_path / "out")
    panel.ui.batchStartButton.click()
    wait_until(lambda: panel.ui.batchLabel.text == "hanging: 0 / 2")
    assert (tmp_path / "out" / ".a.part-0").is_dir()
    return tmp_path / "out"


def test_a_batch_that_cannot_start_says_why(panel, tmp_path: Path) -> None:
    panel.logic = LGETextDetect.LGETextDetectLogic((str(tmp_path / "no such program"),))
    panel.ui.batchPath.currentPath, panel.ui.batchOutPath.currentPath = str(tmp_path), str(tmp_path / "out")
    panel.ui.batchStartButton.click()
    assert "no such program" in panel.ui.errorLabel.text and not panel.ui.batchLabel.text
    assert panel.ui.batchStartButton.enabled


@pytest.mark.parametrize("shown", [True, False], ids=["module shown", "another module shown"])
def test_a_batch_goes_on_when_the_scene_closes(panel, tmp_path: Path, shown: bool) -> None:
    half_done_batch(panel, tmp_path)
    panel.parent.isEntered = shown
    slicer.mrmlScene.Clear(0)
    assert panel.batch.watch.run is not None and panel.ui.batchStopButton.enabled
    (tmp_path / "studies" / "go").touch()
    wait_until(lambda: panel.batch.watch.run is None)
    assert panel.ui.batchLabel.text == "2 studies, 1 without a result" and panel.ui.batchTable.rowCount == 2
    if shown:
        panel.ui.batchTable.setCurrentCell(0, 0)
        panel.ui.openButton.click()
        assert not panel.ui.errorLabel.text and panel.volume_node.GetName() == "a"


@pytest.mark.parametrize("how", ["stop", "panel"])
def test_a_stopped_batch_leaves_nothing_half_written(
    panel, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_process, "GRACE_S", 0.0)  # a single detection's
    out = half_done_batch(panel, tmp_path)
    child = panel.batch.watch.run.child
    panel.ui.batchStopButton.click() if how == "stop" else panel.cleanup()
    wait_until(lambda: panel.batch.watch.run is None)
    assert child.exit_code == 130 and not list(out.iterdir()) and panel.ui.batchLabel.text == "Stopped"


def test_the_table_of_a_running_batch_is_read_now_and_then(
    panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from LGETextDetectLib.results_table import failed_row, write_rows
    from LGETextDetectWidgets import batch_section

    read, rows = [], batch_section.read_rows
    monkeypatch.setattr(batch_section, "read_rows", lambda path: read.append(path) or rows(path))
    monkeypatch.setattr(panel.batch.watch, "_run", SimpleNamespace(close=lambda: None))
    panel.batch._show_places((tmp_path, tmp_path))
    for done in range(1, 101):
        write_rows(tmp_path / "results.csv", [failed_row(f"s{k}", "", "refused", "x") for k in range(done)])
        panel.batch._on_event({"event": "progress", "stage": "batch", "done": done, "total": 100})
    assert panel.ui.batchLabel.text.endswith("100 / 100") and len(read) < 20
    panel.batch._show_rows()
    panel.batch._show_rows()
    assert len(panel.batch.rows) == 100 and len(read) < 21


def test_cancel_kills_an_engine_that_cannot_be_asked(panel) -> None:
    done = []

    def refuse() -> None:
        raise OSError(6, "The handle is invalid")

    child = SimpleNamespace(ask_to_stop=refuse, kill=lambda: done.append("killed"), finished=False)
    panel.watch.watch(SimpleNamespace(child=child, take_events=list, close=lambda: None, grace_s=0.0))
    with pytest.raises(OSError):
        panel.watch.cancel()
    wait_until(lambda: bool(done))
    assert panel.watch.cancelling
    panel.watch.abandon()


# --- logic without a panel -------------------------------------------------------------------------------------------


def test_logic_runs_without_a_panel() -> None:
    node = add_volume()
    tree = slicer.mrmlScene.GetSubjectHierarchyNode()
    stages: list[str] = []
    nodes = LGETextDetect.LGETextDetectLogic(ENGINE).process(
        node, prompts=["-starts with a dash", "Narbe an der Hinterwand é"], on_event=lambda e: stages.append(e["event"])
    )
    assert [p["text"] for p in nodes.result["prompts"]] == ["-starts with a dash", "Narbe an der Hinterwand é"]
    assert stages[0] == "progress" and "result" in stages
    assert nodes.table.GetNumberOfRows() == 17 and json.loads(nodes.text.GetText())["caption"]
    assert all(tree.GetItemParent(tree.GetItemByDataNode(n)) == nodes.folder_item for n in nodes.nodes())


def test_logic_hands_over_landmarks_set_by_hand() -> None:
    node = add_volume()
    logic = LGETextDetect.LGETextDetectLogic(ENGINE)
    first = logic.process(node)
    assert first.result["landmarks"]["source"] == "auto"
    number = first.landmarks.GetControlPointIndexByLabel("lv_centre_1")
    place = np.add(first.landmarks.GetNthControlPointPosition(number), (-1.5, 0, 0))
    first.landmarks.SetNthControlPointPosition(number, *place)
    mrml.mark_set_by_hand(first.landmarks, number)
    second = logic.process(node, landmarks_node=first.landmarks)
    assert second.result["landmarks"]["source"] == "mixed"
    moved = second.landmarks.GetNthControlPointPosition(second.landmarks.GetControlPointIndexByLabel("lv_centre_1"))
    assert moved == pytest.approx(place, abs=1e-3)


def test_logic_reads_a_volume_stored_along_another_axis() -> None:
    """The engine puts the thick axis first; the overlay still lies on the node's own grid."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1.5, 0.0, 0], [0, 0, 1.5], [0, 9.0, 0]])  # rows run across the slices
    values = np.random.default_rng(3).normal(100, 20, (20, 5, 24)).astype(np.float32)
    node = mrml.volume_to_node(Volume(values, affine), slicer.mrmlScene, "LGE")
    nodes = LGETextDetect.LGETextDetectLogic(ENGINE).process(node)
    assert np.array_equal(slicer.util.arrayFromVolume(nodes.evidence), (values == values.max()).astype(np.float32))


def test_logic_refuses_and_stops() -> None:
    logic = LGETextDetect.LGETextDetectLogic(ENGINE)
    node = add_volume()
    with pytest.raises(InputRefused) as refused:
        logic.process(node, prompts=["refuse"])
    assert refused.value.code == "constant-image"
    with pytest.raises(EngineFailed, match="something broke"):
        logic.process(node, prompts=["crash"])
    with pytest.raises(Cancelled):
        logic.process(node, prompts=["hang"], should_stop=lambda: True)
    with pytest.raises(ValueError):
        logic.process(None)
    assert not finding_nodes()


def test_the_real_engine_refuses_a_constant_volume() -> None:
    """The command that Slicer runs, in a process that finds the library by itself."""
    node = add_volume()
    slicer.util.updateVolumeFromArray(node, np.ones((8, 32, 32), np.float32))
    with pytest.raises(InputRefused) as refused:
        LGETextDetect.LGETextDetectLogic().process(node)
    assert refused.value.code == "constant-image"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["IN", "OUT/a.mrb", "scar?"], 0, "not for diagnosis"),
        ([], 2, "VOLUME.nrrd OUT.mrb"),
        (["IN"], 2, "VOLUME.nrrd OUT.mrb"),
        (["IN", "OUT/a.mrb", "refuse"], 3, "refused [constant-image]"),
        (["OUT/nothing.nrrd", "OUT/a.mrb"], 3, "refused [not-found]"),
        (["IN", "OUT/a.mrb", "crash"], 4, "something broke"),
        (["IN", "OUT/no/such/folder/a.mrb"], 4, "cannot be written"),
    ],
)
def test_the_headless_example_always_ends(
    words: list[str], code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from LGETextDetectLib.volume_files import write_nrrd

    write_nrrd(mrml.volume_from_node(add_volume()), tmp_path / "in.nrrd")
    places = {"IN": str(tmp_path / "in.nrrd")}
    ended = []
    monkeypatch.setattr(slicer.util, "exit", ended.append)
    monkeypatch.setattr(engine_process, "engine_command", lambda: ENGINE)
    monkeypatch.setattr(sys, "argv", ["x", *(places.get(w, w.replace("OUT", str(tmp_path))) for w in words)])
    runpy.run_path(str(ROOT / "docs" / "headless_slicer.py"), run_name="__main__")
    assert ended == [code] and says in capsys.readouterr().out


def test_the_headless_example_ends_when_slicer_itself_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_words):
        raise RuntimeError("no packages")

    ended = []
    monkeypatch.setattr(slicer.util, "exit", ended.append)
    monkeypatch.setattr(LGETextDetect.LGETextDetectLogic, "ensure_packages", broken)
    monkeypatch.setattr(sys, "argv", ["x", "in.nrrd", "out.mrb"])
    with pytest.raises(RuntimeError):
        runpy.run_path(str(ROOT / "docs" / "headless_slicer.py"), run_name="__main__")
    assert ended == [4]


# --- packages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No testing mode and one requirement missing; the question is answered by ``answer``, the texts are kept."""
    monkeypatch.setattr(PARTS.app, "testing", False)
    seen = SimpleNamespace(questions=[], answer=True, requirements=tmp_path / "requirements.txt")
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text: seen.questions.append(text) or seen.answer)
    seen.requirements.write_text("# a comment\n--only-binary :all:\nnumpy>=1.0\nnot-there-lgetext>=2\n", "utf-8")
    monkeypatch.setattr(LGETextDetect, "REQUIREMENTS", seen.requirements)
    return seen


@pytest.mark.parametrize("newer", [False, True], ids=["5.10", "5.12"])
def test_only_what_is_missing_is_installed_wheels_only_and_slicers_own_stay(
    lacking, newer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("slicer.packaging", "slicer.pydeps") if newer else ():
        module = PARTS.packages.ensuring_module(name)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(slicer, name.removeprefix("slicer."), module, raising=False)
    held: list[str] = []
    monkeypatch.setattr(slicer.util, "pip_install", lambda words: held.extend([*words, constraints_of(words)]))
    packages.ensure_packages(lacking.requirements, "LGETextDetect")
    assert len(lacking.questions) == 1 and "not-there-lgetext>=2" in lacking.questions[0]
    assert held[:2] == ["--only-binary", ":all:"] and held[-2] == "not-there-lgetext>=2" and "numpy>=1.0" not in held
    assert f"numpy=={np.__version__}" in held[-1].splitlines()


def constraints_of(words: list[str]) -> str:
    return Path(words[words.index("--constraint") + 1]).read_text("utf-8")


def test_nothing_is_asked_when_all_is_there(lacking) -> None:
    lacking.requirements.write_text("numpy>=1.0\n", "utf-8")
    packages.ensure_packages(lacking.requirements, "LGETextDetect")
    assert not lacking.questions and not PARTS.packages.installed


def test_wheels_from_a_folder_need_no_internet(lacking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(packages.WHEELS_VARIABLE, str(tmp_path))
    packages.ensure_packages(lacking.requirements, "LGETextDetect")
    (words,) = PARTS.packages.installed
    assert words[words.index("--no-index") + 1 :][:2] == ["--find-links", str(tmp_path)]
