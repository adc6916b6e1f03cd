"""A study and its result as an .mrb file without identifiers: a scene of its own, built from pixels and results only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from .mrml import volume_from_node, volume_to_node
from .mrml_results import KEPT_ATTRIBUTE, load_result, place_beside

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
    """Write volume and result to an .mrb file; names of nodes and attributes of the input stay out.

    folder: the result as the engine wrote it. kept: tables and corrected segmentations to add. Raises OSError.
    """
    scene = result_scene()
    clean = volume_to_node(volume_from_node(volume_node), scene, CLEAN_NAME)
    load_result(folder, clean, scene)
    for node in kept:
        copy = scene.AddNewNodeByClass(node.GetClassName(), node.GetName().replace(volume_node.GetName(), CLEAN_NAME))
        if node.IsA("vtkMRMLSegmentationNode"):
            _copy_segments(node.GetSegmentation(), copy, clean)
        else:
            copy.CopyContent(node)
        copy.SetAttribute(KEPT_ATTRIBUTE, "1")
        place_beside(clean, [copy], scene, f"{CLEAN_NAME} LGE finding, added")
    if not scene.WriteToMRB(str(path)):
        raise OSError(f"MRML cannot write {path.name}")
    scene.Clear(1)


def _copy_segments(source: Any, target_node: Any, volume_node: Any) -> None:
    """Segments with their labelmaps, names, colours and codes into another scene's segmentation node."""
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    target_node.CreateDefaultDisplayNodes()
    target_node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    target_node.GetSegmentation().SetSourceRepresentationName(binary)
    for number in range(source.GetNumberOfSegments()):
        segment, copy = source.GetNthSegment(number), slicer.vtkSegment()
        copy.DeepCopyMetadata(segment)
        labelmap = slicer.vtkOrientedImageData()
        labelmap.DeepCopy(segment.GetRepresentation(binary))
        copy.AddRepresentation(binary, labelmap)
        target_node.GetSegmentation().AddSegment(copy, source.GetNthSegmentID(number))
