"""What a report's sentence says of the aetiology, as votes that are weighed at the end, and of no-reflow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..finding import ENDOCARDIAL
from .clauses import is_past
from .lexicon import TERRITORIES
from .marks import Mark
from .reading import Draft
from .sentences import Sentence

_FAMILY = re.compile(r"\b(family|father|mother|brother|sister|proband|cousin|uncle|son|daughter)", re.I)
_TERRITORIES = re.compile(r"\bterritories\b", re.I)
_CLOSED = re.compile(r"occlu|cto\b|culprit|throm")
_CAUSE = re.compile(r"not|aetiolog|etiolog|cause|origin", re.I)


def votes_in(sentence: Sentence, marks: list[Mark], lesions: list[Draft], tier: int) -> Iterator[tuple[int, int, str]]:
    """(tier, weight, aetiology) of all that a sentence says of the cause; its largest lesion gives the weight."""
    weight = max((len(d.segments) for d in lesions), default=1) or 1
    nonischaemic = any(m.kind == "vote" and m.value == "non-ischaemic" for m in marks)
    bracketed = any([m.kind for m in marks[k : k + 3]] == ["open", "vessel", "close"] for k in range(len(marks)))
    vessels = marks if bracketed or _TERRITORIES.search(sentence.text) else []  # "inferior scar (RCA)"
    if any(d.territory or _within_territory(d, marks, vessels) for d in lesions) and not nonischaemic:
        yield 3, weight, "ischaemic"
    told = [m for m in marks if m.kind != "history"]  # "corresponding to the known RCA occlusion"
    explained = any(_explained_by_artery(told[k : k + 3]) for k in range(len(told)))
    if not nonischaemic and ((lesions and explained) or any(_behind_occlusion(d, marks) for d in lesions)):
        yield tier, weight, "ischaemic"
    sized = any(m.kind == "notthick" and "infarct" in m.words for m in marks)
    if sized or (lesions and sentence.heading.startswith("infarct")):
        yield tier, weight, "ischaemic"
    family = bool(_FAMILY.search(sentence.text))
    for k, mark in enumerate(marks):
        infarct = mark.kind == "term" and mark.value in ("infarct", "event")
        if mark.kind != "vote" and not infarct:
            continue
        value = "ischaemic" if infarct else mark.value
        if not (family or _vote_denied(marks, k)):
            yield tier, weight, value
        elif value == "ischaemic" and _denies_coronary_cause(sentence, marks, k):
            yield tier, weight, "non-ischaemic"


def _explained_by_artery(marks: list[Mark]) -> bool:
    """'... consistent with OM occlusion', 'corresponding to the known RCA occlusion', 'post LAD occlusion'."""
    kinds = [m.kind for m in marks]
    if kinds[1:] != ["vessel", "topic"] or kinds[0] not in ("explain", "again", "after"):
        return False
    return bool(re.match("occlu|stenos|throm", marks[2].words.lower()))


def _behind_occlusion(lesion: Draft, marks: list[Mark]) -> bool:
    """'Chronic total occlusion of the RCA with transmural inferior scar': an infarct's layer in the territory of the artery."""
    closed = [
        set(TERRITORIES[m.value])
        for k, m in enumerate(marks)
        if m.kind == "vessel"
        and m.value in TERRITORIES
        and any(n.kind == "topic" and _CLOSED.match(n.words.lower()) for n in marks[max(k - 1, 0) : k + 2])
        and any(n.kind == "plus" for n in marks[k : k + 3])
    ]
    endocardial = lesion.layer in ENDOCARDIAL and bool(lesion.segments)
    return endocardial and any(2 * len(lesion.segments & supplied) >= len(lesion.segments) for supplied in closed)


def _within_territory(lesion: Draft, marks: list[Mark], vessels: list[Mark]) -> bool:
    """'LAD territory (segments 7, 13)', 'LAD and LCx territories': an infarct's layer inside the territories named with it."""
    if lesion.layer not in (None, "subendocardial", "transmural") or not lesion.segments:
        return False
    named = {s for m in vessels if m.kind == "vessel" for s in TERRITORIES.get(m.value, ())}
    return lesion.segments <= named or any(
        m.kind == "territory" and 2 * len(lesion.segments & set(m.value)) >= len(lesion.segments) for m in marks
    )


def _denies_coronary_cause(sentence: Sentence, marks: list[Mark], at: int) -> bool:
    """'No evidence of an ischaemic aetiology'."""
    denied = any(m.kind == "neg" for m in marks[max(0, at - 3) : at])
    return denied and bool(re.search(r"isch|coron", marks[at].words, re.I) and _CAUSE.search(sentence.text))


def _vote_denied(marks: list[Mark], at: int) -> bool:
    """Whether a vote is denied, asked or only what a denied enhancement would suggest."""
    denied = False
    listed = True
    for mark in reversed(marks[max(0, at - 8) : at]):
        if mark.kind in ("break", "close") or (mark.kind == "sep" and mark.value == "," and not listed):
            break
        listed = listed and (mark.kind in ("vote", "sep") or (mark.kind == "term" and mark.value == "infarct"))
        if mark.kind == "query" and marks[at].start - mark.end < 4 and marks[at].kind == "vote":
            return True
        if mark.kind == "neg" or mark.kind == "spare":
            denied = True
        if mark.kind in ("explain", "except") and not denied:
            return mark.kind == "explain" and _denied_before(marks[: marks.index(mark)], mark)
        if mark.kind == "asked":
            return True
    for mark in marks[at + 1 : at + 6]:
        if mark.kind == "asked" and mark.start == marks[at].end:
            return True  # "myocarditis query"
        if (
            mark.kind in ("break", "explain")
            or (mark.kind == "sep" and mark.value == ",")
            or mark.kind in ("term", "layer", "place", "open", "noreflow")
        ):
            break
        if mark.kind == "negpost" and mark.value == "negative":
            return True
        if mark.kind == "neg" and mark is marks[-1]:
            return True  # "Myocardial infarction: no"
    return denied


def _denied_before(marks: list[Mark], explain: Mark) -> bool:
    """'No enhancement suggestive of ...', 'not diagnostic of ...': the last denial is of the enhancement or the explanation."""
    if marks and marks[-1].kind == "neg" and marks[-1].end == explain.start:
        return True
    last = next((k for k in range(len(marks) - 1, -1, -1) if marks[k].kind in ("neg", "break", "except")), None)
    if last is None or marks[last].kind != "neg":
        return False
    head = next((m for m in marks[last + 1 :] if m.kind in ("term", "noreflow", "organ", "topic", "vote")), None)
    return head is not None and head.kind == "term"


def no_reflow_in(marks: list[Mark]) -> Iterator[tuple[str, bool]]:
    """(words, whether it is there) for every mention of no-reflow today."""
    past = is_past(marks) and not any(m.kind in ("now", "again") for m in marks)
    for k, mark in enumerate(marks):
        if mark.kind != "noreflow":
            continue
        before, after = _beside_no_reflow(marks, k)
        denied = any(m.kind == "neg" for m in before) or any(m.kind in ("neg", "negpost") for m in after[:3])
        denied = denied or any(_is_zero(m) for m in after[:2])
        gone = any(m.kind == "negpost" or (m.kind == "neg" and "longer" in m.words) for m in marks[k + 1 :])
        near = [*[m for m in marks[:k] if mark.start - m.end < 8][-2:], *after[:2]]
        doubtful = any(m.kind in ("maybe", "tech") for m in near) or [m.kind for m in marks[:k][-1:]] == ["query"]
        if not (past and not gone) and not (doubtful and not denied):
            yield mark.words, not (denied or gone)


def _is_zero(mark: Mark) -> bool:
    """'MVO 0 g', 'MVO 0 %'."""
    return (mark.kind == "amount" and mark.value == 0) or (mark.kind == "extent" and mark.value.high == 0)


def _beside_no_reflow(marks: list[Mark], at: int) -> tuple[list[Mark], list[Mark]]:
    """The marks before and behind a mention of no-reflow that are about it and not about another finding."""
    before = [m for m in marks[:at] if marks[at].start - m.end < 8]
    start = 0
    for i, mark in enumerate(before):
        comma = mark.kind == "sep" and mark.value == "," and not any(m.kind == "neg" for m in before[:i])
        if comma or mark.kind in ("term", "place", "topic", "extent"):
            start = i + 1
    after: list[Mark] = []
    for mark in marks[at + 1 :]:
        if mark.kind in ("term", "topic") or (mark.kind == "sep" and mark.value == "," and after):
            break
        after.append(mark)
    return before[start:], after
