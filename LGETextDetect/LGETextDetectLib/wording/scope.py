"""What a clause affirms and what it denies: the scope of no, none, except, spared and their like over chunks."""

from __future__ import annotations

import re

from .amounts import of_the_wall, scar_amount, scarred_after_all
from .levels import Place
from .lexicon import TERRITORIES
from .marks import Mark
from .reading import STRONG, Item, place_of, score_of_extent


class Scope:
    """Goes through a clause's chunks and keeps what is affirmed and what is denied."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.negative = False
        self.excepting = False
        self.sparing = False
        self.positive_term = False
        self.asserted = False
        self.strong = self.firm = False
        self.infarct_only = True
        self.negatives = 0
        self.denying = False  # a chunk on something else was denied and the list may go on
        self.answered = 0  # items that a later "negative" is no longer about: "septum positive, apex negative"
        self.global_negative = self.rest_negative = False
        self.explaining = self.placed = False
        self.leading_except = False
        self.heading_asks = False  # the sentence answers a heading such as "Late enhancement:"
        self.below_lge = False  # ... or stands in its section
        self.heading_measures = False  # ... or one such as "Scar burden:"
        self.caused = False  # ... which a cause has answered
        self.answer_alone = False  # in one word

    def chunk(self, marks: list[Mark], topic: str | None, following: list[Mark]) -> None:
        """Reads one chunk; ``topic`` is what it is about, ``following`` the chunk after it."""
        self._carry_over(marks, following)
        if topic != "lge":
            self._other(marks)
            return
        if self.denying and self.negative and any(m.kind == "term" and m.value in STRONG for m in marks):
            self._count_negative(marks, [m for m in marks if m.kind == "place"])  # "no myocarditis, infarct or ..."
        self.denying = False
        start = len(self.items)
        said = False  # a term or a layer stands before the mark
        for k, mark in enumerate(marks):
            self._take(marks, k, start, said)
            said = said or mark.kind == "layer" or (mark.kind == "term" and mark.value in (*STRONG, "bright"))
        if any(m.kind == "assert" and m.words.lower() in _YES for m in marks):
            self.answered = len(self.items)
        self._amount(marks)
        self._cause(marks)
        self._forget_unseen(marks, start)
        self._forget_other_places(marks, start)

    def _carry_over(self, marks: list[Mark], following: list[Mark]) -> None:
        """A denial or an exception goes on into a chunk that only continues a list."""
        kinds = {m.kind for m in marks}
        joined = any(m.kind == "sep" and m.words.startswith(("or", "nor")) for m in [*marks, *following[:1]])
        listed = (
            not kinds & {"term", "assert", "neg", "negpost", "except"}
            or joined
            or ("term" in kinds and not kinds & {"place", "layer", "assert"})
            or [m.kind for m in marks[:1]] == ["except"]  # "no scar, except for ..."
        )
        self.negative = self.negative and listed
        self.excepting = self.excepting and listed
        if kinds & {"term", "neg", "assert"}:
            self.sparing = False
        if "plus" in kinds or "coref" in kinds:
            self.explaining = False

    def _take(self, marks: list[Mark], k: int, start: int, said: bool) -> None:
        """Reads the k-th mark of a chunk whose items begin at ``start``."""
        mark, rest = marks[k], marks[k + 1 :]
        if mark.kind == "neg":
            self._deny(marks, k, rest, start, said)
        elif mark.kind == "scarfree":
            self._turn(start, only_places=self.positive_term)
            self.negative = True
            self._count_negative(marks, [i for i in self.items[start:] if i.kind == "place"])
        elif mark.kind == "negpost":
            self._deny_after(mark, marks, k, rest, start)
        elif mark.kind == "spare":
            if any(m.kind in ("place", "layer") for m in rest):
                self.sparing = True
            else:
                self._turn(self._judged_from(start) or start, only_places=True)
                self.negatives += any(m.kind == "lv" for m in marks[:k])  # "myocardium spared"
        elif mark.kind == "except":
            self._except(mark)
        elif self.sparing and mark.kind == "assert" and mark.words.lower() in _REACHES:
            self.sparing = False  # "spares the subendocardium and affects the outer third"
        elif (mark.kind == "explain" and not _adds_probable(marks, k)) or (mark.kind == "after" and _is_event(rest)):
            self.explaining = True
            self.placed = self.placed or any(i.kind == "place" and i.positive for i in self.items)
        elif mark.kind == "term":
            self._term(mark, {m.kind for m in marks})
        elif mark.kind == "assert" and self.answer_alone and mark.start == 0 and mark.words.lower() in _YES:
            self.positive_term = self.asserted = self.firm = True  # "Late enhancement: yes"
            self.infarct_only = False
        elif mark.kind in ("layer", "place", "extent", "vessel", "plus"):
            if self._begins_lesion(marks, k):
                self.items.append(Item("cut", None, True, ""))
            self._item(mark, marks, k)

    def _begins_lesion(self, marks: list[Mark], k: int) -> bool:
        """'Subepicardial LGE inferolateral and septal mid-wall LGE', '..., apex transmural': a place with a layer of its own."""
        mark, rest = marks[k], marks[k + 1 :]
        said = {i.kind for i in self.items if i.positive}
        if mark.kind == "layer" and {"term", "layer"} <= said and self.items[-1].kind in ("layer", "extent"):
            head = next(
                (m for m in rest if m.kind != "layer"), mark
            )  # "LGE (transmural), and patchy LGE in the septum"
            return _is_strong(head) and all(m.kind in ("sep", "plus") for m in marks[:k])
        if mark.kind == "layer" and {"term", "place"} <= said and not self.negative:
            # "septal LGE and transmural inferior scar", "confluent LGE of the septum, patchy lateral"
            return "layer" not in said and (_has_own_term(marks, k) or (k == 0 and self._is_elsewhere(marks)))
        if mark.kind != "place" or self.negative or not {"term", "place", "layer"} <= said:
            return False
        if [m.kind for m in rest[:2]] == ["open", "layer"] and rest[0].start == mark.end:
            layers = {
                i.value for i in self.items if i.kind == "layer"
            }  # "transmural scar inferior, septal (subendocardial)"
            return self.items[-1].kind == "place" and not layers & set(rest[1].value)
        if [m.kind for m in rest[:1]] != ["layer"] or rest[0].start != mark.end:
            return False
        named = len(rest) > 1 and _is_strong(rest[1]) and rest[1].start == rest[0].end
        return named or ((k == 0 or place_of(mark).apart) and len(rest) == 1)

    def _is_elsewhere(self, chunk: list[Mark]) -> bool:
        """Whether a chunk is a layer and its place, and that lies wholly outside of the places before."""
        if [m.kind for m in chunk if m.kind != "assert"] != ["layer", "place"] or place_of(chunk[-1]).only_levels:
            return False
        before = {s for i in self.items if i.kind == "place" for s in place_of(i).segments}
        return before.isdisjoint(place_of(chunk[-1]).segments)

    def _except(self, mark: Mark) -> None:
        """'No LGE except in the septum' affirms; 'LGE except in the septum' takes away."""
        if self.negative:
            self.negative = False
            self.asserted = self.positive_term = True
        elif self.leading_except:
            self.asserted = self.positive_term = True
        elif "only" not in mark.words:
            self.excepting = True

    def _term(self, mark: Mark, kinds: set[str]) -> None:
        """A word for enhancement in a chunk with marks of these kinds: what it affirms unless it is denied."""
        if not self.negative and mark.value in (*STRONG, "bright", "pattern"):
            self.positive_term = True
            self.strong = self.strong or mark.value in STRONG
            self.infarct_only = self.infarct_only and mark.value == "infarct"
            self.firm = self.firm or mark.value in ("lge", "scar", "infarct")
            said_here = bool(kinds & {"assert", "place", "layer", "now", "again", "plus"}) and not kinds & {
                "tech",
                "notstated",
            }
            self.asserted = self.asserted or said_here or (mark.value == "infarct" and self.explaining)
        self.items.append(Item("term", mark.value, not self.negative, mark.words))

    def _other(self, marks: list[Mark]) -> None:
        """A chunk on something else: only its negation may carry over to a list that follows."""
        if any(m.kind == "neg" for m in marks) and not any(m.kind == "break" for m in marks):
            self.negative = self.denying = True

    def _item(self, mark: Mark, marks: list[Mark], k: int) -> None:
        positive = not self.negative and not self.sparing
        linked = k > 1 and marks[k - 1].kind == "sep" and marks[k - 2].kind == mark.kind
        apart = (
            k > 1 and mark.kind == "layer" and marks[k - 1].start - marks[k - 2].end > 1
        )  # "transmural at mid level and ..."
        linked = linked and not apart
        if mark.kind == "layer":
            for value in mark.value:
                self.items.append(
                    Item("layer", value, positive, mark.words, linked and marks[k - 1].value == "to", linked)
                )
        elif mark.kind == "extent":
            if mark.value.high == 0 and k == 0 and [m.kind for m in marks[1:2]] == ["place"]:
                self.negative = True  # "0 % anterior"
            elif mark.value.high == 0:
                self.negative = self.negative or [m.kind for m in marks[k + 1 : k + 2]] == ["colon"]  # "0 %: 1 2 3"
                self._turn(
                    max((j for j, i in enumerate(self.items) if i.kind in ("extent", "layer")), default=-1) + 1,
                    only_places=True,
                )
            elif of_the_wall(marks, k):
                self.items.append(Item("extent", score_of_extent(mark.value), positive, mark.words))
        elif mark.kind == "vessel":
            beside = any(
                m.kind == "term" and m.value in ("infarct", "scar", "event", "lge") and abs(m.start - mark.start) <= 4
                for m in marks
            )
            answered = [m.kind for m in marks[k + 1 : k + 2]] == ["extent"] or (
                self.below_lge and any(m.kind in ("assert", "colon") for m in marks[k + 1 : k + 2])
            )  # "Scar: LAD yes"
            answered = answered or self.caused  # "LGE: ischaemic, RCA"
            busy = any(m.kind == "topic" and abs(m.start - mark.start) <= 2 for m in marks)
            if (beside or answered) and not busy and mark.value in TERRITORIES:
                place = Place(frozenset(TERRITORIES[mark.value]), kind="territory")
                listed = linked and not self.caused
                self.items.append(Item("place", place, positive, mark.words, False, listed, self.explaining))
        elif mark.kind == "place":
            if self.explaining and self.placed:
                return
            self.items.append(Item("place", mark.value, positive, mark.words, False, linked, self.excepting))
        else:
            self.items.append(Item("plus", None, positive, mark.words))

    def _cause(self, marks: list[Mark]) -> None:
        """'LGE: ischaemic pattern', 'LGE pattern: myocarditis-like': a cause answers the heading, unless it is doubted or denied."""
        kinds = {m.kind for m in marks}
        if (
            self.heading_asks
            and "vote" in kinds
            and kinds <= {"vote", "vessel", "territory", "assert", "sep", "explain"}
        ):
            self.positive_term = self.asserted = self.firm = self.caused = True
            self.infarct_only = False

    def _amount(self, marks: list[Mark]) -> None:
        """'Scar burden 24 g' affirms scar, '0 g' denies it."""
        amount = None if self.negative else scar_amount(marks, self.heading_measures)
        if amount == 0:
            self._turn(0)
            self._count_negative(marks, [])
        elif amount:
            self.positive_term = self.asserted = self.firm = True
            self.infarct_only = False

    def _deny(self, marks: list[Mark], k: int, rest: list[Mark], start: int, said: bool) -> None:
        heads = [
            m
            for m in rest
            if m.kind
            in ("term", "noreflow", "organ", "topic", "vote", "layer", "place", "extent", "artefact", "scarfree")
        ]
        if not heads:
            if marks[k].words.lower().startswith(("not", "can", "nicht")):
                return  # "LGE cannot be assessed" denies nothing
            if self.answer_alone:
                self._count_negative(marks, [])  # "Late enhancement: nil"
            elif any(i.kind in ("term", "place", "layer") for i in self.items[start:]):
                self._turn(start)
                self._count_negative(marks, [i for i in self.items[start:] if i.kind == "place"], rest)
            return
        head = heads[0]
        if head.kind == "vote" and len(heads) > 1 and heads[1].kind == "term" and heads[1].start == head.end:
            head = heads[1]  # "no ischaemic scar"
        later = next((m.start for m in heads[1:] if m.kind == "term"), 0)
        listed = [
            m.kind for m in rest if m.start < later and (m.kind == "plus" or m.words.startswith(("or", "nor", "and")))
        ]
        later_term = "sep" in listed and "plus" not in listed  # not in "without perfusion and with transmural LGE"
        if head.kind in ("noreflow", "organ", "topic", "vote", "artefact", "extent") and not later_term:
            return
        self.negative = True
        self.sparing = False
        if not said:
            self._turn(start, only_places=True)
        places = [m for m in rest[: _until(rest)] if m.kind == "place"]
        before = [i for i in self.items[start:] if i.kind == "place" and not i.positive]
        self._count_negative(marks, [*before, *places], rest, said)

    def _deny_after(self, mark: Mark, marks: list[Mark], k: int, rest: list[Mark], start: int) -> None:
        mine = self.items[start:]
        if not mine and [m.kind for m in marks[:k]] == ["vote"] and _EXCLUDED.search(mark.words.lower()):
            return  # "takotsubo excluded - there is scar"
        if k and marks[k - 1].kind == "noreflow" and any(i.kind in ("place", "layer") for i in mine):
            return  # "transmural anterior LGE + MVO negative"
        if mark.value == "normal" and not self.items[:start] and _judges_all(marks):
            self.negatives += 1  # weaker than "no LGE": a small scar is viable too
        next_term = next((m for m in rest if m.kind in ("term", "place", "layer")), None)
        forward = next_term is not None and not any(m.kind in ("break", "plus") for m in rest[: rest.index(next_term)])
        if forward and next_term is not None and next_term.kind == "term" and next_term.start - mark.end <= 2:
            self._turn(start, only_places=self.positive_term)
            self.negative = True
            self._count_negative(
                marks, [i for i in mine if i.kind == "place"] + [m for m in rest if m.kind == "place"], rest
            )
            return
        if not mine and forward and next_term is not None and next_term.kind == "place":
            self.negative = True
            if self.heading_asks:
                self._count_negative(marks, [next_term])  # "Late enhancement: absent in all segments"
            return
        if self._judges_lge(mark, marks, mine):
            self._turn(start)
            self._count_negative(marks, [])
            return
        if mark.value == "normal" and (scarred_after_all(rest) or any(i.kind == "extent" and i.positive for i in mine)):
            return
        of_wall = mark.value == "normal" or bool(_UNINVOLVED.search(mark.words.lower()))
        judged = self._judged_from(start) if of_wall else None
        if judged is not None and marks[k - 1].kind in ("place", "assert"):
            self._turn(judged, only_places=True)
            return
        if mark.value == "normal":
            if any(i.kind == "place" for i in mine) and not any(i.kind in ("term",) and i.positive for i in mine):
                self._turn(start, only_places=True)
            else:
                self._spare_beside(marks, k)
            return
        target = mine if any(i.kind in ("term", "place", "layer") for i in mine) else self.items
        begin = len(self.items) - len(target)
        self._turn(begin)
        ahead = [m for m in rest if m.kind == "place"]
        if ahead and not any(
            m.kind in ("term", "layer", "assert", "plus", "except") for m in rest[: rest.index(ahead[0])]
        ):
            self.negative = True  # "not seen in the septum"
        else:
            ahead = []
        self._count_negative(marks, [*(i for i in target if i.kind == "place"), *ahead])

    def _judges_lge(self, mark: Mark, marks: list[Mark], mine: list[Item]) -> bool:
        """'Late enhancement: normal', 'LGE: RV none, LV none', 'LGE of the myocardium normal': no place and no layer."""
        if any(m.kind in ("place", "layer", "extent") for m in marks):
            return False
        if self.heading_asks and not mine:
            return mark.value == "normal" or any(m.kind == "lv" for m in marks)
        named = [i.value for i in mine if i.kind == "term"]
        return mark.value == "normal" and named == ["lge"] and bool(_NORMAL.match(mark.words.lower()))

    def _judged_from(self, start: int) -> int | None:
        """'LGE of the septum and apex, lateral wall spared': where the last places begin when a comma parts them from scarred ones."""
        apart = [j for j, i in enumerate(self.items) if j > start and i.kind == "place" and place_of(i).apart]
        if not apart or any(i.kind != "place" for i in self.items[apart[-1] :]):
            return None
        before = {i.kind for i in self.items[start : apart[-1]] if i.positive}
        return apart[-1] if "place" in before and before & {"term", "layer"} else None

    def _spare_beside(self, marks: list[Mark], k: int) -> None:
        """'Transmural anterior scar the septum looks fine', '... and viable RCA territory': only what stands beside is spared."""
        ahead = marks[k + 1 : k + 2]
        begins = k > 0 and marks[k - 1].kind in ("sep", "plus") and any(i.kind == "place" for i in self.items)
        if begins and ahead and ahead[0].kind in ("place", "vessel"):
            self.negative = True
            return
        places = [i for i in self.items if i.kind == "place" and i.positive]
        last = self.items[-1] if self.items else None
        beside = k > 0 and marks[k - 1].kind == "place" and last is not None and last.kind == "place"
        if beside and last is not None and last.value == marks[k - 1].value and len(places) > 1:
            last.positive = False

    def _turn(self, start: int, only_places: bool = False) -> None:
        """What was read from ``start`` on is denied after all; bare places of the chunks before belong to it."""
        while (
            start > self.answered
            and self.items[start - 1].kind == "place"
            and all(i.kind == "place" for i in self.items[:start])
        ):
            start -= 1
        for item in self.items[start:]:
            if not only_places or item.kind == "place":
                item.positive = False
        if not only_places:
            self.positive_term = any(i.kind == "term" and i.positive for i in self.items)
            self.asserted = self.asserted and self.positive_term

    def _count_negative(
        self, marks: list[Mark], places: list[object], rest: list[Mark] | None = None, said: bool = False
    ) -> None:
        if rest is not None and any(m.kind == "tech" and rest[0].start <= m.start <= rest[0].end + 1 for m in rest):
            return  # "no LGE protocol"
        self.negatives += 1
        named = frozenset[int]().union(*(place_of(p).segments for p in places))
        whole = all(place_of(p).kind == "whole" for p in places) or len(named) >= 16
        scope = marks if rest is None else [m for m in marks if m.start >= (rest[0].start if rest else 0) - 3]
        others = [m for m in [*scope, *marks[:2]] if m.kind == "other"]
        layers = {m.value for m in (rest or marks) if m.kind == "layer"}
        if any(m.kind == "assert" and m.words.lower() == "focal" for m in marks):
            layers -= {("diffuse",), ("patchy",)}  # "no focal or diffuse enhancement"
        if whole and len(layers) != 1 and not said:
            self.global_negative = self.global_negative or not others
            self.rest_negative = all(_REST.match(m.words.lower()) for m in others)

    def _forget_unseen(self, marks: list[Mark], start: int) -> None:
        """'LGE of the anterior wall cannot be assessed', '... is obscured by artefact': nothing is said of it."""
        unseen = next((k for k, m in enumerate(marks) if m.kind == "notstated"), 0)
        if any(i.kind in ("layer", "extent") for i in self.items[start:]) or not self.items[start:]:
            return
        joint = next((k for k in range(unseen, 0, -1) if _is_apart(marks[k])), 0)
        if {"term", "place"} <= {m.kind for m in marks[:joint]}:  # "septal LGE, the apex not assessed"
            self._drop(start, [m.value for m in marks[joint:unseen] if m.kind == "place"])
        elif unseen or _were_imaged(marks):
            self.items = self.items[:start]
            self.positive_term = any(i.kind == "term" and i.positive for i in self.items)
            self.asserted = self.asserted and self.positive_term

    def _forget_other_places(self, marks: list[Mark], start: int) -> None:
        """'Perfusion defect of the inferior wall matching the scar': the place is the defect's; so is an organ's."""
        places = [m for m in marks if m.kind == "place"]
        organs = [m.end for m in marks if m.kind == "organ"]
        own = [m for m in places if place_of(m).kind != "rvip"]  # insertion points are the LV's in any list
        owned = [m.value for m in own if any(0 <= m.start - end <= 2 for end in organs)]
        if owned and len(owned) < len(places):  # "thrombus at the apex overlying the septal scar"
            self._drop(start, owned)
        self._drop(start, _of_what_follows(marks))
        topic = next((m for m in marks if m.kind in ("topic",)), None)
        term = next((m for m in marks if m.kind == "term" and m.value in STRONG), None)
        if topic is None or term is None or topic.start > term.start:
            return
        between = [m for m in marks if topic.start < m.start < term.start and m.kind == "place"]
        behind = any(m.start > term.start and m.kind == "place" for m in marks)
        if behind and _BULGE.match(topic.words.lower()):  # "apical aneurysm with scar of the cap"
            between += [m for m in marks if m.kind == "place" and m.end == topic.start]
        layered = any(m.kind in ("layer", "extent") and m.start > topic.start for m in marks)
        joined = any(m.kind == "plus" and topic.start < m.start < term.start for m in marks)
        if between and (behind or not (layered or joined)):
            self._drop(start, [m.value for m in between])

    def _drop(self, start: int, places: list[object]) -> None:
        """Takes places out of the items from ``start`` on."""
        self.items[start:] = [i for i in self.items[start:] if not any(i.value is p for p in places)]


_REST = re.compile(r"otherwise|elsewhere|anywhere else|rest|remain|sonst|ubrig|ailleurs")  # what is left of the LV

_FOUND = re.compile(  # beside scar: a noun with a place of its own, not "akinetic"
    r"\w*(?:kinesi[as]|dyssynchrony)\b|wall motion|rwma|o?edema\b|odem|thinning|thickening|hypertrophy\b|ischa?emia\b|hypoperfusion|(?:perfusion )?defects?\b|aneurysm\b|trabeculation|ha?emorrhage"
)
_ENDS_OTHER = frozenset({"term", "layer", "extent", "neg", "negpost", "spare", "except", "break"})

_BULGE = re.compile(r"aneurysm|balloon|hypertroph")
_NORMAL = re.compile(r"normal|unremark|unauff|null")
_UNINVOLVED = re.compile(r"involved|affected")  # of a wall; "not seen" is of enhancement
_EXCLUDED = re.compile(r"exclu|ruled|unlikely|confirm")  # of a disease
_REACHES = frozenset({"involving", "involves", "affecting", "affects", "extends", "occupies"})
_YES = frozenset({"+", "positive", "yes", "present", "abnormal", "auffallig", "ja", "vorhanden", "oui", "si"})


def _of_what_follows(marks: list[Mark]) -> list[object]:
    """'Inferior scar with akinesia of the lateral wall', '... and lateral oedema': places of what is found beside a scar that has its own."""
    topic = next((k for k, m in enumerate(marks) if m.kind == "topic" and _FOUND.match(m.words.lower())), 0)
    term = next((k for k, m in enumerate(marks[:topic]) if _is_strong(m)), topic)
    first = topic - (
        term < topic - 1 and marks[topic - 1].kind == "place" and marks[topic - 1].end == marks[topic].start
    )
    if term == topic or not any(m.kind == "place" for m in marks[:first]):
        return []
    end = next((k for k in range(topic + 1, len(marks)) if marks[k].kind in _ENDS_OTHER), len(marks))
    return [m.value for m in marks[first:end] if m.kind == "place"]


def _judges_all(marks: list[Mark]) -> bool:
    """'All segments are viable', 'the myocardium nulls normally': no wall, no scar and no infarct is named."""
    places = [m for m in marks if m.kind == "place"]
    said = any(m.kind in ("lv", "viab") for m in marks) or bool(places)
    return (
        said
        and all(place_of(m).kind == "whole" for m in places)
        and not any(m.kind in ("term", "layer", "extent", "vessel") for m in marks)
    )


def _were_imaged(marks: list[Mark]) -> bool:
    """'Only basal and mid slices acquired for LGE': levels that were imaged, where nothing is said to be seen."""
    places = [m for m in marks if m.kind == "place"]
    taken = any(
        m.kind == "tech" and m.words.lower() in ("acquired", "obtained", "were obtained", "performed") for m in marks
    )
    return (
        taken
        and bool(places)
        and all(place_of(m).only_levels for m in places)
        and not any(m.kind == "assert" for m in marks)
    )


def _is_strong(mark: Mark) -> bool:
    """Whether a mark is a word for late enhancement or scar."""
    return mark.kind == "term" and mark.value in STRONG


def _is_apart(mark: Mark) -> bool:
    """Whether a mark begins something apart: 'with', or a place behind a comma."""
    return mark.kind == "plus" or (mark.kind == "place" and place_of(mark).apart)


def _has_own_term(marks: list[Mark], layer: int) -> bool:
    """Whether a list goes on with a layer that has a word for scar of its own: '... and transmural scar of the apex'."""
    words = marks[layer : layer + 4]
    end = next((k for k, m in enumerate(words) if m.kind == "term"), 0)
    joined = layer > 0 and marks[layer - 1].kind in ("sep", "plus")
    named = _is_strong(words[end]) or words[end].value == "pattern"  # "transmural lesions"
    return joined and end > 0 and named and all(m.kind in ("layer", "place", "lv") for m in words[:end])


def _is_event(after: list[Mark]) -> bool:
    """Whether 'MI' or an infarct follows with its wall: '... following posterior MI'."""
    kinds = [m.kind for m in after[:2]]
    return kinds == ["place", "term"] and after[1].value in ("event", "infarct")


def _adds_probable(marks: list[Mark], at: int) -> bool:
    """'... and probable scar in the inferoseptum': what is added is only probable, and explains nothing."""
    around = [m.kind for m in marks[max(at - 1, 0) : at + 3]]
    return (
        around in (["sep", "explain", "term", "place"], ["plus", "explain", "term", "place"])
        and marks[at].words.lower().startswith(("probabl", "likely"))
        and marks[at + 1].value in ("lge", "scar")
    )


def _until(rest: list[Mark]) -> int:
    return next((k for k, m in enumerate(rest) if m.kind in ("except", "break")), len(rest))
