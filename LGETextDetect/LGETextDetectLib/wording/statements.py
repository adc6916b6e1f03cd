"""The marks of a prompt cut into statements, each of which asks or denies; those on other organs and on what is no scar left out."""

from __future__ import annotations

import re

from .marks import Mark

TURNS = frozenset({"neg", "negpost", "scarfree", "spare", "except"})  # they turn what stands beside them
JOINS = frozenset({"sep", "break", "plus", "query"})
_FOREIGN = ({"topic"}, {"organ"}, {"organ", "topic"})  # what a denied list may begin with
_WEAK = re.compile(r"akine|dyskin|hypokin|thin|aneurysm|rwma|wall motion|regional wall motion|contract|hibernat|stun")
LIST_END = 8  # marks in which the last findings of a list and their denial stand
_PLACE_WORDS = ("level", "wall", "apex", "numbers", "territory", "rvip", "vessel", "segword", "all", "lv")


def judged_places_apart(marks: list[Mark]) -> list[Mark]:
    """'Scar in the inferior wall, septum normal': the place that is called normal begins a clause, and no list goes on."""
    result = []
    finding = False
    for k, mark in enumerate(marks):
        finding = finding or mark.kind == "term"
        apart = finding and (_is_judged(marks, k) or _place_is_denied(marks, k) or _is_contrasted(marks, k))
        finding = finding and not apart and mark.kind != "break"
        result.append(mark._replace(kind="break") if apart else mark)
    return result


def statements_of(marks: list[Mark]) -> list[list[Mark]]:
    """The marks cut where another statement begins; a clause keeps what joins it to the one before as its first mark."""
    clauses: list[list[Mark]] = [[]]
    before: set[str] = set()  # kinds of the clause's marks
    later = [frozenset[str]()]  # kinds of all marks from each on
    for mark in reversed(marks):
        later.append(later[-1] | {mark.kind})
    for k, mark in enumerate(marks):
        if before and mark.kind in JOINS and _begins_statement(marks, k, before, later[len(marks) - k - 1]):
            clauses.append([])
            before = set()
        clauses[-1].append(mark)
        before |= {mark.kind, "normal"} if _is_normal(mark) else {mark.kind}
    return [c for c in clauses if c]


def _begins_statement(marks: list[Mark], at: int, before: set[str], later: frozenset[str]) -> bool:
    join = marks[at]
    if join.kind in ("break", "query"):
        return True
    first = past(marks, at + 1, ("all", "assert"))
    if first == len(marks):
        return False
    if marks[first].kind in TURNS or _affirms_after_denial(before, marks[at + 1], later):
        return True
    if join.kind == "plus":
        organ = kind_at(marks, past(marks, first, ("topic", "sep"))) == "organ" and "term" in before
        return organ or _judgement(marks, first, ("place", "layer", "sep", "all", "assert"))
    if join.value == "and" and marks[first].kind == "organ" and "term" in before and "organ" not in before:
        return "term" not in later  # "infarct and thrombus"
    return _parts(join) and not _ends_denied_list(marks, at, before)


def _ends_denied_list(marks: list[Mark], at: int, before: set[str]) -> bool:
    """'Scar, fibrosis absent': whether bare terms and their denial end a list of findings."""
    ahead = marks[at + 1 : at + 1 + LIST_END]
    head = past(ahead, 0, ("term", "vote", "sep", "colon"))
    named = any(m.kind in ("term", "vote") for m in ahead[:head])
    return named and kind_at(ahead, head) == "negpost" and before <= {"term", "vote", "place", "sep", "all", "lv"}


def _affirms_after_denial(before: set[str], first: Mark, later: frozenset[str]) -> bool:
    """'Normal septum and scarred apex', 'absent in the septum and present in the lateral wall'."""
    if "place" not in before or "place" not in later or later & TURNS:
        return False
    if affirms(first) or (first.kind == "assert" and first.words.lower() in ("involves", "affects", "extends")):
        return bool(before & TURNS)
    return bool(before & {"normal", "scarfree"}) and "term" in later and "term" not in before


def _is_judged(marks: list[Mark], join: int) -> bool:
    """'..., septum and apex normal': whether places follow that are called normal, spared or simply 'not'."""
    if marks[join].kind not in ("sep", "plus", "open"):
        return False
    lists = marks[join].kind != "sep" or _parts(marks[join])
    return _judgement(marks, join + 1, (*_PLACE_WORDS, "and") if lists else _PLACE_WORDS)


def _judgement(marks: list[Mark], start: int, named: tuple[str, ...]) -> bool:
    """Whether the first of the marks are named and then judged."""
    head = past(marks, start, named)
    if head in (start, len(marks)):
        return False
    if marks[head].kind == "neg":
        return head == len(marks) - 1
    return marks[head].kind == "spare" or _is_normal(marks[head]) or affirms(marks[head])


def _place_is_denied(marks: list[Mark], join: int) -> bool:
    """'Septal scar, apical absent', '... and apical scar absent': whether a denied place follows."""
    if marks[join].kind not in ("sep", "open"):
        return False
    head = past(marks, join + 1, (*_PLACE_WORDS, "term", "assert", "colon", "and"))
    kinds = {m.kind for m in marks[join + 1 : head]}
    if "term" in kinds:
        parts = _parts(marks[join]) or (
            kinds & set(_PLACE_WORDS) == {"level"} and marks[join].words.lower() in ("and", "&")
        )
    else:  # "scar of the septum, apex and lateral wall not seen" is one list
        parts = (
            (marks[join].kind == "open" or _parts(marks[join]))
            and "sep" not in kinds
            and not _goes_on_listing(marks, join)
        )
    placed = kind_at(marks, head + 1) in _PLACE_WORDS if not kinds else not kinds.isdisjoint(_PLACE_WORDS)
    return parts and placed and kind_at(marks, head) == "negpost"


def _is_contrasted(marks: list[Mark], join: int) -> bool:
    """'LGE not septal, lateral': whether a place alone follows one that is denied of a finding without place."""
    if marks[join].kind != "sep" or marks[join].value != ",":
        return False
    denied = join
    while denied and marks[denied - 1].kind in _PLACE_WORDS:
        denied -= 1
    if denied in (0, 1, join) or marks[denied - 1].words.lower() != "not":
        return False
    end = past(marks, join + 1, _PLACE_WORDS)
    return (
        marks[denied - 2].kind in ("term", "layer", "colon")
        and end > join + 1
        and kind_at(marks, end) in ("", "break", "query")
    )


def _goes_on_listing(marks: list[Mark], join: int) -> bool:
    """Whether a place stands right before a comma, and another comma and place before that."""
    at = join - 1
    while at >= 0 and marks[at].kind in _PLACE_WORDS:
        at -= 1
    return 0 < at < join - 1 and _parts(marks[at]) and marks[at - 1].kind in _PLACE_WORDS


def past(marks: list[Mark], at: int, kinds: tuple[str, ...]) -> int:
    """Where the run of marks of these kinds from ``at`` on ends; a list word ('and', ',', 'to') is a kind of its own too."""
    while at < len(marks) and (marks[at].kind in kinds or (marks[at].kind == "sep" and marks[at].value in kinds)):
        at += 1
    return at


def kind_at(marks: list[Mark], at: int) -> str:
    return marks[at].kind if at < len(marks) else ""


def _parts(mark: Mark) -> bool:
    return mark.kind == "sep" and (mark.value == "," or mark.words in ("-", "–", "—"))


def affirms(mark: Mark) -> bool:
    """Whether a mark says that something is there: present, positive, seen, yes."""
    return mark.kind == "assert" and mark.words.lower() in ("present", "positive", "seen", "yes")


def _is_normal(mark: Mark) -> bool:
    return mark.kind == "negpost" and mark.value == "normal"


def statements_on_lv(clauses: list[list[Mark]]) -> list[list[Mark]]:
    """Without clauses on another organ, those that go on about it, and those on something else ("LAD stented")."""
    kept: list[list[Mark]] = []
    organ = False
    for clause in map(_without_denied_organ, _with_denied_topics(clauses)):
        kinds = {m.kind for m in clause}
        here = bool(kinds & {"place", "lv", "layer"})
        goes_on = organ and clause[0].kind != "break" and not here
        of_organ = goes_on or ("organ" in kinds and not kinds & {"place", "lv"})
        asks = kinds & {"term", "layer", "noreflow", "scarfree"}
        background = "topic" in kinds and not asks and ("negpost" in kinds or not kinds & {"place", "lv", "vote"})
        if not of_organ and (not background or judges_weak_wall(clause)):
            kept.append(clause)
        elif background and not of_organ and _tells_place(clause, kept):
            kept.append([m for m in clause if m.kind == "place"])
        organ = of_organ and not kinds & {"neg", "negpost"}
    return kept


def _tells_place(clause: list[Mark], before: list[list[Mark]]) -> bool:
    """'Scar but preserved wall motion in segment 4': whether what else is said of a wall tells where the finding before it is."""
    joined = clause[0].kind == "plus" or (clause[0].kind == "break" and clause[0].words != ";")
    placed = any(m.kind in ("place", "vessel") for c in before for m in c)
    return joined and any(m.kind == "place" for m in clause) and bool(before) and not placed


def judges_weak_wall(marks: list[Mark]) -> bool:
    """'Is the akinetic anterior wall viable?': whether a wall that moves badly is judged."""
    viable = any(m.kind == "negpost" and "viable" in m.words.lower() for m in marks)
    return (
        viable
        and any(m.kind == "place" for m in marks)
        and all(_WEAK.match(m.words.lower()) for m in marks if m.kind == "topic")
    )


def _with_denied_topics(clauses: list[list[Mark]]) -> list[list[Mark]]:
    """'No oedema, fibrosis or infarct': the list that a denied topic begins is denied to its 'or'."""
    result = list(clauses)
    for k, clause in enumerate(clauses):
        if clause[0].kind == "neg" and {m.kind for m in clause[1:]} in _FOREIGN and _lists_findings(clauses, k + 1):
            result[k + 1] = [clause[0], *clauses[k + 1][1:]]
    return result


def _lists_findings(clauses: list[list[Mark]], at: int) -> bool:
    """Whether the clauses from ``at`` on are a list whose last finding stands behind 'or'."""
    while at < len(clauses) and clauses[at][0].kind == "sep" and not any(m.kind in TURNS for m in clauses[at]):
        marks = clauses[at]
        ends = (k for k, m in enumerate(marks) if m.kind == "sep" and m.words.lower() in ("or", "nor"))
        if any(kind_at(marks, k + 1) in ("term", "organ", "topic", "noreflow", "vote") for k in ends):
            return True
        at += 1
    return False


def _without_denied_organ(clause: list[Mark]) -> list[Mark]:
    """'Scar without thrombus' asks for scar."""
    kinds = [m.kind for m in clause]
    turn = next((k for k, kind in enumerate(kinds) if kind in ("neg", "except")), None)
    if (
        turn is None
        or "term" not in kinds[:turn]
        or "organ" in kinds[:turn]
        or "organ" not in kinds
        or "place" in kinds
    ):
        return clause
    return clause[:turn]
