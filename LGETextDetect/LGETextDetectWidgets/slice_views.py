"""What the module does to Slicer's views: layers, jumps, the heart's own planes, the plot. Without views nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import slicer

HEART_PLANES = {"Red": "short", "Yellow": "vertical", "Green": "horizontal"}  # slice view -> plane of mrml.slice_to_ras
FOREGROUND_OPACITY = 0.6


def _nodes(class_name: str) -> Iterator[Any]:
    scene = slicer.mrmlScene
    for number in range(scene.GetNumberOfNodesByClass(class_name)):
        yield scene.GetNthNodeByClass(number, class_name)


def show_volume(volume_node: Any, overlay_node: Any = None, fit: bool = False) -> None:
    """Show a volume in every slice view, with an overlay or without."""
    for layers in _nodes("vtkMRMLSliceCompositeNode"):
        layers.SetBackgroundVolumeID(volume_node.GetID() if volume_node is not None else None)
        layers.SetForegroundVolumeID(overlay_node.GetID() if overlay_node is not None else None)
        layers.SetForegroundOpacity(FOREGROUND_OPACITY if overlay_node is not None else 0.0)
    if fit and slicer.app.layoutManager() is not None:
        slicer.util.resetSliceViews()


def jump_to(ras: Any) -> None:
    """Centre every slice view on a point."""
    for node in _nodes("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(*(float(v) for v in ras))


def reorient(heart_to_lps: Any) -> None:
    """Turn the slice views into the heart's short axis and its two long axes."""
    from LGETextDetectLib import mrml

    for node in _nodes("vtkMRMLSliceNode"):
        plane = HEART_PLANES.get(node.GetLayoutName())
        if plane is not None:
            node.GetSliceToRAS().DeepCopy(mrml.vtk_matrix(mrml.slice_to_ras(heart_to_lps, plane)))
            node.UpdateMatrices()


def show_chart(chart_node: Any) -> None:
    """Open a layout with a plot view and show a chart in it."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    for node in _nodes("vtkMRMLPlotViewNode"):
        node.SetPlotChartNodeID(chart_node.GetID())


def edit_segmentation(segmentation_node: Any, volume_node: Any) -> None:
    """Open a segmentation in the Segment Editor."""
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    editor.setSegmentationNode(segmentation_node)
    editor.setSourceVolumeNode(volume_node)
