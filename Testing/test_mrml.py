"""Volumes, landmarks and results on a real MRML scene (PyPI slicer-core), there and back."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from slicer_core_needed import skip_without_slicer_core

skip_without_slicer_core()

import slicer  # noqa: E402
import slicer.util  # noqa: E402
import vtk  # noqa: E402
from LGETextDetectLib import aha, mrml, mrml_bundle, mrml_results, mrml_roles, mrml_tables  # noqa: E402
from LGETextDetectLib.landmarks import Landmarks, SliceLandmarks  # noqa: E402
from LGETextDetectLib.markups import write_markups  # noqa: E402
from LGETextDetectLib.refusal import InputRefused  # noqa: E402
from LGETextDetectLib.volume import Volume  # noqa: E402
from LGETextDetectLib.volume_files import volume_hash, write_nrrd  # noqa: E402
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402


@pytest.fixture
def scene():
    scene = mrml_bundle.result_scene()
    yield scene
    scene.Clear(1)


def rotation(seed: int) -> np.ndarray:
    turned, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turned * np.sign(np.linalg.det(turned))


def affine(axes: np.ndarray, spacing: tuple[float, float, float], origin: tuple[float, float, float]) -> np.ndarray:
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = axes * spacing, origin
    return result


GEOMETRIES = {
    "plain": affine(np.eye(3)[:, [2, 1, 0]], (8, 1.5, 1.5), (0, 0, 0)),
    "oblique": affine(rotation(1), (8, 1.4, 1.4), (-31.25, 12.5, 640.125)),
    "anisotropic": affine(rotation(2), (10, 1.25, 2.5), (1e3, -1e3, 0.001)),
    "left-handed": affine(rotation(3) @ np.diag([-1.0, 1, 1]), (6, 1.37, 1.37), (5, 6, 7)),
    "columns flipped": affine(np.diag([1.0, 1, -1]), (8, 2, 2), (-1, -2, -3)),
}


def volume(matrix: np.ndarray, shape: tuple[int, int, int] = (4, 6, 5), seed: int = 0) -> Volume:
    values = np.random.default_rng(seed).normal(100, 50, shape).astype(np.float32)
    return Volume(values, matrix)


@pytest.mark.parametrize("matrix", GEOMETRIES.values(), ids=GEOMETRIES)
def test_volume_there_and_back_is_exact(scene, matrix) -> None:
    before = volume(matrix)
    node = mrml.volume_to_node(before, scene, "LGE")
    after = mrml.volume_from_node(node)
    assert np.array_equal(after.array, before.array)
    assert np.allclose(after.affine, before.affine, rtol=0, atol=1e-9)


@pytest.mark.parametrize("matrix", GEOMETRIES.values(), ids=GEOMETRIES)
def test_every_voxel_lies_where_mrml_says(scene, matrix) -> None:
    """The node's own IJK-to-RAS, asked for a column-row-slice index, is the negated LPS of the same voxel."""
    one = volume(matrix)
    node = mrml.volume_to_node(one, scene, "LGE")
    to_ras = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(to_ras)
    ras = to_ras.MultiplyPoint([3, 1, 2, 1])[:3]
    assert np.allclose(np.multiply(ras, (-1, -1, 1)), one.to_lps([2, 1, 3]), atol=1e-9)
    assert node.GetImageData().GetScalarComponentAsDouble(3, 1, 2, 0) == one.array[2, 1, 3]


@pytest.mark.parametrize("matrix", GEOMETRIES.values(), ids=GEOMETRIES)
def test_volume_through_an_nrrd_file(scene, matrix, tmp_path: Path) -> None:
    before = volume(matrix)
    node = mrml.volume_to_node(before, scene, "LGE")
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(tmp_path / "lge.nrrd"))
    assert storage.WriteData(node)
    loaded = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "again")
    assert storage.ReadData(loaded)
    after = mrml.volume_from_node(loaded)
    assert np.array_equal(after.array, before.array)
    assert np.allclose(after.affine, before.affine, rtol=0, atol=1e-9)


def test_the_librarys_own_nrrd_is_read_by_mrml(scene, tmp_path: Path) -> None:
    volume_files = pytest.importorskip("LGETextDetectLib.volume_files")
    before = volume(GEOMETRIES["oblique"])
    volume_files.write_nrrd(before, tmp_path / "own.nrrd")
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(tmp_path / "own.nrrd"))
    loaded = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "own")
    assert storage.ReadData(loaded)
    after = mrml.volume_from_node(loaded)
    assert np.array_equal(after.array, before.array)
    assert np.allclose(after.affine, before.affine, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float64, np.uint8])
def test_stored_types_become_float32(scene, kind) -> None:
    node = mrml.volume_to_node(volume(GEOMETRIES["plain"]), scene, "LGE")
    stored = np.arange(24, dtype=kind).reshape(2, 3, 4)
    slicer.util.updateVolumeFromArray(node, stored)
    after = mrml.volume_from_node(node)
    assert after.array.dtype == np.float32
    assert np.array_equal(after.array, stored)


def test_linear_parent_transform_is_part_of_the_geometry(scene) -> None:
    before = volume(GEOMETRIES["oblique"])
    node = mrml.volume_to_node(before, scene, "LGE")
    moved = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    shift = vtk.vtkMatrix4x4()
    shift.SetElement(0, 3, 10.0)  # 10 mm to the right (RAS) is -10 in LPS
    moved.SetMatrixTransformToParent(shift)
    node.SetAndObserveTransformNodeID(moved.GetID())
    after = mrml.volume_from_node(node)
    assert np.allclose(after.to_lps([1, 2, 3]) - before.to_lps([1, 2, 3]), [-10, 0, 0], atol=1e-9)


def _empty(scene):
    return scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")


def _with_nan(scene):
    node = mrml.volume_to_node(volume(GEOMETRIES["plain"]), scene, "LGE")
    slicer.util.arrayFromVolume(node)[0, 0, 0] = np.nan
    return node


def _colour(scene):
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "colour")
    slicer.util.updateVolumeFromArray(node, np.zeros((2, 3, 4, 3), np.uint8))
    return node


def _bent(scene):
    node = mrml.volume_to_node(volume(GEOMETRIES["plain"]), scene, "LGE")
    bend = scene.AddNewNodeByClass("vtkMRMLTransformNode", "bend")
    bend.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    node.SetAndObserveTransformNodeID(bend.GetID())
    return node


@pytest.mark.parametrize(
    ("make", "code"),
    [(_empty, "not-an-image"), (_with_nan, "nan-values"), (_colour, "four-dimensional"), (_bent, "bad-orientation")],
)
def test_unfit_nodes_are_refused(scene, make, code: str) -> None:
    with pytest.raises(InputRefused) as refused:
        mrml.volume_from_node(make(scene))
    assert refused.value.code == code


def landmarks(one: Volume) -> Landmarks:
    def at(index: int, row: float, column: float) -> tuple[float, float, float]:
        x, y, z = (round(float(v), 3) for v in one.to_lps([index, row, column]))
        return x, y, z

    slices = tuple(SliceLandmarks(k, at(k, 2, 2), at(k, 0, 0), at(k, 4, 1) if k else None, 0.8) for k in range(4))
    return Landmarks("auto", at(3.4, 2, 2), at(-0.4, 2, 2), slices)


def landmarks_to_node(points: Landmarks, scene, name: str):
    """A new list of points, as the engine's file gives it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "landmarks.mrk.json"
        write_markups(points, path)
        return mrml.markups_file_to_node(path, scene, name)


@pytest.mark.parametrize("matrix", GEOMETRIES.values(), ids=GEOMETRIES)
def test_landmarks_there_and_back(scene, matrix) -> None:
    one = volume(matrix)
    before = landmarks(one)
    node = landmarks_to_node(before, scene, "landmarks")
    after = mrml.landmarks_from_node(node, one)
    assert after.source == "manual"
    for name in ("apex", "base"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-3)
    for old, new in zip(before.slices, after.slices, strict=True):
        for name in ("lv_centre", "rvip_anterior", "rvip_inferior"):
            assert getattr(new, name) == (getattr(old, name) and pytest.approx(getattr(old, name), abs=1e-3)), name


def test_landmark_node_has_named_points_at_ras_places(scene) -> None:
    one = volume(GEOMETRIES["oblique"])
    before = landmarks(one)
    node = landmarks_to_node(before, scene, "landmarks")
    names = [node.GetNthControlPointLabel(k) for k in range(node.GetNumberOfControlPoints())]
    assert names[:3] == ["apex", "base", "lv_centre_0"]
    assert "rvip_inferior_0" not in names  # it was not visible
    place = node.GetNthControlPointPosition(names.index("rvip_anterior_2"))
    assert np.multiply(place, (-1, -1, 1)) == pytest.approx(before.slices[2].rvip_anterior, abs=1e-3)


def test_a_moved_point_arrives(scene) -> None:
    one = volume(GEOMETRIES["left-handed"])
    node = landmarks_to_node(landmarks(one), scene, "landmarks")
    number = node.GetControlPointIndexByLabel("lv_centre_1")
    wanted = one.to_lps([1, 3.5, 2.5])
    node.SetNthControlPointPosition(number, *np.multiply(wanted, (-1, -1, 1)))
    assert mrml.landmarks_from_node(node, one).slices[1].lv_centre == pytest.approx(wanted, abs=1e-3)


def test_points_outside_the_stack_are_refused(scene) -> None:
    one = volume(GEOMETRIES["plain"])
    node = landmarks_to_node(landmarks(one), scene, "landmarks")
    node.SetNthControlPointPosition(node.GetControlPointIndexByLabel("lv_centre_1"), 900.0, 900.0, 900.0)
    with pytest.raises(InputRefused) as refused:
        mrml.landmarks_from_node(node, one)
    assert refused.value.code == "bad-landmarks"


def test_evidence_overlay_lies_on_the_input(scene) -> None:
    one = volume(GEOMETRIES["left-handed"])
    node = mrml.volume_to_node(one, scene, "LGE")
    evidence = np.random.default_rng(5).random(one.array.shape, np.float32)
    overlay = mrml_results.evidence_to_node(evidence, node, scene, "evidence")
    back = mrml.volume_from_node(overlay)
    assert np.array_equal(back.array, evidence)
    assert np.allclose(back.affine, one.affine, atol=1e-9)
    display = overlay.GetDisplayNode()
    assert display.GetColorNode().GetName() == mrml_results.EVIDENCE_COLOURS
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 1.0)
    assert display.GetApplyThreshold() and display.GetLowerThreshold() == pytest.approx(
        mrml_results.EVIDENCE_SHOWN_FROM
    )
    mrml_results.evidence_to_node(evidence, node, scene, "again")
    assert scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == 1  # one table for all overlays


def test_scar_segmentation_has_terminology_geometry_and_voxels(scene) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = mrml.volume_to_node(one, scene, "LGE")
    mask = np.zeros(one.array.shape, bool)
    mask[1, 2:4, 3], mask[2, 2, 2] = True, True
    segmentation = mrml_results.scar_to_node(mask, node, scene, "scar")
    role = segmentation.GetReferenceImageGeometryReferenceRole()
    assert segmentation.GetNodeReferenceID(role) == node.GetID()

    segment = segmentation.GetSegmentation().GetSegment(mrml_results.SCAR_SEGMENT_ID)
    entry = slicer.vtkSlicerTerminologyEntry()
    coded = vtk.reference("")
    assert segment.GetTag(segment.GetTerminologyEntryTagName(), coded)
    assert slicer.vtkSlicerTerminologiesModuleLogic().DeserializeTerminologyEntry(str(coded), entry)
    codes = [
        (o.GetCodingSchemeDesignator(), o.GetCodeValue())
        for o in (
            entry.GetCategoryObject(),
            entry.GetTypeObject(),
            entry.GetRegionObject() or entry.GetAnatomicRegionObject(),
        )
    ]
    assert codes == [("SCT", "85756007"), ("SCT", "12402003"), ("SCT", "87878005")]

    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.ExportAllSegmentsToLabelmapNode(segmentation, labels, slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY)
    back = mrml.volume_from_node(labels)
    assert np.array_equal(back.array > 0, mask)
    assert np.allclose(back.affine, one.affine, atol=1e-6)


SEGMENTS = [
    {
        "aha": number,
        "name": name,
        "probability": number / 100,
        "layer": "subendocardial" if number == 3 else None,
        "transmurality": 2 if number == 3 else None,
    }
    for number, name in aha.NAMES.items()
]


SLICES = [{"index": k, "position_mm": 8.0 * k, "level": "mid", "probability": k / 10} for k in (3, 1, 0, 2)]


def test_table_of_the_segments(scene) -> None:
    node = mrml_tables.segments_to_node(SEGMENTS, scene, "segments")
    table = node.GetTable()
    assert [table.GetColumnName(k) for k in range(table.GetNumberOfColumns())] == list(mrml_tables.TABLE_COLUMNS)
    assert table.GetNumberOfRows() == 17
    row = [table.GetValue(2, k).ToString() for k in range(5)]
    assert row == ["3", "basal inferoseptal", "0.03", "subendocardial", "2"]
    assert table.GetValue(0, 3).ToString() == ""


def result_folder(one: Volume, folder: Path, present: bool | None = True) -> Path:
    """A result folder as the command line writes it; only what the scene shows."""
    folder.mkdir(parents=True, exist_ok=True)
    write_markups(landmarks(one), folder / "landmarks.mrk.json")
    evidence = np.zeros(one.array.shape, np.float32)
    evidence[1, 2:4, 3] = 0.9
    write_nrrd(one.with_array(evidence), folder / "evidence.nrrd")
    images = {"sha256": volume_hash(one)}
    result = {
        "input": images,
        "detection": {"present": present},
        "segments": SEGMENTS,
        "slices": SLICES,
        "caption": "Scar.",
        "quality": [],
    }
    (folder / "result.json").write_text(json.dumps(result), "utf-8")
    return folder


def test_a_result_folder_becomes_nodes_beside_the_input(scene, tmp_path: Path) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = mrml.volume_to_node(one, scene, "LGE")
    tree = scene.GetSubjectHierarchyNode()
    study = tree.CreateFolderItem(tree.GetSceneItemID(), "study")
    tree.SetItemParent(tree.GetItemByDataNode(node) or tree.CreateItem(study, node), study)

    nodes = mrml_results.load_result(result_folder(one, tmp_path), node, scene)

    assert tree.GetItemParent(nodes.folder_item) == study
    assert len(nodes.nodes()) == 9
    assert all(tree.GetItemParent(tree.GetItemByDataNode(n)) == nodes.folder_item for n in nodes.nodes())
    assert all(n.GetNodeReferenceID(mrml_roles.INPUT_ROLE) == node.GetID() for n in nodes.nodes())
    assert [nodes.slices.GetCellText(k, 0) for k in range(4)] == ["0", "1", "2", "3"]
    assert nodes.chart.GetNthPlotSeriesNode(0) is nodes.series and nodes.series.GetTableNode() is nodes.slices
    assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(nodes.evidence).GetTitleText() == "Scar evidence"
    assert nodes.landmarks.GetLocked()
    assert slicer.util.arrayFromVolume(nodes.evidence)[1, 2, 3] == np.float32(0.9)
    assert json.loads(nodes.text.GetText())["caption"] == "Scar."
    assert nodes.result["segments"][2]["aha"] == 3


@pytest.mark.parametrize(("present", "pixels"), [(True, 2), (False, 0), (None, 0)])
def test_scar_is_segmented_only_where_it_is_the_answer(
    scene, tmp_path: Path, present: bool | None, pixels: int
) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = mrml.volume_to_node(one, scene, "LGE")
    nodes = mrml_results.load_result(result_folder(one, tmp_path, present), node, scene)
    segment = nodes.segmentation.GetSegmentation().GetSegment(mrml_results.SCAR_SEGMENT_ID)
    labels = segment.GetRepresentation(
        slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    )
    assert int(vtk_to_numpy(labels.GetPointData().GetScalars()).sum()) == pixels
    assert slicer.util.arrayFromVolume(nodes.evidence).any()  # what is seen is shown, whatever is concluded


def _other_grid(folder: Path) -> None:
    result_folder(volume(GEOMETRIES["plain"]), folder)


def _other_shape(folder: Path) -> None:
    result_folder(volume(GEOMETRIES["oblique"], (4, 6, 6)), folder)


def _no_landmarks(folder: Path) -> None:
    (folder / "landmarks.mrk.json").unlink()


def _no_segments(folder: Path) -> None:
    (folder / "result.json").write_text("{}", "utf-8")


def _other_images(folder: Path) -> None:
    result_folder(volume(GEOMETRIES["oblique"], seed=1), folder)


@pytest.mark.parametrize("spoil", [_other_grid, _other_shape, _other_images, _no_landmarks, _no_segments])
def test_a_spoilt_result_folder_leaves_the_scene_as_it_was(scene, tmp_path: Path, spoil) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = mrml.volume_to_node(one, scene, "LGE")
    before = {scene.GetNthNode(k).GetName() for k in range(scene.GetNumberOfNodes())}
    spoil(result_folder(one, tmp_path))
    with pytest.raises((OSError, ValueError, KeyError, InputRefused)):
        mrml_results.load_result(tmp_path, node, scene)
    after = {scene.GetNthNode(k).GetName() for k in range(scene.GetNumberOfNodes())}
    assert not {name for name in after - before if "finding" in name}


def test_a_new_result_replaces_the_old_one_but_not_what_somebody_corrected(scene, tmp_path: Path) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = mrml.volume_to_node(one, scene, "LGE")
    folder = result_folder(one, tmp_path)
    first = mrml_results.load_result(folder, node, scene)
    count = scene.GetNumberOfNodes()
    second = mrml_results.load_result(folder, node, scene, first.landmarks)
    assert scene.GetNumberOfNodes() == count and second.landmarks is first.landmarks
    second.segmentation.SetAttribute(mrml_roles.KEPT_ATTRIBUTE, "1")
    third = mrml_results.load_result(folder, node, scene)
    tree = scene.GetSubjectHierarchyNode()
    assert scene.IsNodePresent(second.segmentation) and not scene.IsNodePresent(second.evidence)
    assert tree.GetItemParent(tree.GetItemByDataNode(second.segmentation)) == third.folder_item
    found = mrml_results.find_result(node, scene)
    assert found is not None and found.evidence is third.evidence and found.result["caption"] == "Scar."


@pytest.mark.parametrize("matrix", GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_result_is_known_by_its_images_whatever_the_last_digits(scene, tmp_path: Path, matrix) -> None:
    """1.40625 mm lies just between two values of the rounded geometry that the hash is of."""
    placed = matrix.copy()
    placed[:3, 1:3] *= 1.40625 / np.linalg.norm(placed[:3, 1:3], axis=0)
    one = volume(placed)
    node = mrml.volume_to_node(one, scene, "LGE")
    nodes = mrml_results.load_result(result_folder(one, tmp_path), node, scene)
    assert mrml_results.made_of(nodes, node)
    slicer.util.arrayFromVolume(node)[0, 0, 0] += 1
    assert not mrml_results.made_of(nodes, node)
    slicer.util.arrayFromVolume(node)[0, 0, 0] = one.array[0, 0, 0]
    assert mrml_results.made_of(nodes, node)
    node.SetOrigin(1.0, 2.0, 3.0)  # as 'Center volume' does: the evidence stays behind
    assert not mrml_results.made_of(nodes, node)


def test_only_points_set_by_hand_override_found_ones(scene, tmp_path: Path) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = landmarks_to_node(landmarks(one), scene, "landmarks")
    path = tmp_path / "by_hand.mrk.json"
    assert mrml.node_to_markups_file(node, path, by_hand_only=True) == 0
    number = node.GetControlPointIndexByLabel("rvip_anterior_2")
    mrml.mark_set_by_hand(node, number)
    assert mrml.node_to_markups_file(node, path, by_hand_only=True) == 1
    assert mrml.mean_confidence(node) == pytest.approx(0.8)
    fresh = tmp_path / "fresh.mrk.json"
    mrml.node_to_markups_file(landmarks_to_node(landmarks(one), scene, "again"), fresh)
    mrml.update_landmarks(node, fresh, scene, one)
    kept = [
        node.GetNthControlPointLabel(k) for k in range(node.GetNumberOfControlPoints()) if not mrml.was_found(node, k)
    ]
    assert kept == ["rvip_anterior_2"]  # it is where the hand put it, and still says so


def test_a_point_between_two_slices_stays_where_the_hand_put_it(scene, tmp_path: Path) -> None:
    one = volume(GEOMETRIES["oblique"])
    node = landmarks_to_node(landmarks(one), scene, "landmarks")
    number = node.GetControlPointIndexByLabel("rvip_anterior_2")
    place = np.multiply(one.to_lps([2.4, 1, 1]), (-1, -1, 1))
    node.SetNthControlPointPosition(number, *place)
    mrml.mark_set_by_hand(node, number)
    shown = mrml.shown_landmarks(node, one).slices[2]
    assert one.to_index(shown.rvip_anterior)[0] == pytest.approx(2, abs=1e-3)
    fresh = tmp_path / "fresh.mrk.json"
    mrml.node_to_markups_file(landmarks_to_node(landmarks(one), scene, "again"), fresh)
    mrml.update_landmarks(node, fresh, scene, one)
    labels = [node.GetNthControlPointLabel(k) for k in range(node.GetNumberOfControlPoints())]
    assert len(labels) == len(set(labels)) == 13
    assert node.GetNthControlPointPosition(labels.index("rvip_anterior_2")) == pytest.approx(place, abs=1e-3)
    assert not mrml.was_found(node, labels.index("rvip_anterior_2"))


def test_points_that_the_engine_would_refuse_are_kept_too(scene, tmp_path: Path) -> None:
    one = volume(GEOMETRIES["plain"])
    node = landmarks_to_node(landmarks(one), scene, "landmarks")
    number = node.GetControlPointIndexByLabel("lv_centre_1")
    node.SetNthControlPointPosition(number, 900.0, 900.0, 900.0)
    mrml.mark_set_by_hand(node, number)
    fresh = tmp_path / "fresh.mrk.json"
    mrml.node_to_markups_file(landmarks_to_node(landmarks(one), scene, "again"), fresh)
    mrml.update_landmarks(node, fresh, scene, one)
    assert node.GetNthControlPointPosition(node.GetControlPointIndexByLabel("lv_centre_1")) == (900.0, 900.0, 900.0)


def test_the_orientation_transform_turns_the_heart_upright(scene) -> None:
    """Below it, an axial view (right = -R, up = A, from the feet) shows lateral right, anterior up, from the apex."""
    turned = rotation(9)
    heart = np.eye(4)
    heart[:3, :3], heart[:3, 3] = turned, (11.0, -7.0, 30.0)
    node = mrml.heart_transform_to_node(heart, scene, "orientation")
    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToParent(matrix)
    place = np.array([11.0, -7, 30]) * (-1, -1, 1)
    assert np.allclose(matrix.MultiplyPoint([*place, 1.0])[:3], 0, atol=1e-9)
    for column, shown in ((0, (-1, 0, 0)), (1, (0, 1, 0)), (2, (0, 0, -1))):
        direction = turned[:, column] * (-1, -1, 1)
        assert np.allclose(matrix.MultiplyPoint([*direction, 0.0])[:3], shown, atol=1e-9)


@pytest.mark.parametrize("plane", ["short", "horizontal", "vertical"])
def test_heart_planes_are_orthonormal_and_pass_through_the_centre(plane: str) -> None:
    heart = np.eye(4)
    heart[:3, :3], heart[:3, 3] = rotation(4), (1.0, 2.0, 3.0)
    matrix = mrml.slice_to_ras(heart, plane)
    assert np.allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(-1)  # as Slicer's own views: away from the viewer
    assert matrix[:3, 3] == pytest.approx((-1.0, -2.0, 3.0))
    if plane == "short":
        assert np.allclose(matrix[:3, 0], heart[:3, 0] * (-1, -1, 1)) and np.allclose(
            matrix[:3, 1], heart[:3, 1] * (-1, -1, 1)
        )
