"""Panel section 'Landmarks': found or set by hand, locked until 'Edit', and what follows when a point moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from . import slice_views
from .packages import library_ready
from .panel_words import error_text
from .segment_overlay import SegmentOverlay

SETTLE_MS = 400  # a dragged point has come to rest
DRAW_MS = 100  # between two drawings while a point is dragged
MOVED_MM = 0.01
KINDS = {
    "lv_centre": "LV centre",
    "rvip_anterior": "Anterior insertion",
    "rvip_inferior": "Inferior insertion",
    "apex": "Apex",
    "base": "Base",
}


class LandmarkSection:
    """Owns the point list in use: follows it, marks moved points, draws the segments, asks for a new run."""

    def __init__(self, panel: Any) -> None:
        self._panel, self._ui = panel, panel.ui
        self._node: Any = None
        self._places: dict[str, Any] = {}
        self._quiet = False
        self._volume: tuple[Any, ...] = ()
        self._frames: tuple[Any, ...] = ((), ())  # points and image, and the frames that they give
        self._draw_waits = False
        self.overlay = SegmentOverlay()
        self._settle = qt.QTimer()
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.connect("timeout()", self.on_settled)
        self._draw_later = qt.QTimer()
        self._draw_later.setSingleShot(True)
        self._draw_later.setInterval(DRAW_MS)
        self._draw_later.connect("timeout()", self.draw)
        self._ui.placeComboBox.addItems([_(words) for words in KINDS.values()])
        self._ui.autoButton.connect("clicked(bool)", lambda checked=False: panel.find_landmarks())
        self._ui.editButton.connect("toggled(bool)", self.on_edit)
        self._ui.placeButton.connect("clicked(bool)", self.on_place)
        self._ui.reorientButton.connect("clicked(bool)", self.on_reorient)

    def update(self, busy: bool) -> None:
        parameters = self._panel.parameters
        node = parameters.landmarks if parameters is not None else None
        if node is not self._node:
            self._follow(node)
        self._ui.autoButton.enabled = self._panel.ready and not busy
        self._ui.editButton.enabled = node is not None
        self._ui.placeButton.enabled = self._panel.ready
        self._ui.reorientButton.enabled = bool(self.frames())
        if node is not None and self._ui.editButton.checked == bool(node.GetLocked()):
            self._ui.editButton.checked = not node.GetLocked()
        self._ui.confidenceLabel.text = self._confidence_text()
        self.draw()

    def close(self) -> None:
        """Let go of the node and the views."""
        self._settle.stop()
        self._draw_later.stop()
        self._draw_waits = False
        self._follow(None)
        self.overlay.detach()

    # --- the node

    def _follow(self, node: Any) -> None:
        if self._node is not None:
            self._panel.removeObservers(self._on_points)
        self._node = node
        self._remember()
        if node is not None:
            for event in (node.PointModifiedEvent, node.PointPositionDefinedEvent, node.PointRemovedEvent):
                self._panel.addObserver(node, event, self._on_points)

    def _remember(self) -> None:
        self._places = self._now()

    def _now(self) -> dict[str, Any]:
        """Control point ID -> place in its volume of every placed point: a transform above both moves none of them."""
        node, places, volume_node = self._node, {}, self._panel.volume_node
        for number in range(node.GetNumberOfControlPoints() if node is not None else 0):
            if node.GetNthControlPointPositionStatus(number) == node.PositionDefined:
                place = list(node.GetNthControlPointPositionWorld(number))
                if volume_node is not None:
                    volume_node.TransformPointFromWorld(tuple(place), place)
                places[node.GetNthControlPointID(number)] = np.array(place)
        return places

    def take_over(self, change: Any) -> Any:
        """Do what changes the points without taking it for a person's doing; returns what ``change()`` returns."""
        self._quiet = True
        try:
            return change()
        finally:
            self._quiet = False
            self._remember()

    def _on_points(self, caller=None, event=None) -> None:
        if self._quiet or self._node is None:
            return
        if not self._draw_waits:
            self._draw_waits = True
            self._draw_later.start()
        if self._now().keys() != self._places.keys() or self._moved():
            self._settle.start()

    def _moved(self) -> list[str]:
        """IDs of points that are new or elsewhere than remembered."""
        before = self._places
        return [
            key
            for key, place in self._now().items()
            if key not in before or np.linalg.norm(place - before[key]) > MOVED_MM
        ]

    def on_settled(self) -> None:
        """Points came to rest: say which were set by hand, and run again what depends on them."""
        if self._node is None or not self._panel.ready:
            return
        changed = self.mark_moved()
        self._ui.confidenceLabel.text = self._confidence_text()
        self.draw()
        if changed and self._panel.parameters.autoUpdate:
            self._panel.run_again()

    def mark_moved(self) -> bool:
        """Say of points that are new or moved since the last look that they were set by hand; whether any changed."""
        from LGETextDetectLib import mrml

        moved = self._moved()
        gone = self._places.keys() - self._now().keys()
        self.take_over(lambda: [self._set_by_hand(key, mrml) for key in moved])
        return bool(moved or gone)

    def _set_by_hand(self, key: str, mrml: Any) -> None:
        """Name a new point, mark a moved one; a point of the same name on the same slice gives way."""
        node = self._node
        number = node.GetNthControlPointIndexByID(key)
        label = str(node.GetNthControlPointLabel(number))
        kind = next((k for k in KINDS if label.startswith(k)), None)
        if key not in self._places or kind is None:
            kind = kind or list(KINDS)[self._ui.placeComboBox.currentIndex]
            label = kind if kind in ("apex", "base") else f"{kind}_{self._slice_of(number)}"
            for other in reversed(range(node.GetNumberOfControlPoints())):
                if other != number and node.GetNthControlPointLabel(other) == label:
                    node.RemoveNthControlPoint(other)
            number = node.GetNthControlPointIndexByID(key)
            node.SetNthControlPointLabel(number, label)
        mrml.mark_set_by_hand(node, number)

    def _slice_of(self, number: int) -> int:
        lps = np.multiply(self._node.GetNthControlPointPositionWorld(number), (-1, -1, 1))
        volume = self._engine_volume()
        return int(np.clip(round(float(volume.to_index(lps)[0])), 0, len(volume.array) - 1))

    # --- what the points mean

    def _engine_volume(self) -> Any:
        """The input as the engine sees it, read again when its image or place changed. Raises InputRefused."""
        from LGETextDetectLib import mrml

        node = self._panel.volume_node
        place = tuple(mrml.index_to_world(node).ravel())  # a transform above is changed without the node
        fact = (node.GetID(), node.GetMTime(), node.GetImageData().GetMTime(), place)
        if not self._volume or self._volume[0] != fact:
            self._volume = (fact, mrml.engine_volume(node))
        return self._volume[1]

    def frames(self) -> tuple[Any, ...]:
        """The heart's frame on every slice, from the points as they are now; empty when they give none."""
        empty = self._node is None or self._node.GetNumberOfControlPoints() == 0
        if empty or not self._panel.ready or not library_ready():
            return ()
        from LGETextDetectLib import mrml
        from LGETextDetectLib.refusal import InputRefused
        from LGETextDetectLib.segment_places import slice_frames

        try:
            volume = self._engine_volume()
        except InputRefused:
            return ()  # the section 'Input' says why
        fact = (self._volume[0], self._described_points())
        if self._frames[0] != fact:
            try:
                self._frames = (fact, slice_frames(volume, mrml.shown_landmarks(self._node, volume)))
            except InputRefused:
                self._frames = (fact, ())  # not enough points yet
        return tuple(self._frames[1])

    def _described_points(self) -> tuple[Any, ...]:
        """Label, description and place of every placed point: all that the frames come from."""
        node, places = self._node, self._now()
        numbers = [node.GetNthControlPointIndexByID(key) for key in places]
        words = [(node.GetNthControlPointLabel(k), node.GetNthControlPointDescription(k)) for k in numbers]
        return tuple((*said, *place.tolist()) for said, place in zip(words, places.values(), strict=True))

    def draw(self) -> None:
        """Draw the segments where the points are now, or take them away."""
        self._draw_waits = False
        wanted = self._panel.parameters is not None and self._panel.parameters.showSegments
        frames = self.frames() if wanted else ()
        if frames:
            self.overlay.attach()
        self.overlay.show(frames, self._engine_volume().spacing_mm[2] if frames else 1.0)

    def _confidence_text(self) -> str:
        if self._node is None or self._node.GetNumberOfControlPoints() == 0:
            return _("No landmarks yet: Auto finds them, Place sets them by hand.")
        if not library_ready():
            return ""
        from LGETextDetectLib import mrml

        sure = mrml.mean_confidence(self._node)
        count = self._node.GetNumberOfControlPoints()
        by_hand = sum(not mrml.was_found(self._node, k) for k in range(count))
        words = [_("{count} points").format(count=count)]
        words += [_("{count} set by hand").format(count=by_hand)] if by_hand else []
        words += [_("confidence of the found ones {sure:.2f}").format(sure=sure)] if sure is not None else []
        return ", ".join(words) + "."

    # --- buttons

    def on_edit(self, checked: bool) -> None:
        if self._node is not None:
            self._node.SetLocked(not checked)
            self._ui.editButton.toolTip = (
                _("Lock the points again.") if checked else _("Unlock the points to drag them.")
            )

    def on_place(self, checked=False) -> None:
        """The next click in a slice view places the chosen point."""
        if self._node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "LGE landmarks")
            node.CreateDefaultDisplayNodes()
            node.SetAndObserveTransformNodeID(self._panel.volume_node.GetTransformNodeID())  # goes where the images go
            self._panel.parameters.landmarks = node
        self._node.LockedOff()
        try:
            slicer.modules.markups.logic().StartPlaceMode(False)
            slicer.modules.markups.logic().SetActiveList(self._node)
        except AttributeError as error:  # without the Markups module points can be moved, not placed by a click
            self._panel.show_error(error_text(error))

    def on_reorient(self, checked=False) -> None:
        from LGETextDetectLib.segment_places import heart_to_lps

        frames = self.frames()
        if frames:
            slice_views.reorient(heart_to_lps(frames))
