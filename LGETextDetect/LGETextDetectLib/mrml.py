"""Volumes, landmarks and results as MRML nodes and back: the only file of the library that knows slicer and vtk.

MRML speaks RAS, this library LPS; every crossing is here. Functions that make nodes take the scene as an argument and
run on the main thread.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .aha import SCAR_THRESHOLD
from .landmarks import Landmarks
from .markups import read_markups, write_markups
from .refusal import InputRefused
from .volume import FloatArray, Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
INDEX_ORDER = [2, 1, 0, 3]  # vtk counts column, row, slice; Volume slice, row, column
GEOMETRY_TOLERANCE_MM = 1e-3

EVIDENCE_COLOURS = "LGE evidence"
EVIDENCE_SHOWN_FROM = 0.2  # fainter evidence would tint the whole heart
SCAR_SEGMENT_ID = "scar_evidence"
SCAR_COLOUR = (0.93, 0.35, 0.13)
SCAR_TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^85756007^Tissue~SCT^12402003^Scar tissue~^^"
    "~Anatomic codes - DICOM master list~SCT^87878005^Left Ventricle~^^"
)
TABLE_COLUMNS = ("Segment", "Name", "Probability", "Layer", "Transmurality")


@dataclass(frozen=True)
class ResultNodes:
    """One study's result in the scene, all under one subject-hierarchy folder; ``result`` is result.json."""

    folder_item: int
    landmarks: Any
    evidence: Any
    segmentation: Any
    table: Any
    text: Any
    result: Mapping[str, Any] = field(repr=False)


# --- volumes ---------------------------------------------------------------------------------------------------------


def volume_from_node(node: Any) -> Volume:
    """Volume of a scalar volume node, in world coordinates (a linear parent transform is applied).

    Raises InputRefused for an empty, multi-component or non-finite image and for a non-linear transform.
    """
    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise InputRefused("not-an-image", "The volume holds no image.", "Load the series again.")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputRefused("four-dimensional", "The volume has several values per voxel.")
    with np.errstate(over="ignore"):
        array = np.array(slicer.util.arrayFromVolume(node), dtype=np.float32)
    if not np.isfinite(array).all():
        raise InputRefused("nan-values", "The volume has voxels that are no finite number.")
    return Volume(array, RAS_TO_LPS @ _index_to_world(node)[:, INDEX_ORDER])


def volume_to_node(volume: Volume, scene: Any, name: str) -> Any:
    """A new scalar volume node with the volume's values and exact geometry."""
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetIJKToRASMatrix(_matrix(RAS_TO_LPS @ volume.affine[:, INDEX_ORDER]))
    slicer.util.updateVolumeFromArray(node, volume.array)
    scene.AddNode(node)  # complete, so that whoever follows the scene sees an image
    node.CreateDefaultDisplayNodes()
    return node


def _index_to_world(node: Any) -> FloatArray:
    """(4, 4) column-row-slice index to RAS mm, parent transform included."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    own = np.asarray(slicer.util.arrayFromVTKMatrix(matrix), np.float64)
    transform = node.GetParentTransformNode()
    if transform is None:
        return own
    if not transform.IsTransformToWorldLinear():
        raise InputRefused(
            "bad-orientation",
            "The volume lies under a non-linear transform.",
            "Harden the transform on the volume first.",
        )
    transform.GetMatrixTransformToWorld(matrix)
    return np.asarray(slicer.util.arrayFromVTKMatrix(matrix), np.float64) @ own


def _matrix(array: FloatArray) -> Any:
    """(4, 4) array to a vtkMatrix4x4."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.ascontiguousarray(array, np.float64).ravel())
    return matrix


# --- landmarks -------------------------------------------------------------------------------------------------------


def landmarks_to_node(landmarks: Landmarks, scene: Any, name: str) -> Any:
    """A new markups node with one named control point for every landmark."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "landmarks.mrk.json"
        write_markups(landmarks, path)
        return markups_file_to_node(path, scene, name)


def markups_file_to_node(path: Path, scene: Any, name: str) -> Any:
    """A new point list node from a .mrk.json file; raises OSError when MRML cannot read it."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    storage = slicer.vtkMRMLMarkupsJsonStorageNode()
    storage.SetFileName(str(path))
    if not storage.ReadData(node):
        scene.RemoveNode(node)
        raise OSError(f"MRML cannot read {path.name}")
    node.SetName(name)
    node.CreateDefaultDisplayNodes()
    return node


def landmarks_from_node(node: Any, volume: Volume) -> Landmarks:
    """Landmarks set by hand from a point list node; raises InputRefused('bad-landmarks') as read_markups does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "landmarks.mrk.json"
        node_to_markups_file(node, path)
        return read_markups(path, volume)


def node_to_markups_file(node: Any, path: Path) -> None:
    """Write a point list node, a linear parent transform applied, as .mrk.json; raises OSError when it fails."""
    points = slicer.vtkMRMLMarkupsFiducialNode()
    points.CopyContent(node)
    world = [0.0, 0.0, 0.0]
    for number in range(node.GetNumberOfControlPoints()):
        node.GetNthControlPointPositionWorld(number, world)
        if points.GetNthControlPointPositionStatus(number) == points.PositionDefined:
            points.SetNthControlPointPosition(number, world)
    storage = slicer.vtkMRMLMarkupsJsonStorageNode()
    storage.SetFileName(str(path))
    if not storage.WriteData(points):
        raise OSError(f"MRML cannot write {path.name}")


# --- results ---------------------------------------------------------------------------------------------------------


def evidence_to_node(evidence: npt.NDArray[np.float32], volume_node: Any, scene: Any, name: str) -> Any:
    """Overlay volume of (slice, row, column) evidence 0-1 on the grid of ``volume_node``, with its own colours."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.CopyOrientation(volume_node)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(evidence, np.float32))
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(evidence_colours(scene).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.AutoThresholdOff()
    display.SetThreshold(EVIDENCE_SHOWN_FROM, 1.0)
    display.ApplyThresholdOn()
    return node


def evidence_colours(scene: Any) -> Any:
    """The scene's colour table of evidence: dark red over orange to pale yellow; made when it is not there yet."""
    found = scene.GetFirstNode(EVIDENCE_COLOURS, "vtkMRMLColorTableNode")
    if found is not None:
        return found
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(EVIDENCE_COLOURS)
    node.SetTypeToUser()
    node.SetNumberOfColors(256)
    for number, share in enumerate(np.linspace(0.0, 1.0, 256)):
        red, green, blue = (np.interp(share, (0.0, 0.5, 1.0), ramp) for ramp in ((0.4, 1, 1), (0, 0.4, 1), (0, 0, 0.7)))
        node.SetColor(number, f"{share:.2f}", float(red), float(green), float(blue), 1.0)
    node.SetAttribute("Category", "LGETextDetect")
    return scene.AddNode(node)


def scar_to_node(mask: npt.NDArray[np.bool_], volume_node: Any, scene: Any, name: str) -> Any:
    """Segmentation with one segment of scar evidence, coded as scar tissue of the left ventricle.

    mask: (slice, row, column) on the grid of ``volume_node``, which becomes the reference geometry.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    segment = slicer.vtkSegment()
    segment.SetName("Scar evidence")
    segment.SetColor(*SCAR_COLOUR)
    segment.SetTag(segment.GetTerminologyEntryTagName(), SCAR_TERMINOLOGY)
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    segment.AddRepresentation(binary, _labelmap(mask, volume_node))
    node.GetSegmentation().SetSourceRepresentationName(binary)
    node.GetSegmentation().AddSegment(segment, SCAR_SEGMENT_ID)
    return node


def _labelmap(mask: npt.NDArray[np.bool_], volume_node: Any) -> Any:
    """vtkOrientedImageData of a mask in the volume node's own index frame."""
    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetDimensions(*mask.shape[::-1])
    labelmap.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    values = vtk_to_numpy(labelmap.GetPointData().GetScalars())
    values[:] = np.asarray(mask, np.uint8).ravel()
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    labelmap.SetGeometryFromImageToWorldMatrix(matrix)
    return labelmap


def segments_to_node(segments: Sequence[Mapping[str, Any]], scene: Any, name: str) -> Any:
    """Table node of the 17 segments of result.json; what is not known stays empty."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    kinds = (vtk.vtkIntArray, vtk.vtkStringArray, vtk.vtkDoubleArray, vtk.vtkStringArray, vtk.vtkStringArray)
    columns = [kind() for kind in kinds]
    for title, column in zip(TABLE_COLUMNS, columns, strict=True):
        column.SetName(title)
    for row in segments:
        shown = (row["aha"], row["name"], row["probability"], row["layer"] or "", _text(row["transmurality"]))
        for column, value in zip(columns, shown, strict=True):
            column.InsertNextValue(value)
    for column in columns:
        node.AddColumn(column)
    return node


def _text(value: object) -> str:
    return "" if value is None else str(value)


def text_to_node(text: str, scene: Any, name: str) -> Any:
    """Text node, so that the finding is saved with the scene."""
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetText(text)
    return node


# --- a result folder -------------------------------------------------------------------------------------------------


def load_result(folder: Path, volume_node: Any, scene: Any) -> ResultNodes:
    """Show a result folder of the command line beside its input volume: all nodes or, on an error, none.

    Raises OSError or ValueError when a file is missing, unreadable or made for another volume.
    """
    result = json.loads((folder / "result.json").read_text("utf-8"))
    evidence = _evidence_on_grid(folder / "evidence.nrrd", volume_node)
    title = f"{volume_node.GetName()} LGE finding"
    made: list[Any] = []
    try:
        made.append(markups_file_to_node(folder / "landmarks.mrk.json", scene, f"{title} landmarks"))
        made.append(evidence_to_node(evidence, volume_node, scene, f"{title} evidence"))
        made.append(scar_to_node(evidence >= SCAR_THRESHOLD, volume_node, scene, f"{title} scar evidence"))
        made.append(segments_to_node(result["segments"], scene, f"{title} segments"))
        made.append(text_to_node(json.dumps(result, indent=1, ensure_ascii=False), scene, f"{title} result"))
        item = place_beside(volume_node, made, scene, title)
    except Exception:
        for node in made:
            scene.RemoveNode(node)
        raise
    landmarks, overlay, segmentation, table, text = made
    return ResultNodes(item, landmarks, overlay, segmentation, table, text, result)


def place_beside(volume_node: Any, nodes: Sequence[Any], scene: Any, title: str) -> int:
    """Put nodes into a new subject-hierarchy folder beside the input volume; the folder's item."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    beside = tree.GetItemByDataNode(volume_node)
    parent = tree.GetItemParent(beside) if beside else tree.GetSceneItemID()
    folder: int = tree.CreateFolderItem(parent, title)
    for node in nodes:
        item = tree.GetItemByDataNode(node)
        if item:
            tree.SetItemParent(item, folder)
        else:
            tree.CreateItem(folder, node)
    return folder


def _evidence_on_grid(path: Path, volume_node: Any) -> npt.NDArray[np.float32]:
    """(slice, row, column) evidence of a file that must lie on the volume's own grid."""
    loaded = slicer.vtkMRMLScalarVolumeNode()
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    if not storage.ReadData(loaded):
        raise OSError(f"MRML cannot read {path.name}")
    expected = volume_from_node(volume_node)
    found = _axes_as_in(expected, volume_from_node(loaded))
    if found.array.shape != expected.array.shape:
        raise ValueError(f"{path.name} has shape {found.array.shape}, the volume {expected.array.shape}")
    off_mm = np.abs((found.affine - expected.affine) @ [*expected.array.shape, 1]).max()
    if off_mm > GEOMETRY_TOLERANCE_MM:
        raise ValueError(f"{path.name} lies {off_mm:.3f} mm off the volume")
    return found.array


def _axes_as_in(expected: Volume, found: Volume) -> Volume:
    """The same volume with its axes in the order of ``expected``: the engine puts the slice axis first."""
    steps = np.abs(np.linalg.inv(expected.affine[:3, :3]) @ found.affine[:3, :3])
    order = [int(axis) for axis in steps.argmax(axis=1)]
    if sorted(order) != [0, 1, 2]:
        return found
    return Volume(np.ascontiguousarray(found.array.transpose(order)), found.affine[:, [*order, 3]])
