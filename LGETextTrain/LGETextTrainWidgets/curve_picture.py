"""The curves of a training as a picture in the panel, and as Slicer's own plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt
from LGETextTrainLib.training_curves import COLOURS, Curve

WIDTH, HEIGHT, EDGE = 380, 170, 34


def stage_pixmap(curves: Sequence[Curve], title: str) -> Any:
    """Curves of one stage, each with its name and last value."""
    pixmap = qt.QPixmap(WIDTH, HEIGHT)
    pixmap.fill(qt.QColor("#ffffff"))
    painter = qt.QPainter(pixmap)
    font = qt.QFont(painter.font())
    font.setPixelSize(10)
    painter.setFont(font)
    steps = [step for curve in curves for step in curve.steps] or [1]
    values = [value for curve in curves for value in curve.values] or [1.0]
    low, high, last = min(0.0, *values), max(values) * 1.05 + 1e-9, max(max(steps), 1)

    def place(step: int, value: float) -> tuple[int, int]:
        x = EDGE + (WIDTH - EDGE - 8) * step / last
        return round(x), round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / (high - low))

    painter.setPen(qt.QColor("#9aa4ad"))
    painter.drawRect(EDGE, EDGE, WIDTH - EDGE - 8, HEIGHT - 2 * EDGE)
    painter.setPen(qt.QColor("#1a1f24"))
    painter.drawText(4, 14, title)
    painter.drawText(2, EDGE + 10, f"{high:.2g}")
    painter.drawText(2, HEIGHT - EDGE, f"{low:.2g}")
    painter.drawText(WIDTH - 70, HEIGHT - EDGE + 14, f"{last} steps")
    for number, curve in enumerate(curves[: len(COLOURS)]):
        painter.setPen(qt.QColor(COLOURS[number % len(COLOURS)]))
        points = [place(step, value) for step, value in zip(curve.steps, curve.values, strict=True)]
        for (x1, y1), (x2, y2) in zip(points, points[1:] or points, strict=False):
            painter.drawLine(x1, y1, x2, y2)
        painter.drawText(
            4 + number % 3 * (WIDTH // 3),
            28 if number < 3 else HEIGHT - 4,
            f"{curve.name.replace('validation', 'val.')} {curve.values[-1]:.3f}",
        )
    painter.end()
    return pixmap


def show_plots(scene: Any, curves: Sequence[Curve], run: str) -> Any:
    """The curves as one table node a stage, plot series and a chart; nodes of an older call are used again. The last chart."""
    chart = None
    for stage in dict.fromkeys(curve.stage for curve in curves):
        own = [curve for curve in curves if curve.stage == stage]
        chart = _node(scene, "vtkMRMLPlotChartNode", f"{run} {stage}")
        chart.SetTitle(f"{run}: {stage}")
        chart.SetXAxisTitle("steps")
        chart.RemoveAllPlotSeriesNodeIDs()
        for number, curve in enumerate(own):
            chart.AddAndObservePlotSeriesNodeID(_series(scene, curve, f"{run} {stage} {curve.name}", number).GetID())
    return chart


def _series(scene: Any, curve: Curve, name: str, number: int) -> Any:
    import vtk

    table = _node(scene, "vtkMRMLTableNode", f"{name} table")
    table.RemoveAllColumns()
    for title, numbers in (("step", curve.steps), (curve.name, curve.values)):
        column = vtk.vtkDoubleArray()
        column.SetName(title)
        for value in numbers:
            column.InsertNextValue(float(value))
        table.AddColumn(column)
    series = _node(scene, "vtkMRMLPlotSeriesNode", name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("step")
    series.SetYColumnName(curve.name)
    series.SetPlotType(series.PlotTypeScatter)
    colour = qt.QColor(COLOURS[number % len(COLOURS)])
    series.SetColor(*(int(c) / 255 for c in (colour.red(), colour.green(), colour.blue())))
    return series


def _node(scene: Any, kind: str, name: str) -> Any:
    found = scene.GetFirstNode(name, kind)
    return found if found is not None else scene.AddNewNodeByClass(kind, name)
