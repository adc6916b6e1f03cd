"""A prompt to its meaning: whether it asks about late enhancement of the LV, where, in which layer, and whether it denies.

Signs, tags and numbers are spelt out, the text is cut into marks and clauses, and :class:`sides.Sides` sorts them.
"""

from __future__ import annotations

import re
from itertools import islice

from ..finding import Meaning
from .amounts import of_the_wall, with_measured
from .background import without_background
from .levels import Place, at_levels
from .marks import KNOWN, Mark, find_marks
from .places import with_places
from .shorthand import spelt_out
from .sides import AFTER, CONTRACTED, Sides, is_amount, is_or, vote
from .statements import judged_places_apart, judges_weak_wall, kind_at, past, statements_of, statements_on_lv
from .unasked import asks_else
from .words import Extent, canonical, clean, tokens_of

MAX_PROMPT = 4000  # characters; the rest is not read
_ASKED = frozenset({"lge", "scar", "infarct", "stripe", "event"})
_SPARED = frozenset({"negpost", "scarfree", "spare", "viab"})  # say that there is no scar
_SILENT = frozenset({"history", "again", "now", "year", "tech"})  # "ignore previous instructions" and the like
_OTHER_LESION = re.compile(
    r"\b(mass|mass like|tumou?rs?|metasta\w*|cysts?|cystic|lipoma\w*|fibroma\w*|myxoma\w*|thromb\w*|valv\w*|mitral|tricuspid|aort\w*|atri\w*|coronar\w*|artery|arteries|"
    r"culprit|stenos\w*|plaques?|stents?|skin|chest|breast|lungs?|pulmon\w*|pleur\w*|liver|hepatic|spine|vertebra\w*|lad|lcx|rca)\b"
)
_IN_WHAT = re.compile(
    r"\b(?:in|on|at|within|inside|near)\s+(?:the|his|her|my|your)\s+((?:[a-z]+\s+){0,2}?[a-z]{3,})\s*(?=[?.!,;)]|$)"
)
_NO_SEGMENT = re.compile(
    r"\bseg(?:ment)?s?\s+\d+[a-z]\b|\bsummit\b|\b(?:lvot|outflow(?: tract)?|left main)(?: \w+)? (?:scar\w*|lge|fibrosis|infarct\w*|\w*enhanc\w+)|(?:scar\w*|lge|fibrosis|\w*enhanc\w+) (?:(?:in|of|near|at) )?(?:the )?(?:lv |left ventricular )?(?:lvot|outflow|left main)\b"
)
_WALL_LIKE = re.compile(r"\b(?:antero|infero|postero|supero|latero|medio|septo)[a-z]{3,}\b")
_WALL_SHARE = re.compile(r"\b(?:of|half|quarters?|thirds?) the wall\b")
_STUDY = frozenset(  # what scar may be sought in without naming a place
    "patient patients study studies scan scans image images picture pictures mri cmr exam examination case cases report series dataset data "
    "stack slice slices view views sequence sequences acquisition acquisitions lady man woman gentleman boy girl child male female athlete film axis "
    "anatomy interstitium body person subject individual following above past whole end cohort hospital file files folder example question moment time present".split()
)
_MEASURE = re.compile(r"\b(ejection|lvef|rvef|ef)\b")
_SEGMENT_LIST = re.compile(
    r"\b(?:segments?|segs?|aha)\b[\s.:#]*((?:\d{1,3}(?!\d|\s*(?:[-–]\s*\d{1,3}\s*)?(?:%|mm|percent))\s*(?:,|and|or|to|[-&+/])?\s*)+)",
    re.I,
)
_NOT_FIRST = re.compile(rf"{CONTRACTED}\s+")
_SUBJECT = re.compile(
    r"(?:there|it|this|that|these|those|the|an?|you|we|i|one|he|she|they|his|her|its|all|each|every)\b"
)


def read(text: str) -> Meaning:
    """What a prompt asks, field by field as ``Meaning`` says; ``Meaning()`` when it asks nothing of LGE in the LV."""
    cleaned = without_background(" ".join(clean(text[:MAX_PROMPT]).split()))
    letters = [c for c in cleaned if c.isalpha()]
    shouting = bool(letters) and sum(map(str.isupper, letters)) > 0.7 * len(letters) and len(letters) > 12
    extents: list[tuple[Extent, str]] = []
    found = find_marks(tokens_of(spelt_out(cleaned), shouting, extents), extents)
    marks = _contrasted_levels(_walls_under_levels(_levels_under_walls(with_places(judged_places_apart(found)))))
    marks = _without_double_negatives(_of_depth(with_measured(_with_a_say(marks))), cleaned.lower())
    clauses = statements_on_lv(statements_of(marks))
    if not _understood(cleaned.lower(), [m for clause in clauses for m in clause]):
        return Meaning()
    sides = Sides()
    for clause in clauses:
        sides.take(clause)
    meaning = sides.meaning()
    return meaning if meaning.segments or not _names_other_place(cleaned.lower()) else Meaning()


def _names_other_place(text: str) -> bool:
    """Whether scar is sought in something unheard of ("in the apix"): anywhere would be another question."""
    if _NO_SEGMENT.search(text):
        return True
    if any(canonical(word) == (word,) and word not in KNOWN for word in _WALL_LIKE.findall(text)):
        return True  # "anterosuperior"
    for found in _IN_WHAT.finditer(text):
        words = found[1].split()
        if not any(word in _STUDY or KNOWN.intersection(canonical(word)) for word in words):
            return True
    return False


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


def _walls_under_levels(marks: list[Mark]) -> list[Mark]:
    """'Mid ventricle: scar in the anterior septum', 'at the base is there septal scar?': the walls are at the level that leads."""
    result: list[Mark] = []
    level: Mark | None = None
    for mark in marks:
        leads = mark.kind == "colon" or (mark.kind == "assert" and mark.words.lower() == "there")
        if leads and result and result[-1].kind == "place" and result[-1].value.only_levels:
            level = result[-1]
        elif mark.words in (";", "?"):
            level = None
        elif level and mark.kind == "place" and mark.value.base and not mark.value.levels:
            result = [m for m in result if m is not level]
            mark = _levels_of([mark], level)._replace(start=mark.start, end=mark.end)
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
            result.append(
                mark._replace(kind="vote", value=vote(mark), words=AFTER + words)
            )  # "post infarct, septum scar-free?"
            if "scar" in words:
                result.append(mark._replace(value="scar"))  # "post-infarct scar"
        elif mark.kind == "vote" and (words.endswith("infarcted") or (k == 0 and re.match(CONTRACTED, words))):
            result += [
                mark._replace(kind="neg", end=mark.start + 1),
                mark._replace(kind="term", value="infarct", start=mark.end - 1),
            ]
        elif mark.kind == "thick" and k and marks[k - 1].kind == "negpost" and marks[k - 1].value == "normal":
            result.append(mark._replace(kind="topic"))  # "preserved wall thickness"
        elif mark.kind not in _SILENT and not (mark.kind == "vote" and "territor" in words):
            result.append(mark)
    return result


def _of_depth(marks: list[Mark]) -> list[Mark]:
    """The marks without shares of the LV."""
    return [m for k, m in enumerate(marks) if m.kind != "extent" or of_the_wall(marks, k)]


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
    """Where the next two marks stand that are no mere assertion and no pronoun."""
    return list(islice((k for k in range(start, len(marks)) if marks[k].kind not in ("assert", "coref")), 2))


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
    listed = mark.words.lower().startswith(("nor", "ni"))  # "neither scar nor fibrosis"
    return mark.kind in (*_SPARED, "asked") or (mark.kind == "neg" and not listed)


def _understood(text: str, marks: list[Mark]) -> bool:
    """Whether the marks ask about late enhancement of the LV, in this study and not in general."""
    if not _asks_enhancement(text, marks) or any(not 1 <= n <= 17 for n in _segment_numbers(text)):
        return False
    if asks_else(text):
        return False
    measure = _MEASURE.search(text)
    first = next((m.words.lower() for m in marks if m.kind in ("term", "noreflow", "scarfree")), "")
    if measure and not (first and -1 < text.find(first.split()[0]) < measure.start()):
        return False
    kinds = {m.kind for m in marks}
    strong = {m.value for m in marks if m.kind == "term"} & _ASKED or kinds & {"scarfree", "noreflow", "tokens"}
    foreign = "topic" in kinds and not judges_weak_wall(marks)
    return bool(strong) or not foreign or ("vote" in kinds and "place" not in kinds)


def _asks_enhancement(text: str, marks: list[Mark]) -> bool:
    """Whether enhancement is named, or words that mean it beside a place, a layer or a share of the wall."""
    kinds = {m.kind for m in marks}
    terms = {m.value for m in marks if m.kind == "term"}
    place, lv = "place" in kinds, bool(kinds & {"place", "lv"})
    viable = "viab" in kinds or "viable" in text or "vital" in text
    sized = any(map(is_amount, marks))
    said = [m for m in marks if m.kind not in ("sep", "coref", "assert", "query", "neg", "break", "maybe")]
    measured = any(m.kind == "thick" and "transmural" in m.words.lower() for m in marks)
    layer_alone = kinds <= {
        "layer", "neg", "sep", "query", "assert", "all", "extent", "thick", "break", "except", "coref", "spare", "negpost",
    }  # fmt: skip
    return bool(
        terms & _ASKED
        or kinds & {"scarfree", "noreflow"}
        or sized
        or (
            "vote" in kinds
            and (len(said) <= 3 or all(m.kind == "vote" for m in said) or terms or place or "layer" in kinds)
        )
        or ("tokens" in kinds and kinds & {"assert", "negpost", "place", "layer"})
        or ("bright" in terms and kinds & ({"place", "tokens", "layer"} | (set() if "topic" in kinds else {"lv"})))
        or ("topic" not in kinds and _lesion_in_wall(text, marks))
        or ("layer" in kinds and (place or terms or "segword" in kinds or layer_alone))
        or (
            "extent" in kinds
            and ("thick" in kinds or ("topic" not in kinds and ("segword" in kinds or _WALL_SHARE.search(text))))
        )
        or (measured and (place or len(said) == 1))
        or (place and kinds & {"spare", "negpost"})
        or (lv and ("damage" in terms or viable))
        or ("topic" not in kinds and _judges_muscle(text, marks))
    )


def _judges_muscle(text: str, marks: list[Mark]) -> bool:
    """'Viability LAD?', 'normal myocardium': whether an artery's territory is called viable or the muscle itself normal."""
    kinds = {m.kind for m in marks}
    viable = "viab" in kinds or bool(re.search(r"\bviable\b", text))
    supplied = "vessel" in kinds and viable and not re.search(r"\b(?:graft|lima|svg|anastomos\w+)", text)
    return supplied or (
        "negpost" in kinds
        and bool(
            re.search(
                r"\b(?:normal|healthy)\s(?:lv\s|ventricular\s)?(?:myocardium|heart muscle)\b|\bnull(?:s|ed)?\b", text
            )
        )
    )


def _lesion_in_wall(text: str, marks: list[Mark]) -> bool:
    """'Any lesion in the septum?': what these images show of the LV's wall is scar; a coronary's lesion is another matter."""
    named = any(m.kind == "term" and m.words.lower() in ("lesion", "lesions") for m in marks)
    walls = any(m.kind == "place" and m.value.kind != "territory" for m in marks)
    return named and walls and not _OTHER_LESION.search(text)


def _segment_numbers(text: str) -> list[int]:
    return [int(n) for found in _SEGMENT_LIST.finditer(text) for n in re.findall(r"\d+", found[1])]
