"""Words of a text made canonical: wrapping removed, misspellings mended, abbreviations spelt out, shares of the wall read."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from .lexicon import COMPOUNDS, FILLERS, NOT_MISSPELT, SPELLABLE, WORDS
from .phrases import PHRASES

MAX_CHARS = 200_000  # beyond it no report; the rest is not read


class Extent(NamedTuple):
    """Share of the wall's thickness in percent; ``compared`` is '>', '>=', '<' or '' (about, a range)."""

    low: float
    high: float
    compared: str


_WRAPPING = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[/!a-z][^<>]{0,300}>", re.I | re.S)


_SIGNS = (
    (re.compile(r"\+\s*ve\b|[(\[]\s*\+\s*[)\]]", re.I), " positive "),
    (re.compile(r"(?:(?<=\s)|(?<=\w)|^)[-−–]\s*ve\b|[(\[]\s*[-−–]\s*[)\]]", re.I), " negative "),
    (
        re.compile(
            r"\b(lge|dhe|mde|lde|de|scar|mvo|fibrosis|infarct|enhancement)[^\S\n]*:?[^\S\n]*[-−–](?=[^\S\n]*(?:[?!.,;/)]|$))",
            re.I,
        ),
        r"\1 negative ",
    ),
)


_FORMULA = re.compile(r"^[ \t]*[=@+]\s*[A-Za-z.]+\([^()\n]*(\([^()\n]*\)[^()\n]*)*\)", re.M)


_PLURAL = re.compile(r"(?<=[a-z])\(s\)")  # "segment(s)"


_TOKEN = re.compile(
    r"w/o(?![a-z])|w\.o\.|\d+(?:[.,]\d+)?(?![a-z\d])|[a-z][a-z0-9]*(?:'[a-z]{1,2}(?![a-z]))?|\d+[a-z]\w*|[^\w\s]|\d+"
)


_SHARED_TOKEN = re.compile(r"§\d+|" + _TOKEN.pattern)


_CAPITALS = re.compile(r"(?<![A-Za-z])[A-Z]{1,4}(?![A-Za-z])")


_HYPHEN = re.compile(r"(?<=[a-z])[-‐‑–](?=[a-z])")


_FRACTIONS = {
    "quarter": 25.0, "third": 33.0, "half": 50.0, "two thirds": 67.0, "two third": 67.0, "three quarters": 75.0, "three quarter": 75.0,
    "one quarter": 25.0, "one third": 33.0, "one half": 50.0, "1/4": 25.0, "1/3": 33.0, "1/2": 50.0, "2/3": 67.0, "2/4": 50.0, "3/4": 75.0, "4/4": 100.0,
    "halfte": 50.0, "moitie": 50.0, "mitad": 50.0, "drittel": 33.0, "viertel": 25.0, "tercio": 33.0, "tiers": 33.0,
}  # fmt: skip


_COMPARED = (
    r"(?P<cmp>(?:(?:>|≥|>=|more than|over|greater than|exceeding|exceeds|exceed|above|beyond|deeper than|thicker than|larger than|bigger than|higher than|in excess of|at least|no less than|reaches|reach|mehr als|uber|ubersteigt|supera(?: el)?|superieure? a|superior al?|depass(?:e|ant)|excede(?: el)?|plus de|mas de|mas del|<|≤|<=|less than|smaller than|shallower than|under|below|"
    r"up to|not exceeding|not reaching|not over|not above|not deeper than|no deeper than|not more than|no more than|fewer than|at most|weniger als|moins de|menos de|menos del|bis zu|jusqu'a|hasta)\s*){1,3})?"
)


_PERCENT_SIGNS = ("%", "cent", "prozent", "ciento", "pct", "pc")


_MORE = "more|greater|higher|above|less"


_OR_MORE = rf"(?:(?=\s*(?:of )?(?:the |its )?(?:wall )?(?:wall|thickness|depth)?\s*or (?P<far>{_MORE})))?"


_SHARE = r"(?:(?:the |a |an |one |la |die |der )?(?:three[ -]quarters?|two[ -]thirds?|one[ -]quarter|one[ -]third|one[ -]half|quarter|third|half|halfte|moitie|mitad|drittel|viertel|tercio|tiers))"


_PERCENT = re.compile(
    _COMPARED + r"(?:(?P<a>\d{1,3})(?:[.,]\d)?\s*(?:%|percent)?\s*(?:-|–|—|to|and|bis|a|y|/|et|und)\s*)?"
    rf"(?P<b>\d{{1,3}})(?:[.,]\d)?\s*(?:%|percent|per cent|prozent|pct\b|pc\b|por ciento|pour cent)(?:\s*or (?P<more>{_MORE}))?"
    + _OR_MORE
)


WHOLE_SHARE = (  # "half" that no word makes a place: "apical half"
    r"(?<!apical )(?<!basal )(?<!mid )(?<!distal )(?<!inner )(?<!outer )(?<!middle )(?<!central )(?<!anterior )(?<!inferior )(?<!lower )(?<!upper )"
)


_PARTS = re.compile(
    rf"(?:(?=\d/4)|{WHOLE_SHARE})"
    + _COMPARED
    + rf"(?:(?P<a>{_SHARE})\s*(?:and|to|-|–|or)\s*)?(?P<b>{_SHARE}|1/[234]|2/3|[234]/4)"
    r"(?=\s*(?:of|de|del|der|des|or more|the wall|the thickness|its thickness|thickness|scarred|infarcted|enhanced|wall|transmural|in thickness|thick|\)|,|\.|;|$))(?:\s*or (?P<more>{_MORE}))?"
    + _OR_MORE
    + r"(?!\s+(?:of )?(?:the |all |its )?(?:patients|cases|lv|left|ventric|(?:\w+ )?segments|septum))"
)


_PARTS_SIGNS = (
    "half",
    "third",
    "quarter",
    "moitie",
    "mitad",
    "drittel",
    "viertel",
    "tercio",
    "tiers",
    "1/",
    "2/3",
    "2/4",
    "3/4",
    "4/4",
)


# "without and with contrast": both were done, nothing is denied
_BOTH_WAYS = re.compile(
    r"(?<!\w)(?:(?:without|w/o|ohne|sans|sin)\s*(?:and|und|et|y|/|&|\+)\s*(?:with|w/|mit|avec|con)"
    r"|(?:with|w/|mit|avec|con)\s*(?:and|und|et|y|/|&|\+)\s*(?:without|w/o|ohne|sans|sin))(?!\w)"
    r"(?!\s+(?:mvo|microvas|no[- ]?reflow))"
)


_WALL_DOT = re.compile(
    r"\b(?:(ant|inf|lat|sept|sup)\.(?:\s*-)?(?=\s*[a-z])|(ap)\.?(?=\s+(?:ant|inf|lat|sept|seg))|post\.(?:\s*-)?(?=\s*(?:wall|lat|sept)))"
)


_SEGMENT_LIST = re.compile(
    r"\b(?:segments?|segs?|aha)[\s.:#]*\d{1,2}(?:\s*(?:[,/&+-]|and|or|to)\s*\d{1,2})+(?![\d.,]*\s*%)"
    r"|\((?:1[0-7]|[1-9])(?:,(?:1[0-7]|[1-9]))+\)"
    r"|(?<=% in )(?:1[0-7]|[1-9]),(?:1[0-7]|[1-9])(?![\d.,]*\d|\s*%)"
    r"|(?<![\d.,])(?:1[0-7]|[1-9])(?:,(?:1[0-7]|[1-9])){2,}(?![\d,]|[.]\d|\s*%)"
)


_WEDER = re.compile(r"\b(weder\b.{1,80}?)\bnoch\b", re.S)  # alone "noch" is "still"


_SEGMENT_COUNT = re.compile(
    r"\b\d{1,2}\s*(?:/|of|out of|von|sur|de)\s*(?:the\s+)?1[67]\s+(?:aha\s+)?segment\w*(?P<named>(?=\s*[:(]\s*\d))?"
)


_AT_APEX = re.compile(r"\bantero[- ]?septo[- ]?api[ck]al\w*")


_JOINED_WALL = re.compile(r"\b(antero|infero|postero|latero)-(?=basal|api[ck]al)")


_OPEN_GROUP = re.compile(r"(?<!\\)\((?!\?)")


_WORD_RULES = re.compile("|".join(f"(?P<w{k}>{_OPEN_GROUP.sub('(?:', rule)})" for k, (rule, _) in enumerate(WORDS)))


_COMPOUND = re.compile("|".join(f"(?P<c{k}>(?:{pattern}))" for k, (pattern, _) in enumerate(COMPOUNDS)))


def clean(text: str) -> str:
    """Text without markup, scripts and spreadsheet formulas, plain ASCII letters, capitals kept; at most MAX_CHARS."""
    text = html.unescape(text[:MAX_CHARS])
    text = _WRAPPING.sub(" ", text) if "<" in text else text
    text = _FORMULA.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize(
            "NFKD", text.replace("ß", "ss").replace("œ", "oe").replace("Œ", "Oe").replace("æ", "ae")
        )
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = _PLURAL.sub("s", text)
    for sign, said in _SIGNS:
        text = sign.sub(said, text)
    return (
        text.replace("§", " ")
        .replace("\u2044", "/")  # of "½"
        .replace("’", "'")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\t", " ")
        .replace("\u00a0", " ")
    )


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
    joined = _joined(word)
    if joined:
        return joined
    right = _mended(word)
    return canonical(right) if right else (word,)


def _mended(word: str) -> str | None:
    """What an unknown word was meant to be."""
    if word in _KNOWN or len(word) < 5 or word in NOT_MISSPELT or not word.isalpha():
        return None
    return _nearest(word)


@lru_cache(maxsize=1 << 16)
def spelt(word: str) -> str:
    """A lower-case word, mended when it was misspelt."""
    known = _WORD_RULES.fullmatch(word) or _joined(word) or canonical(word) == (word,)
    return word if known else _mended(word) or word


def _joined(word: str) -> tuple[str, ...]:
    """'Apicolateral', 'midseptal', 'anterobasal': a level and a wall; 'inferiorwall': a wall written without its blank."""
    level = re.fullmatch(r"(api[ck]o|apical|medio|mid|baso|basal)(\w{4,16})", word)
    if level:
        wall = canonical(level[2])
        return (*canonical(level[1]), *wall) if wall[0] in _WALL_NAMES else ()
    wall_first = re.fullmatch(r"(\w{4,16}?)(wall|basal|api[ck]al|segment)s?", word)
    if wall_first:
        wall = canonical(wall_first[1])
        return (*wall, *canonical(wall_first[2])) if wall[0] in _WALL_NAMES else ()
    return ()


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


def phrase_key(phrase: str) -> tuple[str, ...]:
    return tuple(c for w in _TOKEN.findall(phrase) if w not in FILLERS for c in canonical(w) if c not in FILLERS)


_KNOWN: frozenset[str] = frozenset(w for phrase in PHRASES for w in phrase.split())


_WALL_LETTERS = {
    "AS": "anteroseptal",
    "IS": "inferoseptal",
    "AL": "anterolateral",
    "IL": "inferolateral",
    "A": "anterior",
    "I": "inferior",
    "L": "lateral",
    "S": "septal",
}


_WALL_NAMES = frozenset(_WALL_LETTERS.values())


LETTER_WORDS = {
    "LA": "atrium",
    "RA": "atrium",
    "MI": "mi",
    "TM": "transmural",
    "SE": "subendocardial",
    "DA": "lad",
    "DE": "lge",
    "LE": "lge",
    "CMH": "hcm",
    "MCH": "hcm",
    "CMD": "dcm",
    "MCD": "dcm",
    "MW": "midwall",
    "EPI": "subepicardial",
    "ENDO": "subendocardial",
}


_NEXT_TO_WALL = _WALL_NAMES | {"basal", "mid", "apical", "wall", "segment"}


_DEPTHS = frozenset({"transmural", "subendocardial", "subepicardial", "midwall"})


def tokens_of(text: str, shouting: bool, extents: list[tuple[Extent, str]]) -> list[tuple[str, str]]:
    """(canonical token, as written) of one sentence; shares of the wall become '§k', k an index into ``extents``."""

    def share(found: re.Match[str]) -> str:
        extents.append((_extent(found), found[0].strip()))
        return f" §{len(extents) - 1} "

    lower = _SEGMENT_LIST.sub(lambda found: found[0].replace(",", ", "), text.lower())
    lower = _WEDER.sub(r"\1nor ", lower) if "weder" in lower else lower
    lower = _JOINED_WALL.sub(r"\1", lower)
    lower = _AT_APEX.sub("apical anterior and septal", lower)
    lower = _WALL_DOT.sub(
        lambda found: f"{found[1] or ('apical' if found[2] else 'posterior')} ",
        _SEGMENT_COUNT.sub(_counted, _BOTH_WAYS.sub(" ", lower)),
    )
    lower_shared = _PERCENT.sub(share, lower) if any(sign in lower for sign in _PERCENT_SIGNS) else lower
    if any(sign in lower_shared for sign in _PARTS_SIGNS):
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
        if (
            word[-1].isdigit()
            and re.fullmatch(r"(?:s|segs?|segments?|aha)\d{1,2}", word)
            and 1 <= int(re.sub(r"\D", "", word)) <= 17
        ):
            tokens += [("segment", word), (re.sub(r"\D", "", word), "")]
            continue
        if word in FILLERS:
            continue
        word = spelt(word)
        tokens += [(c, word if k == 0 else "") for k, c in enumerate(canonical(word)) if c not in FILLERS]
    return tokens


def _counted(count: re.Match[str]) -> str:
    """'In 4 of 17 segments' is in some; 'in 2/17 segments: 4, 10' in those that are named."""
    return " some " if count["named"] is None else " some segments "


def _capital(upper: str, words: list[tuple[str, int]], place: int) -> str | None:
    """What a capital abbreviation stands for; wall letters only next to a level, a wall or 'segment'."""
    if upper in LETTER_WORDS:
        return LETTER_WORDS[upper]
    if upper not in _WALL_LETTERS:
        return None
    behind = [w for w, _ in words[place + 1 : place + 3]]
    near = [w for w, _ in words[max(place - 2, 0) : place]] + ([] if behind[:1] == [","] else behind)
    if len(upper) == 1:
        near = [w for w, _ in words[max(place - 1, 0) : place]]
        after = words[place + 1][0] if place + 1 < len(words) else "."
        if upper in "AI" and after.isalpha() and canonical(after)[0] not in _NEXT_TO_WALL | _DEPTHS:
            return None  # "in the lateral wall I see scar"
    beside = any(c in _NEXT_TO_WALL for w in near for c in canonical(w))
    return (
        _WALL_LETTERS[upper]
        if beside or (len(upper) == 2 and any(w in ("as", "is", "al", "il") for w in [*near, *behind]))
        else None
    )


def _extent(found: re.Match[str]) -> Extent:
    compared = (found["cmp"] or "").strip()
    more = found["more"] or found["far"]
    low, high = (_number(found[k]) for k in ("a", "b"))
    sign = ""
    if re.search(r">=|≥|at least|no less than|^reach", compared) or more not in (None, "less"):
        sign = ">="
    elif re.search(
        r">|more|over|greater|exceed|above|beyond|deeper|thicker|larger|bigger|higher|excess|excede|supera|superi|depass|mehr|uber|plus|mas",
        compared,
    ) and not re.search(r"not? (more|exceed|over|above|deeper)", compared):
        sign = ">"
    elif (
        re.search(r"<=|≤|up to|at most|not? (more|exceed|reach|over|above|deeper)|bis|jusqu|hasta", compared)
        or more == "less"
    ):
        sign = "<="
    elif compared:
        sign = "<"
    assert high is not None
    low = high if low is None else low
    return Extent(min(low, high), max(low, high), sign)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    if text.isdigit():
        return float(text)
    return _FRACTIONS[re.sub(r"^(?:the|a|an|la|die|der) ", "", text.replace("-", " "))]
