"""Plots of an evaluation as stand-alone SVG: ROC, reliability, abstention curve, bull's eye of segment sensitivity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from LGETextDetectLib import aha
from LGETextDetectLib.outputs.bullseye_svg import RINGS, luminance, ramp_colour, segment_level, wedge_angles

SIDE, LEFT, TOP, RIGHT, BOTTOM = 300, 56, 40, 20, 74
INK, GRID, LINE, SECOND = "#1f2a33", "#d5dbe0", "#0b5fa5", "#b4531f"
NOTICE = "Research use, not for diagnosis"
Points = Sequence[tuple[float, float]]


def write_plots(folder: Path, figures: Mapping[str, Any]) -> list[Path]:
    """roc.svg, reliability.svg, abstention.svg and segments.svg of one set, as far as its figures go; returns what is there."""
    title = f"{figures['set']} ({'virtual' if figures['virtual'] else 'real'} patients, n = {figures['studies']})"
    drawn: dict[str, str] = {}
    if figures.get("roc"):
        drawn["roc"] = roc_svg(title, figures)
    if figures.get("calibration_bins"):
        drawn["reliability"] = reliability_svg(title, figures)
    if figures.get("abstention_curve"):
        drawn["abstention"] = abstention_svg(title, figures)
    if figures.get("by_segment"):
        drawn["segments"] = segments_svg(title, figures["by_segment"])
    for name, text in drawn.items():
        (folder / f"{name}.svg").write_text(text, "utf-8")
    return [folder / f"{name}.svg" for name in drawn]


def roc_svg(title: str, figures: Mapping[str, Any]) -> str:
    """ROC curve of the study's answer; a ring marks the shipped threshold."""
    place = (1 - (figures["specificity"] or 0), figures["sensitivity"] or 0)
    words = f"AUROC {figures['patient_auroc']:.3f}{_interval(figures.get('patient_auroc_95'))}"
    body = _curve(figures["roc"], LINE) + _ring(place) + _diagonal()
    return _chart(title, "ROC: " + words, "1 - specificity", "sensitivity", body)


def reliability_svg(title: str, figures: Mapping[str, Any]) -> str:
    """Share of scarred patients against mean probability by bin; the area of a disc is the number of patients."""
    bins = figures["calibration_bins"]
    most = max(count for _, _, count in bins)
    discs = "".join(
        f'<circle cx="{_x(p):.1f}" cy="{_y(t):.1f}" r="{3 + 9 * math.sqrt(n / most):.1f}" fill="{LINE}" fill-opacity="0.55">'
        f"<title>{n} patients: probability {p:.2f}, scarred {t:.2f}</title></circle>"
        for p, t, n in bins
    )
    words = f"Reliability: ECE {figures['calibration_error']:.3f}, Brier {figures['brier']:.3f}"
    return _chart(
        title,
        words,
        "probability of scar",
        "share with scar",
        _diagonal() + _curve([b[:2] for b in bins], GRID) + discs,
    )


def abstention_svg(title: str, figures: Mapping[str, Any]) -> str:
    """Accuracy (blue) and balanced accuracy (brown) against the share of patients who get an answer."""
    curve = figures["abstention_curve"]
    balanced = [(c, b) for c, _, b in curve if b is not None]  # undefined where one class is left
    body = _curve([(c, a) for c, a, _ in curve], LINE) + _curve(balanced, SECOND)
    body += _label(LEFT + 8, TOP + SIDE - 24, "accuracy", LINE) + _label(
        LEFT + 8, TOP + SIDE - 8, "balanced accuracy", SECOND
    )
    return _chart(title, "Answers furthest from the threshold", "coverage", "accuracy", body)


def segments_svg(title: str, by_segment: Mapping[str, Mapping[str, Any]]) -> str:
    """Bull's eye of the sensitivity in each AHA segment; grey where no patient has scar."""
    parts = [_wedge(n, by_segment[str(n)]) for n in aha.NAMES]
    shift = LEFT + SIDE / 2 - 210, TOP + SIDE / 2 - 210 + 44
    words = "Sensitivity by segment, n = patients with scar there (anterior up, septum left)"
    body = f'<g transform="translate({shift[0]:.1f} {shift[1]:.1f})">{"".join(parts)}</g>'
    return _page(title, words, body, height=TOP + SIDE + BOTTOM + 60)


def _wedge(number: int, row: Mapping[str, Any]) -> str:
    inner, outer = RINGS[segment_level(number)]
    first, last = wedge_angles(number)
    value = row["sensitivity"]
    r, g, b = (225, 228, 231) if value is None else ramp_colour(value)
    ink = "#ffffff" if luminance((r, g, b)) < 0.179 else "#000000"
    fill = f'fill="#{r:02x}{g:02x}{b:02x}" stroke="#5b6570"'
    if number == 17:
        shape = f'<circle cx="210" cy="210" r="{outer}" {fill}/>'
        x, y = 210.0, 210.0
    else:
        large = f"A {outer} {outer} 0 0 0 {_polar(outer, last)} L {_polar(inner, last)} A {inner} {inner} 0 0 1 {_polar(inner, first)} Z"
        shape = f'<path d="M {_polar(outer, first)} {large}" {fill}/>'
        x, y = (float(v) for v in _polar((inner + outer) / 2, (first + last) / 2).split())
    text = "-" if value is None else f"{100 * value:.0f}%"
    return (
        f'{shape}<text x="{x:.1f}" y="{y - 1:.1f}" text-anchor="middle" font-size="12" fill="{ink}">{text}</text>'
        f'<text x="{x:.1f}" y="{y + 11:.1f}" text-anchor="middle" font-size="9" fill="{ink}">n {row["scarred"]}</text>'
    )


def _polar(radius: float, angle_deg: float) -> str:
    angle = math.radians(angle_deg)
    return f"{210 + radius * math.cos(angle):.2f} {210 - radius * math.sin(angle):.2f}"


# --- axes ------------------------------------------------------------------------------------------------------------


def _x(value: float) -> float:
    return LEFT + value * SIDE


def _y(value: float) -> float:
    return TOP + (1 - value) * SIDE


def _curve(points: Iterable[Sequence[float]], colour: str) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _diagonal() -> str:
    return f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="{INK}" stroke-dasharray="3 4" stroke-opacity="0.5"/>'


def _ring(place: tuple[float, float]) -> str:
    return f'<circle cx="{_x(place[0]):.1f}" cy="{_y(place[1]):.1f}" r="5" fill="none" stroke="{SECOND}" stroke-width="2"><title>shipped threshold</title></circle>'


def _label(x: float, y: float, text: str, colour: str = INK, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _interval(bounds: Sequence[float | None] | None) -> str:
    return f" (95 % {bounds[0]:.3f}-{bounds[1]:.3f})" if bounds and None not in bounds else ""


def _chart(title: str, words: str, x_name: str, y_name: str, body: str) -> str:
    """A unit square with ticks of 0.2 around ``body``."""
    grid = []
    for k in range(6):
        v = k / 5
        grid.append(f'<path d="M {_x(v)} {_y(0)} V {_y(1)} M {_x(0)} {_y(v)} H {_x(1)}" stroke="{GRID}" fill="none"/>')
        grid.append(
            _label(_x(v), _y(0) + 16, f"{v:.1f}", anchor="middle", size=11)
            + _label(LEFT - 6, _y(v) + 4, f"{v:.1f}", anchor="end", size=11)
        )
    names = _label(_x(0.5), _y(0) + 34, x_name, anchor="middle")
    names += f'<text x="16" y="{_y(0.5)}" font-size="12" fill="{INK}" text-anchor="middle" transform="rotate(-90 16 {_y(0.5)})">{escape(y_name)}</text>'
    return _page(title, words, "".join(grid) + names + body)


def _page(title: str, words: str, body: str, height: int = TOP + SIDE + BOTTOM) -> str:
    width = LEFT + SIDE + RIGHT + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'font-family="Helvetica, Arial, sans-serif"><title>{escape(f"{title}: {words}")}</title>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        + _label(12, 16, title, size=12) + _label(12, 32, words, size=11) + body
        + _label(12, height - 10, NOTICE, "#8a1f11", size=11) + "</svg>\n"
    )  # fmt: skip
