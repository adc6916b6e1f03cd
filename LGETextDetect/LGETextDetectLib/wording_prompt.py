"""A prompt to its meaning: whether it asks about late enhancement of the LV, where, in which layer, and whether it denies."""

from __future__ import annotations

import re

from .finding import LAYERS, Meaning
from .wording_lexicon import TERRITORIES
from .wording_marks import Mark, find_marks
from .wording_places import with_places
from .wording_reading import score_of
from .wording_words import Extent, clean, tokens_of

_ASKED = frozenset({"lge", "scar", "infarct", "stripe", "event"})
_OTHER_SUBJECT = re.compile(
    r"\b(should|icd|crt|defibrillator|pacemaker|treat\w*|therap\w*|recommend\w*|surgery|ablat\w*|anticoag\w*|statin\w*|drug|drugs|dose|dosage|prognos\w*|survival|mortality|"
    r"life expectancy|prescri\w*|medication|operate|transplant\w*|revasculari[sz]\w*|beta ?blocker\w*|cause of death|how much|how many|cost|price|population|prevalence|incidence|guideline\w*|define|definition|what is|what are|explain|"
    r"stands? for|meaning of|who (is|was|are|discovered)|write|translate|poem|joke|recipe for|contraindicat\w*|ejection|lvef|rvef|ef)\b"
)
_STILL_ASKED = re.compile(
    r"\b(what is|what are|how much|how many)\b.*\b(in|of|on) (this|the) (study|scan|patient|heart|image|images|wall|septum|lv)\b"
)
_ABSENCE_WORDS = frozenset({"neg", "negpost", "spare", "scarfree", "viab"})


def read(text: str) -> Meaning:
    """The meaning of a prompt (text/SCHEMA, Prompt meaning); ``Meaning()`` when it asks nothing of LGE in the LV."""
    cleaned = " ".join(clean(text[:4000]).split())
    letters = [c for c in cleaned if c.isalpha()]
    shouting = bool(letters) and sum(map(str.isupper, letters)) > 0.7 * len(letters) and len(letters) > 12
    extents: list[tuple[Extent, str]] = []
    cleaned = re.sub(r"\byes\s*(/|or)\s*no\b", " ", cleaned, flags=re.I)
    plain = re.sub(r"[?!]+(?=\s|$)", " ? ", cleaned)
    marks = with_places(find_marks(tokens_of(plain, shouting, extents), extents))
    marks = _affirmed(marks)
    if not _understood(cleaned.lower(), marks):
        return Meaning()
    no_reflow = any(m.kind == "noreflow" for m in marks)
    layers = _layers(marks)
    segments = _segments(marks)
    aetiology = _aetiology(marks)
    return Meaning(
        understood=True,
        negated=_negated(marks, cleaned.lower()),
        segments=segments,
        layers=layers,
        aetiology=aetiology,
        no_reflow=True if no_reflow else None,
        min_transmurality=_least_transmurality(marks),
    )


def _affirmed(marks: list[Mark]) -> list[Mark]:
    """Drops "ignore previous instructions" and the like, which are words without a say here."""
    return [m for m in marks if m.kind not in ("history", "again", "now", "year", "tech")]


def _understood(text: str, marks: list[Mark]) -> bool:
    kinds = {m.kind for m in marks}
    terms = {m.value for m in marks if m.kind == "term"}
    lv_place = any(m.kind == "place" for m in marks)
    asked = bool(terms & _ASKED) or "scarfree" in kinds or ("tokens" in kinds and bool(kinds & {"assert", "negpost"}))
    asked = (
        asked
        or "noreflow" in kinds
        or bool(kinds & {"vote"} and (len(marks) <= 3 or terms or lv_place or "layer" in kinds))
    )
    asked = asked or ("bright" in terms and (lv_place or "tokens" in kinds or "layer" in kinds))
    asked = asked or (
        "layer" in kinds
        and (
            lv_place or "segword" in kinds or bool(terms) or kinds <= {"layer", "neg", "sep", "query", "assert", "all"}
        )
    )
    asked = asked or (lv_place and ("spare" in kinds or ("extent" in kinds and "thick" in kinds)))
    asked = asked or ("tokens" in kinds and bool(kinds & {"place", "layer"}))
    asked = asked or ("damage" in terms and (lv_place or "lv" in kinds))
    asked = asked or (("viab" in kinds or "viable" in text or "vital" in text) and (lv_place or "lv" in kinds))
    asked = asked or (lv_place and any(m.kind == "negpost" for m in marks))
    if not asked:
        return False
    if _OTHER_SUBJECT.search(text) and not _STILL_ASKED.search(text):
        return False
    if "organ" in kinds and not _about_lv(marks):
        return False
    strong = terms & {"lge", "scar", "infarct", "stripe", "event"} or kinds & {"scarfree", "noreflow", "tokens"}
    return not (kinds & {"topic"} and not strong and not ("vote" in kinds and not lv_place))


def _about_lv(marks: list[Mark]) -> bool:
    """With another organ named: whether the enhancement asked about is still the LV's."""
    organs = [k for k, m in enumerate(marks) if m.kind == "organ"]
    for k in organs:
        beside = [
            m for m in marks if m.kind == "term" and min(abs(m.start - marks[k].end), abs(marks[k].start - m.end)) <= 3
        ]
        if beside and not any(m.kind in ("place", "lv") for m in marks):
            return False
        if not any(m.kind in ("place", "lv") for m in marks):
            return False
    return True


def _negated(marks: list[Mark], text: str) -> bool:
    """Whether the prompt denies: 'no', 'free', 'normal', 'viable', 'spared'; 'not free of' and 'no viable' affirm."""
    negative = False
    skip = -1
    for k, mark in enumerate(marks):
        if k == skip:
            continue
        following = next((m for m in marks[k + 1 :] if m.kind not in ("sep", "all", "assert")), None)
        if mark.kind == "neg":
            if k == 0 and re.match(r"(isn't|aren't|doesn't|don't|hasn't) ", text):
                continue
            if following is None or following.kind not in ("organ", "topic"):
                if following is not None and following.kind == "noreflow" and any(m.kind == "term" for m in marks[:k]):
                    continue
                if (
                    following is not None
                    and following.start - mark.end <= 2
                    and (following.kind in ("spare", "scarfree") or (following.kind == "negpost"))
                ):
                    skip = marks.index(following)
                    continue
                negative = True
        elif (
            mark.kind in ("spare", "scarfree")
            or (mark.kind == "negpost" and _denies(mark, marks))
            or (mark.kind == "viab" and not any(m.kind == "term" for m in marks))
        ):
            negative = True
    return negative


def _denies(mark: Mark, marks: list[Mark]) -> bool:
    return mark.value != "normal" or any(m.kind in ("place", "lv", "term", "tokens", "viab") for m in marks)


def _layers(marks: list[Mark]) -> tuple[str, ...]:
    named = {("subendocardial" if v == "near" else v) for m in marks if m.kind == "layer" for v in m.value}
    if any(m.kind == "place" and m.value.kind == "rvip" for m in marks):
        named.add("insertion-point")
    if len(named) > 1:
        named.discard("diffuse")
    return tuple(layer for layer in LAYERS if layer in named)


def _segments(marks: list[Mark]) -> tuple[int, ...]:
    inside: set[int] = set()
    outside: set[int] = set()
    excepting = False
    for k, mark in enumerate(marks):
        if mark.kind == "except" and "only" not in mark.words:
            excepting = True
        elif mark.kind == "break":
            if any(m.kind == "neg" for m in marks[k : k + 3]) and inside:
                break
        elif mark.kind == "place":
            (outside if excepting else inside).update(mark.value.segments)
        elif (
            mark.kind == "vessel"
            and mark.value in TERRITORIES
            and not any(m.kind == "topic" and abs(m.start - mark.start) <= 2 for m in marks)
        ):
            (outside if excepting else inside).update(TERRITORIES[mark.value])
    if outside:
        inside = (inside or set(range(1, 18))) - outside
    return tuple(sorted(inside))


def _aetiology(marks: list[Mark]) -> str | None:
    for mark in marks:
        if mark.kind == "vote" and mark.value == "non-ischaemic":
            return "non-ischaemic"
    for mark in marks:
        if mark.kind == "vote" or (mark.kind == "term" and mark.value in ("infarct", "event")):
            return "ischaemic"
    return None


def _least_transmurality(marks: list[Mark]) -> int | None:
    """Lowest bin that satisfies the share asked for; an upper limit asks for nothing."""
    for mark in marks:
        if mark.kind == "extent":
            extent: Extent = mark.value
            if extent.compared in ("<", "<="):
                continue
            if extent.compared in (">", ">="):
                return min(score_of(extent.high + 1), 4)
            return max(score_of(extent.low if extent.low == extent.high else extent.high), 1)
    return None
