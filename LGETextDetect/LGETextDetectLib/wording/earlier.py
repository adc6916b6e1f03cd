"""What a report tells of an earlier examination, which holds today when the report then says that it is unchanged."""

from __future__ import annotations

import re
from dataclasses import replace

from .clauses import chunks_of
from .lesions import drafts_of
from .marks import Mark
from .reading import STRONG, Draft, Reading
from .scope import Scope
from .sentences import Sentence
from .topics import topics_of

_SAME = re.compile(
    r"unchanged|inchang|stable|station|persist|static|no (?:\w+ )*change|still|as (?:before|previously)|redemonstr"
)
_ONLY_SAYS_SAME = frozenset(
    {"again", "coref", "now", "history", "year", "sep", "assert", "term", "explain", "lv", "colon"}
)
_ONLY_SAYS_GONE = frozenset({"neg", "negpost", "coref", "now", "sep", "assert", "break", "tokens", "again"})


def earlier_in(marks: list[Mark], has: set[str]) -> tuple[list[Draft], bool]:
    """(lesions, whether there were none) of a clause on an earlier examination."""
    if not any(m.kind == "term" and m.value in STRONG for m in marks):
        return [], False
    chunks = chunks_of(marks)
    walk = Scope()
    for chunk, topic, following in zip(
        chunks, topics_of(chunks, None, "findings", has), [*chunks[1:], []], strict=True
    ):
        walk.chunk(chunk, topic, following)
    lesions = [d for d in drafts_of(walk.items, False) if d.segments or d.layer]
    return lesions, walk.global_negative


def goes_back(sentence: Sentence, answers_lge: bool, reading: Reading, number: int) -> bool:
    """'LGE: unchanged.', 'This is stable.': whether a sentence only says that late enhancement is as it was."""
    marks = sentence.marks
    kinds = {m.kind for m in marks}
    if reading.drafts or not kinds <= _ONLY_SAYS_SAME:
        return False
    if not any(m.kind == "again" and _SAME.match(m.words.lower()) for m in marks):
        return False
    named = any(m.kind == "term" and m.value in STRONG for m in marks)
    return answers_lge or named or number - 1 <= reading.told_earlier < number


def is_gone(marks: list[Mark], reading: Reading, number: int) -> bool:
    """'This has resolved.', '... but not today': whether a clause denies what was told of an earlier examination just before."""
    kinds = {m.kind for m in marks}
    told = number - 1 <= reading.told_earlier and bool(reading.earlier) and not reading.drafts
    return told and kinds <= _ONLY_SAYS_GONE and bool(kinds & {"neg", "negpost"}) and bool(kinds & {"coref", "now"})


def as_before(reading: Reading) -> None:
    """Takes up the lesions of the earlier examination, or that it had none; some enhancement when they were not told."""
    if reading.earlier_absent:
        reading.absent += 1
        return
    reading.drafts += [replace(d, segments=set(d.segments), words=list(d.words)) for d in reading.earlier]
    reading.present += not reading.earlier
