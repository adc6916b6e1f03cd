"""Volumes, landmarks and transforms as MRML nodes and back.

MRML speaks RAS, this library LPS; every crossing is here. Only the mrml files know slicer and vtk. Functions that make
nodes take the scene as an argument and run on the main thread.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk

from .landmarks import Landmarks, in_planes
from .markups import POINT_NAMES, read_markups
from .refusal import InputRefused
from .volume import FloatArray, Volume

FloatArray32 = npt.NDArray[np.float32]

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
HEART_TO_AXIAL = np.diag([-1.0, 1.0, -1.0, 1.0])  # an axial view has -R to its right, A up, and looks from below
INDEX_ORDER = [2, 1, 0, 3]  # vtk counts column, row, slice; Volume slice, row, column
GEOMETRY_TOLERANCE_MM = 1e-3
SET_BY_HAND = "set by hand"  # a control point's description; found ones say how sure they are


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
    return Volume(array, RAS_TO_LPS @ index_to_world(node)[:, INDEX_ORDER])


def volume_to_node(volume: Volume, scene: Any, name: str) -> Any:
    """A new scalar volume node with the volume's values and exact geometry."""
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetIJKToRASMatrix(vtk_matrix(RAS_TO_LPS @ volume.affine[:, INDEX_ORDER]))
    slicer.util.updateVolumeFromArray(node, volume.array)
    scene.AddNode(node)  # complete, so that whoever follows the scene sees an image
    node.CreateDefaultDisplayNodes()
    return node


def engine_volume(node: Any) -> Volume:
    """The node's volume as the engine reads it: the thick axis, across the slices, first. Raises as volume_from_node."""
    from .volume_files import slices_first

    volume = volume_from_node(node)
    return Volume(*slices_first(volume.array, volume.affine))


def from_engine_grid(array: FloatArray32, node: Any) -> FloatArray32:
    """(slice, row, column) values on :func:`engine_volume`'s grid, brought into the node's own order of axes."""
    own = volume_from_node(node)
    steps = np.abs(np.linalg.inv(engine_volume(node).affine[:3, :3]) @ own.affine[:3, :3])
    return np.ascontiguousarray(array.transpose([int(axis) for axis in steps.argmax(axis=0)]))


def index_to_world(node: Any) -> FloatArray:
    """(4, 4) column-row-slice index to RAS mm, parent transform included."""
    return parent_to_world(node) @ _index_to_parent(node)


def _index_to_parent(node: Any) -> FloatArray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.asarray(slicer.util.arrayFromVTKMatrix(matrix), np.float64)


def lies_on(node: Any, volume_node: Any) -> bool:
    """Whether a volume node has the grid of another one and lies where that one lies; two bent alike do."""
    sizes = [each.GetImageData().GetDimensions() if each.GetImageData() else None for each in (node, volume_node)]
    if sizes[0] is None or sizes[0] != sizes[1]:
        return False
    if node.GetParentTransformNode() is volume_node.GetParentTransformNode():
        places = [_index_to_parent(each) for each in (node, volume_node)]
    else:
        try:
            places = [index_to_world(each) for each in (node, volume_node)]
        except InputRefused:
            return False
    return bool(np.abs((places[0] - places[1]) @ [*sizes[0], 1]).max() <= GEOMETRY_TOLERANCE_MM)


def parent_to_world(node: Any) -> FloatArray:
    """(4, 4) of the transforms above a node, RAS mm. Raises InputRefused('bad-orientation') when one is not linear."""
    transform = node.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise InputRefused(
            "bad-orientation",
            f"'{node.GetName()}' lies under a non-linear transform.",
            "Harden the transform on it first.",
        )
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(matrix)
    return np.asarray(slicer.util.arrayFromVTKMatrix(matrix), np.float64)


def vtk_matrix(array: FloatArray) -> Any:
    """(4, 4) array to a vtkMatrix4x4."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.ascontiguousarray(array, np.float64).ravel())
    return matrix


# --- landmarks -------------------------------------------------------------------------------------------------------


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


def shown_landmarks(node: Any, volume: Volume) -> Landmarks:
    """Landmarks of a point list that the engine made, in their slices' planes, each slice with its own confidence.

    Raises as read_markups.
    """
    landmarks = in_planes(landmarks_from_node(node, volume), volume)
    sure = {}
    for number in range(node.GetNumberOfControlPoints()):
        label, text = str(node.GetNthControlPointLabel(number)), str(node.GetNthControlPointDescription(number))
        if label.startswith("lv_centre_") and text.startswith("confidence"):
            sure[int(label.rpartition("_")[2])] = float(text.split()[1])
    slices = tuple(replace(mark, confidence=sure.get(mark.index, mark.confidence)) for mark in landmarks.slices)
    return replace(landmarks, slices=slices)


def node_to_markups_file(
    node: Any, path: Path, by_hand_only: bool = False, from_world: FloatArray | None = None
) -> int:
    """Write a point list node's world places as .mrk.json; returns the number of points.

    ``by_hand_only`` leaves out what was found and never moved. from_world: (4, 4) RAS mm, to other places than the
    world's. Raises OSError when it fails.
    """
    points = slicer.vtkMRMLMarkupsFiducialNode()
    points.CopyContent(node)
    world = [0.0, 0.0, 0.0]
    for number in range(node.GetNumberOfControlPoints()):
        node.GetNthControlPointPositionWorld(number, world)
        if points.GetNthControlPointPositionStatus(number) == points.PositionDefined:
            place = world if from_world is None else (from_world @ [*world, 1.0])[:3]
            points.SetNthControlPointPosition(number, *place)
    for number in reversed(range(points.GetNumberOfControlPoints())):
        if by_hand_only and was_found(points, number):
            points.RemoveNthControlPoint(number)
    storage = slicer.vtkMRMLMarkupsJsonStorageNode()
    storage.SetFileName(str(path))
    if not storage.WriteData(points):
        raise OSError(f"MRML cannot write {path.name}")
    return int(points.GetNumberOfControlPoints())


def was_found(node: Any, number: int) -> bool:
    """Whether a control point is where the networks found it: its description says so until someone moves it."""
    description = str(node.GetNthControlPointDescription(number))
    return description.startswith("confidence") or description in ("auto", "mixed")


def mark_set_by_hand(node: Any, number: int) -> None:
    """Say that a control point was placed or moved by a person."""
    node.SetNthControlPointDescription(number, SET_BY_HAND)


def update_landmarks(node: Any, path: Path, scene: Any, volume: Volume) -> None:
    """Take over the points of a .mrk.json file for ``volume``; points set by hand stay where they are and keep saying so.

    The node stays the same.
    """
    by_hand = _points_by_hand(node, volume)
    fresh = markups_file_to_node(path, scene, "fresh")
    blocked = node.StartModify()
    node.RemoveAllControlPoints()
    for k in range(fresh.GetNumberOfControlPoints()):
        label = str(fresh.GetNthControlPointLabel(k))
        if label not in {name for name, _ in by_hand}:
            _add_point(node, label, fresh.GetNthControlPointPositionWorld(k), fresh.GetNthControlPointDescription(k))
    for label, ras in by_hand:
        _add_point(node, label, ras, SET_BY_HAND)
    node.EndModify(blocked)
    remove_with_parts(fresh, scene)


def _points_by_hand(node: Any, volume: Volume) -> list[tuple[str, FloatArray]]:
    """World RAS of every point that a person set, under the name that the engine gives to its place.

    Under its own name where the engine would refuse the points.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "by_hand.mrk.json"
        if node_to_markups_file(node, path, by_hand_only=True) == 0:
            return []
        try:
            landmarks = read_markups(path, volume)
        except InputRefused:
            numbers = [k for k in range(node.GetNumberOfControlPoints()) if not was_found(node, k)]
            return [
                (str(node.GetNthControlPointLabel(k)), np.array(node.GetNthControlPointPositionWorld(k)))
                for k in numbers
            ]
    places = {"apex": landmarks.apex, "base": landmarks.base}
    places |= {f"{name}_{mark.index}": getattr(mark, name) for mark in landmarks.slices for name in POINT_NAMES}
    return [(label, np.multiply(lps, (-1, -1, 1))) for label, lps in places.items() if lps is not None]


def _add_point(node: Any, label: str, ras: npt.ArrayLike, description: str) -> None:
    number = node.AddControlPointWorld(vtk.vtkVector3d(*np.asarray(ras, float)), label)
    node.SetNthControlPointDescription(number, description)


def put_below(node: Any, volume_node: Any) -> None:
    """Put a point list under the transform of its volume, to go where that goes; now its points stay where they are."""
    places = [np.array(node.GetNthControlPointPositionWorld(k)) for k in range(node.GetNumberOfControlPoints())]
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    for number, place in enumerate(places):
        if node.GetNthControlPointPositionStatus(number) == node.PositionDefined:
            node.SetNthControlPointPositionWorld(number, *place)


def mean_confidence(node: Any) -> float | None:
    """Mean of the confidences that found points give; None when there is none."""
    texts = (str(node.GetNthControlPointDescription(k)) for k in range(node.GetNumberOfControlPoints()))
    values = [float(text.split()[1]) for text in texts if text.startswith("confidence")]
    return sum(values) / len(values) if values else None


# --- transforms ------------------------------------------------------------------------------------------------------


def heart_transform_to_node(heart_to_lps: FloatArray, scene: Any, name: str) -> Any:
    """Linear transform that turns what is put below it into the heart's short-axis frame.

    heart_to_lps: (4, 4) of segment_places. Afterwards an axial view shows the heart from its apex, anterior wall up,
    septum left, the LV's centre at the origin.
    """
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(vtk_matrix(HEART_TO_AXIAL @ np.linalg.inv(RAS_TO_LPS @ heart_to_lps)))
    return node


def slice_to_ras(heart_to_lps: FloatArray, plane: str) -> FloatArray:
    """(4, 4) SliceToRAS of a heart plane: 'short' axis, 'horizontal' long axis (apex up) or 'vertical' (anterior up).

    As in Slicer's own views the third column points away from the viewer.
    """
    right, up, apex = (RAS_TO_LPS[:3, :3] @ heart_to_lps[:3, k] for k in range(3))
    columns = {"short": (right, up), "horizontal": (right, apex), "vertical": (-apex, up)}[plane]
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = columns
    matrix[:3, 2] = -np.cross(*columns)
    matrix[:3, 3] = RAS_TO_LPS[:3, :3] @ heart_to_lps[:3, 3]
    return matrix


# --- nodes -----------------------------------------------------------------------------------------------------------


def remove_with_parts(node: Any, scene: Any) -> None:
    """Remove a node with its display and storage nodes."""
    parts = []
    if node.IsA("vtkMRMLDisplayableNode"):
        parts += [node.GetNthDisplayNode(k) for k in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        parts += [node.GetNthStorageNode(k) for k in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for part in parts:
        if part is not None and scene.IsNodePresent(part):
            scene.RemoveNode(part)
