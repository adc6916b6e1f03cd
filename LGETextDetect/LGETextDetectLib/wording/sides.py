"""What a prompt asks, denies and excepts, and the question that comes of it.

Every mark of a prompt is put on one of three sides. A prompt is negated when it denies and asks nothing ("no scar in the
septum"); else what it denies or excepts only takes its places away ("scar in the inferior wall, not the septum").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from ..finding import LAYERS, Meaning
from .lexicon import TERRITORIES
from .marks import Mark
from .reading import score_of
from .statements import JOINS, TURNS, affirms, kind_at, past
from .words import Extent

CONTRACTED = r"(?:is|are|was|were|do|does|did|has|have|had|ca|could|would|wo)n'?t\b"
AFTER = "after "  # words of a disease that is only the background begin with it
_PLACED = frozenset({"place", "vessel"})
_OTHER = frozenset({"organ", "topic", "artefact"})  # what is not LGE


@dataclass
class Sides:
    """What a prompt asks, denies and excepts, clause by clause."""

    asked: list[Mark] = field(default_factory=list)
    denied: list[Mark] = field(default_factory=list)
    excepted: list[Mark] = field(default_factory=list)
    going_on: list[Mark] = field(init=False)  # the side of a list that may go on in the next clause
    two_questions: bool = False  # about one thing, of which one denies: "septum clear? scar?"
    since: int = 0  # what was denied before the last turn

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
        if join and join.kind == "query":
            self.two_questions = self.two_questions or self._asks_on(body)
            self.asked.append(join)  # "ischaemic? non-ischaemic?"
        at = next((k for k, m in enumerate(body) if m.kind in TURNS and not _is_only(m)), None)
        if at is None:
            last = self.going_on[-1] if self.going_on else clause[0]
            listed = join is not None and join.kind == "sep" and (_goes_on(join, body, last) or self._is_begun())
            if not listed or self._awaits(body):
                self.going_on = self.asked
            self.going_on += body
            return []
        turn, before, after = body[at], body[:at], body[at + 1 :]
        self.since = len(self.denied)
        if turn.kind == "except":
            return self._except(before, after)
        if turn.kind == "spare" and not _finite(turn):
            own = bool(before) and before[-1].kind == "layer" and before[-1].end == turn.start  # "midwall sparing"
            self._spare(before[:-1] if own else before, [before[-1], *after] if own else after)
        elif turn.kind == "neg" and not _finite(turn) and _asks_before(before, after):
            self.asked += before
            self._deny(after, bool(_findings(before)))
        elif turn.kind == "neg" and not any(_content(m) for m in before) and self._asks_no_place():
            self._deny(after, True)  # "infarct and no MVO in the septum", "midwall but not subendocardial septal scar"
        elif turn.kind == "negpost" and turn.value == "normal" and _asks_scar(before) and _starts_with_place(after):
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
        kinds = next((k for k in self._passed_over(of_finding) if kind_at(marks[:end], head) in k), ())
        last = past(marks[:end], head, (*kinds, "sep", "neg")) if kinds else head
        while last > head and marks[last - 1].kind in ("sep", "neg"):
            last -= 1
        asked_again = last > head and not (last < end and marks[last].kind == "sep")
        denied = last if asked_again else end
        self.denied += marks[:denied]
        self.asked += marks[denied:end]
        self.going_on = self.asked if asked_again else self.denied
        if end < len(marks):
            rest = len(marks)
            if not any(_content(m) for m in marks[:end]):  # "no segment except 4 is scarred"
                rest = next((k for k in range(end, rest) if marks[k].kind == "term"), rest)
            self.excepted += marks[end + 1 : rest]
            self.denied += marks[rest:]
            self.going_on = self.excepted

    def _except(self, before: list[Mark], after: list[Mark]) -> list[Mark]:
        """'Scar except in the septum'; when the exception leads, the question goes on after its places."""
        self.asked += before
        self.going_on = self.excepted
        end = len(after)
        if not any(_content(m) for m in before):
            place = next((k for k, m in enumerate(after) if m.kind in _PLACED), end)
            end = next((k for k in range(place, end) if after[k].kind in ("term", *TURNS)), end)
        first = next((k for k, m in enumerate(after[:end]) if m.kind in _PLACED), end)
        apart = [m.kind == "extent" or (m.kind == "vote" and k > first) for k, m in enumerate(after[:end])]
        self.excepted += [m for m, asked in zip(after, apart, strict=False) if not asked]
        self.asked += [
            m for m, asked in zip(after, apart, strict=False) if asked
        ]  # "outside the apex, more than 50 %", "... in HCM"
        if end < len(after):
            self.going_on = self.asked
        return after[end:]

    def _spare(self, before: list[Mark], after: list[Mark]) -> None:
        """'Scar sparing the septum', 'scar with septal sparing', 'septum-sparing scar', 'endocardial sparing of septal scar'; alone it denies."""
        of_layer = bool(after) and after[0].kind == "layer"
        if _findings(before) or (of_layer and _findings([*self.asked, *(m for m in after if m.kind == "term")])):
            if not any(m.kind in (*_PLACED, *_OTHER, "layer") for m in after):
                last = max((k for k, m in enumerate(before) if m.kind in (*_PLACED, "layer")), default=len(before))
                before, after = before[:last], [*before[last:], *after]
            layer = past(after, 0, ("layer", "all", "and")) if of_layer else 0
            self.asked += [
                *before,
                *(after[layer:] if layer else []),
            ]  # "sparing the subendocardium of the lateral wall"
            after = after[:layer] or after
            self.excepted += after
            self.going_on = self.excepted if any(m.kind in _PLACED for m in after) else self.asked
        elif after and after[0].kind == "term" and any(m.kind in _PLACED for m in before):
            self.excepted += before
            self.asked += after
            self.going_on = self.asked
        else:
            self._deny([*before, *after])

    def _passed_over(self, of_finding: bool) -> tuple[tuple[str, ...], ...]:
        """Kinds of what is denied while the question of a finding goes on behind it ("scar without MVO in the septum")."""
        if not of_finding:
            return (tuple(_OTHER),)
        of_scar = any(m.kind in ("term", "layer") for m in self.asked)  # and not only of a disease
        return ((*_OTHER, "noreflow"), ("layer",) if of_scar else ())

    def _is_begun(self) -> bool:
        """Whether a denial has named nothing yet, or layers and places alone: "no focal, diffuse or patchy scar", "no septal, ..."."""
        if self.going_on is not self.denied or kind_at(self.denied, self.since) != "neg":
            return False
        named = {m.kind for m in islice(self.denied, self.since, None) if _content(m)}
        open_list = not self.asked and self.denied[self.since].words.lower() in (
            "no",
            "without",
            "no evidence of",
            "no signs of",
        )
        return not named or (open_list and named <= {"layer", *_PLACED})

    def _awaits(self, body: list[Mark]) -> bool:
        """'Apart from the septum, any infarct?': whether the first finding stands behind an exception that leads."""
        if self.going_on is not self.excepted or not any(m.kind == "term" for m in body):
            return False
        return not any(_content(m) for m in (*self.asked, *self.denied))

    def _asks_on(self, body: list[Mark]) -> bool:
        """Whether a finding without place is asked right after places alone were denied."""
        denied = {m.kind for m in self.denied if _content(m)}
        asked = {m.kind for m in body if _content(m)}
        turned = any(m.kind in TURNS for m in body) or any(_content(m) for m in self.asked)
        return bool(denied) and denied <= _PLACED and "term" in asked and not (asked & _PLACED or turned)

    def _asks_no_place(self) -> bool:
        return bool(_findings(self.asked)) and not any(m.kind in _PLACED for m in self.asked)

    def meaning(self) -> Meaning:
        """The question: about what is asked or, when nothing is, the denial of what is denied; none for two questions at once."""
        if self.two_questions:
            return Meaning()
        negated = self._negated()
        about = [*self.asked, *self.denied] if negated else self.asked
        away = self.excepted if negated else [*self.denied, *self.excepted]
        found = [*about, *self._shared(about)]
        inside, outside = _segments_of(about), _segments_of(away)
        if inside and inside == outside:
            return Meaning()  # "inferior scar, inferior wall normal"
        if outside and not (inside and _are_points(away) and not _are_points(about)):
            inside = ((inside or set(range(1, 18))) - outside) or inside
        return Meaning(
            understood=True,
            negated=negated,
            segments=tuple(sorted(inside)),
            layers=_layers(found),
            aetiology=_aetiology(found),
            no_reflow=True if _asks_no_reflow(found, negated) else None,
            min_transmurality=_least_transmurality(found),
        )

    def _shared(self, about: list[Mark]) -> list[Mark]:
        """What a question of mere places shares with what it denies: "no midwall scar in the septum but laterally".

        One of mere layers shares the term behind it: "subendocardial, not transmural infarct".
        """
        kinds = {m.kind for m in about if _content(m)}
        if kinds <= _PLACED:
            return _findings(self.denied)
        end = max(m.end for m in about)
        return [m for m in self.denied if m.kind == "term" and m.start >= end and kinds <= {*_PLACED, "layer"}]

    def _negated(self) -> bool:
        """Whether nothing is asked beside the denial, or only its place ("septum: no scar") or its disease ("HCM without scar")."""
        asked = {m.kind for m in self.asked if _content(m)}
        denied = [m for m in self.denied if _content(m) or m.kind in ("tokens", "lv", "viab", "scarfree")]
        if asked and asked <= _PLACED and all(m.kind in ("tokens", "lv") for m in denied):
            return any(m.kind == "negpost" for m in self.denied)  # "anterior wall, is it viable?"
        if not denied or not asked <= {*_PLACED, "vote"}:
            return False
        if not asked:
            return True
        contrast = asked & _PLACED and any(m.kind in _PLACED for m in denied)  # "inferior but not septal scar"
        found = [m for m in denied if m.kind in ("term", "layer", "noreflow", "scarfree") or is_amount(m)]
        if not found and all(m.words.startswith(AFTER) for m in self.asked if _content(m)):
            return True  # "post MI, viable septum"
        of_disease = denied[0].kind == "vote" or all(vote(m) for m in found)
        other_disease = "vote" in asked and of_disease  # "myocarditis, no infarct"
        return bool(found) and not contrast and not other_disease


def _content(mark: Mark) -> bool:
    """Whether a mark says something that can be asked; an upper limit asks for nothing."""
    if mark.kind == "extent":
        return mark.value.compared not in ("<", "<=")
    return mark.kind in ("term", "layer", "noreflow", "vote", *_PLACED) or is_amount(mark)


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


def _asks_scar(marks: list[Mark]) -> bool:
    """Whether scar is asked before a place that is called normal; "LGE normal in the septum" denies it there."""
    placed = any(m.kind in _PLACED for m in marks)
    return any(placed or m.value != "lge" for m in _findings(marks))


def _starts_with_place(marks: list[Mark]) -> bool:
    return bool(marks) and marks[0].kind in (*_PLACED, "lv")


def _goes_on(join: Mark, body: list[Mark], after: Mark) -> bool:
    """Whether a clause without a turn of its own goes on with the list before it: places, or bare terms."""
    kinds = {m.kind for m in body}
    if any(m.kind == "assert" and m.words.lower() == "there" for m in body[:2]):
        return False  # "is there ..."
    if after.kind == "negpost" and affirms(body[-1]):
        return False  # "MVO not present, scar present"
    if "plus" in kinds or "extent" in kinds or ("assert" in kinds and "term" not in kinds):
        return False
    return "term" not in kinds or not kinds & {*_PLACED, "layer"} or join.words.lower() in ("or", "nor")


def _finite(turn: Mark) -> bool:
    """Whether a denial is the verb of its sentence ("the scar does not involve", "spares", "is nowhere") and so denies all of it."""
    words = turn.words.lower()
    if re.match(rf"{CONTRACTED}|cannot|nowhere|never", words):
        return True
    return turn.kind == "spare" and not words.startswith(("not", "relative")) and not re.search("ing|ung", words)


def _layers(marks: list[Mark]) -> tuple[str, ...]:
    named = {("subendocardial" if v == "near" else v) for m in marks if m.kind == "layer" for v in m.value}
    if any(m.kind == "place" and m.value.kind == "rvip" for m in marks):
        named.add("insertion-point")
    at = [k for k, m in enumerate(marks) if m.kind == "layer"]
    if len(named) > 1 and not any(is_or(m) for m in marks[at[0] : at[-1]]):
        named.discard("diffuse")  # "diffuse subendocardial"
    return tuple(layer for layer in LAYERS if layer in named)


def _segments_of(marks: list[Mark]) -> set[int]:
    found: set[int] = set()
    for mark in marks:
        if mark.kind == "place":
            found.update(mark.value.segments)
        elif mark.kind == "vessel" and mark.value in TERRITORIES:
            near = [m for m in marks if m.kind == "topic" and abs(m.start - mark.start) <= 2]
            if all(re.match("occlu|culprit", m.words.lower()) for m in near):
                found.update(TERRITORIES[mark.value])
    return found


def _are_points(marks: list[Mark]) -> bool:
    """Whether all places are insertion points, which lie in the septum and are no part of its wall: "septal, no insertion LGE"."""
    places = [m for m in marks if m.kind == "place"]
    return bool(places) and all(m.value.kind == "rvip" for m in places)


def _aetiology(marks: list[Mark]) -> str | None:
    """Non-ischaemic before ischaemic, as diseases are named beside old infarcts; of alternatives neither."""
    votes = [(k, vote(m)) for k, m in enumerate(marks) if vote(m)]
    values = {value for _, value in votes}
    if len(values) > 1:
        between = marks[votes[0][0] : votes[-1][0]]
        return None if any(is_or(m) or m.kind == "query" for m in between) else "non-ischaemic"
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


def is_amount(mark: Mark) -> bool:
    """Whether a mark is an amount of scar ("scar burden", "infarct size")."""
    return mark.kind == "notthick" and bool(re.search("scar|lge|infarct", mark.words, re.I))


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
