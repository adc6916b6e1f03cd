"""The 17-segment bull's eye (AHA) as SVG: anterior up, septum left, base outside, apex in the middle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from .. import aha

# Lightness falls steadily from pale to dark, so the order is readable without colour vision and in grey print.
RAMP = (
    (0.0, (248, 246, 240)),
    (0.25, (253, 219, 145)),
    (0.5, (240, 148, 65)),
    (0.75, (186, 61, 57)),
    (1.0, (74, 16, 52)),
)
CENTRE = 210.0
RINGS: dict[str, tuple[float, float]] = {"basal": (130, 180), "mid": (80, 130), "apical": (30, 80), "apex": (0, 30)}
NOT_SEEN = (225, 228, 231)  # of segments that no slice shows: off the ramp, and hatched
WIDTH, HEIGHT = 500, 440
_HATCH = (
    '<defs><pattern id="not-seen" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="7" height="7" fill="#{NOT_SEEN[0]:02x}{NOT_SEEN[1]:02x}{NOT_SEEN[2]:02x}"/>'
    '<rect width="1.5" height="7" fill="#a9b0b7"/></pattern></defs>'
)
_LABELS = (
    ("Anterior", CENTRE, 20, 0),
    ("Inferior", CENTRE, 408, 0),
    ("Septal", 18, CENTRE, -90),
    ("Lateral", 402, CENTRE, 90),
)


def wedge_angles(number: int) -> tuple[float, float]:
    """First and last angle of a segment, degrees counter-clockwise, 0 = right (lateral), 90 = up (anterior)."""
    if number == 17:
        return 0.0, 360.0
    if number >= 13:
        return 45.0 + 90 * (number - 13), 135.0 + 90 * (number - 13)
    start = 60.0 + 60 * ((number - 1) % 6)
    return start, start + 60


def segment_level(number: int) -> str:
    """Level name of an AHA segment."""
    return next(level for level, members in aha.LEVEL_SEGMENTS.items() if number in members)


def ramp_colour(probability: float | None) -> tuple[int, int, int]:
    """RGB of a probability; None when no slice shows the segment."""
    if probability is None:
        return NOT_SEEN
    p = min(max(float(probability), 0.0), 1.0)
    for (low, first), (high, second) in pairwise(RAMP):
        if p <= high:
            share = (p - low) / (high - low)
            r, g, b = (round(a + (c - a) * share) for a, c in zip(first, second, strict=True))
            return r, g, b
    return RAMP[-1][1]


def luminance(rgb: tuple[int, int, int]) -> float:
    """Relative luminance of an sRGB colour, 0-1 (WCAG 2.1)."""
    linear = [v / 3294.6 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def bullseye_svg(segments: Sequence[Mapping[str, Any]], named: Sequence[int]) -> str:
    """A stand-alone SVG. segments: the 17 rows (report_words.segment_rows); named: those of the finding, outlined."""
    by_number = {int(row["aha"]): row for row in segments}
    outlined = set(named)
    # Outlines last: a neighbour drawn later would cover half of them.
    order = sorted(by_number, key=lambda number: (number in outlined, number))
    parts = [_wedge(by_number[number], number in outlined) for number in order]
    parts += [_label(by_number[number]) for number in sorted(by_number)]
    words = ", ".join(str(n) for n in sorted(outlined)) or "none"
    labels = "".join(_wall_label(*label) for label in _LABELS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        'font-family="Helvetica, Arial, sans-serif">'
        "<title>Probability of scar in the 17 AHA segments</title>"
        f"<desc>Bull's eye seen from the apex: anterior wall up, septum left. Segments named in the finding: {words}.</desc>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{_HATCH}'
        + "".join(parts)
        + labels
        + _legend()
        + "</svg>\n"
    )


def _at(radius: float, angle_deg: float) -> str:
    angle = math.radians(angle_deg)
    return f"{CENTRE + radius * math.cos(angle):.2f} {CENTRE - radius * math.sin(angle):.2f}"


def _wedge(row: Mapping[str, Any], outlined: bool) -> str:
    number = int(row["aha"])
    inner, outer = RINGS[segment_level(number)]
    first, last = wedge_angles(number)
    r, g, b = ramp_colour(row["probability"])
    style = 'stroke="#0b5fa5" stroke-width="3.5"' if outlined else 'stroke="#5b6570" stroke-width="1"'
    seen = row["probability"] is not None
    chance = f"probability {float(row['probability']):.2f}" if seen else "not seen"
    title = escape(f"Segment {number}, {row['name']}: {chance}" + _detail(row))
    paint = f"#{r:02x}{g:02x}{b:02x}" if seen else "url(#not-seen)"
    fill = f'fill="{paint}" {style} stroke-linejoin="round"'
    if number == 17:
        return f'<circle cx="{CENTRE}" cy="{CENTRE}" r="{outer}" {fill}><title>{title}</title></circle>'
    path = (
        f"M {_at(outer, first)} A {outer} {outer} 0 0 0 {_at(outer, last)} "
        f"L {_at(inner, last)} A {inner} {inner} 0 0 1 {_at(inner, first)} Z"
    )
    return f'<path d="{path}" {fill}><title>{title}</title></path>'


def _detail(row: Mapping[str, Any]) -> str:
    layer, score = row.get("layer"), row.get("transmurality")
    return (f", {layer}" if layer else "") + (f", transmurality score {score}" if score is not None else "")


def _label(row: Mapping[str, Any]) -> str:
    """Segment number and probability in per cent, dark on pale and pale on dark; a dash where it is not seen."""
    number = int(row["aha"])
    inner, outer = RINGS[segment_level(number)]
    first, last = wedge_angles(number)
    x, y = (_at((inner + outer) / 2, (first + last) / 2) if number != 17 else _at(0, 0)).split()
    r, g, b = ramp_colour(row["probability"])
    ink = "#ffffff" if luminance((r, g, b)) < 0.179 else "#000000"  # where both contrasts are equal, 4.6 to 1
    percent = "–" if row["probability"] is None else f"{100 * float(row['probability']):.0f}%"
    return (
        f'<g fill="{ink}" text-anchor="middle" pointer-events="none" aria-hidden="true">'
        f'<text x="{x}" y="{float(y) - 1:.2f}" font-size="15" font-weight="700">{number}</text>'
        f'<text x="{x}" y="{float(y) + 12:.2f}" font-size="11">{percent}</text></g>'
    )


def _wall_label(text: str, x: float, y: float, turn: int) -> str:
    place = f'x="{x}" y="{y}"' + (f' transform="rotate({turn} {x} {y})"' if turn else "")
    return f'<text {place} text-anchor="middle" font-size="14" fill="#3d4750">{text}</text>'


def _legend() -> str:
    """Colour bar with its scale, and what the outline means."""
    top, height, x = 60.0, 240.0, 432.0
    steps = 48
    bars = []
    for k in range(steps):
        r, g, b = ramp_colour(1 - (k + 0.5) / steps)
        bars.append(
            f'<rect x="{x}" y="{top + k * height / steps:.2f}" width="16" height="{height / steps + 0.5:.2f}" fill="#{r:02x}{g:02x}{b:02x}"/>'
        )
    ticks = "".join(
        f'<text x="{x + 22}" y="{top + height * (1 - value) + 4:.1f}">{round(100 * value)}%</text>'
        for value in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        '<g font-size="11" fill="#3d4750"><text x="424" y="44">Probability</text>'
        + "".join(bars)
        + f'<rect x="{x}" y="{top}" width="16" height="{height}" fill="none" stroke="#5b6570"/>{ticks}'
        + f'<rect x="{x}" y="326" width="16" height="12" fill="none" stroke="#0b5fa5" stroke-width="3"/>'
        + '<text x="424" y="356">in the</text><text x="424" y="369">finding</text></g>'
    )
