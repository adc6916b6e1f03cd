"""Numbers of a clause told apart: shares of the wall's thickness, and amounts of scar in grams or in percent of the LV."""

from __future__ import annotations

import re

from .marks import Mark
from .reading import STRONG

_SCAR = re.compile(r"scar|lge|infarct|late|fibros")
_MOTION = re.compile(r"thin|aneurysm|akine|dyskin|hypokin")  # of a wall, which is measured all the same
_LEAST_OF_WALL = 10  # percent; less is never stated of a wall's thickness
_REACHES = re.compile(r"transmural (?:exten|spread)")
_BESIDE = 4  # marks in which an amount finds what it is the amount of
_NOT_OF_SCAR = frozenset(
    {"place", "layer", "topic", "noreflow", "organ"}
)  # what stands before an amount of something else
_MEASURES = re.compile(
    r"(?:scar|lge|infarct|fibrosis) (?:burden|mass|size|volume|load|quantification|amount)|total (?:scar|lge)"
)


def measures_scar(heading: str) -> bool:
    """Whether a heading such as 'Scar burden:' asks for an amount."""
    return bool(_MEASURES.search(heading))


def scar_amount(marks: list[Mark], asked: bool) -> float | None:
    """The amount of scar a chunk names, 0 when there is none; None when it names no amount. ``asked``: a heading did."""
    at = next((k for k, m in enumerate(marks) if m.kind == "amount" or _is_of_the_lv(marks, k)), None)
    if at is None:
        return None
    before = marks[max(at - _BESIDE, 0) : at]
    named = any(
        (m.kind == "notthick" and _SCAR.search(m.words.lower())) or (m.kind == "term" and m.value in STRONG)
        for m in before
    )
    if not (asked or named) or any(m.kind in _NOT_OF_SCAR for m in before):
        return None
    return float(marks[at].value if marks[at].kind == "amount" else marks[at].value.high)


def with_measured(marks: list[Mark]) -> list[Mark]:
    """'25 % transmural', 'TM > 50 %': transmural beside a share of the wall is what is measured, and no layer.

    'With transmural extent in the septum', where no share is stated, is one.
    """
    result = []
    for k, mark in enumerate(marks):
        beside = [m for m in marks[max(k - 1, 0) : k + 2] if m.kind == "extent"]
        touching = any(m.end == mark.start or m.start == mark.end for m in beside)
        measured = touching and mark.kind == "layer" and mark.words.lower().startswith(("transmural", "tm"))
        mark = mark._replace(kind="thick") if measured else mark
        if mark.kind == "thick" and _REACHES.match(mark.words.lower()) and _states_no_share(marks, k):
            mark = mark._replace(kind="layer", value=("transmural",))
        result.append(mark)
    return result


def _states_no_share(marks: list[Mark], at: int) -> bool:
    """Whether a place follows, and no percentage stands near before the next comma."""
    end = next((k for k in range(at, len(marks)) if marks[k].kind == "sep" and marks[k].value == ","), len(marks))
    near = [*marks[max(at - 2, 0) : at], *marks[at + 1 : end]]
    return [m.kind for m in marks[at + 1 : at + 2]] == ["place"] and not any(m.kind in ("extent", "neg") for m in near)


def amounts_of_the_lv(marks: list[Mark], heading: str) -> list[Mark]:
    """'Scar burden: 18 %', 'LGE 9 %, midwall': a percentage that no place and no depth makes one of the wall's thickness."""
    depths = {v for m in marks if m.kind == "layer" for v in m.value} & {"subendocardial", "transmural", "near"}
    kinds = {m.kind for m in marks}
    if depths or "thick" in kinds or ("place" in kinds and "layer" not in kinds):
        return marks
    asked = measures_scar(heading)
    result = []
    for k, mark in enumerate(marks):
        beside = any(m.kind == "term" and mark.start in (m.end, m.start - 1) for m in marks[max(k - 1, 0) : k + 2])
        of_lv = mark.kind == "extent" and (asked or beside)
        result.append(mark._replace(kind="amount", value=mark.value.high) if of_lv else mark)
    return result


def _is_of_the_lv(marks: list[Mark], k: int) -> bool:
    """Whether the k-th mark is a percentage of the LV and not of the wall's thickness."""
    return marks[k].kind == "extent" and not of_the_wall(marks, k)


def of_the_wall(marks: list[Mark], k: int) -> bool:
    """Whether a percentage is a share of the wall's thickness and not of the LV, a volume or a stenosis."""
    mark = marks[k]
    after = [m for m in marks[k + 1 :] if m.start - mark.end <= 3]
    if any(m.kind == "thick" for m in after):
        return True
    if after and after[0].kind in ("lv", "notthick") and after[0].start - mark.end <= 2:
        return False
    before = [m for m in marks[:k] if mark.start - m.end <= 6]
    if any(m.kind == "thick" for m in before[-2:]):
        return True
    if 0 < mark.value.high < _LEAST_OF_WALL:
        return False  # "a small (3 %) infarct"
    if after and after[0].kind == "term" and any(m.kind == "place" for m in before[-2:]):
        return after[0].value in STRONG  # "akinetic anterior wall with < 25 % scar"
    # "thin (< 25 %) subendocardial scar", "akinetic" beside it: neither is what the share is of
    beside = [m for m in [*before[-3:], *after[:2]] if m.words.lower() != "thin" and not _MOTION.match(m.words.lower())]
    return not any(m.kind in ("notthick", "topic") for m in beside)


def scarred_after_all(rest: list[Mark]) -> bool:
    """'Viable with less than 25 % scar': what follows says how much scar there is in the place named before."""
    scar = next((m for m in rest if m.kind == "extent" or (m.kind == "term" and m.value in STRONG)), None)
    if scar is None or (scar.kind == "extent" and scar.value.high == 0):
        return False
    return not any(
        m.kind in ("neg", "spare", "place", "vessel", "sep", "break") for m in rest[: rest.index(scar)]
    ) and not any(m.kind in ("place", "vessel", "negpost") for m in rest[rest.index(scar) :])
