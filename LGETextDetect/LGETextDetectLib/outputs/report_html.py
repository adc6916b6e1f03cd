"""The report a cardiologist opens: one self-contained HTML page, nothing loaded from anywhere, all text escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..finding import images_unfit
from ..quality import LOW_CONFIDENCE
from ..result import Detected
from .bullseye_svg import bullseye_svg, ramp_colour
from .report_style import STYLE
from .report_words import (
    LEVEL_WORDS,
    SEVERITIES,
    TRANSMURALITY,
    explanation,
    headline,
    layer_words,
    prompt_words,
    scmr_headings,
    segment_rows,
)
from .slice_pictures import SlicePicture, slice_pictures

# Even a hole in the escaping could load or run nothing.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
DISCLAIMER = "Research use, not for diagnosis"


def report_html(detection: Detected) -> str:
    """The whole page; the same result gives the same text (it holds no times)."""
    result = detection.result
    pictures = slice_pictures(detection.stack, detection.prediction, detection.landmarks)
    sections = [
        _answer(result),
        _finding(result),
        _segments(result),
        _slices(result, pictures),
        _prompts(result["prompts"], images_unfit(result["detection"]["reasons"])),
        _quality(result["quality"]),
        _facts(result),
    ]
    title = f"Scar report {result['study']}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<p class="disclaimer" role="note"><strong>{DISCLAIMER}.</strong> Not a medical device. '
        "Every statement here must be checked on the original images by a qualified reader.</p>\n"
        f"<header><h1>Late gadolinium enhancement</h1><p>Left ventricular scar, study <b>{_text(result['study'])}</b></p></header>\n"
        f"<main>\n{''.join(sections)}</main>\n"
        f"<footer><p>LGETextDetect, model {_text(result['model']['name'])} {_text(result['model']['version'])}. {DISCLAIMER}.</p></footer>\n"
        "</body>\n</html>\n"
    )


def _text(value: object) -> str:
    """Any value as harmless text; control characters, which HTML forbids, become a mark."""
    return escape("".join(c if c.isprintable() or c in " \n\t" else "\ufffd" for c in str(value)), quote=True)


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{title}</h2>\n{body}\n</section>\n'


def _table(
    name: str, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()
) -> str:
    """A table of ready HTML cells, the first column being the row's header."""
    head = "".join(f'<th scope="col"{_number(k, numbers)}>{h}</th>' for k, h in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row"{_number(0, numbers)}>{row[0]}</th>'
        + "".join(f"<td{_number(k, numbers)}>{cell}</td>" for k, cell in enumerate(row[1:], 1))
        + "</tr>\n"
        for row in rows
    )
    return f'<table class="{name}">\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n'


def _number(column: int, numbers: Sequence[int]) -> str:
    return ' class="number"' if column in numbers else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _percent(probability: float | None) -> str:
    return "&ndash;" if probability is None else f"{100 * probability:.0f}&nbsp;%"


# --- the answer ------------------------------------------------------------------------------------------------------


def _answer(result: Mapping[str, Any]) -> str:
    detection = result["detection"]
    state = {True: "present", False: "absent", None: "unknown"}[detection["present"]]
    lines = "".join(f"<p>{_text(line)}</p>" for line in explanation(detection))
    cautions = sum(flag["severity"] != "info" for flag in result["quality"])
    if cautions:
        lines += f'<p class="caution">{cautions} caution{"s" * (cautions > 1)} on image quality: <a href="#quality">see below</a>.</p>'
    return (
        f'<section id="answer" class="{state}" aria-labelledby="answer-title">\n'
        f'<div><h2 id="answer-title">{headline(detection)}</h2>\n<p class="caption">{_text(result["caption"])}</p>{lines}</div>\n'
        f"{_meter(detection)}\n</section>\n"
    )


def _meter(detection: Mapping[str, Any]) -> str:
    """Probability on a scale, with the threshold."""
    probability, threshold = float(detection["probability"]), float(detection["threshold"])
    words = f"Probability {100 * probability:.1f} %, threshold {100 * threshold:.1f} %"
    x, t = 10 + 280 * probability, 10 + 280 * threshold
    anchor = "start" if threshold < 0.25 else "end" if threshold > 0.75 else "middle"
    return (
        f'<svg class="meter" viewBox="0 0 300 92" width="300" height="92" role="img" aria-label="{words}"><title>{words}</title>'
        f'<text x="150" y="24" class="value">{100 * probability:.0f} %</text>'
        '<rect x="10" y="38" width="280" height="14" rx="7" class="track"/>'
        f'<rect x="10" y="38" width="{max(x - 10, 2):.1f}" height="14" rx="7" class="bar"/>'
        f'<path d="M {t:.1f} 32 V 58" class="mark"/><text x="{t:.1f}" y="72" text-anchor="{anchor}">threshold {100 * threshold:.0f} %</text>'
        '<text x="10" y="88">0 %</text><text x="290" y="88" text-anchor="end">100 %</text></svg>'
    )


def _finding(result: Mapping[str, Any]) -> str:
    items = []
    for heading, lines in scmr_headings(result):
        # Lesions are numbered alike below every heading; what they mean together isn't a list of lesions.
        numbered = len(lines) > 1 and heading != "Interpretation"
        body = "".join(f"<li>{_text(line)}</li>" if numbered else f"<p>{_text(line)}</p>" for line in lines)
        body = f"<ol>{body}</ol>" if numbered else body
        items.append(f"<div><dt>{heading}</dt><dd>{body}</dd></div>")
    return _section("finding", "Finding", f"<dl>{''.join(items)}</dl>")


def _segments(result: Mapping[str, Any]) -> str:
    named = [number for lesion in result["finding"]["lesions"] for number in lesion["segments"]]
    rows, segments = [], segment_rows(result)
    for row in segments:
        inside = row["aha"] in named
        r, g, b = ramp_colour(row["probability"])
        swatch = f'<span class="swatch" style="background:#{r:02x}{g:02x}{b:02x}"></span>'
        score = row["transmurality"]
        rows.append([
            str(row["aha"]), _text(row["name"]), swatch + (_percent(row["probability"]) if row["probability"] is not None else "not seen"),
            _text(layer_words(row["layer"])) if inside else "&ndash;",
            TRANSMURALITY[score] if score is not None else "&ndash;", "<b>yes</b>" if inside else "no",
        ])  # fmt: skip
    heads = ("No.", "Segment", "Probability", "Layer", "Transmurality", "Named")
    table = _table("segments", "AHA segments", heads, rows, (0, 2))
    figure = (
        f"<figure>{bullseye_svg(segments, named)}<figcaption>Bull's eye, seen from the apex: base outside, apex in the middle. "
        "Blue outline: named in the finding. Hatched: no slice shows the segment.</figcaption></figure>"
    )
    return _section("segments", "Segments", f'<div class="pair">{figure}<div>{table}</div></div>')


def _slices(result: Mapping[str, Any], pictures: Sequence[SlicePicture]) -> str:
    by_index = {row["index"]: row for row in result["slices"]}
    figures = []
    for picture in pictures:
        row = by_index[picture.index]
        level = LEVEL_WORDS[row["level"]]
        words = f"Slice {picture.index + 1}, {level}"
        outside = ' class="outside"' if row["level"] == "outside" else ""
        understood = f"{words}, with evidence of scar, contours and insertion points"
        figures.append(
            f"<figure{outside}>{_image(picture.plain, words)}"
            f'<div class="layers">{_image(picture.plain, understood)}{_image(picture.overlay, "")}</div>'
            f"<figcaption><b>{words}</b><br>{row['position_mm']:.0f} mm, scar {_percent(row['probability'])}</figcaption></figure>"
        )
    legend = (
        '<p class="legend">Base first; every slice turned so that the septum lies left and the anterior wall up. Numbers are the order in the input. '
        '<span class="key evidence"></span> evidence of scar (denser = more certain) <span class="key endo"></span> endocardium '
        '<span class="key epi"></span> epicardium. White disc: anterior, white square: inferior RV insertion point.</p>'
    )
    return _section("slices", "Slices", legend + f'<div class="strip">{"".join(figures)}</div>')


def _image(png: bytes, words: str) -> str:
    return f'<img alt="{_text(words)}" width="160" height="160" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


# --- prompts, quality, facts -----------------------------------------------------------------------------------------


def _prompts(prompts: Sequence[Mapping[str, Any]], unfit: bool) -> str:
    if not prompts:
        return ""
    rows = [
        [f"<q>{_text(row['text'])}</q>", _text(prompt_words(row, unfit)), _percent(row["probability"])]
        for row in prompts
    ]
    heads = ("Asked", "Understood as", "Probability that it is true")
    return _section("prompts", "Questions asked", _table("prompts", "Prompts and their answers", heads, rows, (2,)))


def _quality(flags: Sequence[Mapping[str, Any]]) -> str:
    if not flags:
        return _section("quality", "Image quality", "<p>Nothing to remark.</p>")
    order = {name: k for k, name in enumerate(("error", "warning", "info"))}
    items = "".join(
        f'<li class="{flag["severity"]}"><b>{SEVERITIES[flag["severity"]]}:</b> {_text(flag["text"])}</li>'
        for flag in sorted(flags, key=lambda flag: order[flag["severity"]])
    )
    return _section("quality", "Image quality", f"<ul>{items}</ul>")


def _facts(result: Mapping[str, Any]) -> str:
    given, model, place = result["input"], result["model"], result["orientation"]
    row_mm, column_mm, slice_mm = given["spacing_mm"]
    marks = [mark for mark in result["landmarks"]["slices"] if mark["lv_centre"] is not None]
    sure = sorted(mark["confidence"] for mark in marks)
    low = sum(value < LOW_CONFIDENCE for value in sure)
    confidence = f"median confidence {sure[len(sure) // 2]:.2f}, {low} below {LOW_CONFIDENCE}" if sure else "none found"
    rows = [
        (
            "Input",
            f"{'DICOM' if given['kind'] == 'dicom' else 'volume file'}, {_count(given['files'], 'file')}, {_count(given['slices'], 'slice')}",
        ),
        ("Image type", {"psir": "PSIR", "magnitude": "magnitude"}.get(given["image_type"], "unknown")),
        ("Pixel size, slice distance", f"{row_mm:.2f} x {column_mm:.2f} mm, {slice_mm:.2f} mm"),
        ("Input hash (SHA-256)", given["sha256"]),
        (
            "Landmarks",
            f"{result['landmarks']['source']}, LV centre on {len(marks)} of {given['slices']} slices, {confidence}",
        ),
        ("Turned by", f"{place['angle_deg']:.0f} degrees, {'mirrored' if place['mirrored'] else 'not mirrored'}"),
        ("Order of the input", "apex first" if place["apex_first"] else "base first"),
        ("Model", f"{model['name']} {model['version']}"),
        ("Model hash (SHA-256)", model["sha256"]),
        ("Computed by", f"{model['backend']} on {model['device']}"),
    ]
    body = "".join(f'<tr><th scope="row">{name}</th><td>{_text(value)}</td></tr>\n' for name, value in rows)
    return _section(
        "facts",
        "How this was made",
        f"<table class='facts'>\n<caption>Input, orientation and model</caption>\n<tbody>{body}</tbody></table>",
    )
