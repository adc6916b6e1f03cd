"""The marks of a report's sentence cut into clauses and chunks; other organs, the past and artefacts told apart."""

from __future__ import annotations

import re

from .lexicon import TERRITORIES
from .marks import Mark
from .reading import STRONG

_SUSPECTED = re.compile(r"(?:highly )?(?:suspicious|concerning) for|raising suspicion of")
_SETTLED = re.compile(r"confirm|exclu|ruled out")
_PROBABLE = re.compile(r"(?:most |very )?(?:likely|probabl[ey])")
_DESCRIBING = frozenset(
    {"layer", "level", "wall", "extent", "again", "sep", "segword"}
)  # '(subendocardial, unchanged)'
_SAYS_SCAR = frozenset({"term", "layer", "extent", "neg", "negpost", "noreflow"})
_HAS_PLACES = re.compile(r"throm|clot|papill|pericard|leaflet|mitral|tricuspid")  # organs with a base, an apex, walls
_THROMBUS = re.compile(r"throm|trombo|clot")
_SITES = frozenset({"wall", "level", "apex", "numbers", "rvip", "territory", "segword"})
_DEPTH = frozenset({"layer", "extent", "thick", "assert", "sep"})
_BACKGROUND = re.compile(r"known|history|h/o|hx|background|diagnosed|carries")
_SHOWS = re.compile(r"shows?|showed|showing|demonstrat\w+|reveal(?:s|ed)?|exhibits?")
_SAYS_WHAT = frozenset({"term", "layer", "wall", "level", "neg", "place", "rvip", "numbers"})
_BEFORE_ARTEFACT = frozenset({"coref", "explain", "artefact", "assert", "sep", "tech", "topic", "organ", "lv"})
_EXPLAINS_AWAY = frozenset({"coref", "explain", "artefact", "sep", "neg", "term", "organ"})
_BEFORE_ITS_ORGAN = frozenset({"assert", "coref", "all"})  # "enhancement is seen only in the pericardium"
_OF_THE_LV = frozenset({"ef", "lvef"})  # begin a statement of their own: "LGE (epicardial, lateral) EF 55"
_LIVER = re.compile(r"liver|hepat|leber|foie|higado")  # it has numbered segments too


def clauses_of(marks: list[Mark]) -> list[list[Mark]]:
    """Split at breaks; a bracket with a statement of its own is a clause after the one it stands in."""
    clauses: list[list[Mark]] = [[]]
    inner: list[list[Mark]] = []
    at = 0
    while at < len(marks):
        mark = marks[at]
        if mark.kind == "open":
            close = next(
                (j for j in range(at + 1, min(at + 40, len(marks))) if marks[j].kind == "close"),
                min(at + 40, len(marks)),
            )
            inside = marks[at + 1 : close]
            kinds = {m.kind for m in inside}
            if "thick" in kinds and not kinds & _SAYS_SCAR:
                at = close + 1
                continue  # "(maximum wall thickness 19 mm, basal anteroseptum)"
            goes_on = "again" in kinds and kinds <= _DESCRIBING and any(m.kind == "term" for m in clauses[-1])
            if not goes_on and {m.kind for m in inside} & {
                "term",
                "neg",
                "negpost",
                "noreflow",
                "history",
                "year",
                "again",
            }:
                outer = [m for m in clauses[-1] if m.kind in ("wall", "level", "apex", "numbers", "rvip", "territory")]
                if (
                    {m.kind for m in inside} & {"layer", "extent"}
                    and not {m.kind for m in inside} & {"wall", "level", "numbers", "rvip", "apex", "territory"}
                    and not any(m.kind == "term" for m in clauses[-1])
                ):
                    inside = [*outer, Mark("sep", ",", mark.start, mark.start, ","), *inside]
                if _only_says_how_deep(inside, clauses[-1]):
                    clauses[-1] += [m for m in inside if m.kind == "extent"]  # "mid lateral wall (LCx infarct, 50 %)"
                    inside = [m for m in inside if m.kind != "extent"]
                inner.append(inside)
                at = close + 1
                continue
            clauses[-1].append(mark)
        elif mark.kind == "break" or _answers_history(marks, at, clauses[-1]):
            clauses += [*inner, []]
            inner = []
        else:
            clauses[-1].append(mark)
        at += 1
    return [c for c in [*clauses, *inner] if c]


def _only_says_how_deep(inside: list[Mark], clause: list[Mark]) -> bool:
    """Whether a bracket behind a scar and its place names a share of the wall, no place and no layer, and denies nothing."""
    kinds = {m.kind for m in inside}
    named = bool(clause) and clause[-1].kind in _SITES and any(m.kind in ("term", "layer") for m in clause)
    return (
        named and "extent" in kinds and not kinds & {*_SITES, "layer", "neg", "negpost", "noreflow", "history", "year"}
    )


def _answers_history(marks: list[Mark], at: int, clause: list[Mark]) -> bool:
    """'Infarct on ECG: no scar': what a colon denies behind a history is found today."""
    denies = marks[at].kind == "colon" and [m.kind for m in marks[at + 1 : at + 2]] == ["neg"]
    return denies and any(m.kind == "history" for m in clause)


def free_wall_of_rv(marks: list[Mark], heading: str) -> list[Mark]:
    """'RV infarct: free wall enhancement': the free wall of a sentence on the RV, or below its heading, is the RV's."""
    right = heading.startswith(("rv", "right")) or any(
        m.kind == "organ" and m.words.lower().startswith(("rv", "right")) for m in marks
    )
    return [
        m._replace(kind="organ") if right and m.kind == "wall" and m.words.lower() == "free wall" else m for m in marks
    ]


def places_of_organs(marks: list[Mark]) -> list[Mark]:
    """'With apical thrombus', 'near the base of the papillary muscle', 'lateral pericardium': places that are another organ's.

    An organ that an artefact comes from is none: 'infarct or artefact from the stomach'.
    """
    artefacts = {m.end for m in marks if m.kind == "artefact"}
    result = [m for m in marks if not (m.kind == "organ" and artefacts & {m.start - 2, m.start - 1, m.start})]
    for k in range(len(result) - 2, -1, -1):
        mark, after = result[k], result[k + 1]
        touching = mark.kind in ("level", "wall") and mark.end == after.start
        if touching and after.kind == "organ" and _HAS_PLACES.search(after.words.lower()):
            result[k] = mark._replace(kind="organ", words=f"{mark.words} {after.words}")
    return result


def said_of_images(marks: list[Mark]) -> list[Mark]:
    """'LGE sequences negative', 'late images normal': the images stand for the enhancement."""
    if any(m.kind == "term" and m.value in STRONG for m in marks):
        return marks
    images = next((k for k, m in enumerate(marks) if m.kind == "tokens"), 0)
    if images and marks[0].kind == "negpost" and {m.kind for m in marks[1:images]} <= {"sep", "topic", "assert"}:
        marks = [
            *marks[1 : images + 1],
            marks[0],
            *marks[images + 1 :],
        ]  # "normal perfusion and late gadolinium imaging"
    result = []
    stood = False
    for k, mark in enumerate(marks):
        judged = mark.kind == "tokens" and any(
            m.kind == "negpost" or (m.kind == "assert" and m.words in ("positive", "+"))
            for m in marks[k + 1 : k + (4 if [m.words for m in marks[k + 2 : k + 3]] == ["and"] else 3)]
        )
        stood = stood or judged
        mark = mark._replace(kind="term", value="lge") if judged else mark
        result.append(mark._replace(value="negative") if stood and mark.kind == "negpost" else mark)
    return result


def shown_on_images(marks: list[Mark]) -> list[Mark]:
    """'Late enhancement shows no scar', 'LGE does not show any': no enhancement, which is nothing affirmed before."""
    term = next((k for k, m in enumerate(marks) if m.kind in _SAYS_WHAT), None)
    if term is None or marks[term].kind != "term" or marks[term].value != "lge":
        return marks
    verb = sorted(marks[term + 1 : term + 3], key=lambda m: m.kind)
    if [m.kind for m in verb] != ["assert", "neg"] or not _SHOWS.fullmatch(verb[0].words.lower()):
        return marks
    denied = marks[term + 3 :]
    named = next((m.kind for m in denied if m.kind not in ("sep", "assert", "other")), "break")
    if named not in ("term", "layer", "wall", "level", "place", "numbers", "rvip", "lv"):
        return marks
    after = marks[term]._replace(start=marks[term + 2].end, end=marks[term + 2].end)
    return [*marks[:term], *marks[term + 1 : term + 3], after, *denied]


def vessel_at_levels(marks: list[Mark]) -> list[Mark]:
    """'LAD infarct, mid to apex': the levels of an artery's infarct are those of its territory; 'LAD + LCx territories' are two."""
    listed = [m.kind for m in marks]
    for k in range(len(marks) - 2):
        both = listed[k : k + 3] == ["vessel", "sep", "territory"] and marks[k + 2].words.lower().endswith(
            "territories"
        )
        if both and marks[k].value in TERRITORIES and listed[max(k - 1, 0)] != "sep":
            territory = marks[k]._replace(kind="territory", value=TERRITORIES[marks[k].value])
            marks = [*marks[:k], territory, *marks[k + 1 :]]
    kinds = {m.kind for m in marks}
    ranged = any(
        m.kind == "level" and [n.kind for n in marks[k + 1 : k + 2]] != ["segword"] for k, m in enumerate(marks)
    )
    if not ranged or kinds & {"wall", "numbers", "territory", "rvip", "explain", "break"}:
        return marks
    result = []
    for k, mark in enumerate(marks):
        beside = marks[k + 1 : k + 2]
        scarred = mark.kind == "vessel" and mark.value in TERRITORIES and bool(beside) and beside[0].start == mark.end
        scarred = scarred and beside[0].kind == "term" and beside[0].value in STRONG
        result.append(mark._replace(kind="territory", value=TERRITORIES[mark.value]) if scarred else mark)
    return result


def without_bound_terms(marks: list[Mark]) -> list[Mark]:
    """Drops terms that belong to another organ, and that organ's place words."""
    chunks = [_before_organ(chunk) for chunk in chunks_of(_organs_and_place(_with_own_terms(marks)))]
    result: list[Mark] = []
    for number, chunk in enumerate(chunks):
        organs = [k for k, m in enumerate(chunk) if m.kind == "organ"]
        lv = any(m.kind == "lv" for m in chunk)
        liver = any(m.kind == "organ" and _LIVER.match(m.words.lower()) for m in chunk)
        place = any(m.kind == "place" and not (liver and m.value.kind == "numbers") for m in chunk)
        kept: list[Mark] = []
        for k, mark in enumerate(chunk):
            hanging = (
                bool(number)
                and not organs
                and not place
                and not lv
                and mark.kind == "term"
                and mark.value in STRONG
                and _only_organ(chunks[number - 1])
                and not {m.kind for m in chunk} & {"layer", "neg", "negpost", "extent", "vessel"}
            )
            if hanging:
                kept.append(mark._replace(kind="otherterm"))
                continue
            if (
                mark.kind == "term"
                and mark.value != "pattern"
                and organs
                and not (lv and not _of_pericardium(chunk, k))
            ):
                before = next(
                    (m for m in reversed(chunk[:k]) if m.kind not in ("assert", "sep", "coref", "other")), None
                )
                after = next(
                    (m for m in chunk[k + 1 :] if m.kind not in _BEFORE_ITS_ORGAN and m.words.lower() != "thickened"),
                    None,
                )
                bound = before is not None and before.kind == "organ" and mark.start - before.end <= 2
                bound = bound or (not place and _rv_before(chunk[:k], mark))
                bound = bound or (after is not None and _of_organ(chunk, k, after))
                negated = any(m.kind == "neg" for m in chunk[:k])
                bound = bound or (not place and not negated and not any(m.kind == "layer" for m in chunk))
                if bound:
                    kept.append(mark._replace(kind="otherterm"))
                    continue
            kept.append(mark)
        if any(m.kind == "otherterm" for m in kept) and not any(m.kind == "term" and m.value in STRONG for m in kept):
            kept = [m for m in kept if m.kind not in ("place", "layer", "extent")] + [Mark("organ", None, 0, 0, "")]
        if number:
            result.append(Mark("sep", ",", kept[0].start if kept else 0, kept[0].start if kept else 0, ","))
        result += kept
    return result


def _with_own_terms(marks: list[Mark]) -> list[Mark]:
    """'LGE in both papillary muscles and a subendocardial rim in the lateral wall': a layer and its place behind an organ are LGE too."""
    result: list[Mark] = []
    term: Mark | None = None  # right before an organ
    for k, mark in enumerate(marks):
        result.append(mark)
        if mark.kind == "term":
            term = mark if mark.value in STRONG else None
        elif mark.kind == "organ" and term and [m.kind for m in marks[k + 1 : k + 2]] == ["sep"]:
            end = next((j for j in range(k + 2, len(marks)) if marks[j].kind == "sep"), len(marks))
            kinds = {m.kind for m in marks[k + 2 : end]}
            if {"layer", "place"} <= kinds and not kinds & {"term", "organ", "neg", "negpost"}:
                at = marks[k + 1].start
                result += [Mark("sep", ",", at, at, ","), term._replace(start=at, end=at)]
            term = None
        elif mark.kind not in ("coref", "assert", "organ"):
            term = None
    return result


def _organs_and_place(marks: list[Mark]) -> list[Mark]:
    """'LGE of the RVOT, RV free wall and septum': a list of organs that ends with a place of the LV is one."""
    result = list(marks)
    for k, mark in enumerate(marks):
        at = k - 1
        listed = mark.kind == "place" and marks[at].kind == "sep"
        listed = listed and (marks[at].value == "and" or mark.value.kind == "rvip")
        while listed and at > 1 and marks[at].kind == "sep" and marks[at - 1].kind == "organ":
            result[at] = marks[at]._replace(value="and")
            at -= 2
    return result


def exact_in_brackets(marks: list[Mark]) -> list[Mark]:
    """'Inferior infarct (4, 10)', 'lateral scar, 60 % (5, 6)': numbers behind a wall say which of its segments."""
    wall: int | None = None
    dropped: set[int] = set()
    for k, mark in enumerate(marks):
        if mark.kind != "place":
            wall = wall if mark.kind in ("term", "layer", "assert", "open", "extent", "thick", "plus") else None
            continue
        opened = mark.words.startswith("(") or marks[k - 1].kind == "open"
        bracketed = mark.value.kind == "numbers" and (opened or wall == k - 1)
        if bracketed and wall is not None and mark.value.segments <= marks[wall].value.segments:
            dropped.add(wall)
        if opened and mark.value.kind == "apex" and wall is not None and marks[wall].value.levels == ("apical",):
            dropped.update({wall} if marks[wall].value.only_levels else ())  # "apical infarct (apical cap)"
        wall = k
    return [m for k, m in enumerate(marks) if k not in dropped]


def _rv_before(before: list[Mark], term: Mark) -> bool:
    """'RV with mid-wall LGE': nothing but a layer stands between the RV and the term."""
    last = next((m for m in reversed(before) if m.kind not in ("assert", "layer", "plus")), None)
    right = last is not None and last.kind == "organ" and last.words.lower().startswith(("rv", "right"))
    return right and last is not None and term.start - last.end <= 3


def _of_organ(chunk: list[Mark], term: int, organ: Mark) -> bool:
    """Whether the term is the organ's that follows it: not 'transmural scar (with) thrombus', 'LGE of the RV and of the septum'."""
    if organ.kind != "organ" or organ.start - chunk[term].end > 4:
        return False
    if _THROMBUS.match(organ.words.lower()) and any(m.kind in ("layer", "place") for m in chunk[:term]):
        return False
    after = ["to" if m.kind == "sep" and m.value == "to" else m.kind for m in chunk[chunk.index(organ) + 1 :]]
    while after[:2] == ["sep", "organ"]:
        after = after[2:]
    return after[:2] != ["sep", "place"]


def _of_pericardium(chunk: list[Mark], term: int) -> bool:
    """'LGE of the thickened pericardium over the lateral LV wall': the wall says where of the pericardium."""
    after = [m for m in chunk[term + 1 :] if m.kind != "topic"]
    pericardial = bool(after) and after[0].kind == "organ" and "pericard" in after[0].words.lower()
    return pericardial and not any(m.kind in ("sep", "plus") for m in after[1:2])


def _only_organ(chunk: list[Mark]) -> bool:
    kinds = {m.kind for m in chunk}
    first = next((m.kind for m in chunk if m.kind in ("organ", "place")), None)
    return first == "organ" and not kinds & {"lv", "term", "layer"}


def _before_organ(chunk: list[Mark]) -> list[Mark]:
    """A chunk without its last part when that part ('... and enhancement of the papillary muscle') is another organ's."""
    organ = next((k for k, m in enumerate(chunk) if m.kind == "organ"), None)
    if organ is None:
        return chunk
    cut = next((k for k in range(organ, 0, -1) if chunk[k].kind in ("sep", "plus")), None)
    if (
        cut is None
        or not any(m.kind in ("place", "layer") for m in chunk[:cut])
        or any(m.kind == "organ" for m in chunk[:cut])
    ):
        return chunk
    if not any(m.kind == "term" for m in chunk[:cut]):
        return [*chunk[:cut], *(m for m in chunk[cut:] if m.kind in ("term", "assert"))]
    return chunk[:cut] if not any(m.kind in ("place", "layer") and m.start > chunk[organ].end for m in chunk) else chunk


def chunks_of(marks: list[Mark]) -> list[list[Mark]]:
    """The marks between commas; a bracket that only says how deep is one with what it stands in: 'scar (x, 50 %) of ...'."""
    chunks: list[list[Mark]] = [[]]
    close = 0
    for k, mark in enumerate(marks):
        if mark.kind == "open" and k >= close:
            end = next((j for j in range(k + 1, min(k + 9, len(marks))) if marks[j].kind == "close"), k)
            close = end if {m.kind for m in marks[k + 1 : end]} <= _DEPTH else k
        if mark.kind == "topic" and mark.words.lower() in _OF_THE_LV and k >= close:
            chunks.append([])
        if mark.kind == "sep" and mark.value == ",":
            chunks += [[]] if k >= close else []
        else:
            chunks[-1].append(mark)
    return [c for c in chunks if c] or [[]]


def is_past(marks: list[Mark]) -> bool:
    """The clause tells of an earlier examination."""
    if any(
        m.kind in ("negpost", "neg") and re.search("resol|disappear|gone|vanish|longer|confirm|reproduc", m.words)
        for m in marks
    ):
        return False
    for k, mark in enumerate(marks):
        if mark.kind == "history":
            told = marks[k - 1 : k] and marks[k - 1].kind in ("explain", "after") and marks[k - 1].end == mark.start
            if told and any(m.kind in ("term", "layer") for m in marks[:k]):
                continue  # "transmural scar due to the known infarct"
            if _is_background(marks, k):
                continue
            return True
        if mark.kind == "year" and not any(m.kind == "again" for m in marks[:k]):
            return True
    return False


def _is_background(marks: list[Mark], at: int) -> bool:
    """'Inferior scar in a patient with known coronary disease', '... which fits the known RCA occlusion': a history told beside today's scar."""
    before = {m.kind for m in marks[:at]}
    if not _BACKGROUND.match(marks[at].words.lower()) or "term" not in before or not before & {"place", "layer"}:
        return False
    after = next((m.kind for m in marks[at + 1 :] if m.kind not in ("assert", "other")), "")
    return after in ("vote", "topic", "vessel", "organ") or (marks[at - 1].kind == "plus" and after != "term")


def doubt_of(marks: list[Mark]) -> tuple[bool, bool]:
    """(doubtful whether it is LGE at all, dismissed as artefact)."""
    maybe = False
    for k, mark in enumerate(marks):
        if mark.kind == "query" or (mark.kind == "asked" and mark.words == "query"):
            following = marks[k + 1] if k + 1 < len(marks) else None
            maybe = maybe or (
                following is not None
                and following.start - mark.end <= 3
                and following.kind in ("term", "layer", "assert", "place", "artefact")
            )
        if mark.kind != "maybe":
            continue
        explained = any(m.kind == "explain" for m in marks[:k])
        rest = marks[k + 1 :]
        if any(m.kind in ("negpost", "again") and _SETTLED.search(m.words.lower()) for m in rest):
            continue  # "the suspected infarct is (not) confirmed"
        next_head = next(
            (m for m in rest if m.kind in ("term", "vote", "layer", "place", "artefact", "noreflow", "organ")), None
        )
        if mark.words.lower().startswith("not") and any(m.kind == "artefact" for m in rest):
            continue  # "not reproduced in the orthogonal view, considered artefact"
        said_before = any(m.kind == "term" and m.value in STRONG for m in marks[:k])
        if rest and rest[0].kind == "extent" and rest[0].start == mark.end:
            continue  # "maybe 50 %"
        if next_head is not None and next_head.kind in ("vote", "noreflow", "organ"):
            continue
        if k and mark.words.lower() in ("vs", "versus") and marks[k - 1].kind == "vote":
            continue  # "takotsubo versus infarct"
        if (
            said_before
            and next_head is not None
            and next_head.kind == "term"
            and next_head.value == "infarct"
            and not any(m.kind == "artefact" for m in marks)
        ):
            continue
        if explained and next_head is not None and next_head.kind != "artefact":
            continue
        last_head = next((m for m in reversed(marks[:k]) if m.kind in ("term", "vote", "layer", "place")), None)
        if next_head is None and last_head is not None and last_head.kind == "vote":
            continue  # "DCM or sarcoidosis possible"
        maybe = True
    if not maybe and _is_something_else(marks):
        return False, True
    artefact = [k for k, m in enumerate(marks) if m.kind == "artefact"]
    if artefact and not maybe and _names_no_scar(marks[: artefact[0]]):
        return False, True  # "the signal in the septum is considered artefactual"
    if artefact and any(
        m.kind == "term"
        and (m.value == "bright" or marks[artefact[0]].words.lower().endswith("actual"))
        and 0 <= marks[artefact[0]].start - m.end <= 1
        for m in marks
    ):
        return False, True
    if artefact and not maybe and _called_artefactual(marks, artefact[-1]):
        return False, True
    explained = any(
        m.kind in ("explain", "coref") and {n.kind for n in marks[k + 1 : artefact[-1]]} <= _BEFORE_ARTEFACT
        for k, m in enumerate(marks[: artefact[-1]] if artefact else [])
    ) or (bool(artefact) and any(m.kind == "neg" for m in marks[artefact[0] :]))
    return maybe, explained


def only_probable(marks: list[Mark]) -> bool:
    """'Probable scar of the lateral wall' before anything was seen there; what was seen is only explained so."""
    if [m.kind for m in marks[:3]] == ["term", "explain", "place"] and marks[0].value in ("lge", "scar"):
        return bool(_PROBABLE.fullmatch(marks[1].words.lower()))  # "LGE probable in the septum"
    head = next((k for k, m in enumerate(marks) if m.kind not in ("assert", "sep")), None)
    if head is None or marks[head].kind != "explain":
        return False
    kinds = {m.kind for m in marks}
    if _SUSPECTED.match(marks[head].words.lower()):
        return bool(kinds & {"place", "layer"}) and not kinds & {"again", "vote"}
    if not _PROBABLE.match(marks[head].words.lower()):
        return False
    term = next((m.value for m in marks if m.kind == "term"), None)
    described = bool(kinds & {"layer", "extent"})  # "likely old infarct, transmural"
    return (
        "place" in kinds and "again" not in kinds and (term in ("lge", "scar") or (term == "infarct" and not described))
    )


def _is_something_else(marks: list[Mark]) -> bool:
    """'... likely represents the LVOT rather than true fibrosis': what is explained as no scar, and as no disease."""
    turn = next((k for k, m in enumerate(marks) if m.kind == "neg" and m.words.lower() == "rather than"), 0)
    explain = next((k for k, m in enumerate(marks[:turn]) if m.kind == "explain"), None)
    if explain is None or any(m.kind in ("term", "vote", "layer") for m in marks[explain:turn]):
        return False
    after = next((m for m in marks[turn + 1 :] if m.kind not in ("assert", "other")), None)
    return after is not None and after.kind == "term" and after.value in ("lge", "scar")


def _called_artefactual(marks: list[Mark], at: int) -> bool:
    """'Apparent enhancement of the septum is artefactual': what stands right before the word is all that was named."""
    before, after = marks[at - 1 : at], marks[at + 1 : at + 2]
    predicate = marks[at].words.lower().endswith("actual") and bool(before) and before[0].end == marks[at].start
    return predicate and before[0].kind in ("place", "term") and (not after or after[0].kind in ("open", "explain"))


def is_only_artefact(marks: list[Mark]) -> bool:
    """'This is felt to be artefactual.', 'Likely artefact.': a sentence that only explains away what was seen before."""
    kinds = [m.kind for m in marks]
    return "artefact" in kinds and kinds[0] in ("coref", "explain") and set(kinds) <= _EXPLAINS_AWAY


def _names_no_scar(marks: list[Mark]) -> bool:
    """Whether marks that name a place last name bright signal, or no enhancement at all."""
    terms = [m.value for m in marks if m.kind == "term"]
    return any(m.kind == "place" for m in marks) and (not terms or terms[-1] == "bright")
