"""Results as table nodes, and the plot of the slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import vtk

TABLE_COLUMNS = ("Segment", "Name", "Probability", "Layer", "Transmurality")
SLICE_COLUMNS = ("Slice", "Position", "Level", "Probability")
ANSWER_COLUMNS = ("Question", "Probability", "Understood", "Segments")
PLOT_COLOUR = (0.93, 0.35, 0.13)


def segments_to_node(segments: Sequence[Mapping[str, Any]], scene: Any, name: str) -> Any:
    """Table node of the 17 segments (report_words.segment_rows); what is not known stays empty, a probability not a number."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    kinds = (vtk.vtkIntArray, vtk.vtkStringArray, vtk.vtkDoubleArray, vtk.vtkStringArray, vtk.vtkStringArray)
    columns = [kind() for kind in kinds]
    for title, column in zip(TABLE_COLUMNS, columns, strict=True):
        column.SetName(title)
    for row in segments:
        probability = float("nan") if row["probability"] is None else row["probability"]
        shown = (row["aha"], row["name"], probability, row["layer"] or "", _text(row["transmurality"]))
        for column, value in zip(columns, shown, strict=True):
            column.InsertNextValue(value)
    for column in columns:
        node.AddColumn(column)
    return node


def slices_to_node(slices: Sequence[Mapping[str, Any]], scene: Any, name: str) -> Any:
    """Table node of the per-slice probabilities of result.json, in the order of their position."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    kinds = (vtk.vtkIntArray, vtk.vtkDoubleArray, vtk.vtkStringArray, vtk.vtkDoubleArray)
    columns = [kind() for kind in kinds]
    for title, column in zip(SLICE_COLUMNS, columns, strict=True):
        column.SetName(title)
    for row in sorted(slices, key=lambda row: row["index"]):
        for column, key in zip(columns, ("index", "position_mm", "level", "probability"), strict=True):
            column.InsertNextValue(row[key])
    for column in columns:
        node.AddColumn(column)
    return node


def plot_of_slices(table: Any, scene: Any, name: str) -> tuple[Any, Any]:
    """Plot series and chart of a table of :func:`slices_to_node`."""
    series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", f"{name} series")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(SLICE_COLUMNS[0])
    series.SetYColumnName(SLICE_COLUMNS[3])
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleCircle)
    series.SetColor(*PLOT_COLOUR)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle("Probability of scar on each slice (research use)")
    chart.SetXAxisTitle("Slice")
    chart.SetYAxisTitle("Probability")
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    chart.SetLegendVisibility(False)
    return series, chart


def answers_to_node(answers: Sequence[Sequence[str]], node: Any) -> None:
    """Fill a table node with answers: rows of question, probability, what was understood, and segments, as words."""
    node.RemoveAllColumns()
    for number, title in enumerate(ANSWER_COLUMNS):
        column = vtk.vtkStringArray()
        column.SetName(title)
        for row in answers:
            column.InsertNextValue(row[number])
        node.AddColumn(column)


def _text(value: object) -> str:
    return "" if value is None else str(value)
