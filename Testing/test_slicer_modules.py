"""Both Slicer modules on a real MRML scene (slicer-core), their panels clicked off-screen (PySide6) around stand-ins."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from slicer_core_needed import skip_without_slicer_core

skip_without_slicer_core()
if importlib.util.find_spec("PySide6") is None:
    pytest.skip(
        "PySide6 is not installed; `make test-slicer` runs these tests in .venv-slicer", allow_module_level=True
    )

import engine_stand_in  # noqa: E402
import slicer  # noqa: E402
import slicer.util  # noqa: E402
import slicer_stand_in  # noqa: E402
from LGETextDetectLib import mrml  # noqa: E402
from LGETextDetectLib.bundle import default_bundle  # noqa: E402
from LGETextDetectLib.events import Cancelled  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextDetectLib.study import sample_study  # noqa: E402
from LGETextDetectLib.volume import Volume  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PARTS = slicer_stand_in.install()
sys.path[:0] = [str(ROOT / "LGETextDetect"), str(ROOT / "LGETextTrain")]

import LGETextDetect  # noqa: E402
import LGETextTrain  # noqa: E402

ENGINE = (sys.executable, str(HERE / "engine_stand_in.py"))
PATIENCE_S = 120.0  # a busy machine starts a process slowly


@pytest.fixture(autouse=True)
def clean_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    slicer.mrmlScene.Clear(1)
    PARTS.packaging.asked.clear()
    PARTS.app.testing = True
    monkeypatch.setenv("ENGINE_STAND_IN_FOLDER", str(tmp_path))
    yield
    slicer.mrmlScene.Clear(1)


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


@pytest.fixture
def train_panel(tmp_path: Path):
    with slicer_stand_in.panel(LGETextTrain.LGETextTrainWidget) as widget:
        widget.logic = LGETextTrain.LGETextTrainLogic(ENGINE)
        yield widget


def wait_until(condition) -> None:
    """Run the event loop, where the panel's timer fires, until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    waker = slicer_stand_in.qt_stand_in.QtCore.QTimer()
    waker.start(20)
    more = slicer_stand_in.qt_stand_in.QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        PARTS.qt_application.processEvents(more)


def apply(panel, prompt: str = "") -> None:
    panel.ui.promptLineEdit.text = prompt
    panel.ui.applyButton.click()


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
assert not parts.packaging.asked and not parts.sample_data.sources
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
    lines = PARTS.packaging.load_requirements(module.REQUIREMENTS)
    assert lines and all(">=" in line and "==" not in line for line in lines)
    names = {line.split(">=")[0].lower() for line in lines}
    assert not names & {"numpy", "simpleitk", "torch", "vtk"}
    assert set(lines) <= set(_dependencies())


def _dependencies() -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["train"]]


# --- panel -----------------------------------------------------------------------------------------------------------


def test_apply_waits_for_a_volume(panel) -> None:
    assert not panel.ui.applyButton.enabled and "Choose a volume" in panel.ui.applyButton.toolTip
    add_volume()
    assert panel.ui.applyButton.enabled
    assert panel.ui.seriesLabel.text == "4 slices of 8 x 6, 1.50 x 1.50 mm, 8.0 mm apart"
    assert not panel.ui.cancelButton.enabled


def test_a_volume_that_gets_its_image_later_can_be_applied(panel) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "late")
    assert panel.ui.inputSelector.currentNode() is node and not panel.ui.applyButton.enabled
    slicer.util.updateVolumeFromArray(node, np.ones((3, 4, 5), np.float32))
    assert panel.ui.applyButton.enabled and panel.ui.seriesLabel.text.startswith("3 slices of 4 x 5")


def test_research_use_is_always_said(panel, train_panel) -> None:
    for widget in (panel, train_panel):
        assert "Research use, not for diagnosis" in widget.ui.researchLabel.text
        assert widget.ui.researchLabel.isVisibleTo(widget.parent.widget)


def test_every_control_has_a_tooltip_and_every_parameter_a_widget(panel, train_panel) -> None:
    for widget, parameters in ((panel, panel._parameterNode), (train_panel, train_panel._parameterNode)):
        controls = vars(widget.ui).values()
        assert {w.property("SlicerParameterName") for w in controls} - {None} == set(parameters.hints)
        wanted = ("PushButton", "NodeComboBox", "ComboBox", "LineEdit", "PathLineEdit", "PlainTextEdit")
        assert not [w.name for w in controls if type(w).__name__.endswith(wanted) and not w.toolTip]


def test_apply_shows_the_finding_and_its_nodes(panel) -> None:
    node = add_volume()
    apply(panel, "scar in the inferior wall")
    assert not panel.ui.applyButton.enabled and panel.ui.cancelButton.enabled and not panel.ui.sampleButton.enabled
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert panel.ui.applyButton.enabled and not panel.ui.cancelButton.enabled
    assert "Scar found." in panel.ui.resultLabel.text and "scar in the inferior wall  0.70" in panel.ui.resultLabel.text
    assert "reading done" in panel.ui.logText.toPlainText()
    assert not panel.ui.errorLabel.text
    assert len(finding_nodes()) == 5
    evidence = slicer.mrmlScene.GetFirstNode("LGE LGE finding evidence")
    values = slicer.util.arrayFromVolume(node)
    assert np.array_equal(slicer.util.arrayFromVolume(evidence), (values == values.max()).astype(np.float32))
    assert [requester for requester, _ in PARTS.packaging.asked] == ["LGETextDetect"]


def test_return_in_the_question_applies(panel) -> None:
    add_volume()
    panel.ui.promptLineEdit.text = "is there scar?"
    panel.ui.promptLineEdit.returnPressed.emit()
    wait_until(lambda: panel.ui.stageLabel.text == "Done")
    assert "is there scar?  0.70" in panel.ui.resultLabel.text


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


def test_unfit_volume_is_refused_before_anything_starts(panel) -> None:
    slicer.util.arrayFromVolume(add_volume())[0, 0, 0] = np.nan
    apply(panel)
    assert panel.ui.errorLabel.text.startswith("[nan-values]")
    assert panel.ui.applyButton.enabled and not panel.ui.cancelButton.enabled


def test_declined_packages_are_said(panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def decline(*_args, **_kwargs):
        raise RuntimeError("The packages were not installed.")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", decline)
    add_volume()
    apply(panel)
    assert "not installed" in panel.ui.errorLabel.text and panel.ui.applyButton.enabled


def test_cancel_leaves_no_process_no_nodes_and_a_usable_panel(
    panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LGETextDetect, "GRACE_S", 0.2)
    add_volume()
    apply(panel, "hang")
    wait_until(lambda: panel.ui.stageLabel.text == "hanging")
    assert engine_stand_in.is_locked(tmp_path / "lock") and panel.ui.progressBar.value == 1
    folder = panel._run.result_folder.parent
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
    folder = panel._run.result_folder.parent
    if close == "scene":
        slicer.mrmlScene.Clear(0)
        assert panel.ui.inputSelector.currentNode() is None and not panel.ui.applyButton.enabled
        add_volume()
        assert panel.ui.applyButton.enabled  # the new scene's parameter node is in use
    else:
        panel.cleanup()
    wait_until(lambda: not engine_stand_in.is_locked(tmp_path / "lock"))
    assert not folder.exists()


def test_settings_are_kept_in_the_scene(panel) -> None:
    node = add_volume()
    panel.ui.promptLineEdit.text = "subendocardial scar"
    panel.ui.deviceComboBox.currentIndex = 1
    with slicer_stand_in.panel(LGETextDetect.LGETextDetectWidget) as again:
        assert again.ui.promptLineEdit.text == "subendocardial scar"
        assert again.ui.deviceComboBox.currentText == "cpu"
        assert again.ui.inputSelector.currentNode() is node


def test_devices_are_those_of_the_command_line() -> None:
    from LGETextDetectLib.cli import DEVICES

    assert LGETextDetect.LGETextDetectParameterNode.hints["device"].__metadata__[0].choices == list(DEVICES)


def result_of(present: bool | None, **changes) -> dict:
    detection = {
        "present": present,
        "probability": 0.5,
        "reasons": ["close to the threshold"] if present is None else [],
    }
    return {"detection": detection, "caption": "A sentence.", "prompts": [], "quality": [], **changes}


@pytest.mark.parametrize(("present", "says"), [(True, "Scar found"), (False, "No scar found"), (None, "Undecided")])
def test_the_answer_in_words(present, says: str) -> None:
    text = LGETextDetect.result_text(result_of(present))
    assert text.startswith(says)
    assert (present is None) == ("close to the threshold" in text)
    assert present is False or "no scar" not in text.lower()


def test_answers_and_warnings_in_words() -> None:
    prompts = [
        {"text": "scar?", "probability": 0.25},
        {"text": "is it raining?", "probability": None},
    ]
    quality = [{"severity": "warning", "text": "Few slices."}, {"severity": "info", "text": "PSIR."}]
    text = LGETextDetect.result_text(result_of(True, prompts=prompts, quality=quality))
    assert text.splitlines()[-3:] == ["scar?  0.25", "is it raining?  not understood", "warning: Few slices."]


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
    assert tree.GetItemParent(tree.GetItemByDataNode(nodes.evidence)) == nodes.folder_item


def test_logic_hands_over_landmarks_set_by_hand() -> None:
    node = add_volume()
    logic = LGETextDetect.LGETextDetectLogic(ENGINE)
    first = logic.process(node)
    assert first.result["landmarks"]["source"] == "auto"
    number = first.landmarks.GetControlPointIndexByLabel("lv_centre_1")
    place = np.add(first.landmarks.GetNthControlPointPosition(number), (1.5, 0, 0))
    first.landmarks.SetNthControlPointPosition(number, *place)
    second = logic.process(node, landmarks_node=first.landmarks)
    assert second.result["landmarks"]["source"] == "manual"
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
    with pytest.raises(LGETextDetect.EngineFailed, match="something broke"):
        logic.process(node, prompts=["crash"])
    with pytest.raises(Cancelled):
        logic.process(node, prompts=["hang"], should_stop=lambda: True)
    with pytest.raises(ValueError):
        logic.process(None)
    assert not finding_nodes()


def test_the_real_engine_refuses_a_constant_volume() -> None:
    """The command that Slicer runs, in a process that finds the library by itself; no model is needed to refuse."""
    node = add_volume()
    slicer.util.updateVolumeFromArray(node, np.ones((8, 32, 32), np.float32))
    try:
        LGETextDetect.LGETextDetectLogic().process(node)
    except InputRefused as refused:
        assert refused.code in ("constant-image", "bad-bundle")  # the model is opened first
    else:
        pytest.fail("a constant image was answered")


def test_the_real_engine_on_the_sample_study() -> None:
    try:
        default_bundle()
        sample_study()
    except InputRefused as missing:
        pytest.skip(f"NOT RUN: {missing.cause}")
    logic = LGETextDetect.LGETextDetectLogic()
    node = logic.load_sample()
    nodes = logic.process(node, prompts=["scar in the inferior wall"], device="cpu")
    assert nodes.result["schema_version"] == 1 and len(nodes.result["segments"]) == 17
    assert slicer.util.arrayFromVolume(nodes.evidence).shape == slicer.util.arrayFromVolume(node).shape
    assert nodes.landmarks.GetNumberOfControlPoints() > 10


# --- packages on Slicer 5.10 -----------------------------------------------------------------------------------------


@pytest.fixture
def slicer_5_10(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No slicer.packaging; one requirement is missing; answers and installations are kept."""
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.setattr(PARTS.app, "testing", False)
    seen = SimpleNamespace(installed=[], questions=[], answer=True)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text: seen.questions.append(text) or seen.answer)
    monkeypatch.setattr(slicer.util, "pip_install", seen.installed.append)
    seen.requirements = tmp_path / "requirements.txt"
    seen.requirements.write_text("# a comment\n--only-binary :all:\nnumpy>=1.0\nnot-there-lgetext>=2\n", "utf-8")
    return seen


def test_5_10_asks_once_and_installs_only_what_is_missing(slicer_5_10) -> None:
    LGETextDetect.ensure_packages(slicer_5_10.requirements, "LGETextDetect")
    assert len(slicer_5_10.questions) == 1 and "not-there-lgetext>=2" in slicer_5_10.questions[0]
    assert slicer_5_10.installed == [["--only-binary", ":all:", "not-there-lgetext>=2"]]


def test_5_10_does_not_install_what_the_user_declines(slicer_5_10) -> None:
    slicer_5_10.answer = False
    with pytest.raises(RuntimeError, match="not installed"):
        LGETextDetect.ensure_packages(slicer_5_10.requirements, "LGETextDetect")
    assert not slicer_5_10.installed


def test_5_10_asks_nothing_when_all_is_there(slicer_5_10) -> None:
    slicer_5_10.requirements.write_text("numpy>=1.0\n", "utf-8")
    LGETextDetect.ensure_packages(slicer_5_10.requirements, "LGETextDetect")
    assert not slicer_5_10.questions


# --- training panel --------------------------------------------------------------------------------------------------


def recipe(folder: Path, text: str = "name = 'x'") -> str:
    path = folder / "recipe.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_start_says_what_is_missing(train_panel, tmp_path: Path) -> None:
    ui = train_panel.ui
    assert not ui.startButton.enabled and "recipe" in ui.startButton.toolTip
    ui.recipePath.currentPath = recipe(tmp_path)
    assert not ui.startButton.enabled and "output folder" in ui.startButton.toolTip
    ui.outputPath.currentPath = recipe(tmp_path) + "/below-a-file"
    assert not ui.startButton.enabled and "cannot be written" in ui.startButton.toolTip
    ui.outputPath.currentPath = str(tmp_path / "new" / "out")
    assert ui.startButton.enabled


def test_training_runs_and_its_log_is_shown_and_kept(train_panel, tmp_path: Path) -> None:
    ui = train_panel.ui
    ui.recipePath.currentPath, ui.outputPath.currentPath = recipe(tmp_path), str(tmp_path / "out")
    ui.startButton.click()
    assert not ui.startButton.enabled and ui.stopButton.enabled
    wait_until(lambda: ui.stageLabel.text == "Done")
    assert "a plain line" in ui.logText.toPlainText()
    assert '"stage": "heart"' in (tmp_path / "out" / LGETextTrain.LOG_NAME).read_text("utf-8")
    assert ui.startButton.enabled and not ui.stopButton.enabled
    ui.startButton.click()  # started again in the same folder, only what is new is shown
    wait_until(lambda: ui.stageLabel.text == "Done")
    assert ui.logText.toPlainText().count("a plain line") == 1


@pytest.mark.parametrize(
    ("order", "says"), [("refuse", "[constant-image] Every pixel is the same."), ("crash", "exit code 1")]
)
def test_a_training_that_fails_says_why(train_panel, tmp_path: Path, order: str, says: str) -> None:
    ui = train_panel.ui
    ui.recipePath.currentPath, ui.outputPath.currentPath = recipe(tmp_path, order), str(tmp_path / "out")
    ui.startButton.click()
    wait_until(lambda: ui.startButton.enabled)
    assert says in ui.errorLabel.text


def test_stop_ends_the_whole_training(train_panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LGETextTrain, "GRACE_S", 0.2)
    ui = train_panel.ui
    ui.recipePath.currentPath, ui.outputPath.currentPath = recipe(tmp_path, "hang"), str(tmp_path / "out")
    ui.startButton.click()
    wait_until(lambda: ui.stageLabel.text.startswith("hanging"))
    assert engine_stand_in.is_locked(tmp_path / "lock")
    ui.stopButton.click()
    wait_until(lambda: ui.stageLabel.text == "Stopped")
    wait_until(lambda: not engine_stand_in.is_locked(tmp_path / "lock"))
    assert ui.startButton.enabled


def test_training_goes_on_when_the_panel_closes(train_panel, tmp_path: Path) -> None:
    ui = train_panel.ui
    ui.recipePath.currentPath, ui.outputPath.currentPath = recipe(tmp_path, "hang"), str(tmp_path / "out")
    ui.startButton.click()
    wait_until(lambda: ui.stageLabel.text.startswith("hanging"))
    run = train_panel._run
    train_panel.cleanup()
    slicer.mrmlScene.Clear(0)
    try:
        assert run.exit_code is None and engine_stand_in.is_locked(tmp_path / "lock")
    finally:
        run.kill()
    wait_until(lambda: not engine_stand_in.is_locked(tmp_path / "lock"))
