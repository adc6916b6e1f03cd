"""What a prompt asks, denies and excepts, and the question that comes of it.

Every mark of a prompt is put on one of three sides. A prompt is negated when it denies and asks nothing ("no scar in the
septum"); else what it denies or excepts only takes its places away ("scar in the inferior wall, not the septum").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .finding import LAYERS, Meaning
from .wording_clauses import JOINS, TURNS, past
from .wording_lexicon import TERRITORIES
from .wording_marks import Mark
from .wording_reading import score_of
from .wording_words import Extent

CONTRACTED = r"(?:is|are|was|were|do|does|did|has|have|had|ca|could|would|wo)n'?t\b"
_PLACED = frozenset({"place", "vessel"})
_OTHER = frozenset({"organ", "topic", "artefact"})  # what is not LGE


@dataclass
class Sides:
    """What a prompt asks, denies and excepts, clause by clause."""

    asked: list[Mark] = field(default_factory=list)
    denied: list[Mark] = field(default_factory=list)
    excepted: list[Mark] = field(default_factory=list)
    going_on: list[Mark] = field(init=False)  # the side of a list that may go on in the next clause

    def __post_init__(self) -> None:
        self.going_on = self.asked

    def take(self, clause: list[Mark]) -> None:
        """Puts a clause's marks on their sides."""
        while clause:
            clause = self._take(clause)

    def _take(self, clause: list[Mark]) -> list[Mark]:
        """Puts a clause's marks on their sides; returns those that go on after an exception that leads."""
        join = clause[0] if clause[0].kind in JOINS else None
        body = clause[1:] if join and join.kind != "sep" else clause
        at = next((k for k, m in enumerate(body) if m.kind in TURNS and not _is_only(m)), None)
        if at is None:
            if join is None or join.kind != "sep" or not _goes_on(join, body):
                self.going_on = self.asked
            self.going_on += body
            return []
        turn, before, after = body[at], body[:at], body[at + 1 :]
        if turn.kind == "except":
            return self._except(before, after)
        if turn.kind == "spare" and not _finite(turn):
            self._spare(before, after)
        elif turn.kind == "neg" and not _finite(turn) and _asks_before(before, after):
            self.asked += before
            self._deny(after, bool(_findings(before)))
        elif turn.kind == "neg" and not any(_content(m) for m in before) and self._asks_no_place():
            self._deny(after, True)  # "infarct and no MVO in the septum", "midwall but not subendocardial septal scar"
        elif turn.kind == "negpost" and turn.value == "normal" and _findings(before) and _starts_with_place(after):
            self.asked += before
            self._deny(after)
        else:
            self.denied += [*before, turn]
            self._deny(after)
        return []

    def _deny(self, marks: list[Mark], of_finding: bool = False) -> None:
        """Denies marks up to an exception; what follows the denial of another thing, or another layer, is asked again."""
        end = next((k for k, m in enumerate(marks) if m.kind == "except" and not _is_only(m)), len(marks))
        head = next((k for k, m in enumerate(marks[:end]) if _content(m) or m.kind in _OTHER), end)
        last = head
        other = head < end and marks[head].kind in (_OTHER | {"noreflow"} if of_finding else _OTHER)
        if of_finding and head < end and marks[head].kind == "layer" and self._asks_only_layers():
            other = True
            last = past(marks[:end], head, ("layer", "sep")) - 1
        asked_again = other and not (last + 1 < end and marks[last + 1].kind == "sep")
        denied = last + 1 if asked_again else end
        self.denied += marks[:denied]
        self.asked += marks[denied:end]
        self.excepted += marks[end + 1 :]
        self.going_on = self.asked if asked_again else self.denied
        if end < len(marks):
            self.going_on = self.excepted

    def _except(self, before: list[Mark], after: list[Mark]) -> list[Mark]:
        """'Scar except in the septum'; when the exception leads, the question goes on after its places."""
        self.asked += before
        self.going_on = self.excepted
        end = len(after)
        if not any(_content(m) for m in before):
            place = next((k for k, m in enumerate(after) if m.kind in _PLACED), end)
            end = next((k for k in range(place, end) if after[k].kind in ("term", *TURNS)), end)
        self.excepted += [m for m in after[:end] if m.kind != "extent"]
        self.asked += [m for m in after[:end] if m.kind == "extent"]  # "outside the apex, more than 50 %"
        if end < len(after):
            self.going_on = self.asked
        return after[end:]

    def _spare(self, before: list[Mark], after: list[Mark]) -> None:
        """'Scar sparing the septum', 'scar with septal sparing', 'septum-sparing scar'; alone it denies."""
        if _findings(before):
            if not any(m.kind in (*_PLACED, *_OTHER, "layer") for m in after):
                last = max((k for k, m in enumerate(before) if m.kind in (*_PLACED, "layer")), default=len(before))
                before, after = before[:last], [*before[last:], *after]
            self.asked += before
            self.excepted += after
            self.going_on = self.excepted
        elif after and after[0].kind == "term" and any(m.kind in _PLACED for m in before):
            self.excepted += before
            self.asked += after
            self.going_on = self.asked
        else:
            self._deny([*before, *after])

    def _asks_only_layers(self) -> bool:
        return all(m.kind == "layer" for m in self.asked if _content(m))

    def _asks_no_place(self) -> bool:
        return bool(_findings(self.asked)) and not any(m.kind in _PLACED for m in self.asked)

    def meaning(self) -> Meaning:
        """The question: about what is asked or, when nothing is, the denial of what is denied."""
        negated = self._negated()
        about = [*self.asked, *self.denied] if negated else self.asked
        away = self.excepted if negated else [*self.denied, *self.excepted]
        return Meaning(
            understood=True,
            negated=negated,
            segments=_segments(about, away),
            layers=_layers(about),
            aetiology=_aetiology([*about, *self._shared_terms(about)]),
            no_reflow=True if _asks_no_reflow(about, negated) else None,
            min_transmurality=_least_transmurality(about),
        )

    def _shared_terms(self, about: list[Mark]) -> list[Mark]:
        """The term that a question of mere places or layers shares with what it denies: "inferior, not septal infarct"."""
        if any(m.kind not in (*_PLACED, "layer") for m in about if _content(m)):
            return []
        end = max((m.end for m in about), default=0)
        return [m for m in self.denied if m.kind == "term" and m.start >= end]

    def _negated(self) -> bool:
        """Whether nothing is asked beside the denial, or only its place ("septum: no scar") or its disease ("HCM without scar")."""
        asked = {m.kind for m in self.asked if _content(m)}
        denied = [m for m in self.denied if _content(m) or m.kind in ("tokens", "lv", "viab", "scarfree")]
        if not denied or not asked <= {*_PLACED, "vote"}:
            return False
        if not asked:
            return True
        contrast = asked & _PLACED and any(m.kind in _PLACED for m in denied)  # "inferior but not septal scar"
        found = [m for m in denied if m.kind in ("term", "layer", "noreflow", "scarfree")]
        of_disease = denied[0].kind == "vote" or all(vote(m) for m in found)
        other_disease = "vote" in asked and of_disease  # "myocarditis, no infarct"
        return bool(found) and not contrast and not other_disease


def _content(mark: Mark) -> bool:
    """Whether a mark says something that can be asked; an upper limit asks for nothing."""
    if mark.kind == "extent":
        return mark.value.compared not in ("<", "<=")
    return mark.kind in ("term", "layer", "noreflow", "vote", *_PLACED)


def _findings(marks: list[Mark]) -> list[Mark]:
    return [m for m in marks if _content(m) and m.kind not in _PLACED]


def _asks_before(before: list[Mark], after: list[Mark]) -> bool:
    """Whether a 'no' stands behind what is asked ("infarct without MVO", "inferior not septal") and not before it."""
    if not any(_content(m) or m.kind in (*_OTHER, "thick") for m in after):
        return False
    if after[0].kind == "except":  # "scar in no segment except 4"
        return False
    if _findings(before):
        return True
    places = [any(m.kind in _PLACED for m in part) for part in (before, after)]
    return all(places) and not any(m.kind == "colon" for m in before)


def _starts_with_place(marks: list[Mark]) -> bool:
    return bool(marks) and marks[0].kind in (*_PLACED, "lv")


def _goes_on(join: Mark, body: list[Mark]) -> bool:
    """Whether a clause without a turn of its own goes on with the list before it: places, or bare terms."""
    kinds = {m.kind for m in body}
    if "plus" in kinds or "extent" in kinds or ("assert" in kinds and "term" not in kinds):
        return False
    return "term" not in kinds or not kinds & {*_PLACED, "layer"} or join.words.lower() in ("or", "nor")


def _finite(turn: Mark) -> bool:
    """Whether a denial is the verb of its sentence ("the scar does not involve", "spares", "is nowhere") and so denies all of it."""
    words = turn.words.lower()
    if re.match(rf"{CONTRACTED}|cannot|nowhere", words):
        return True
    return turn.kind == "spare" and not words.startswith(("not", "relative")) and not re.search("ing|ung", words)


def _layers(marks: list[Mark]) -> tuple[str, ...]:
    named = {("subendocardial" if v == "near" else v) for m in marks if m.kind == "layer" for v in m.value}
    if any(m.kind == "place" and m.value.kind == "rvip" for m in marks):
        named.add("insertion-point")
    if len(named) > 1:
        named.discard("diffuse")
    return tuple(layer for layer in LAYERS if layer in named)


def _segments(about: list[Mark], away: list[Mark]) -> tuple[int, ...]:
    inside, outside = _segments_of(about), _segments_of(away)
    if outside:
        inside = ((inside or set(range(1, 18))) - outside) or inside
    return tuple(sorted(inside))


def _segments_of(marks: list[Mark]) -> set[int]:
    found: set[int] = set()
    for mark in marks:
        if mark.kind == "place":
            found.update(mark.value.segments)
        elif mark.kind == "vessel" and mark.value in TERRITORIES:
            busy = any(m.kind == "topic" and abs(m.start - mark.start) <= 2 for m in marks)
            found.update(() if busy else TERRITORIES[mark.value])
    return found


def _aetiology(marks: list[Mark]) -> str | None:
    """Non-ischaemic before ischaemic, as diseases are named beside old infarcts; of alternatives neither."""
    votes = [(k, vote(m)) for k, m in enumerate(marks) if vote(m)]
    values = {value for _, value in votes}
    if len(values) > 1:
        between = marks[votes[0][0] : votes[-1][0]]
        return None if any(is_or(m) for m in between) else "non-ischaemic"
    return values.pop() if values else None


def _is_only(mark: Mark) -> bool:
    return "only" in mark.words.lower()


def is_or(mark: Mark) -> bool:
    """Whether a mark offers an alternative: 'or', 'versus'."""
    return mark.kind in ("sep", "maybe", "neg") and mark.words.lower() in (
        "or",
        "nor",
        "/",
        "oder",
        "ou",
        "o",
        "vs",
        "versus",
    )


def vote(mark: Mark) -> str | None:
    """The aetiology that a mark speaks for, if any."""
    infarct = mark.kind == "notthick" and "infarct" in mark.words.lower()  # "infarct size"
    if infarct or (mark.kind == "term" and mark.value in ("infarct", "event")):
        return "ischaemic"
    return str(mark.value) if mark.kind == "vote" else None


def _asks_no_reflow(marks: list[Mark], negated: bool) -> bool:
    """Whether no-reflow is asked; a denied list with another term in it ("no scar or MVO") is about that one."""
    kinds = [m.kind for m in marks]
    if "noreflow" not in kinds or not negated:
        return "noreflow" in kinds
    at = kinds.index("noreflow")
    others = [k for k, kind in enumerate(kinds) if kind == "term"]
    return not any({"sep", "neg"} & set(kinds[min(k, at) + 1 : max(k, at)]) for k in others)


def _least_transmurality(marks: list[Mark]) -> int | None:
    """Lowest bin that satisfies the share asked for; an upper limit asks for nothing."""
    for mark in marks:
        if mark.kind == "extent":
            extent: Extent = mark.value
            if extent.compared in ("<", "<="):
                continue
            if extent.compared in (">", ">=") or extent.low != extent.high:
                return min(score_of(extent.low + 1), 4)
            return max(score_of(extent.high), 1)
    return None
