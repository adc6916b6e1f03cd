"""A run's log as curves: loss and validation over the steps of each stage; as numbers and as SVG. Needs no torch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, EDGE = 480, 240, 44
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito's palette
SHOWN = ("loss", "contrast", "caption", "dice_scar", "dice_myocardium")


@dataclass(frozen=True)
class Curve:
    """One quantity of one stage over its steps."""

    stage: str
    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def read_log(path: Path) -> list[dict[str, Any]]:
    """Entries of a run's log.jsonl; a line that is being written is left out."""
    entries = []
    if path.is_file():
        for line in path.read_text("utf-8", "replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                entries.append(entry)
    return entries


def curves_of(entries: Sequence[dict[str, Any]]) -> list[Curve]:
    """Every curve in a log; of a step that was run twice, after a resumption, the later value counts.

    What is no finite number, such as a figure that is not defined, is left out: it cannot be drawn.
    """
    points: dict[tuple[str, str], dict[int, float]] = {}
    for entry in entries:
        stage, step = entry.get("stage"), entry.get("step")
        if not isinstance(stage, str) or not isinstance(step, int):
            continue
        numbers = {name: entry[name] for name in SHOWN if name in entry}
        validation = entry.get("validation")
        if isinstance(validation, dict):
            numbers |= {f"validation {name}": value for name, value in validation.items() if name != "score"}
        for name, value in numbers.items():
            if isinstance(value, (int, float)) and math.isfinite(value):
                points.setdefault((stage, name), {})[step] = float(value)
    return [
        Curve(stage, name, tuple(sorted(own)), tuple(own[step] for step in sorted(own)))
        for (stage, name), own in points.items()
    ]


def stage_svg(curves: Sequence[Curve], title: str) -> str:
    """Curves of one stage in one picture, each with its name and last value."""
    steps = [step for curve in curves for step in curve.steps] or [0, 1]
    values = [value for curve in curves for value in curve.values] or [0.0, 1.0]
    low, high = min(0.0, *values), max(values) * 1.05 + 1e-9
    last = max(max(steps), 1)

    def place(step: int, value: float) -> str:
        x = EDGE + (WIDTH - 2 * EDGE) * step / last
        y = HEIGHT - EDGE + (2 * EDGE - HEIGHT) * (value - low) / (high - low)
        return f"{x:.1f},{y:.1f}"

    parts = [
        f'<rect x="{EDGE}" y="{EDGE}" width="{WIDTH - 2 * EDGE}" height="{HEIGHT - 2 * EDGE}" fill="none" stroke="#cdd4da"/>',
        f'<text x="{EDGE}" y="{HEIGHT - EDGE + 16}">0</text><text x="{WIDTH - EDGE}" y="{HEIGHT - EDGE + 16}" text-anchor="end">{last} steps</text>',
        f'<text x="{EDGE - 4}" y="{EDGE + 4}" text-anchor="end">{high:.2f}</text><text x="{EDGE - 4}" y="{HEIGHT - EDGE}" text-anchor="end">{low:.2f}</text>',
    ]
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(place(step, value) for step, value in zip(curve.steps, curve.values, strict=True))
        dots = "".join(
            f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="2" fill="{colour}"/>' for p in path.split()
        )
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}')
        x, y = 8 + number % 3 * (WIDTH // 3), HEIGHT - 14 + number // 3 * 12 - 12
        parts.append(f'<text x="{x}" y="{y}" fill="{colour}">{escape(curve.name)} {curve.values[-1]:.3f}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="11" font-family="sans-serif">'
        f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="8" y="16" font-weight="600">{escape(title)}</text>{"".join(parts)}</svg>'
    )


def all_svgs(entries: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """(title, SVG) of every stage with curves, in the order of the run."""
    curves = curves_of(entries)
    return [
        (stage, stage_svg([c for c in curves if c.stage == stage][: len(COLOURS)], stage))
        for stage in dict.fromkeys(c.stage for c in curves)
    ]
