"""The whole way on the bundled sample study with the bundled model: panel, result nodes, MRB, moved point, cancel, refusal."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pytest
from panel_cases import ROOT, clean_scene, views, wait_until

import slicer  # isort: skip
import slicer.util
import slicer_stand_in
import vtk
from LGETextDetectLib import aha, mrml, mrml_results, mrml_roles
from LGETextDetectLib.bundle import default_bundle
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.study import sample_study

import LGETextDetect  # isort: skip
from LGETextDetectWidgets import dicom_source, exports, panel_words

__all__ = ["clean_scene", "views"]  # fixtures


@pytest.fixture(scope="module", autouse=True)
def needs_model_and_sample() -> None:
    try:
        default_bundle()
        sample_study()
    except InputRefused as missing:
        pytest.skip(f"NOT RUN: {missing.cause}")


@pytest.fixture
def panel(clean_scene, views):
    with slicer_stand_in.panel(LGETextDetect.LGETextDetectWidget) as widget:
        widget.ui.sampleButton.click()
        yield widget


def applied(panel, prompt: str = "scar in the inferior wall"):
    panel.ui.promptLineEdit.text = prompt
    panel.ui.applyButton.click()
    wait_until(lambda: panel.watch.run is None)
    assert not panel.ui.errorLabel.text and panel.ui.stageLabel.text == "Done"
    return panel.nodes


def matrix_of(node) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix) if node.IsA("vtkMRMLVolumeNode") else node.GetMatrixTransformToParent(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def table_of(node) -> list[list[str]]:
    columns, rows = node.GetNumberOfColumns(), node.GetNumberOfRows()
    titles = [node.GetTable().GetColumnName(c) for c in range(columns)]
    return [titles, *([node.GetCellText(r, c) for c in range(columns)] for r in range(rows))]


def points_of(node) -> list[tuple]:
    return [
        (node.GetNthControlPointLabel(k), node.GetNthControlPointDescription(k), *np.round(node.GetNthControlPointPosition(k), 3))
        for k in range(node.GetNumberOfControlPoints())
    ]  # fmt: skip


def scar_voxels(nodes) -> np.ndarray:
    labels = nodes.segmentation.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    nodes.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(nodes.evidence)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.ExportAllSegmentsToLabelmapNode(
        nodes.segmentation, labels, slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY
    )
    voxels = mrml.volume_from_node(labels).array > 0
    mrml.remove_with_parts(labels, nodes.segmentation.GetScene())
    return voxels


def same_result(before, after) -> None:
    """Every part of two results, one of which was read from a file."""
    assert np.array_equal(mrml.volume_from_node(before.evidence).array, mrml.volume_from_node(after.evidence).array)
    assert np.allclose(matrix_of(before.evidence), matrix_of(after.evidence), atol=1e-5)
    assert np.allclose(matrix_of(before.transform), matrix_of(after.transform), atol=1e-6)
    for part in ("table", "slices"):
        assert table_of(getattr(before, part)) == table_of(getattr(after, part)), part
    assert points_of(before.landmarks) == points_of(after.landmarks)
    assert before.text.GetText() == after.text.GetText() and before.result == after.result
    assert after.chart.GetNthPlotSeriesNode(0) is after.series and after.series.GetTableNode() is after.slices
    assert np.array_equal(scar_voxels(before), scar_voxels(after)) and scar_voxels(after).any()
    segment = after.segmentation.GetSegmentation().GetSegment(mrml_results.SCAR_SEGMENT_ID)
    coded = vtk.reference("")
    assert segment.GetTag(segment.GetTerminologyEntryTagName(), coded) and "12402003" in str(coded)
    display, read = before.evidence.GetDisplayNode(), after.evidence.GetDisplayNode()
    assert read.GetLowerThreshold() == pytest.approx(display.GetLowerThreshold())
    assert read.GetColorNode().GetName() == mrml_results.EVIDENCE_COLOURS
    assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(after.evidence).GetTitleText() == "Scar evidence"


def test_from_volume_to_result_nodes_and_through_an_mrb(panel, tmp_path: Path) -> None:
    volume_node, tree = panel.volume_node, slicer.mrmlScene.GetSubjectHierarchyNode()
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "study")
    tree.CreateItem(study, volume_node)  # as the application does for every volume
    assert panel.ui.seriesLabel.text.startswith("PSIR: 10 slices of")
    nodes = applied(panel)
    assert nodes.result["schema_version"] == 1 and nodes.table.GetNumberOfRows() == 17
    assert slicer.util.arrayFromVolume(nodes.evidence).shape == slicer.util.arrayFromVolume(volume_node).shape
    answers = mrml_roles.part_of(volume_node, slicer.mrmlScene, "answers")
    everything = [*nodes.nodes(), answers]
    assert {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in everything} == {nodes.folder_item}
    assert tree.GetItemParent(nodes.folder_item) == tree.GetItemParent(tree.GetItemByDataNode(volume_node)) == study

    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    scene = slicer_stand_in.new_scene()
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    again = scene.GetFirstNode(volume_node.GetName(), "vtkMRMLScalarVolumeNode")
    assert np.array_equal(slicer.util.arrayFromVolume(again), slicer.util.arrayFromVolume(volume_node))
    assert np.allclose(matrix_of(again), matrix_of(volume_node), atol=1e-5)
    found = mrml_results.find_result(again, scene)
    same_result(nodes, found)
    assert mrml_results.made_of(found, again)
    assert table_of(mrml_roles.part_of(again, scene, "answers")) == table_of(answers)
    tree = scene.GetSubjectHierarchyNode()
    assert {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in found.nodes()} == {found.folder_item}
    scene.Clear(1)


def test_the_exported_scene_holds_the_result_and_no_names(panel, tmp_path: Path) -> None:
    panel.volume_node.SetName("Doe^Jane 1970")
    panel.volume_node.SetAttribute("DICOM.instanceUIDs", "1.2.345.6789")
    nodes = applied(panel)
    panel.ui.editSegmentationButton.click()  # no editor here; it is the user's segmentation from now on
    panel.volume_node.SetName("renamed later")
    panel.export.choose_file = lambda name, kind: str(tmp_path / name)
    panel.ui.sceneButton.click()
    panel.ui.pdfButton.click()
    assert "Saved" in panel.ui.exportLabel.text
    scene = slicer_stand_in.new_scene()
    assert scene.ReadFromMRB(str(tmp_path / "LGE.mrb"))
    again = scene.GetFirstNode("LGE", "vtkMRMLScalarVolumeNode")
    assert np.array_equal(slicer.util.arrayFromVolume(again), slicer.util.arrayFromVolume(panel.volume_node))
    same_result(nodes, mrml_results.find_result(again, scene))
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2  # found, and the user's own
    answers = mrml_roles.part_of(panel.volume_node, slicer.mrmlScene, "answers")
    assert table_of(mrml_roles.part_of(again, scene, "answers")) == table_of(answers)
    with zipfile.ZipFile(tmp_path / "LGE.mrb") as archive:
        for name in archive.namelist():
            words = archive.read(name) + name.encode()
            assert not any(
                secret in words for secret in (b"Doe", b"Jane", b"1.2.345", str(Path.home()).encode() + b"/")
            ), name
    assert (tmp_path / "report.pdf").stat().st_size > 20_000
    assert len(exports._pictures((panel.result_folder / "report.html").read_text("utf-8"))) == 10
    scene.Clear(1)


def test_dicom_objects_refer_to_the_studys_own_files(panel, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    import pydicom

    assert not panel.ui.dicomButton.enabled
    applied(panel)
    panel.export.choose_folder = lambda: str(tmp_path)
    panel.ui.dicomButton.click()
    wait_until(lambda: panel.watch.run is None)
    assert not panel.ui.errorLabel.text and "Saved" in panel.ui.exportLabel.text
    segmentation, report = (pydicom.dcmread(tmp_path / name) for name in exports.DICOM_FILES)
    assert segmentation.Modality == "SEG" and report.Modality == "SR"
    studies = {
        pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID for path in sample_study().rglob("*.dcm")
    }
    assert {segmentation.StudyInstanceUID, report.StudyInstanceUID} <= studies


class Database:
    """Slicer's DICOM database with the sample study in it, as ctkDICOMDatabase answers."""

    isOpen = True

    def __init__(self) -> None:
        import pydicom

        headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in sample_study().rglob("*.dcm")}
        self.uids = {str(path): str(header.SOPInstanceUID) for path, header in headers.items()}
        self.series = {str(path): str(header.SeriesInstanceUID) for path, header in headers.items()}

    def fileForInstance(self, uid):
        return next((path for path, known in self.uids.items() if known == uid), "")

    def fileValue(self, path, tag):
        return ""

    def seriesForFile(self, path):
        return self.series[path]

    def studyForSeries(self, series):
        return "study"

    def seriesForStudy(self, study):
        return sorted(set(self.series.values()))

    def filesForSeries(self, series):
        return [path for path, known in self.series.items() if known == series]


def test_the_best_stack_of_a_study_names_its_own_frames(panel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not panel.ui.stackButton.enabled  # the sample study is in no database
    known = Database()
    monkeypatch.setattr(slicer, "dicomDatabase", known, raising=False)
    cine = [uid for path, uid in known.uids.items() if "cine" in path]
    panel.volume_node.SetAttribute(dicom_source.UIDS_ATTRIBUTE, " ".join(cine))
    panel.ui.stackButton.click()
    assert not panel.ui.errorLabel.text
    files = dicom_source.instance_files(panel.volume_node)
    assert len(files) == 10 and {path.parent.name for path in files} == {"030_psir"}
    assert panel.volume_node.GetAttribute(dicom_source.STACK_ATTRIBUTE) == " ".join(cine)
    places = [tuple(map(float, position_of(path))) for path in files]
    order = [mrml.engine_volume(panel.volume_node).to_index(place)[0] for place in places]
    assert np.allclose(order, range(10), atol=1e-3)  # one file a slice, in the volume's order
    with dicom_source.source_folder(panel.volume_node) as folder:
        assert len(list(Path(folder).iterdir())) == len(known.uids)  # read again, the whole study gives this stack


def position_of(path: Path):
    import pydicom

    return pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient


def turned(node, number: int, centre, axis, angle_deg: float) -> None:
    """Turn a control point around an axis through ``centre``, RAS."""
    turn = vtk.vtkTransform()
    turn.Translate(*centre)
    turn.RotateWXYZ(angle_deg, *axis)
    turn.Translate(*(-v for v in centre))
    node.SetNthControlPointPositionWorld(number, *turn.TransformPoint(node.GetNthControlPointPositionWorld(number)))


def test_moving_the_anterior_insertion_point_turns_the_segments(panel) -> None:
    """30 degrees of one of two insertion points turn the septum's midline, and with it every segment, by 15 degrees."""
    before, landmarks = applied(panel), panel.parameters.landmarks
    frames, angle = panel.landmarks.frames(), before.result["orientation"]["angle_deg"]
    labels, probabilities = panel.result.segment_labels(), [row["probability"] for row in before.result["segments"]]
    middle = frames[len(frames) // 2]
    label = f"rvip_anterior_{middle.index}"
    ras = np.multiply(middle.centre, (-1, -1, 1))
    axis = np.multiply(np.cross(middle.right, middle.up), (-1, -1, 1))
    panel.ui.editButton.click()
    turned(landmarks, landmarks.GetControlPointIndexByLabel(label), ras, axis, 30.0)
    wait_until(lambda: panel.nodes is not before and panel.watch.run is None)
    assert not panel.ui.errorLabel.text and panel.nodes.result["landmarks"]["source"] == "mixed"
    now = panel.landmarks.frames()
    to_heart = np.array([now[0].right @ frames[0].right, now[0].right @ frames[0].up])
    shift = float(np.degrees(np.arctan2(to_heart[1], to_heart[0])))
    assert shift == pytest.approx(15, abs=4)
    change = (panel.nodes.result["orientation"]["angle_deg"] - angle + 180) % 360 - 180
    assert abs(change) == pytest.approx(15, abs=4)
    volume = mrml.engine_volume(panel.volume_node)
    moved = panel.result.segment_labels()
    for frame in (f for f in frames if f.level in ("basal", "mid", "apical")):
        for degrees in range(0, 360, 10):
            row, column = np.round(volume.to_index(frame.point(degrees, 0.8))[1:]).astype(int)
            offset = volume.to_lps([frame.index, row, column]) - frame.centre
            place = np.degrees(np.arctan2(offset @ frame.up, offset @ frame.right))
            assert labels[frame.index, row, column] == aha.segment_of(place, frame.level)
            assert moved[frame.index, row, column] in aha.segment_of(
                [place - shift - 3, place - shift + 3], frame.level
            )
    assert [row["probability"] for row in panel.nodes.result["segments"]] != probabilities
    assert not np.allclose(matrix_of(before.transform), matrix_of(panel.nodes.transform), atol=1e-3)


def test_cancel_in_the_middle_of_the_real_engine(panel) -> None:
    count = slicer.mrmlScene.GetNumberOfNodes()
    panel.ui.applyButton.click()
    run = panel.watch.run
    wait_until(lambda: panel.ui.stageLabel.text in panel_words.STAGES.values() or panel.watch.run is None)
    panel.ui.cancelButton.click()
    wait_until(lambda: panel.watch.run is None)
    assert panel.ui.stageLabel.text == "Cancelled" and run.child.exit_code is not None
    assert slicer.mrmlScene.GetNumberOfNodes() == count and not run.result_folder.exists()
    assert panel.nodes is None and panel.ui.applyButton.enabled and not panel.ui.cancelButton.enabled


def test_a_refused_series_shows_code_cause_and_remedy(panel) -> None:
    values = slicer.util.arrayFromVolume(panel.volume_node)
    slicer.util.updateVolumeFromArray(panel.volume_node, np.full(values.shape, 7, np.float32))
    panel.ui.applyButton.click()
    wait_until(lambda: panel.watch.run is None)
    code, remedy = panel.ui.errorLabel.text.splitlines()
    assert code.startswith("[constant-image] ") and len(code) > 20 and remedy.endswith(".")
    assert panel.nodes is None and panel.ui.applyButton.enabled


def test_the_headless_example_of_the_documentation(clean_scene, tmp_path: Path, capsys) -> None:
    spec = importlib.util.spec_from_file_location("headless_slicer", ROOT / "docs" / "headless_slicer.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    assert example.main([str(sample_study()), str(tmp_path / "out.mrb"), "scar in the septum"]) == 0
    said = capsys.readouterr().out
    assert "scar in the septum 0." in said and "not for diagnosis" in said and zipfile.is_zipfile(tmp_path / "out.mrb")
    assert example.main([str(tmp_path / "nothing.nrrd"), str(tmp_path / "no.mrb")]) == 3


def test_sample_files_are_those_that_were_shipped() -> None:
    import hashlib

    lines = LGETextDetect.SAMPLE_SUMS.read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    files = {path.relative_to(sample_study()).as_posix(): path for path in sample_study().rglob("*") if path.is_file()}
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}, (
        "run `make sample-study-sums`"
    )


def test_a_changed_sample_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums, lines = tmp_path / "sums", LGETextDetect.SAMPLE_SUMS.read_text("utf-8").splitlines()
    sums.write_text("\n".join(["0" * 64 + lines[0][64:], *lines[1:]]), "utf-8")
    monkeypatch.setattr(LGETextDetect, "SAMPLE_SUMS", sums)
    with pytest.raises(InputRefused) as refused:
        LGETextDetect.LGETextDetectLogic().load_sample()
    assert refused.value.code == "no-sample"


def test_a_result_is_never_shown_with_another_volume(panel) -> None:
    """Chosen away while the engine runs: nothing is shown with the other volume, and the result waits beside its own."""
    first = panel.volume_node
    other = panel.logic.load_study(sample_study(), "other")
    panel.ui.applyButton.click()
    panel.parameters.inputVolume = other
    wait_until(lambda: panel.watch.run is None)
    assert panel.nodes is None and panel.result_folder is None and not panel.ui.errorLabel.text
    assert mrml_results.find_result(other, slicer.mrmlScene) is None
    panel.parameters.inputVolume = first
    assert panel.nodes is not None and panel.nodes.table.GetNumberOfRows() == 17


def test_leaving_the_module_keeps_what_was_found_and_what_runs(panel) -> None:
    nodes, folder = applied(panel), panel.result_folder
    panel.exit()
    panel.parameters.showEvidence = not panel.parameters.showEvidence  # nobody follows, nothing fails
    panel.enter()
    assert panel.nodes is nodes and panel.result_folder == folder and folder.is_dir()
    panel.ui.applyButton.click()
    panel.exit()
    wait_until(lambda: panel.watch.run is None)
    panel.enter()
    assert not panel.ui.errorLabel.text and panel.ui.stageLabel.text == "Done"
    assert panel.nodes is not None and panel.result_folder.is_dir()
