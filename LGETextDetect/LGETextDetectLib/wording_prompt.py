"""A prompt to its meaning: whether it asks about late enhancement of the LV, where, in which layer, and whether it denies.

Signs, tags and numbers are spelt out, the text is cut into marks and clauses, and :class:`wording_sides.Sides` sorts them.
"""

from __future__ import annotations

import re

from .finding import Meaning
from .wording_clauses import judged_places_apart, statements_of, statements_on_lv
from .wording_marks import Mark, find_marks
from .wording_places import with_places
from .wording_scope import of_the_wall
from .wording_sides import Sides, is_or, vote
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
_VERB = r"(?:is|are|was|were|do|does|did|has|have|had)"
_REWORDED = tuple(
    (re.compile(pattern, re.I), said)
    for pattern, said in (
        # both answers offered: "yes or no", "or not?", "whether or not"; no doubt is no denial
        (r"\byes\s*(?:/|or)\s*no\b", " "),
        (r",?\s+or\s+(?:not|no|none|isn't|nicht|(?:is|are|does)(?:n't| it not| there not))(?:\s+(?:it|there))?(?=\s*(?:[?.!]|$))", ""),
        (r"\bwhether or not\b", "whether"),
        (r"\s+or\s+(?:is|are|does|do)(?:n't|\s+not)\s+(?:there|it)\b", ""),
        (r"\b(?:without|no|beyond)\s+(?:any\s+)?doubt(?:\s+about)?\b", " "),
        # tags: "..., isn't it?", "..., right?"
        (
            r",\s*(?:(?:is|are|was|does|do|has|have)(?:n't)?\s+(?:it|there|they|he|she|this|that)|right|correct|no|yes|ok|okay|true|"
            r"oder|nicht wahr|n'est-ce pas|verdad)\s*[?.!]*\s*$",
            " ?",
        ),
        # signs: "LGE-", "MVO (-)", "LGE +ve", "LGE = 0"
        (r"\+\s*ve\b|\(\s*\+\s*\)", " positive "),
        (r"(?:(?<=\s)|(?<=\w))[-−–]\s*ve\b|\(\s*[-−–]\s*\)", " negative "),
        (
            r"\b(lge|dhe|mde|lde|de|scar|mvo|fibrosis|infarct|enhancement)(?:\s*[-−–](?=\s*(?:[?!.,;)]|$))|[-−–](?=\s))",
            r"\1 negative ",
        ),
        (r"(?<=\w)\s*[=:]\s*(?:0|false)(?=\s|$)", " negative"),
        # what a relative clause denies is taken from the noun before it, which goes on being asked; a verb denies it all
        (rf"\b(?:that|which|who)\s+{_VERB}(?:\s+not\b|n't)", "not"),
        (r"\b(?:that|which|who)\s+spares?\b", "sparing"),
        (rf"\b({_VERB})\s+not\b", r"\1n't"),
        (r"\b(?:can|could)\s+(?:we|you|i|one)\s+(?:\w+ly\s+)?(?:rule\s+out|exclude)\b", "no"),
        (r"\bexclud(?:e|ing)\s+(?:all\s+|any\s+)?(?:patients?|cases?|studies|subjects?|hearts?|scans?)\b", "no"),
        # exceptions: "everywhere but", "instead of", "non-septal", "ignore the apex"
        (r"\b(?:instead of|as opposed to)\b", "rather than"),
        (r"\bnot\s+only\b", "except"),
        (
            r"\b(every(?:thing|where)?|any(?:thing|where)?|(?:all|every|any)(?:\s+the)?\s+(?:segments?|walls?|regions?|areas?|territor(?:y|ies))|all(?:\s+over)?)\s+but\b(?!\s+(?:not|no)\b)",
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
            r"(?<=\d)(\s*,?\s*(?:but\s+)?(?:not|except(?:\s+for)?|excluding|without|minus))\s+(?=\d{1,2}\b(?!\s*(?:%|mm|percent)))",
            r"\1 segment ",
        ),
        (r"\b(segments?|segs?)\s+(other than|except|excluding|outside|apart from|not)\s+(?=\d)", r"\2 \1 "),
        (r"\bin\s+(?=\d{1,2}(?:\s*(?:,|and|or|to|[-&+/])\s*\d{1,2})*\s*(?:[?.!]|$))", "in segment "),
        # ends of sentences
        (r"(?<=[a-z]{5})\.\s+", " ; "),
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
    marks = with_places(judged_places_apart(found))
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
    for pattern, said in _REWORDED:
        text = pattern.sub(said, text)
    return _NUMBER_WORDS.sub(lambda found: re.sub(r"[a-z]+", _digits, found[0], flags=re.I), text)


def _digits(word: re.Match[str]) -> str:
    lower = word[0].lower()
    return str(_NUMBERS.index(lower) + 1) if lower in _NUMBERS else word[0]


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
    at = 1 if marks and marks[0].kind == "neg" and re.match(r"\w+n't ", text) else 0
    while at < len(marks):
        mark, rest = marks[at], [m for m in marks[at + 1 :] if m.kind != "assert"]
        kinds = [m.kind for m in rest[:2]] + ["", ""]
        if mark.kind == "neg" and rest and rest[0].start - mark.end <= 3 and _turns_back(rest[0]):
            if kinds[0] in _SPARED and kinds[1] not in ("topic", "organ"):
                # what is not spared is scarred; "not normal" needs a place to be about scar
                kept.append(rest[0]._replace(kind="term", value="damage" if kinds[0] == "negpost" else "scar"))
            at = marks.index(rest[0])
        elif not (mark.kind == "negpost" and kinds[1] == "term" and is_or(rest[0])):
            kept.append(mark)
        at += 1
    return kept


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
