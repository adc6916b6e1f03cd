"""Text to marks: cleaned of wrapping, cut into sentences, misspellings mended, every phrase of the lexicon found."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

from .wording_lexicon import COMPOUNDS, FILLERS, HEADINGS, NOT_MISSPELT, PHRASES, SPELLABLE, WORDS

MAX_SENTENCE = 1_000  # characters; longer ones are read in parts
MAX_CHARS = 200_000  # beyond it no report; the rest is not read


class Mark(NamedTuple):
    """A phrase found: what kind it is, what it says, tokens [start, end) of the sentence, the words as written."""

    kind: str
    value: Any
    start: int
    end: int
    words: str


class Extent(NamedTuple):
    """Share of the wall's thickness in percent; ``compared`` is '>', '>=', '<' or '' (about, a range)."""

    low: float
    high: float
    compared: str


class Sentence(NamedTuple):
    """One sentence: its section, its heading's canonical words, whether it opens a line, and its marks."""

    text: str
    section: str
    heading: str
    line: int
    marks: tuple[Mark, ...]


_WRAPPING = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[/!a-z][^<>]{0,300}>", re.I | re.S)
_FORMULA = re.compile(r"^\s*[=@+]\s*[A-Za-z.]+\([^()\n]*(\([^()\n]*\)[^()\n]*)*\)", re.M)
_TOKEN = re.compile(r"\d+(?:[.,]\d+)?(?![a-z\d])|[a-z][a-z0-9]*(?:'[a-z]{1,2}(?![a-z]))?|\d+[a-z]\w*|[^\w\s]|\d+")
_SHARED_TOKEN = re.compile(r"§\d+|" + _TOKEN.pattern)
_CAPITALS = re.compile(r"(?<![A-Za-z])[A-Z]{1,4}(?![A-Za-z])")
_HYPHEN = re.compile(r"(?<=[a-z])[-‐‑–](?=[a-z])")
_FRACTIONS = {
    "quarter": 25.0, "third": 33.0, "half": 50.0, "two thirds": 67.0, "two third": 67.0, "three quarters": 75.0, "three quarter": 75.0,
    "one quarter": 25.0, "one third": 33.0, "one half": 50.0, "1/4": 25.0, "1/3": 33.0, "1/2": 50.0, "2/3": 67.0, "3/4": 75.0,
    "halfte": 50.0, "moitie": 50.0, "mitad": 50.0, "drittel": 33.0, "viertel": 25.0, "tercio": 33.0, "tiers": 33.0,
}  # fmt: skip
_COMPARED = (
    r"(?P<cmp>(?:(?:>|≥|>=|more than|over|greater than|exceeding|exceeds|above|in excess of|at least|no less than|mehr als|uber|plus de|mas de|mas del|<|≤|<=|less than|under|below|"
    r"up to|not exceeding|not over|not above|not more than|no more than|fewer than|at most|weniger als|moins de|menos de|menos del|bis zu|jusqu'a|hasta)\s*)+)?"
)
_SHARE = r"(?:(?:the |a |an |one |la |die )?(?:three quarters?|two thirds?|one quarter|one third|one half|quarter|third|half|halfte|moitie|mitad|drittel|viertel|tercio|tiers))"
_PERCENT = re.compile(
    _COMPARED + r"(?:(?P<a>\d{1,3})(?:[.,]\d)?\s*(?:%|percent)?\s*(?:-|–|—|to|and|bis|a|y|/|et|und)\s*)?"
    r"(?P<b>\d{1,3})(?:[.,]\d)?\s*(?:%|percent|per cent|prozent|pct\b|por ciento|pour cent)(?:\s*or (?P<more>more|less))?"
)
_PARTS = re.compile(
    r"(?<!apical )(?<!basal )(?<!mid )(?<!distal )(?<!inner )(?<!outer )(?<!middle )(?<!central )(?<!anterior )(?<!inferior )(?<!lower )(?<!upper )" + _COMPARED + rf"(?:(?P<a>{_SHARE})\s*(?:and|to|-|–|or)\s*)?(?P<b>{_SHARE}|[123]/[234])"
    r"(?=\s*(?:of|de|del|der|des|or more|thickness|wall|transmural|in thickness|thick|\)|,|\.|;|$))(?:\s*or (?P<more>more|less))?(?!\s+(?:the |all |its )?(?:patients|cases|lv|left|ventric|segments|septum))"
)
_WORD_RULES = re.compile("|".join(f"(?P<w{k}>{pattern})" for k, (pattern, _) in enumerate(re.sub(r"(?<!\\)\((?!\?)", "(?:", p) and (re.sub(r"(?<!\\)\((?!\?)", "(?:", p), c) for p, c in WORDS)))
_COMPOUND = re.compile("|".join(f"(?P<c{k}>(?:{pattern}))" for k, (pattern, _) in enumerate(COMPOUNDS)))
_ABBREVIATIONS = frozenset("ant inf lat sept seg segs approx ca eg ie dr mr mrs prof vs incl excl resp bzw z n b p ej fig st min max ml e i g u a d h s subendo subepi pt approx abb ggf evtl inferolat anterolat circ".split())


def clean(text: str) -> str:
    """Text without markup, scripts and spreadsheet formulas, plain ASCII letters, capitals kept; at most MAX_CHARS."""
    text = html.unescape(text[:MAX_CHARS])
    text = _WRAPPING.sub(" ", text) if "<" in text else text
    text = _FORMULA.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("œ", "oe").replace("Œ", "Oe").replace("æ", "ae"))
        text = "".join(c for c in text if not unicodedata.combining(c))
    return text.replace("’", "'").replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\u00a0", " ")


@lru_cache(maxsize=1 << 16)
def canonical(word: str) -> tuple[str, ...]:
    """Canonical words of one lower-case word: translation, abbreviation, German compound or mended misspelling."""
    found = _WORD_RULES.fullmatch(word)
    if found:
        return tuple(WORDS[int(str(found.lastgroup)[1:])][1].split())
    compound = re.fullmatch(r"(\w{4,}?)(wand)?(infarkt\w*|narben?\w*|fibrose|wand)", word)
    if compound:
        first = _COMPOUND.fullmatch(compound[1])
        if first:
            wall = COMPOUNDS[int(str(first.lastgroup)[1:])][1].split()
            noun = {"i": ["infarct"], "n": ["scar"], "f": ["fibrosis"], "w": []}[compound[3][0]]
            return tuple([*wall, "wall", *noun])
    if word in _KNOWN or len(word) < 6 or word in NOT_MISSPELT or not word.isalpha():
        return (word,)
    right = _nearest(word)
    return canonical(right) if right else (word,)


def _nearest(word: str) -> str | None:
    """The spellable word within 1 edit (2 from nine letters on) that starts alike."""
    best, least = None, 3
    for right in SPELLABLE:
        allowed = 2 if len(right) >= 9 else 1
        if abs(len(right) - len(word)) > allowed or (right[0] != word[0] and right[:2] != word[1::-1]):
            continue
        distance = _edits(word, right, allowed)
        if distance <= allowed and distance < least:
            best, least = right, distance
    return best


def _edits(a: str, b: str, limit: int) -> int:
    """Edits between two words, a swap of neighbours counting one; limit + 1 when there are more."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        line = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, line[-1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            line.append(cost)
        if min(line) > limit:
            return limit + 1
        before, row = row, line
    return row[-1]


def _phrase_key(phrase: str) -> tuple[str, ...]:
    return tuple(c for w in _TOKEN.findall(phrase) if w not in FILLERS for c in canonical(w) if c not in FILLERS)


_KNOWN: frozenset[str] = frozenset(w for phrase in PHRASES for w in phrase.split())
_TREE: dict[str, list[tuple[tuple[str, ...], str, Any]]] = {}
for _phrase, (_kind, _value) in PHRASES.items():
    _key = _phrase_key(_phrase)
    if _key:
        _TREE.setdefault(_key[0], []).append((_key, _kind, _value))
for _entries in _TREE.values():
    _entries.sort(key=lambda e: -len(e[0]))
_HEADINGS = {_phrase_key(k): v for k, v in HEADINGS.items()}
_WALL_LETTERS = {"AS": "anteroseptal", "IS": "inferoseptal", "AL": "anterolateral", "IL": "inferolateral", "A": "anterior", "I": "inferior", "L": "lateral", "S": "septal"}
_LETTER_WORDS = {"LA": "atrium", "RA": "atrium", "MI": "mi", "TM": "transmural", "SE": "subendocardial", "DE": "lge", "MW": "midwall", "EPI": "subepicardial", "ENDO": "subendocardial"}
_NEXT_TO_WALL = frozenset("basal mid apical wall segment".split()) | {"anteroseptal", "inferoseptal", "anterolateral", "inferolateral", "anterior", "inferior", "lateral", "septal"}


def tokens_of(text: str, shouting: bool, extents: list[tuple[Extent, str]]) -> list[tuple[str, str]]:
    """(canonical token, as written) of one sentence; shares of the wall become '§k', k an index into ``extents``."""

    def share(found: re.Match[str]) -> str:
        extents.append((_extent(found), found[0].strip()))
        return f" §{len(extents) - 1} "

    lower = text.lower()
    if "%" in lower or "percent" in lower or "per cent" in lower or "prozent" in lower or "ciento" in lower or "cent" in lower:
        lower_shared = _PERCENT.sub(share, lower)
    else:
        lower_shared = lower
    lower_shared = _PARTS.sub(share, lower_shared)
    plain = lower_shared == lower and len(text) == len(lower)
    lower_shared = _HYPHEN.sub(" ", lower_shared)
    tokens: list[tuple[str, str]] = []
    words = [(m[0], m.start()) for m in _SHARED_TOKEN.finditer(lower_shared)]
    capitals = set() if shouting else set(_CAPITALS.findall(text))
    for place, (word, at) in enumerate(words):
        upper = word.upper()
        if upper in capitals and (not plain or text[at : at + len(word)] == upper):
            special = _capital(upper, words, place)
            if special:
                tokens.append((special, upper))
                continue
        if word[0] == "s" and word[-1].isdigit() and re.fullmatch(r"s(?:eg)?\d{1,2}", word) and 1 <= int(re.sub(r"\D", "", word)) <= 17:
            tokens += [("segment", word), (re.sub(r"\D", "", word), "")]
            continue
        if word in FILLERS:
            continue
        tokens += [(c, word if k == 0 else "") for k, c in enumerate(canonical(word)) if c not in FILLERS]
    return tokens


def _capital(upper: str, words: list[tuple[str, int]], place: int) -> str | None:
    """What a capital abbreviation stands for; wall letters only next to a level, a wall or 'segment'."""
    if upper in _LETTER_WORDS:
        return _LETTER_WORDS[upper]
    if upper not in _WALL_LETTERS:
        return None
    near = [w for w, _ in words[max(place - 2, 0) : place] + words[place + 1 : place + 3]]
    if len(upper) == 1:
        near = [w for w, _ in words[max(place - 1, 0) : place]]
    beside = any(c in _NEXT_TO_WALL for w in near for c in canonical(w))
    return _WALL_LETTERS[upper] if beside or (len(upper) == 2 and any(w in ("as", "is", "al", "il") for w in near)) else None


def _extent(found: re.Match[str]) -> Extent:
    compared = (found["cmp"] or "").strip()
    more = found["more"]
    low, high = (_number(found[k]) for k in ("a", "b"))
    sign = ""
    if re.search(r">=|≥|at least|no less than", compared) or more == "more":
        sign = ">="
    elif re.search(r">|more|over|greater|exceed|above|excess|mehr|uber|plus|mas", compared) and not re.search(r"not? (more|exceed|over|above)", compared):
        sign = ">"
    elif re.search(r"<=|≤|up to|at most|not? (more|exceed|over|above)|bis|jusqu|hasta", compared) or more == "less":
        sign = "<="
    elif compared:
        sign = "<"
    assert high is not None
    return Extent(low if low is not None else high, high, sign)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    if text.isdigit():
        return float(text)
    return _FRACTIONS[re.sub(r"^(?:the|a|an|la|die) ", "", text)]


def find_marks(tokens: list[tuple[str, str]], extents: list[tuple[Extent, str]]) -> list[Mark]:
    """All phrases, longest first from the left; numbers of segments; shares of the wall; brackets and years."""
    marks: list[Mark] = []
    names = [name for name, _ in tokens]
    at = 0
    while at < len(names):
        name = names[at]
        if name[0] == "§":
            extent, words = extents[int(name[1:])]
            marks.append(Mark("extent", extent, at, at + 1, words))
            at += 1
            continue
        if name in ("segment", "aha"):
            numbers, end = _segment_numbers(names, at + 1)
            if numbers:
                marks.append(Mark("numbers", numbers, at, end, _written(tokens, at, end)))
                at = end
                continue
        if name == "(":
            numbers, end = _number_list(names, at + 1)
            if numbers and end < len(names) and names[end] == ")" and marks and at - marks[-1].end < 2 and (len(numbers) > 1 or marks[-1].kind in ("wall", "level", "segword")):
                marks.append(Mark("numbers", numbers, at, end + 1, _written(tokens, at, end + 1)))
                at = end + 1
                continue
        found = _phrase_at(names, at)
        if found:
            key, kind, value = found
            marks.append(Mark(kind, value, at, at + len(key), _written(tokens, at, at + len(key))))
            at += len(key)
            continue
        if name in ("(", ")", "[", "]"):
            marks.append(Mark("open" if name in "([" else "close", None, at, at + 1, name))
        elif name == "?" and at + 1 < len(names):
            marks.append(Mark("query", None, at, at + 1, name))
        elif len(name) == 4 and name.isdigit() and "1950" < name < "2060":
            marks.append(Mark("year", None, at, at + 1, name))
        at += 1
    return marks


def _phrase_at(names: list[str], at: int) -> tuple[tuple[str, ...], str, Any] | None:
    for entry in _TREE.get(names[at], ()):
        key = entry[0]
        if entry[1] == "scarfree" and names[at + len(key) : at + len(key) + 1] == ["wall"]:
            continue  # "scar of the free wall"
        if len(key) == 1 or tuple(names[at : at + len(key)]) == key:
            return entry
    return None


def _written(tokens: list[tuple[str, str]], start: int, end: int) -> str:
    return " ".join(word for _, word in tokens[start:end] if word)


def _segment_numbers(names: list[str], at: int) -> tuple[tuple[int, ...], int]:
    while at < len(names) and names[at] in ("segment", "aha", "number", "numbers", "nr", "no", "#", ".", ":", "("):
        at += 1
    return _number_list(names, at)


def _number_list(names: list[str], at: int) -> tuple[tuple[int, ...], int]:
    """AHA numbers with commas, 'and' and ranges from a token on, and where they end; () when there are none."""
    numbers: list[int] = []
    end = at
    while at < len(names) and names[at].isdigit() and 1 <= int(names[at]) <= 17 and (at + 1 == len(names) or names[at + 1] not in ("mm", "%", "cm", "of", "g", "ml", "x")):
        value = int(names[at])
        if numbers and names[at - 1] in ("-", "–", "—", "to") and value > numbers[-1]:
            numbers += range(numbers[-1] + 1, value + 1)
        else:
            numbers.append(value)
        end = at = at + 1
        while at < len(names) and names[at] in (",", "and", "or", "/", "&", "+", "-", "–", "—", "to", "segment", "also"):
            at += 1
    return tuple(numbers), end


_BULLET = re.compile(r"^\s*(?:[-*•·–>]+|\(?\d{1,2}[.)](?!\d)|\(?[a-h][.)]|[ivx]{1,4}[.)])\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")


def sentences(text: str) -> list[Sentence]:
    """The cleaned text's sentences in order, each with its section and marks; headings are taken off."""
    shouting = sum(map(str.isupper, text)) > 0.7 * max(sum(map(str.isalpha, text)), 1)
    found: list[Sentence] = []
    section, started, line_number = "findings", False, 0
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
            if new:
                section, started = new, bool(rest.strip())
            elif rest.strip():
                started = True
            if rest.strip():
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
        hanging = previous and previous[-1:] in ",-(" and line.strip()
        small = previous and re.search(r"\b(of|the|and|in|with|at|or|to|a|an|is|for|by)$", previous) and line.strip()
        if wrapped or hanging or small:
            lines[-1] = previous + " " + line.strip()
        else:
            lines.append(line)
    return lines


def _split(line: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(line):
        before = line[start : end.start()]
        last = re.search(r"([A-Za-z]+)\.$", before)
        if re.search(r"(?:^|[;:,(]\s*)\d{1,2}\.$", before):
            continue
        if last and (last[1].lower() in _ABBREVIATIONS and not (len(last[1]) > 2 and line[end.end() : end.end() + 1].isupper())):
            continue
        pieces.append(before)
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
    cut = re.match(r"\s*([A-Za-z][\w /&()'*+.-]{0,60}?)\s*(?::|–|—|\s-\s|=>|->)\s*(.*)$", piece, re.S)
    if cut:
        key = _phrase_key(re.sub(r"\(.*?\)", " ", cut[1]).lower().replace("-", " "))
        if key in _HEADINGS:
            return " ".join(key), cut[2], _HEADINGS[key]
    if len(piece) < 60:
        key = _phrase_key(piece.strip(" .:").lower().replace("-", " "))
        if key in _HEADINGS and len(key) < 5:
            return " ".join(key), "", _HEADINGS[key]
    return "", piece, ""
