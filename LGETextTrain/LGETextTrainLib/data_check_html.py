"""The data check as one self-contained page with a thumbnail of every study; no identifier, no word of a report."""

from __future__ import annotations

from html import escape
from pathlib import Path

from LGETextDetectLib.outputs.report_style import STYLE

from .data_check import COLUMNS, DataCheck, table_row
from .hospital_cohort import Member
from .prepared_pictures import as_html, grey, side_by_side, with_heart
from .prepared_study import load_prepared

MAX_THUMBNAILS = 400
NOTICE = "Research use, not for diagnosis."


def write_page(check: DataCheck, path: Path) -> None:
    """Write check.html: counts, problems, table, and for every readable study its middle slice, plain and with the heart found."""
    counts = "".join(
        f"<tr><th>{escape(k.replace('_', ' '))}</th><td>{escape(_words(v))}</td></tr>" for k, v in check.counts.items()
    )
    problems = "".join(f"<li><b>{p.severity}</b> [{p.code}] {escape(p.text)}</li>" for p in check.problems)
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(v))}</td>" for v in table_row(m).values()) + "</tr>" for m in check.members
    )
    shown = [m for m in check.members if not m.reading.code][:MAX_THUMBNAILS]
    figures = "".join(_figure(check, member) for member in shown)
    body = f"""<p class="disclaimer">{NOTICE}</p><header><h1>Data check</h1></header>
<section><h2>Counts</h2><table class="facts">{counts}</table></section>
<section><h2>What speaks against training</h2>{f"<ul>{problems}</ul>" if problems else "<p>Nothing.</p>"}</section>
<section><h2>Images</h2><p>Middle slice of each study in the normalised frame: septum left, anterior wall up; endocardium blue, epicardium yellow.
{"" if len(shown) == len(check.members) else f"{len(shown)} of {len(check.members)} studies are shown."}</p><div class="strip">{figures}</div></section>
<section><h2>Studies</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></section>"""
    page = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Data check</title><style>{STYLE}</style></head><body>{body}</body></html>'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page + "\n", "utf-8")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(part)}" for key, part in value.items()) or "none"
    return str(value)


def _figure(check: DataCheck, member: Member) -> str:
    study = load_prepared(check.prepared, member.reading.sha256)
    middle = len(study.image) // 2
    plain = grey(study.image[middle])
    picture = as_html(side_by_side([plain, with_heart(plain, study.maps[middle])]), f"middle slice of {member.study}")
    said = escape(f"{member.study} · {member.finding.lge} · {member.split or 'not used'}")
    return f"<figure>{picture}<figcaption>{said}</figcaption></figure>"
