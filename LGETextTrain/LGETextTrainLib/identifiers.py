"""Report text without who it is about: names, dates, numbers and addresses are replaced in all that is kept of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

MARK = "[...]"
_LABELS = (
    r"patient(?:en)?(?: ?name)?|name|nom|nombre|surname|forename|first name|last name|vorname|nachname|geburtsname|"
    r"referr(?:ed|ing)(?: by| physician| doctor)?|requested by|consultant|reported by|reporting (?:physician|radiologist)|radiologist|"
    r"signed(?: by)?|electronically signed(?: by)?|dictated by|cc|arzt|untersucher|überweiser|médecin|médico|"
    r"mrn|nhs(?: ?(?:no|number))?|hospital (?:no|number)|patient ?id|id|accession(?: ?(?:no|number))?|fall(?:nummer)?|dob|date of birth|born|geb(?:oren)?\.?(?: am)?|né(?:e)? le|"
    r"address|adresse|dirección|phone|tel(?:ephone)?"
)
_PATTERNS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (rf"(?im)\b(?:{_LABELS})\s*[:#]\s*[^\n;]{{1,60}}?(?=$|[\n;]|\.\s|,\s*(?:\d|[a-z])|\s{{2,}})", 0),
        (r"\b(?:[Mm](?:r|rs|s|iss)|[Dd]r|[Pp]rof(?:essor)?|[Hh]err|[Ff]rau|[Mm]me|[Mm]onsieur|[Mm]adame|[Ss]r|[Ss]ra)\b\.?\s+(?:[A-ZÄÖÜÉ][\w'’-]+\.?\s*){1,3}", 0),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", 0),
        (r"\b\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\b", 0),
        (r"(?i)\b\d{1,2}(?:st|nd|rd|th)?\.?\s+(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|janv|févr|avr|juin|juil|août|ene|abr|ago|dic)\w*\.?\s+(?:de\s+)?\d{4}\b", 0),
        (r"(?i)\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\s+\d{1,2},?\s+\d{4}\b", 0),
        (r"\b(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\b", 0),
        (r"\+?\(?\d{2,5}\)?(?:[ -]\d{2,5}){2,}", 0),
        (r"\b[A-Z]{1,4}[-/]?\d{4,}\b|\b\d{5,}\b|\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9-]{7,}\b", 0),
    )
)  # fmt: skip

_NUMBER = r"(?<!\d)(?:1[0-7]|[1-9])(?!\d)"
_SEGMENTS = re.compile(
    rf"(?i)\b(?:aha|seg(?:s|ment\w*)?)\b[\s.:#(]*{_NUMBER}(?:(?:\s*(?:[,;/&+-]|\b(?:and|und|et|y|to|bis|à|a|plus)\b)\s*|\s+){_NUMBER})*"
)


def strip_identifiers(text: str, known: Iterable[str] = ()) -> str:
    """``text`` with likely identifiers, and every one of ``known`` (names, numbers of the header), replaced by a mark.

    It errs on the side of removing; measurements (millimetres, per cent) and lists of segments ("segments 10-11-12") stay.
    """
    for word in sorted({part for name in known for part in re.split(r"[\s^,]+", name) if len(part) >= 3}, key=len)[
        ::-1
    ]:
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MARK, text, flags=re.IGNORECASE)
    for pattern in _PATTERNS:
        lists = [found.span() for found in _SEGMENTS.finditer(text)]
        text = pattern.sub(partial(_mark, lists), text)
    return text


def _mark(lists: Sequence[tuple[int, int]], found: re.Match[str]) -> str:
    """What stands for a match: itself inside one of the ``lists`` of segments, else the mark."""
    inside = any(first <= found.start() and found.end() <= last for first, last in lists)
    return found.group() if inside else MARK
