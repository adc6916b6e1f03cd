"""A result folder as MRML nodes: overlay with its colours and legend, scar segmentation, tables, plot, landmarks, transform.

All nodes of one study lie under one subject-hierarchy folder beside its input volume.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .aha import SCAR_THRESHOLD
from .markups import read_markups
from .mrml import (
    GEOMETRY_TOLERANCE_MM,
    heart_transform_to_node,
    lies_on,
    markups_file_to_node,
    put_below,
    remove_with_parts,
    update_landmarks,
    volume_from_node,
)
from .mrml_roles import INPUT_ROLE, KEPT_ATTRIBUTE, PART_ATTRIBUTE, part_of, result_nodes
from .mrml_tables import plot_of_slices, segments_to_node, slices_to_node
from .outputs.report_words import segment_rows
from .segment_places import heart_to_lps, slice_frames
from .volume import Volume
from .volume_files import volume_hash, written_affine

EVIDENCE_COLOURS = "LGE evidence"
EVIDENCE_SHOWN_FROM = 0.2  # fainter evidence would tint the whole heart
SCAR_SEGMENT_ID = "scar_evidence"
SCAR_COLOUR = (0.93, 0.35, 0.13)
SCAR_TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^85756007^Tissue~SCT^12402003^Scar tissue~^^"
    "~Anatomic codes - DICOM master list~SCT^87878005^Left Ventricle~^^"
)
VOXELS_ATTRIBUTE = "LGETextDetect.Voxels"  # on a result's text: voxels_sha256 of the volume that it was made of
LEGEND_LABELS = 5


@dataclass(frozen=True)
class ResultNodes:
    """One study's result in the scene, all under one subject-hierarchy folder; ``result`` is result.json."""

    folder_item: int
    landmarks: Any
    evidence: Any
    segmentation: Any
    table: Any
    slices: Any
    series: Any
    chart: Any
    transform: Any
    text: Any
    result: Mapping[str, Any] = field(repr=False)

    def nodes(self) -> list[Any]:
        """The nodes, in the order of the fields."""
        return [getattr(self, name) for name in PARTS]


PARTS = tuple(f.name for f in fields(ResultNodes) if f.name not in ("folder_item", "result"))


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
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    if legend is not None:
        legend.SetTitleText("Scar evidence")
        legend.SetNumberOfLabels(LEGEND_LABELS)
        legend.SetLabelFormat("%.2f")
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
    if mask.any():
        node.CreateClosedSurfaceRepresentation()  # seen in the 3D view
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


def text_to_node(text: str, scene: Any, name: str) -> Any:
    """Text node, so that the finding is saved with the scene."""
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetText(text)
    return node


# --- a result folder -------------------------------------------------------------------------------------------------


def load_result(folder: Path, volume_node: Any, scene: Any, landmarks_node: Any = None) -> ResultNodes:
    """Show a result folder of the command line beside its input volume: all nodes or, on an error, none.

    An older result of the volume is taken away, but not a segmentation that somebody corrected. ``landmarks_node`` is
    brought up to date and kept. Raises OSError, ValueError, KeyError or InputRefused when a file is missing, unreadable
    or made for another volume or for other images than the volume's.
    """
    result, read, evidence = _read_result(folder, volume_node)
    frames = slice_frames(read, read_markups(folder / "landmarks.mrk.json", read))
    title = f"{volume_node.GetName()} LGE finding"
    made: list[Any] = []
    try:
        made.append(markups_file_to_node(folder / "landmarks.mrk.json", scene, f"{title} landmarks"))
        made.append(evidence_to_node(evidence, volume_node, scene, f"{title} evidence"))
        scar = (evidence >= SCAR_THRESHOLD) & (result["detection"]["present"] is True)  # as in the DICOM segmentation
        made.append(scar_to_node(scar, volume_node, scene, f"{title} scar evidence"))
        made.append(segments_to_node(segment_rows(result), scene, f"{title} segments"))
        made.append(slices_to_node(result["slices"], scene, f"{title} slices"))
        made.extend(plot_of_slices(made[-1], scene, f"{title} plot"))
        made.append(heart_transform_to_node(heart_to_lps(frames), scene, f"{title} orientation"))
        made.append(text_to_node(json.dumps(result, indent=1, ensure_ascii=False), scene, f"{title} result"))
    except Exception:
        for node in made:
            remove_with_parts(node, scene)
        raise
    if landmarks_node is not None:
        remove_with_parts(made[0], scene)
        made[0] = landmarks_node
        update_landmarks(landmarks_node, folder / "landmarks.mrk.json", scene, read)
    put_below(made[0], volume_node)
    made[0].LockedOn()
    remove_result(volume_node, scene, keep=made)
    for part, node in zip(PARTS, made, strict=True):
        node.SetAttribute(PART_ATTRIBUTE, part)
        node.SetNodeReferenceID(INPUT_ROLE, volume_node.GetID())
    made[-1].SetAttribute(VOXELS_ATTRIBUTE, voxels_sha256(volume_node))
    item = place_beside(volume_node, result_nodes(volume_node, scene), scene, title)
    return ResultNodes(folder_item=item, result=result, **dict(zip(PARTS, made, strict=True)))


def load_landmarks(folder: Path, volume_node: Any, scene: Any, landmarks_node: Any = None) -> Any:
    """Show only the landmarks of a result folder, and the heart's orientation; returns the landmarks' node.

    Raises as :func:`load_result`.
    """
    _result, read, _evidence = _read_result(folder, volume_node)
    path = folder / "landmarks.mrk.json"
    frames = slice_frames(read, read_markups(path, read))
    title = f"{volume_node.GetName()} LGE finding"
    if landmarks_node is None:
        landmarks_node = markups_file_to_node(path, scene, f"{title} landmarks")
    else:
        update_landmarks(landmarks_node, path, scene, read)
    put_below(landmarks_node, volume_node)
    landmarks_node.LockedOn()
    transform = heart_transform_to_node(heart_to_lps(frames), scene, f"{title} orientation")
    remove_result(volume_node, scene, keep=[landmarks_node])
    for part, node in (("landmarks", landmarks_node), ("transform", transform)):
        node.SetAttribute(PART_ATTRIBUTE, part)
        node.SetNodeReferenceID(INPUT_ROLE, volume_node.GetID())
    place_beside(volume_node, result_nodes(volume_node, scene), scene, title)
    return landmarks_node


def made_of(nodes: ResultNodes, volume_node: Any) -> bool:
    """Whether a result was made of the volume's voxels and grid as they are now, wherever transforms put them."""
    same_voxels = nodes.text.GetAttribute(VOXELS_ATTRIBUTE) == voxels_sha256(volume_node)
    return same_voxels and lies_on(nodes.evidence, volume_node)


def voxels_sha256(volume_node: Any) -> str:
    """SHA-256 of a volume's size and values; empty without an image or while it is being filled.

    Unlike the hash in result.json it bears that a scene is saved, which rounds the geometry.
    """
    image = volume_node.GetImageData()
    scalars = image.GetPointData().GetScalars() if image is not None else None
    if scalars is None or scalars.GetNumberOfTuples() != image.GetNumberOfPoints():
        return ""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(slicer.util.arrayFromVolume(volume_node), "<f4")
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()


def follow_transform(volume_node: Any, scene: Any) -> None:
    """Put a volume's result under the transform that the volume lies under now, for the one is drawn over the other.

    Not where it lies on the volume already: there a transform was hardened.
    """
    evidence = part_of(volume_node, scene, "evidence")
    if evidence is not None and lies_on(evidence, volume_node):
        return
    for node in result_nodes(volume_node, scene):
        if node.IsA("vtkMRMLTransformableNode") and node.GetAttribute(PART_ATTRIBUTE) != "transform":
            node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())


def find_result(volume_node: Any, scene: Any) -> ResultNodes | None:
    """The result that a scene holds for a volume, for example after an .mrb file was opened; None without a whole one."""
    nodes = [part_of(volume_node, scene, part) for part in PARTS]
    if any(node is None for node in nodes):
        return None
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = tree.GetItemParent(tree.GetItemByDataNode(nodes[0]))
    parts = dict(zip(PARTS, nodes, strict=True))
    return ResultNodes(folder_item=folder, result=json.loads(parts["text"].GetText()), **parts)


def join_result(node: Any, volume_node: Any, scene: Any) -> None:
    """Put a node into the folder of a volume's result, made when there is none."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    others = [other for other in result_nodes(volume_node, scene) if other is not node]
    folder = tree.GetItemParent(tree.GetItemByDataNode(others[0])) if others else 0
    if folder and folder != tree.GetSceneItemID():
        _put(node, folder, tree)
    else:
        place_beside(volume_node, [node], scene, f"{volume_node.GetName()} LGE finding")


def remove_result(volume_node: Any, scene: Any, keep: Sequence[Any] = ()) -> None:
    """Take a volume's older result out of the scene, its folder too; corrected segmentations stay."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    older = result_nodes(volume_node, scene)
    folders = {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in older}
    for node in older:
        if node.GetAttribute(KEPT_ATTRIBUTE) is None and node not in keep:
            remove_with_parts(node, scene)
    for item in folders - {0, tree.GetSceneItemID()}:
        left: list[int] = []
        tree.GetItemChildren(item, left)
        if not left and tree.GetItemLevel(item) == "Folder":
            tree.RemoveItem(item)


def remove_with_input(volume_node: Any, scene: Any) -> None:
    """Take a volume's whole result out of the scene, for the volume goes too; corrected segmentations stay."""
    answers = part_of(volume_node, scene, "answers")
    if answers is not None:
        remove_with_parts(answers, scene)
    remove_result(volume_node, scene)


def place_beside(volume_node: Any, nodes: Sequence[Any], scene: Any, title: str) -> int:
    """Put nodes into a new subject-hierarchy folder beside the input volume; the folder's item."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    beside = tree.GetItemByDataNode(volume_node)
    parent = tree.GetItemParent(beside) if beside else tree.GetSceneItemID()
    folder: int = tree.CreateFolderItem(parent, title)
    for node in nodes:
        _put(node, folder, tree)
    return folder


def _put(node: Any, folder: int, tree: Any) -> None:
    item = tree.GetItemByDataNode(node)
    if item:
        tree.SetItemParent(item, folder)
    else:
        tree.CreateItem(folder, node)


def _read_result(folder: Path, volume_node: Any) -> tuple[Any, Volume, npt.NDArray[np.float32]]:
    """result.json, the evidence as the engine wrote it, and on the volume node's grid; raises as load_result."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    read, own = _read_volume(folder / "evidence.nrrd"), volume_from_node(volume_node)
    evidence = _on_grid(read, own)
    images = Volume(_axes_as_in(read, own).array, written_affine(folder / "evidence.nrrd"))
    if volume_hash(images) != result["input"]["sha256"]:
        raise ValueError("The result was made of other images than these: detect again.")
    return result, read, evidence


def _read_volume(path: Path) -> Volume:
    """A volume file of a result folder; raises OSError."""
    loaded = slicer.vtkMRMLScalarVolumeNode()
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    if not storage.ReadData(loaded):
        raise OSError(f"MRML cannot read {path.name}")
    return volume_from_node(loaded)


def _on_grid(read: Volume, expected: Volume) -> npt.NDArray[np.float32]:
    """(slice, row, column) values of a volume that must lie on the expected grid; raises ValueError."""
    found = _axes_as_in(expected, read)
    if found.array.shape != expected.array.shape:
        raise ValueError(f"the evidence has shape {found.array.shape}, the volume {expected.array.shape}")
    off_mm = np.abs((found.affine - expected.affine) @ [*expected.array.shape, 1]).max()
    if off_mm > GEOMETRY_TOLERANCE_MM:
        raise ValueError(f"the evidence lies {off_mm:.3f} mm off the volume")
    return found.array


def _axes_as_in(expected: Volume, found: Volume) -> Volume:
    """The same volume with its axes in the order of ``expected``: the engine puts the slice axis first."""
    steps = np.abs(np.linalg.inv(expected.affine[:3, :3]) @ found.affine[:3, :3])
    order = [int(axis) for axis in steps.argmax(axis=1)]
    if sorted(order) != [0, 1, 2]:
        return found
    return Volume(np.ascontiguousarray(found.array.transpose(order)), found.affine[:, [*order, 3]])
