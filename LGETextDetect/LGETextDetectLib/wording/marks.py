"""The phrases of the lexicon found in a sentence's tokens, with AHA numbers, shares of the wall, brackets and years."""

from __future__ import annotations

from typing import Any, NamedTuple

from .lexicon import LEVEL_SEGMENTS
from .phrases import PHRASES
from .words import Extent, phrase_key


class Mark(NamedTuple):
    """A phrase found: what kind it is, what it says, tokens [start, end) of the sentence, the words as written."""

    kind: str
    value: Any
    start: int
    end: int
    words: str


_TREE: dict[str, list[tuple[tuple[str, ...], str, Any]]] = {}


for _phrase, (_kind, _value) in PHRASES.items():
    _key = phrase_key(_phrase)
    if _key:
        _TREE.setdefault(_key[0], []).append((_key, _kind, _value))


KNOWN = frozenset(token for entries in _TREE.values() for key, _, _ in entries for token in key)


for _entries in _TREE.values():
    _entries.sort(key=lambda e: -len(e[0]))


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
            if (
                numbers
                and end < len(names)
                and names[end] == ")"
                and marks
                and at - marks[-1].end < 2
                and (len(numbers) > 1 or marks[-1].kind in ("wall", "level", "segword"))
            ):
                marks.append(Mark("numbers", numbers, at, end + 1, _written(tokens, at, end + 1)))
                at = end + 1
                continue
        if name[0].isdigit() and names[at + 1 : at + 2] in (["g"], ["gram"], ["grams"], ["gramm"]):
            marks.append(Mark("amount", float(name.replace(",", ".")), at, at + 1, name))
            at += 1
            continue
        replaced, numbers, end = _bare_numbers(names, at, marks)
        if numbers:
            start = marks[-replaced].start if replaced else at
            marks[len(marks) - replaced :] = [Mark("numbers", numbers, start, end, _written(tokens, start, end))]
            at = end
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


def _is_layer_at(names: list[str], at: int) -> bool:
    phrase = _phrase_at(names, at) if at < len(names) else None
    return phrase is not None and phrase[1] == "layer"


def _written(tokens: list[tuple[str, str]], start: int, end: int) -> str:
    return " ".join(word for _, word in tokens[start:end] if word)


def _segment_numbers(names: list[str], at: int) -> tuple[tuple[int, ...], int]:
    while at < len(names) and names[at] in ("segment", "aha", "number", "numbers", "nr", "no", "#", ".", ":", "(", "-"):
        at += 1
    return _number_list(names, at)


_MOST_NUMBERS = 60  # of one list; the rest is another list
_RANGE = frozenset("- – — to".split())
_JOINS = _RANGE | frozenset(", and or / & + segment also".split())
_AFTER_NUMBERS = frozenset(". , ; : ( ) and with without".split())


def _bare_numbers(names: list[str], at: int, marks: list[Mark]) -> tuple[int, tuple[int, ...], int]:
    """AHA numbers without the word segment: how many marks before they replace, the numbers, their end; () when none.

    They stand behind their level ("basal 2, 3"), a layer's colon ("transmural: 15") or in a list ("segment 2 (...), 5 (...)").
    """
    if not names[at].isdigit():
        return 0, (), at
    numbers, end = _number_list(names, at)
    if len(numbers) > 1 and _is_layer_at(names, end) and (at == 0 or names[at - 1] in (",", ";", ":")):
        return 0, numbers, end  # "16 and 17 transmural"
    if not marks:
        return 0, (), at
    joined = marks[-1].kind in ("colon", "open") or marks[-1].words in ("-", "–")
    before = marks[-2] if joined and len(marks) > 1 else marks[-1]
    touching = marks[-1].end == at and before.end >= marks[-1].start
    if not numbers or not touching or (len(numbers) == 1 and "segment" in names[at + 1 : at + 2]):
        return 0, (), at
    if before.kind == "numbers" and marks[-1].kind == "colon" and set(numbers) < set(before.value):
        return 2, numbers, end  # "segments 7-12: 8 and 9 50 %"
    if before.kind == "level":
        own = {s for level in before.value for s in LEVEL_SEGMENTS[level]}
        return (1 + joined, numbers, end) if set(numbers) <= own else (0, (), at)
    layered = marks[-1].kind == "colon" and any(m.kind in ("layer", "extent") for m in marks[-4:-1])
    described = names[end : end + 1] == ["("] or _is_layer_at(names, at + 1)
    listed = names[at - 1] == "," and described and any(m.kind == "numbers" for m in marks[-6:])
    found = marks[-1].kind == "layer" or (
        marks[-1].kind == "term" and marks[-1].value in ("lge", "scar", "infarct", "pattern")
    )
    scored = marks[-1].kind == "extent" and (len(numbers) > 1 or any(m.kind == "numbers" for m in marks))
    affected = marks[-1].kind == "assert" and (
        len(numbers) > 1 or marks[-1].words.lower() in ("involving", "affecting")
    )
    closed = not names[end : end + 1] or names[end] in _AFTER_NUMBERS
    counted = (
        len(numbers) == 1
        and names[end : end + 1] == [":"]
        and names[end + 1 : end + 2] != []
        and names[end + 1][0] != "§"
    )  # "scar 1: anterior, scar 2: ..."
    headed = marks[-1].kind == "colon" and before.kind == "term" and before.value == "scar" and len(numbers) > 1
    found = (found or headed) and not counted
    return (0, numbers, end) if layered or listed or ((found or affected or scored) and closed) else (0, (), at)


def _number_list(names: list[str], at: int) -> tuple[tuple[int, ...], int]:
    """AHA numbers with commas, 'and' and ranges from a token on, and where they end; () when there are none."""
    numbers: list[int] = []
    end = at
    while (
        at < len(names)
        and len(numbers) < _MOST_NUMBERS
        and names[at].isdigit()
        and 1 <= int(names[at]) <= 17
        and (at + 1 == len(names) or names[at + 1] not in ("mm", "%", "cm", "of", "g", "ml", "x"))
    ):
        value = int(names[at])
        if numbers and names[at - 1] in _RANGE and value > numbers[-1] and not _is_chained(names, at):
            numbers += range(numbers[-1] + 1, value + 1)
        else:
            numbers.append(value)
        end = at = at + 1
        while at < len(names) and names[at] in _JOINS:
            at += 1
    return tuple(numbers), end


def _is_chained(names: list[str], at: int) -> bool:
    """'8-9-14': a number with dashes on both its sides, or behind such a one, ends no range."""
    return names[at - 3 : at - 2] == [names[at - 1]] or (
        names[at + 1 : at + 2] == [names[at - 1]] and names[at + 2 : at + 3] != [] and names[at + 2].isdigit()
    )
