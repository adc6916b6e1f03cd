"""A prompt to its meaning: whether it asks about late enhancement of the LV, where, in which layer, and whether it denies.

Signs, tags and numbers are spelt out, the text is cut into marks and clauses, and :class:`wording_sides.Sides` sorts them.
"""

from __future__ import annotations

import re
from itertools import islice

from .finding import Meaning
from .wording_clauses import judged_places_apart, kind_at, past, statements_of, statements_on_lv
from .wording_marks import Mark, find_marks
from .wording_places import Place, at_levels, with_places
from .wording_scope import of_the_wall
from .wording_sentences import sentence_ends
from .wording_sides import CONTRACTED, Sides, is_or, vote
from .wording_words import Extent, clean, tokens_of

MAX_PROMPT = 4000  # characters; the rest is not read
_ASKED = frozenset({"lge", "scar", "infarct", "stripe", "event"})
_SPARED = frozenset({"negpost", "scarfree", "spare", "viab"})  # say that there is no scar
_SILENT = frozenset({"history", "again", "now", "year", "tech"})  # "ignore previous instructions" and the like
_OTHER_SUBJECT = re.compile(
    r"\b(should|icd|crt|defibrillator|pacemaker|treat\w*|therap\w*|recommend\w*|surgery|ablat\w*|anticoag\w*|statin\w*|drug|drugs|dose|dosage|prognos\w*|survival|mortality|"
    r"life expectancy|prescri\w*|medication|operate|transplant\w*|revasculari[sz]\w*|beta ?blocker\w*|cause of death|how much|how many|cost|price|population|prevalence|incidence|guideline\w*|define|definition|what is|what are|explain|"
    r"stands? for|meaning of|who (is|was|are|discovered|invented)|write|translate|poem|joke|recipe for|contraindicat\w*|"
    r"difference between|dangerous|harmful|tell me (more )?about|teach me|risks?(?! factor))\b"
    r"|^(why|enhance (the|this)|how (do|does|is|are|to|can))\b"
    r"|\b(do|does|can|could|will|would)\b.*\b(cause|causes|heal|mean|kill|lead to|predict|regress)\b"
)
_STILL_ASKED = re.compile(
    r"\b(what is|what are|how much|how many)\b.*\b(in|of|on) (this|the) (study|scan|patient|heart|image|images|wall|septum|lv)\b"
)
_MEASURE = re.compile(r"\b(ejection|lvef|rvef|ef)\b")
_SEGMENT_LIST = re.compile(
    r"\b(?:segments?|segs?|aha)\b[\s.:#]*((?:\d{1,3}(?!\d|\s*(?:%|mm|percent))\s*(?:,|and|or|to|[-&+/])?\s*)+)", re.I
)
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen".split()
)
_NUMBER_WORDS = re.compile(rf"\bsegments?(?:\s*(?:,|and|or|to|\b(?:{'|'.join(_NUMBERS)})\b))+", re.I)
_NOT_FIRST = re.compile(rf"{CONTRACTED}\s+")
_SUBJECT = re.compile(
    r"(?:there|it|this|that|these|those|the|an?|you|we|i|one|he|she|they|his|her|its|all|each|every)\b"
)
_VERB = r"(?:is|are|was|were|do|does|did|has|have|had)"
_FOUND = r"scar|fibrosis|infarct(?:ion)?|enhancement"
_REWORDED = tuple(
    (re.compile(pattern, re.I), said)
    for pattern, said in (
        # "where" is German only at the start or before a verb or an article; else it is shorthand for "without"
        (r"(?<=[\w)])\s+wo\s+(?!(?:ist|sind|liegt|liegen|befindet|sitzt|die|der|das|ein|eine|genau)\b)", " w/o "),
        (r"^wo\s+(?=(?:any\s+)?(?:scar|lge|fibrosis|enhancement|mvo)\b)", "w/o "),
        (r"^\s*\+\s*/\s*[-−–]\s*(?=\w)", ""),
        # both answers offered: "yes or no", "or not?", "whether or not"; no doubt is no denial
        (r"\byes\s*(?:/|or)\s*no\b", " "),
        (r",?\s+or\s+(?:not|no|none|isn't|nicht|(?:is|are|does)(?:n't| it not| there not))(?:\s+(?:it|there))?(?=\s*(?:[?.!,]|$))", ""),
        (r",?\s+or\s+(?:(?:is|are|was|were)\s+(?:it|they|that)\s+)?(?:spared|normal|free|clear|uninvolved)(?=\s*(?:[?.!]|$))", ""),
        (r"\bwhether or not\b", "whether"),
        (r"\s+or\s+(?:not|none)(?=\s+(?:in|at|within)\b)", ""),
        (r"\b(presence|present|positive|seen)\s*(?:or|/)\s*(?:absen(?:ce|t)|negative|not seen)\b", r"\1"),
        (r"\b(?:absence|absent|negative)\s*(?:or|/)\s*(presence|present|positive)\b", r"\1"),
        (r"\b(\w{2,})\b(.{0,60}?)(?:\s+(?:or|vs\.?|versus)\s+|\s*/\s*)(?:no|without)\s+(?:any\s+)?\1\b", r"\1\2"),  # "LGE or no LGE in the septum"
        (r"\s+or\s+(?:is|are|does|do)(?:(?:n't|\s+not)\s+(?:there|it)|\s+(?:there|it)\s+not)\b", ""),
        (r"\b(?:without|no|beyond)\s+(?:any\s+)?doubt(?:\s+about)?\b", " "),
        # tags: "..., isn't it?", "..., right?"
        (
            r",\s*(?:(?:is|are|was|does|do|has|have)(?:n't)?\s+(?:it|there|they|he|she|this|that)|right|correct|no|yes|ok|okay|true|"
            r"oder|nicht wahr|n'est-ce pas|verdad)\s*[?.!]*\s*$",
            " ?",
        ),
        # signs: "LGE-", "MVO (-)", "LGE +ve", "LGE = 0"
        (r"\+\s*/\s*[-−–](?=\s)|\bwith(?:out)?\s*(?:and|&|/)\s*with(?:out)?(?=\s+(?:mvo|microvasc|no[- ]reflow))", " with or without "),
        (rf"(?<=\w)\s+[-−–—]\s+(?=(?:no\s+)?(?:lge|dhe|mde|lde|{_FOUND})\b)", ": "),
        (r"\s[-−–—]\s+(?=(?:none|no|nil|negative|absent|yes|present|positive|normal|free)\s*(?:[;,.?!]|$))", ": "),
        (r"\bminus(?=\s*(?:[;,.?!)]|$))", "negative"),
        (r"\+\s*ve\b|\(\s*\+\s*\)", " positive "),
        (r"(?:(?<=\s)|(?<=\w))[-−–]\s*ve\b|\(\s*[-−–]\s*\)", " negative "),
        (r"\b(lge|dhe|mde|lde|de|scar|mvo|fibrosis|infarct|enhancement)\s*[-−–](?=\s*(?:[?!.,;/)]|$))", r"\1 negative "),
        (r"\b(lge|dhe|mde|lde|mvo)[-−–](?=\s)(?!\s*positive)", r"\1 negative "),
        (rf"\b({_FOUND})[-−–](?=\s.{{0,80}}?(?:\w\+|\b(?:negative|positive)\b))(?!\s*positive)", r"\1 negative "),
        (rf"((?:\w\+|\b(?:negative|positive)\b).{{1,80}}?\b(?:{_FOUND}))[-−–](?=\s)", r"\1 negative "),
        (r"(?<=\w)\s*\+\s*/\s*(?=\w)", " positive , "),
        (r"(?<=\w)\s+\+(?=\s*[,;])", " positive"),
        (r"((?:\+|\bpositive\b).{1,80}?\w)\s+[-−–](?=\s*(?:[;,.?!)]|$))", r"\1 negative"),  # "septum +, apex -"
        (rf"\b(lge|dhe|mde|lde|mvo|{_FOUND})\+(?=[\s?!.,;/)]|$)", r"\1 positive"),
        (rf"(?<=\b(?:posi|nega)tive)\s*/?\s*(?=(?:lge|mvo|{_FOUND})\b)", " , "),
        (r"(?<=\w)\s*[=:]\s*(?:0|false)(?=\s|$)", " negative"),
        # what a relative clause denies is taken from the noun before it, which goes on being asked; a verb denies it all
        (rf"\b(?:that|which|who)\s+{_VERB}(?:\s+not\b|n't)", "not"),
        (r"\b(?:that|which|who)\s+spares?\b", "sparing"),
        (rf"\b({_VERB})\s+not\b", r"\1n't"),
        (r"\b(?:can|could)\s+(?:we|you|i|one)\s+(?:\w+ly\s+)?(?:rule\s+out|exclude)\b", "no"),
        (r"\bexclud(?:e|ing)\s+(?:all\s+|any\s+)?(?:patients?|cases?|studies|subjects?|hearts?|scans?)\b", "no"),
        (r"(?<=,)\s*(?:it|they)(?:'s|'re|\s+is|\s+are)\s+(?!not\b)", " but "),  # "isn't septal, it's lateral"
        # exceptions: "everywhere but", "instead of", "non-septal", "ignore the apex"
        (r"\b(?:instead of|as opposed to)\b", "rather than"),
        (r"\bnot\s+only\b|\bminus\b(?=\s+\w)", "except"),
        (r"\bnowhere\s+(?:else\s+)?but\b", "nowhere except"),
        (r"\b(?:not|never)\s+outside\b", "in"),
        (
            r"\b(every(?:thing|where)?|any(?:thing|where)?|(?:all|every|any|no)(?:\s+the)?\s+(?:segments?|walls?|regions?|areas?|territor(?:y|ies))|(?:whole|entire)\s+\w+(?:\s+wall)?|all(?:\s+over)?)\s+but\b(?!\s+(?:not|no)\b)",
            r"\1 except",
        ),
        (
            r"\bnon[- ]?(?=(?:(?:antero|infero)?septal|(?:antero|infero)?lateral|anterior|inferior|apical|basal|insertion|rvip|hinge|rv[- ]insertion|lad|rca|lcx)\b)",
            "outside ",
        ),
        (r"\b(?:exclude|ignore|disregard|omit|skip)\s+(?=the\s+\w+(?:\s+\w+){0,2}\s*(?:[,.;:?!]|$))", "except "),
        (r"\b(?:ignoring|disregarding|omitting|leaving out)\b", "excluding"),
        # "list all segments with LGE" asks for no particular ones
        (r"\b(?:all|every)\s+(?:the\s+)?(segments?|walls?)\s+(?=(?:with|that|which|where|showing|having|containing)\b)", r"\1 "),
        # numbers: "#7", "segments 2 and 3 but not 9", "segments other than 4", "scar in 5 and 11"
        (r"#\s*(?=\d)", " segment "),
        (
            r"(?<=\d)(\s*[,(]?\s*(?:but\s+)?(?:not|except(?:\s+for)?|excluding|without|minus))\s+(?=\d{1,2}\b(?!\s*(?:%|mm|percent)))",
            r"\1 segment ",
        ),
        (r"\b(segments?|segs?)\s+(other than|except|excluding|outside|apart from|not)\s+(?=\d)", r"\2 \1 "),
        (r"\bin\s+(?=\d{1,2}(?:\s*(?:,|and|or|to|[-&+/])\s*\d{1,2})*\s*(?:[?.!]|$|,?\s*(?:but\s+)?(?:not|except|excluding|without|minus)\s+segment\b))", "in segment "),
        (r"\b(except(?:\s+for)?|excluding|not)\s+(?=\d{1,2}(?:\s*(?:,|and|or|to|[-&+/])\s*\d{1,2})*\s*(?:[?.!]|$))", r"\1 segment "),
        (r"[?!]+(?=\s|$)", " ? "),
    )
)  # fmt: skip


def read(text: str) -> Meaning:
    """What a prompt asks, field by field as ``Meaning`` says; ``Meaning()`` when it asks nothing of LGE in the LV."""
    cleaned = " ".join(clean(text[:MAX_PROMPT]).split())
    letters = [c for c in cleaned if c.isalpha()]
    shouting = bool(letters) and sum(map(str.isupper, letters)) > 0.7 * len(letters) and len(letters) > 12
    extents: list[tuple[Extent, str]] = []
    found = find_marks(tokens_of(_reworded(cleaned), shouting, extents), extents)
    marks = _contrasted_levels(_levels_under_walls(with_places(judged_places_apart(found))))
    marks = _without_double_negatives(_measured(_with_a_say(marks)), cleaned.lower())
    clauses = statements_on_lv(statements_of(marks))
    if not _understood(cleaned.lower(), [m for clause in clauses for m in clause]):
        return Meaning()
    sides = Sides()
    for clause in clauses:
        sides.take(clause)
    return sides.meaning()


def _reworded(text: str) -> str:
    """The prompt without tags and with its signs, contractions and bare numbers spelt out."""
    ends = {end.start() - 1 for end in sentence_ends(text) if not text[end.end() : end.end() + 1].isdigit()}
    text = "".join(" ; " if k in ends and c == "." else c for k, c in enumerate(text))
    for pattern, said in _REWORDED:
        text = pattern.sub(said, text)
    return _NUMBER_WORDS.sub(lambda found: re.sub(r"[a-z]+", _digits, found[0], flags=re.I), text)


def _digits(word: re.Match[str]) -> str:
    lower = word[0].lower()
    return str(_NUMBERS.index(lower) + 1) if lower in _NUMBERS else word[0]


def _levels_under_walls(marks: list[Mark]) -> list[Mark]:
    """'Septum: basal scar, apical spared': the levels of a statement are those of the wall before its colon."""
    result: list[Mark] = []
    wall: Mark | None = None
    listed = False  # whether a list has begun behind the colon
    for mark in marks:
        last = result[-1] if result else mark
        if mark.kind == "colon" and last.kind == "place" and last.value.kind == "wall":
            wall = None if last.value.levels else last
            listed = False
        elif mark.words in (";", "?"):
            wall = None
        elif mark.kind in ("sep", "break"):
            listed = True
        elif wall and mark.kind == "place" and mark.value.only_levels:
            mark = _levels_of([wall], mark)
            if not listed:  # it is about this level and not about the whole wall
                result.remove(wall)
                listed = True
        result.append(mark)
    return result


def _contrasted_levels(marks: list[Mark]) -> list[Mark]:
    """'Basal, not apical, septum', 'mid but not basal anterior': both levels are levels of the wall that is named once."""
    result = list(marks)
    for k in range(len(marks) - 1, -1, -1):
        if kind_at(result, k) != "place" or not result[k].value.only_levels:
            continue
        turn = past(result, k + 1, ("sep", "break", "open"))
        if kind_at(result, turn) not in ("neg", "negpost", "spare") or kind_at(result, turn + 1) != "place":
            continue
        end = past(result, turn + 1, ("place", "sep", "open", "close"))
        while result[end - 1].kind in ("sep", "open", "close"):
            end -= 1
        denied = [m for m in result[turn + 1 : end] if m.kind == "place"]
        walls = [m for m in denied if m.value.base and m.value.levels in ((), denied[0].value.levels)]
        apart = set(denied[0].value.levels).isdisjoint(result[k].value.levels)
        if not (walls and apart and denied[0].value.levels) or any(m.words == ";" for m in result[k:turn]):
            continue
        result[k] = _levels_of(walls, result[k])
        if denied[0].value.only_levels:  # the wall stands behind both levels
            result[turn + 1 : end] = [_levels_of(walls, denied[0]), *(m for m in denied[1:] if m not in walls)]
    return result


def _levels_of(walls: list[Mark], levels: Mark) -> Mark:
    """The walls at the levels that a mark names, in that mark's place."""
    named = levels.value.levels
    segments = frozenset(s for wall in walls for s in at_levels(wall.value.base, named))
    base = frozenset(s for wall in walls for s in wall.value.base)
    return levels._replace(value=Place(segments, named, False, True, walls[0].value.kind, base))


def _with_a_say(marks: list[Mark]) -> list[Mark]:
    """The marks that mean something in a question; "not infarcted" denies, "which coronary territory" names no cause."""
    result = []
    for k, mark in enumerate(marks):
        words = mark.words.lower()
        if k and marks[k - 1].kind in ("after", "history") and vote(mark):
            result.append(mark._replace(kind="vote", value=vote(mark)))  # "post infarct, septum scar-free?"
        elif mark.kind == "vote" and words.endswith("infarcted"):
            result += [
                mark._replace(kind="neg", end=mark.start + 1),
                mark._replace(kind="term", value="infarct", start=mark.end - 1),
            ]
        elif mark.kind not in _SILENT and not (mark.kind == "vote" and "territor" in words):
            result.append(mark)
    return result


def _measured(marks: list[Mark]) -> list[Mark]:
    """'Transmural' beside a share of the wall is what is measured, no layer; shares of the LV are dropped."""
    result = []
    for k, mark in enumerate(marks):
        beside = [m for m in marks[max(k - 1, 0) : k + 2] if m.kind == "extent"]
        touching = any(m.end == mark.start or m.start == mark.end for m in beside)
        if mark.kind == "layer" and mark.words.lower().startswith("transmural") and touching:
            mark = mark._replace(kind="thick")
        if mark.kind != "extent" or of_the_wall(marks, k):
            result.append(mark)
    return result


def _without_double_negatives(marks: list[Mark], text: str) -> list[Mark]:
    """'Not free of', 'no viability', 'normal or scarred', "isn't there ...?" deny nothing."""
    kept: list[Mark] = []
    at = 1 if _asks_with_not(marks, text) else 0
    while at < len(marks):
        mark = marks[at]
        rest = _next_two(marks, at + 1) if mark.kind in ("neg", "negpost") else []
        kinds = [marks[k].kind for k in rest] + ["", ""]
        if mark.kind == "neg" and rest and marks[rest[0]].start - mark.end <= 3 and _turns_back(marks[rest[0]]):
            at = rest[0]
            if kinds[0] in _SPARED and kinds[1] not in ("topic", "organ"):
                # what is not spared is scarred; "not normal" needs a place to be about scar
                kept.append(marks[at]._replace(kind="term", value="damage" if kinds[0] == "negpost" else "scar"))
        elif not (mark.kind == "negpost" and kinds[1] == "term" and is_or(marks[rest[0]])):
            kept.append(mark)
        at += 1
    return kept


def _next_two(marks: list[Mark], start: int) -> list[int]:
    """Where the next two marks stand that are no mere assertion."""
    return list(islice((k for k in range(start, len(marks)) if marks[k].kind != "assert"), 2))


def _asks_with_not(marks: list[Mark], text: str) -> bool:
    """Whether the first word asks ("isn't there scar?", "doesn't the septum ...?") and does not deny ("can't see scar")."""
    verb = _NOT_FIRST.match(text)
    if not verb or not marks or marks[0].kind != "neg":
        return False
    named = len(marks) > 1 and marks[1].kind in ("place", "term", "layer", "noreflow", "lv")
    subject = named and marks[0].end == marks[0].start + 1 == marks[1].start and marks[1].words.lower() != "enhance"
    return subject or bool(_SUBJECT.match(text, verb.end()))


def _turns_back(mark: Mark) -> bool:
    """Whether a 'no' right before it makes it a statement of scar: 'not free', 'no viability', 'not without'."""
    listed = mark.words.lower().startswith(("nor", "noch", "ni"))  # "neither scar nor fibrosis"
    return mark.kind in (*_SPARED, "asked") or (mark.kind == "neg" and not listed)


def _understood(text: str, marks: list[Mark]) -> bool:
    """Whether the marks ask about late enhancement of the LV, in this study and not in general."""
    if not _asks_enhancement(text, marks) or any(not 1 <= n <= 17 for n in _segment_numbers(text)):
        return False
    if _OTHER_SUBJECT.search(text) and not _STILL_ASKED.search(text):
        return False
    measure = _MEASURE.search(text)
    first = next((m.words.lower() for m in marks if m.kind in ("term", "noreflow", "scarfree")), "")
    if measure and not (first and -1 < text.find(first.split()[0]) < measure.start()):
        return False
    kinds = {m.kind for m in marks}
    strong = {m.value for m in marks if m.kind == "term"} & _ASKED or kinds & {"scarfree", "noreflow", "tokens"}
    return bool(strong) or "topic" not in kinds or ("vote" in kinds and "place" not in kinds)


def _asks_enhancement(text: str, marks: list[Mark]) -> bool:
    """Whether enhancement is named, or words that mean it beside a place, a layer or a share of the wall."""
    kinds = {m.kind for m in marks}
    terms = {m.value for m in marks if m.kind == "term"}
    place, lv = "place" in kinds, bool(kinds & {"place", "lv"})
    viable = "viab" in kinds or "viable" in text or "vital" in text
    sized = any(m.kind == "notthick" and re.search("scar|lge|infarct", m.words, re.I) for m in marks)
    layer_alone = kinds <= {"layer", "neg", "sep", "query", "assert", "all", "extent", "thick", "break", "except"}
    return bool(
        terms & _ASKED
        or kinds & {"scarfree", "noreflow"}
        or sized
        or ("vote" in kinds and (len(marks) <= 3 or terms or place or "layer" in kinds))
        or ("tokens" in kinds and kinds & {"assert", "negpost", "place", "layer"})
        or ("bright" in terms and kinds & {"place", "tokens", "layer"})
        or ("layer" in kinds and (place or terms or "segword" in kinds or layer_alone))
        or {"extent", "thick"} <= kinds
        or (place and kinds & {"spare", "negpost"})
        or (lv and ("damage" in terms or viable))
    )


def _segment_numbers(text: str) -> list[int]:
    return [int(n) for found in _SEGMENT_LIST.finditer(text) for n in re.findall(r"\d+", found[1])]
