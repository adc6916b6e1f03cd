"""The 17 segments as a bull's eye in the panel: painted, clicked, stepped through by the arrow keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

SIZE = 300  # pixels
REACH = 205.0  # half of the drawing's side in bullseye_svg's own units, labels included


class Bullseye(qt.QLabel):
    """A picture of result.json's segments; ``on_segment`` hears the number of a wedge that is chosen."""

    def __init__(self, on_segment: Callable[[int], None]) -> None:
        qt.QLabel.__init__(self)
        self._on_segment = on_segment
        self._segments: dict[int, Mapping[str, Any]] = {}
        self._named: set[int] = set()
        self._chosen = 0
        self.setFixedSize(SIZE, SIZE)
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setAccessibleName(_("Bull's eye of the 17 segments"))
        self.setToolTip(_("Probability of scar in the 17 segments. Click or use the arrow keys to see a segment."))

    def show_result(self, segments: Sequence[Mapping[str, Any]], named: Sequence[int]) -> None:
        """Draw segments; those of the finding, or of a question, are outlined."""
        self._segments = {int(row["aha"]): row for row in segments}
        self._named = set(named)
        self._paint()

    def choose(self, number: int) -> None:
        """Mark a segment and say so."""
        self._chosen = number
        self._paint()
        self._on_segment(number)

    def mouseReleaseEvent(self, event) -> None:
        number = segment_at(event.pos().x() / SIZE, event.pos().y() / SIZE)
        if number and self._segments:
            self.choose(number)

    def keyPressEvent(self, event) -> None:
        step = {int(qt.Qt.Key_Right): 1, int(qt.Qt.Key_Up): 1, int(qt.Qt.Key_Left): -1, int(qt.Qt.Key_Down): -1}
        if self._segments and int(event.key()) in step:
            self.choose((self._chosen - 1 + step[int(event.key())]) % 17 + 1 if self._chosen else 1)
        else:
            event.ignore()

    def _paint(self) -> None:
        self.setPixmap(
            bullseye_pixmap(self._segments, self._named, self._chosen, SIZE) if self._segments else qt.QPixmap()
        )


def bullseye_pixmap(segments: Mapping[int, Mapping[str, Any]], named: set[int], chosen: int, size: int) -> Any:
    """The picture, ``size`` pixels square; colours and wedges are those of the report."""
    pixmap = qt.QPixmap(size, size)
    pixmap.fill(qt.QColor(255, 255, 255))
    painter = qt.QPainter(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.translate(size / 2, size / 2)
    painter.scale(size / (2 * REACH), size / (2 * REACH))
    for number in sorted(segments, key=lambda n: (n == chosen, n in named, n)):
        _paint_wedge(painter, number, segments[number]["probability"], number in named, number == chosen)
    painter.setPen(qt.QColor(61, 71, 80))
    for text, x, y, angle in (
        ("Anterior", 0, -186, 0),
        ("Inferior", 0, 197, 0),
        ("Septal", -186, 0, -90),
        ("Lateral", 197, 0, -90),
    ):
        _paint_text(painter, text, x, y, 14, angle)
    painter.end()
    return pixmap


def _paint_wedge(painter: Any, number: int, probability: float | None, named: bool, chosen: bool) -> None:
    from LGETextDetectLib.outputs.bullseye_svg import RINGS, luminance, ramp_colour, segment_level, wedge_angles

    inner, outer = RINGS[segment_level(number)]
    first, last = wedge_angles(number)
    colour = ramp_colour(probability)
    path = qt.QPainterPath()
    if number == 17:
        path.addEllipse(-outer, -outer, 2 * outer, 2 * outer)
    else:
        path.arcMoveTo(-outer, -outer, 2 * outer, 2 * outer, first)
        path.arcTo(-outer, -outer, 2 * outer, 2 * outer, first, last - first)
        path.arcTo(-inner, -inner, 2 * inner, 2 * inner, last, first - last)
        path.closeSubpath()
    edge = qt.QColor(0, 0, 0) if chosen else qt.QColor(11, 95, 165) if named else qt.QColor(91, 101, 112)
    pen = qt.QPen(edge)
    pen.setWidthF(4.5 if chosen else 3.5 if named else 1.0)
    painter.setPen(pen)
    painter.setBrush(qt.QBrush(qt.QColor(*colour)))
    painter.drawPath(path)
    if probability is None:
        painter.setBrush(qt.QBrush(qt.QColor(169, 176, 183), qt.Qt.BDiagPattern))
        painter.drawPath(path)
    ink = qt.QColor(255, 255, 255) if luminance(colour) < 0.179 else qt.QColor(0, 0, 0)
    painter.setPen(ink)
    middle, radius = math.radians((first + last) / 2), 0.0 if number == 17 else (inner + outer) / 2
    x, y = radius * math.cos(middle), -radius * math.sin(middle)
    _paint_text(painter, str(number), x, y - 1, 15)
    _paint_text(painter, "–" if probability is None else f"{100 * probability:.0f}%", x, y + 12, 11)


def _paint_text(painter: Any, text: str, x: float, y: float, pixels: int, angle_deg: float = 0.0) -> None:
    """Text centred on x, its base line at y."""
    font = qt.QFont("Helvetica")
    font.setPixelSize(pixels)
    painter.setFont(font)
    painter.save()
    painter.translate(x, y)
    painter.rotate(angle_deg)
    width = qt.QFontMetrics(font).boundingRect(text).width()
    painter.drawText(qt.QPointF(-width / 2, 0), text)
    painter.restore()


def segment_at(x: float, y: float) -> int:
    """AHA segment at a place of the picture (0-1 from its upper left corner); 0 beside the bull's eye."""
    from LGETextDetectLib.outputs.bullseye_svg import RINGS, segment_level, wedge_angles

    across, up = (x - 0.5) * 2 * REACH, (0.5 - y) * 2 * REACH
    radius, angle = math.hypot(across, up), math.degrees(math.atan2(up, across)) % 360
    for number in range(1, 18):
        inner, outer = RINGS[segment_level(number)]
        first, last = wedge_angles(number)
        if inner <= radius < outer and (angle - first) % 360 < last - first:
            return number
    return 0
