"""Tables of a value for each AHA segment ("4: 51-75 %", or scores 0-4), read before the sentences."""

from __future__ import annotations

import re

from .wording_reading import Draft, Reading, score_of

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


def read_segment_table(text: str, reading: Reading) -> str:
    """Reads 'segment: percent' tables of at least four entries; returns the text without them."""
    text = _LEGEND.sub(" ", text)
    entries = list(_TABLE_ENTRY.finditer(text))
    scores = list(_SCORE_ENTRY.finditer(text))
    if len(entries) < 4 and len({e[1] for e in scores}) >= 8:
        entries = scores
    if len(entries) < 4:
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
