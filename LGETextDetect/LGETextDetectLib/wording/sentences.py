"""A text cut into sentences, each with the section its heading opened and its marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .headings import HEADINGS
from .marks import Mark, find_marks
from .words import LETTER_WORDS, Extent, phrase_key, tokens_of

MAX_SENTENCE = 1_000  # characters; longer ones are read in parts
_TAIL = 40  # characters before a dot that tell what it ends


class Sentence(NamedTuple):
    """One sentence: its section, its heading's canonical words, whether it opens a line, and its marks."""

    text: str
    section: str
    heading: str
    line: int
    marks: tuple[Mark, ...]


_ABBREVIATIONS = frozenset(
    [
        "ant",
        "inf",
        "sup",
        "lat",
        "sept",
        "seg",
        "segs",
        "approx",
        "ca",
        "eg",
        "ie",
        "dr",
        "mr",
        "mrs",
        "prof",
        "vs",
        "incl",
        "inc",
        "excl",
        "resp",
        "bzw",
        "z",
        "n",
        "b",
        "p",
        "ej",
        "fig",
        "st",
        "min",
        "max",
        "ml",
        "e",
        "i",
        "g",
        "u",
        "a",
        "d",
        "o",
        "h",
        "s",
        "subendo",
        "subepi",
        "pt",
        "approx",
        "abb",
        "ggf",
        "evtl",
        "inferolat",
        "anterolat",
        "posterolat",
        "inferosept",
        "anterosept",
        "post",
        "bas",
        "ap",
        "transm",
        "circumf",
        "enh",
        "terr",
        "w",
        "circ",
    ]
)


_HEADINGS = {phrase_key(k): v for k, v in HEADINGS.items()}


_OF_THE_SECTION = frozenset(["presence", "present"])  # headings below that of a section


_AHA = r"(?:1[0-7]|[1-9])(?![\d%])"
_ONLY_NUMBERS = re.compile(rf"\s*{_AHA}(?:\s*(?:[,&+/]|and|und|et|y)\s*{_AHA})+\s*(?:[,;.(:]|$)")  # "LGE: 5 & 11, ..."


_BULLET = re.compile(r"^\s*(?:[-*•·–>]+|\(?\d{1,2}[.)](?!\d)|\(?[a-h][.)]|[ivx]{1,4}[.)])\s+")


_LIST_NUMBER = re.compile(r"(?:^|[;:(]\s*|(?<!\d),\s*)\d{1,2}\.$")  # "1. EF 45, 2. no scar", not "segments 4, 10."


_MEASURED = re.compile(
    r"\([^()\n]{0,30}\b(?:lge|psir|transmurality|thickness|aha)\b[^()\n]{0,30}\)", re.I
)  # what a heading adds


_POINTS = re.compile(
    r"RVIP|RV (?:insertion|hinge|junction)"
)  # no sentence begins so: "sup. and inf. RV insertion points"


_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")


def sentences(text: str) -> list[Sentence]:
    """The cleaned text's sentences in order, each with its section and marks; headings are taken off."""
    shouting = sum(map(str.isupper, text)) > 0.7 * max(sum(map(str.isalpha, text)), 1)
    found: list[Sentence] = []
    section, opened, started, line_number = "findings", "", False, 0
    for line in _lines(text):
        line_number += 1
        if not line.strip():
            if section in ("history", "technique") and started:
                section = "findings"
            continue
        bullet = _BULLET.match(line)
        line = line[bullet.end() :] if bullet else line
        for piece in _split(line):
            heading, rest, new = _heading(piece)
            if new == "noreflow":
                rest, heading, new = piece, "", ""
            if heading in _OF_THE_SECTION:
                heading, new = opened, section  # "Late enhancement" / "- Presence: no"
            if new:
                section, opened, started = new, heading, bool(rest.strip())
            elif rest.strip():
                started = True
            if rest.strip():
                numbered = "segment" in heading.split() and rest.lstrip()[:1].isdigit()
                if numbered or (heading and section == "lge" and _ONLY_NUMBERS.match(rest)):
                    rest = f"segments {rest}"
                extents: list[tuple[Extent, str]] = []
                marks = tuple(find_marks(tokens_of(rest, shouting, extents), extents))
                found.append(Sentence(rest, section, heading, line_number, marks))
    return found


def _lines(text: str) -> list[str]:
    """Lines of the text; a line that was only wrapped is joined to the one before."""
    lines: list[str] = []
    for line in text.split("\n"):
        previous = lines[-1].rstrip() if lines else ""
        wrapped = previous and line[:1].islower() and not _BULLET.match(line) and previous[-1] not in ".:;!?"
        wrapped = wrapped and not _heading(line)[2]
        hanging = previous and previous[-1:] in ",-(" and line.strip()
        small = previous and re.search(r"\b(of|the|and|in|with|at|or|to|a|an|is|for|by)$", previous) and line.strip()
        if wrapped or hanging or small:
            lines[-1] = previous + " " + line.strip()
        else:
            lines.append(line)
    return lines


def sentence_ends(line: str) -> Iterator[re.Match[str]]:
    """Where sentences end in a line: not at the dots of abbreviations and of the numbers of a list."""
    start = 0
    for end in _SENTENCE_END.finditer(line):
        before = line[max(start, end.start() - _TAIL) : end.start()]
        last = re.search(r"([A-Za-z]+)\.$", before)
        if _LIST_NUMBER.search(before) and line[end.end() : end.end() + 1].isalpha():
            continue
        measured = re.search(r"\d\s?(?:g|ml)\.$", before) is not None
        ends = (
            measured or len(last[1]) > 2 or last[1].lower() == "ap" if last else True
        )  # before a capital; "E. coli" goes on
        begins = line[end.end() : end.end() + 1].isupper() and not _POINTS.match(line, end.end())
        if last and last[1].lower() in _ABBREVIATIONS and not (ends and begins):
            continue
        yield end
        start = end.end()


def _split(line: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for end in sentence_ends(line):
        pieces.append(line[start : end.start()])
        start = end.end()
    pieces.append(line[start:])
    return [part for p in pieces if p.strip() for part in ([p] if len(p) <= MAX_SENTENCE else _cut(p))]


def _cut(piece: str) -> list[str]:
    """A run-on sentence in parts of at most MAX_SENTENCE, cut after a comma or a space where there is one."""
    parts = []
    while len(piece) > MAX_SENTENCE:
        at = max(piece.rfind(", ", 200, MAX_SENTENCE), 0) or max(piece.rfind(" ", 200, MAX_SENTENCE), 0) or MAX_SENTENCE
        parts.append(piece[: at + 1])
        piece = piece[at + 1 :]
    return [*parts, piece]


def _heading(piece: str) -> tuple[str, str, str]:
    """(canonical heading or '', the rest, the section it opens or '')."""
    cut = re.match(r"\s*([A-Za-z][\w /&()'*+.=-]{0,60}?)\s*(?::|–|—|\s-\s|=>|->)\s*(.*)$", piece, re.S)
    if cut:
        name = LETTER_WORDS.get(cut[1].strip(), cut[1])
        key = phrase_key(re.sub(r"\(.*?\)", " ", name).lower().replace("-", " "))
        if key and key in _HEADINGS:
            return " ".join(key), cut[2], _HEADINGS[key]
    if len(piece) < 60:
        key = phrase_key(_MEASURED.sub("", piece).strip(" .:").lower().replace("-", " "))
        if key in _HEADINGS and len(key) < 5:
            return " ".join(key), "", _HEADINGS[key]
    return "", piece, ""
