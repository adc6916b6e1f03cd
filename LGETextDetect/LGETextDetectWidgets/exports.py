"""A result as files for others: web page, PDF by Qt, folder, clean scene, DICOM objects."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import qt

from .bullseye import bullseye_pixmap
from .panel_words import NOTICE, answer_rows, device_text, flags_text, result_text

DICOM_FILES = ("scar_seg.dcm", "report_sr.dcm")
BULLSEYE_PIXELS, PICTURE_PIXELS = 900, 150
PICTURES_A_ROW = 4
_PNG = r'<img [^>]*src="data:image/png;base64,([^"]+)">'
_LAYERS = re.compile(f'<div class="layers">{_PNG}{_PNG}</div>')


def copy_report(folder: Path, path: Path) -> None:
    """The report as one self-contained web page."""
    shutil.copyfile(folder / "report.html", path)


def copy_folder(folder: Path, target: Path) -> None:
    """All files of a result; raises FileExistsError when the target is there already."""
    shutil.copytree(folder, target)


def copy_dicom(folder: Path, target: Path) -> list[str]:
    """DICOM SEG and SR into an existing folder; the names written. Raises FileExistsError rather than replace one."""
    names = [name for name in DICOM_FILES if (folder / name).is_file()]
    for name in names:
        if (target / name).exists():
            raise FileExistsError(f"{name} is in this folder already")
    for name in names:
        shutil.copyfile(folder / name, target / name)
    return names


def write_pdf(result: Mapping[str, Any], report: str, path: Path) -> None:
    """A printable report. ``report``: the web page's text, from which the slices' pictures are taken.

    Raises OSError when the file cannot be written.
    """
    from LGETextDetectLib.outputs.report_words import segment_rows

    document = qt.QTextDocument()
    segments = {int(row["aha"]): row for row in segment_rows(result)}
    named = {n for lesion in result["finding"]["lesions"] for n in lesion["segments"]}
    image = bullseye_pixmap(segments, named, 0, BULLSEYE_PIXELS).toImage()
    document.addResource(qt.QTextDocument.ImageResource, qt.QUrl("bullseye"), image)
    pictures = _pictures(report)
    for number, picture in enumerate(pictures):
        document.addResource(qt.QTextDocument.ImageResource, qt.QUrl(f"slice{number}"), picture)
    document.setHtml(pdf_html(result, len(pictures)))
    writer = qt.QPdfWriter(str(path))
    writer.setResolution(120)
    writer.setTitle("Late gadolinium enhancement")
    document.setPageSize(qt.QSizeF(writer.width(), writer.height()))
    _print(document, writer)
    del writer  # closes the file
    if not path.is_file():
        raise OSError(f"{path.name} cannot be written")


def pdf_html(result: Mapping[str, Any], pictures: int) -> str:
    """The printed page in the subset of HTML that Qt's text documents know."""
    from LGETextDetectLib.outputs.report_words import probability_words, segment_rows

    rows = "".join(
        f"<tr><td>{row['aha']}</td><td>{escape(row['name'])}</td><td>{probability_words(row['probability'])}</td>"
        f"<td>{escape(row['layer'] or '')}</td></tr>"
        for row in segment_rows(result)
    )
    answers = "".join(
        f"<tr><td>{escape(question)}<br><i>{escape(words)}</i></td><td>{escape(p)}</td></tr>"
        for question, p, words in answer_rows(result)
    )
    cells = [f'<td><img src="slice{k}" width="{PICTURE_PIXELS}"></td>' for k in range(pictures)]
    lines = ["".join(cells[k : k + PICTURES_A_ROW]) for k in range(0, len(cells), PICTURES_A_ROW)]
    words = escape(result_text(result)).replace("\n", "<br>")
    flags = escape(flags_text(result["quality"])).replace("\n", "<br>")
    return (
        f"<p><b>{NOTICE}.</b> Check every statement on the original images.</p>"
        f"<h2>Late gadolinium enhancement</h2><p>{words}</p><p>{flags}</p>"
        '<table><tr><td><img src="bullseye" width="330"></td><td><table border="1" cellspacing="0" cellpadding="2">'
        f"<tr><th>#</th><th>Segment</th><th>Probability</th><th>Layer</th></tr>{rows}</table></td></tr></table>"
        + (
            f"<h3>Slices, base to apex</h3><table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
            if lines
            else ""
        )
        + (f'<h3>Questions</h3><table border="1" cellspacing="0" cellpadding="3">{answers}</table>' if answers else "")
        + f"<p>{escape(device_text(result['model']))}. <b>{NOTICE}.</b></p>"
    )


def _pictures(report: str) -> list[Any]:
    """The report's slices, each grey picture with its transparent layer painted on it."""
    pictures = []
    for pair in _LAYERS.findall(report):
        plain, layer = (qt.QImage(), qt.QImage())
        for image, text in zip((plain, layer), pair, strict=True):
            image.loadFromData(qt.QByteArray(base64.b64decode(text)), "PNG")
        merged = plain.convertToFormat(qt.QImage.Format_RGB32)
        painter = qt.QPainter(merged)
        painter.drawImage(0, 0, layer)
        painter.end()
        pictures.append(merged)
    return pictures


def _print(document: Any, device: Any) -> None:
    """QTextDocument::print, whose name differs between the bindings."""
    (getattr(document, "print_", None) or document.print)(device)
