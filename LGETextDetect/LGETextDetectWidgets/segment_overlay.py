"""AHA borders and numbers drawn over the slice views; they follow the landmarks and the views."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from .panel_words import NOTICE

COLOUR = (0.94, 0.89, 0.26)  # Okabe and Ito's yellow: seen on grey and on orange
MIN_PARALLEL = 0.9  # cosine between a view's normal and the stack's: on long axes nothing is drawn
FONT_SIZE = 14


class SegmentOverlay:
    """Lines and numbers in every slice view that is given; ``frames`` come from segment_places."""

    def __init__(self) -> None:
        self._views: list[_View] = []
        self._frames: tuple[Any, ...] = ()
        self._gap_mm = 1.0

    def attach(self) -> None:
        """Draw into the application's slice views from now on; nothing without a window."""
        manager = slicer.app.layoutManager()
        if manager is None or self._views:
            return
        for name in manager.sliceViewNames():
            widget = manager.sliceWidget(name)
            window = widget.sliceView().renderWindow()
            self._views.append(_View(widget.mrmlSliceNode(), window, self))

    def detach(self) -> None:
        """Take everything out of the views."""
        for view in self._views:
            view.close()
        self._views = []

    def show(self, frames: tuple[Any, ...], gap_mm: float) -> None:
        """Draw these slices' segments; none takes them away. gap_mm: distance of neighbouring slices."""
        self._frames, self._gap_mm = frames, gap_mm
        for view in self._views:
            view.draw()

    @property
    def has_frames(self) -> bool:
        """Whether there is anything to draw on the slices that cross the heart."""
        return bool(self._frames)

    def frame_at(self, slice_node: Any) -> Any:
        """The frame of the slice that a view shows; None on long axes and beside the heart."""
        matrix = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceToRAS())
        normal, place = np.multiply(matrix[:3, 2], (-1, -1, 1)), np.multiply(matrix[:3, 3], (-1, -1, 1))
        best, nearest = None, self._gap_mm / 2 + 1e-3
        for frame in self._frames:
            across = np.cross(frame.right, frame.up)
            distance = abs(float((place - frame.centre) @ normal))
            if abs(float(normal @ across)) >= MIN_PARALLEL and distance <= nearest:
                best, nearest = frame, distance
        return best


class _View:
    """The actors in one slice view; XY are the view's pixels from its lower left corner."""

    def __init__(self, slice_node: Any, window: Any, overlay: SegmentOverlay) -> None:
        self._node, self._window, self._overlay = slice_node, window, overlay
        self._renderer = window.GetRenderers().GetItemAsObject(0)
        self._actors: list[Any] = []
        self._tag = slice_node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self.draw())

    def close(self) -> None:
        self._node.RemoveObserver(self._tag)
        self._clear()
        self._window.Render()

    def draw(self) -> None:
        """Draw anew what the view's slice crosses."""
        from LGETextDetectLib import segment_places

        had_actors = bool(self._actors)
        self._clear()
        frame = self._overlay.frame_at(self._node)
        if frame is not None and frame.level != "outside":
            lines = [np.stack(ends) for ends in segment_places.borders(frame)]
            lines.append(segment_places.outline(frame))
            self._add(_lines([self._pixels(line) for line in lines]))
            for number, place in segment_places.numbers(frame).items():
                self._add(_text(str(number), *self._pixels(place[None])[0], True))
        if self._overlay.has_frames:
            self._add(_text(NOTICE, 8, 8, False))  # long axes show evidence too
        if self._actors or had_actors:
            self._window.Render()

    def _pixels(self, lps: Any) -> Any:
        """(N, 3) LPS mm to (N, 2) pixels of the view."""
        to_ras = slicer.util.arrayFromVTKMatrix(self._node.GetXYToRAS())
        ras = np.column_stack([np.multiply(lps, (-1, -1, 1)), np.ones(len(lps))])
        return (ras @ np.linalg.inv(to_ras).T)[:, :2]

    def _add(self, actor: Any) -> None:
        self._renderer.AddViewProp(actor)
        self._actors.append(actor)

    def _clear(self) -> None:
        for actor in self._actors:
            self._renderer.RemoveViewProp(actor)
        self._actors = []


def _lines(polylines: list[Any]) -> Any:
    """One actor of many polylines, (N, 2) pixels each."""
    points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    for line in polylines:
        cells.InsertNextCell(len(line))
        for x, y in line:
            cells.InsertCellPoint(points.InsertNextPoint(float(x), float(y), 0.0))
    data = vtk.vtkPolyData()
    data.SetPoints(points)
    data.SetLines(cells)
    mapper = vtk.vtkPolyDataMapper2D()
    mapper.SetInputData(data)
    actor = vtk.vtkActor2D()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*COLOUR)
    actor.GetProperty().SetLineWidth(1.5)
    return actor


def _text(text: str, x: float, y: float, centred: bool) -> Any:
    actor = vtk.vtkTextActor()
    actor.SetInput(text)
    actor.SetPosition(float(x), float(y))
    style = actor.GetTextProperty()
    style.SetFontSize(FONT_SIZE)
    style.SetColor(*COLOUR)
    style.BoldOn()
    if centred:
        style.SetJustificationToCentered()
        style.SetVerticalJustificationToCentered()
    return actor
