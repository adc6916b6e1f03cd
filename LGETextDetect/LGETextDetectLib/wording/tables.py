"""Tables of a value for each AHA segment ("4: 51-75 %", or scores 0-4), read before the sentences."""

from __future__ import annotations

import re

from .reading import Draft, Reading, score_of

_SEGMENT = r"(?<![\d.,%-])\b(?:seg(?:ment)?\s*)?(1[0-7]|[1-9])(?:[.)]?[ \t](?:basal|mid|apical|apex)\b[a-z \t-]{0,30})?"  # with its name
_TABLE_ENTRY = re.compile(
    _SEGMENT
    + r"\s*[:=|]\s*((?:subendocardial (?:(?:scar|lge|infarct)[ ,(]{0,2})?)?(?:\d{1,3}\s*[-–]\s*)?\d{1,3}\s*%|<\s*\d+\s*%|>\s*\d+\s*%|transmural|subendocardial|none|normal|no lge|nil|viable)",
    re.I,
)
_SCORE_ENTRY = re.compile(_SEGMENT + r"\s*[:=|-]\s*([0-4])(?![\d.%]|\s*%|\s*[-–]\s*\d)")
_LEGEND = re.compile(
    r"\(?(?:0\s*[:=]\s*[^,;)\n]{1,25}[,;]\s*)?1\s*[:=]\s*(?:1-25|<\s*25|0-25)\s*%.{0,90}?4\s*[:=]\s*(?:76-100|>\s*75|75-100)\s*%\)?",
    re.S,
)


_HTML = r"(?!/?(?:b|i|u|em|strong|span|font|a|html|body|head|title|script|style|h\d)\b)"
_ELEMENT = re.compile(rf"<{_HTML}([a-z][\w.-]{{1,30}})>([^<>]{{0,2000}})</\1>", re.I)
_LINE_END = re.compile(r"<(?:br\s?/?|/(?:p|li|tr|div|h\d))>", re.I)
_CELL = re.compile(r"<(?:/td|/th)>\s*(?=<t[dh])", re.I)
_TABULATOR = re.compile(r"(?<=[^\s:])[ ]*\t\s*?(?=\S)")
_TAG = re.compile(r"(?:^|(?<=[.;\n])|(?<=[.;]\s))\[(?!x\])([A-Za-z][\w /-]{1,25})\]:?\s*", re.I)
_FIELD = re.compile(r"(?:^|(?<=[;\n|]))[ \t]{0,3}([A-Z][A-Za-z]*(?:_[A-Za-z]+)*)\s?:(?=[^;\n|]*(?:[;|\n]|$))", re.M)
_PAIR = re.compile(r"(?:^|(?<=[;\n|]))\s*([A-Za-z][\w ]{0,30}?)\s?=\s?([^;\n|=]{0,200})(?:[;|]|(?=\n)|$)")


def as_lines(text: str) -> str:
    """The elements of XML and HTML, pairs 'LGE_pattern=midwall;' and tags '[LGE] none', each as a line of its own.

    Tabulators between columns become bars.
    """
    if "<" in text:
        text = _LINE_END.sub("\n", _CELL.sub(" | ", text))
        text = _ELEMENT.sub(
            lambda e: e[2] if e[1].lower() in ("p", "li", "tr", "td", "th", "div") else f"\n{e[1]}: {e[2]}\n", text
        )
    if len(_TABULATOR.findall(text)) > 2:
        text = _TABULATOR.sub(" | ", text)
    if len(_TAG.findall(text)) > 1:
        text = _TAG.sub(r"\n\1: ", text)
    if len(_FIELD.findall(text)) > 2 and "_" in text:
        text = _FIELD.sub(lambda field: f"\n{field[1].replace('_', ' ')}:", text)
    if text.count("=") > 2 and len(_PAIR.findall(text)) > 2:
        text = _PAIR.sub(lambda pair: f"\n{pair[1].replace('_', ' ')}: {pair[2]}\n", text)
    return text


_COLUMN = re.compile(r"\s*[|;]\s*|\s+/\s+")
_FIRST_COLUMN = re.compile(
    r"[a-z ]{0,9}(?:seg|wall|region|territor|level|location|wand|paroi|pared)[a-z ()]{0,12}", re.I
)
_LGE_COLUMN = re.compile(r"lge|late|delayed|scar|viab|narbe|realce|rehauss", re.I)
_NUMBERED_NAME = re.compile(r"\d+[.)]?\s+(?=[A-Za-z])")
_LEVEL = re.compile(r"(?:bas|mid|api?)\w*(?:\s(?:level|third|cavity|ventric\w+))?", re.I)
_NOTHING = re.compile(r"(?:[-–—]|0(?:\s?%)?|n|no|normal|nil|neg\w*)?", re.I)
_TICK = re.compile(r"[x+]|y(?:es)?", re.I)


def lge_column(text: str) -> str:
    """A table with one of its columns for LGE ('Segment | Motion | LGE') as lines that say what stands in that column."""
    lines, column, width = [], 0, 0
    rows = [(line, _COLUMN.split(line.strip().strip("|").strip())) for line in text.split("\n")]
    for (line, cells), (_, following) in zip(rows, [*rows[1:], ("", [])], strict=True):
        if 1 < len(cells) == len(following) and _FIRST_COLUMN.fullmatch(cells[0]):
            width = len(cells)
            column = next((k for k in range(1, width) if _LGE_COLUMN.search(cells[k])), 0)
            line = "" if column else line
        elif column and len(cells) == width:
            value = "none" if _NOTHING.fullmatch(cells[column]) else cells[column]
            levels = [cell for cell in cells[1:column] if _LEVEL.fullmatch(cell)]
            place = " ".join([*levels, _NUMBERED_NAME.sub("", cells[0])])
            place = f"segment {place}" if place.isdigit() else place
            line = f"LGE {place}: {'present' if _TICK.fullmatch(value) else value}" if place.strip("-: ") else ""
        else:
            column = 0
        lines.append(line)
    return "\n".join(lines)


def read_segment_table(text: str, reading: Reading) -> str:
    """Reads 'segment: percent' tables of at least four entries; returns the text without them."""
    text, legends = _LEGEND.subn(" ", text)
    entries = list(_TABLE_ENTRY.finditer(text))
    scores = list(_SCORE_ENTRY.finditer(text))
    if len(entries) < 4 and len({e[1] for e in scores}) >= (2 if legends else 8):
        entries = scores
    if len(entries) < 4 and entries is not scores:
        return text
    for entry in entries:
        value = entry[2].lower()
        numbers = [int(n) for n in re.findall(r"\d+", value)]
        bin_ = (
            numbers[0]
            if entries is scores
            else score_of(numbers[-1])
            if numbers
            else {"transmural": 4, "subendocardial": None}.get(value, 0)
        )
        if bin_ == 0:
            continue
        layer = "transmural" if bin_ == 4 else "subendocardial"
        reading.drafts.append(Draft({int(entry[1])}, layer, bin_, words=[entry[0]]))
        reading.why.append((entry[0], f"segment {entry[1]} {layer}"))
    if not reading.drafts:
        reading.absent += 1
    _join_bins(reading)
    return (_SCORE_ENTRY if entries is scores else _TABLE_ENTRY).sub(" ", text)


def _join_bins(reading: Reading) -> None:
    """A table's subendocardial segments are one lesion with the highest score."""
    joined: dict[str | None, Draft] = {}
    for draft in reading.drafts:
        kept = joined.setdefault(draft.layer, draft)
        if kept is not draft:
            kept.segments |= draft.segments
            kept.transmurality = max(kept.transmurality or 0, draft.transmurality or 0) or None
    reading.drafts[:] = sorted(joined.values(), key=lambda d: -(d.transmurality or 0))
