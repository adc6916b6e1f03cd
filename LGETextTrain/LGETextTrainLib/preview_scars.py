"""Painted scars to look at before training: original, painted and mask side by side, with the sentence that goes with each."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
from LGETextDetectLib.outputs.report_style import STYLE
from LGETextDetectLib.outputs.slice_pictures import png_bytes
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.wording import say

from .data_check import DataCheck
from .painted_scar import Painted, paint_scar
from .phantom import LABELS
from .prepared_pictures import UInt8, as_html, grey, side_by_side, with_heart, with_scar
from .prepared_study import Prepared, load_prepared
from .recipe import PaintTable

NOTICE = "Research use, not for diagnosis."


def write_preview(check: DataCheck, paint: PaintTable, count: int, seed: int, folder: Path) -> Path:
    """Paint ``count`` scars into scar-free training studies; preview.html and preview.png in ``folder``; the page's path.

    Raises InputRefused('one-class') when no study is called scar-free, InputRefused('bad-recipe') when no kind is drawn.
    """
    if not paint.kinds():
        raise InputRefused("bad-recipe", "'paint.ischaemic' and the other kinds are all 0: there is nothing to paint.")
    free = [m for m in check.members if m.usable and m.split == "train" and m.finding.lge == "absent"]
    if not free:
        raise InputRefused(
            "one-class", "No readable study is called scar-free by its report: there is nothing to paint into."
        )
    figures, pictures, failed = [], [], 0
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        member = free[int(rng.integers(len(free)))]
        study = load_prepared(check.prepared, member.reading.sha256)
        painted = paint_scar(rng, study, paint)
        if painted is None:
            failed += 1
            continue
        picture = painted_picture(study, painted)
        pictures.append(picture)
        words = f"{member.study}: {painted.painting.kind}. {say(painted.finding)}"
        figures.append(
            f"<figure>{as_html(picture, 'original, painted, mask')}<figcaption>{escape(words)}</figcaption></figure>"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if pictures:
        (folder / "preview.png").write_bytes(png_bytes(np.ascontiguousarray(_sheet(pictures))))
    note = f"<p>{failed} of {count} times no scar fitted where the heart network is sure.</p>" if failed else ""
    body = f"""<p class="disclaimer">{NOTICE}</p><header><h1>Painted scars</h1></header>{note}
<p>Original with endocardium (blue) and epicardium (yellow), painted, painted with the mask (orange); the slice with most scar.</p>
<div>{"".join(figures)}</div>"""
    page = folder / "preview.html"
    page.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Painted scars</title><style>{STYLE} figure {{ margin: 0 0 16px; }}'
        f"</style></head><body>{body}</body></html>\n",
        "utf-8",
    )
    return page


def painted_picture(study: Prepared, painted: Painted) -> UInt8:
    """Three pictures of the slice with most scar."""
    scar = np.isin(painted.labels, (LABELS["scar"], LABELS["no_reflow"]))
    most = int(scar.sum((1, 2)).argmax())
    shown = grey(painted.image[most])
    return side_by_side([with_heart(grey(study.image[most]), study.maps[most]), shown, with_scar(shown, scar[most])])


def _sheet(pictures: list[UInt8]) -> UInt8:
    """All pictures in two columns."""
    blank = np.full_like(pictures[0], 255)
    rows = [pictures[k : k + 2] for k in range(0, len(pictures), 2)]
    return np.concatenate([side_by_side([*row, blank][:2]) for row in rows], 0)
