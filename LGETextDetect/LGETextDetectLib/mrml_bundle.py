"""A study and its result as an .mrb file without identifiers: a scene of its own, built from pixels and results only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

from .mrml import parent_to_world, volume_from_node, volume_to_node, vtk_matrix
from .mrml_results import load_result, place_beside
from .mrml_roles import INPUT_ROLE, KEPT_ATTRIBUTE, PART_ATTRIBUTE

CLEAN_NAME = "LGE"
_CLASSES = (
    "SubjectHierarchyNode", "ScalarVolumeNode", "ScalarVolumeDisplayNode", "ColorTableNode", "ColorLegendDisplayNode",
    "MarkupsFiducialNode", "MarkupsFiducialDisplayNode", "MarkupsDisplayNode", "MarkupsJsonStorageNode",
    "SegmentationNode", "SegmentationDisplayNode", "SegmentationStorageNode", "TableNode", "TableStorageNode",
    "PlotSeriesNode", "PlotChartNode", "LinearTransformNode", "TransformStorageNode", "TextNode", "TextStorageNode",
    "VolumeArchetypeStorageNode", "ColorTableStorageNode",
)  # fmt: skip


def result_scene() -> Any:
    """An empty scene that knows every class of a result; outside the application's own scene."""
    scene = slicer.vtkMRMLScene()
    for name in _CLASSES:
        if not scene.IsNodeClassRegistered(f"vtkMRML{name}"):
            scene.RegisterNodeClass(getattr(slicer, f"vtkMRML{name}")())
    return scene


def write_clean_mrb(volume_node: Any, folder: Path, kept: list[Any], path: Path) -> None:
    """Write volume and result to an .mrb file; names of nodes in the scene and attributes of the input stay out.

    folder: the result as the engine wrote it. kept: tables and corrected segmentations to add. Raises
    InputRefused('bad-orientation') when one lies under a non-linear transform, OSError when nothing can be written.
    """
    scene = result_scene()
    clean = volume_to_node(volume_from_node(volume_node), scene, CLEAN_NAME)
    load_result(folder, clean, scene)
    for node in kept:
        segments = node.IsA("vtkMRMLSegmentationNode")
        copy = scene.AddNewNodeByClass(
            node.GetClassName(), f"{CLEAN_NAME} LGE {'corrected' if segments else 'answers'}"
        )
        if segments:
            _copy_segments(node, copy, clean)
        else:
            copy.CopyContent(node)
            copy.SetAttribute(PART_ATTRIBUTE, node.GetAttribute(PART_ATTRIBUTE))
        copy.SetAttribute(KEPT_ATTRIBUTE, "1")
        copy.SetNodeReferenceID(INPUT_ROLE, clean.GetID())
        place_beside(clean, [copy], scene, f"{CLEAN_NAME} LGE finding, added")
    if not scene.WriteToMRB(str(path)):
        raise OSError(f"MRML cannot write {path.name}")
    scene.Clear(1)


def _copy_segments(source_node: Any, target_node: Any, volume_node: Any) -> None:
    """Segments with their labelmaps, names, colours and codes into another scene's segmentation node, in world places."""
    source, to_world = source_node.GetSegmentation(), parent_to_world(source_node)
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    target_node.CreateDefaultDisplayNodes()
    target_node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    target_node.GetSegmentation().SetSourceRepresentationName(binary)
    for number in range(source.GetNumberOfSegments()):
        segment, copy = source.GetNthSegment(number), slicer.vtkSegment()
        copy.DeepCopyMetadata(segment)
        labelmap, to_local = slicer.vtkOrientedImageData(), vtk_matrix(np.eye(4))
        labelmap.DeepCopy(segment.GetRepresentation(binary))
        labelmap.GetImageToWorldMatrix(to_local)
        placed = to_world @ np.asarray(slicer.util.arrayFromVTKMatrix(to_local), np.float64)
        labelmap.SetGeometryFromImageToWorldMatrix(vtk_matrix(placed))
        copy.AddRepresentation(binary, labelmap)
        target_node.GetSegmentation().AddSegment(copy, source.GetNthSegmentID(number))
