"""A report's sentences to one Finding: which statements are about late enhancement of the LV today, and what they say."""

from __future__ import annotations

import re
from itertools import pairwise

from ..finding import Finding
from .amounts import amounts_of_the_lv, measures_scar, with_measured
from .clauses import (
    chunks_of,
    clauses_of,
    doubt_of,
    exact_in_brackets,
    free_wall_of_rv,
    is_only_artefact,
    is_past,
    only_probable,
    places_of_organs,
    said_of_images,
    shown_on_images,
    vessel_at_levels,
    without_bound_terms,
)
from .colons import exact_after_colon, leading_places, under_places
from .comparisons import said_of_today
from .earlier import as_before, earlier_in, goes_back, is_gone
from .forms import filled_in
from .lesions import drafts_of, finding_of
from .levels import at_levels
from .marks import Mark
from .places import with_places
from .reading import STRONG, Draft, Reading
from .referents import confines, refer_back, remember_places, seen_there, with_same_levels, with_there
from .scope import Scope
from .sentences import Sentence, sentences
from .tables import as_lines, lge_column, read_segment_table
from .topics import topics_of
from .votes import no_reflow_in, votes_in
from .words import clean

_QUESTION = re.compile(
    r"\s*(is|are|does|do|did|was|were|any|has|have|can|could|what|which|why|how)\b.*\?\s*$", re.I | re.S
)
_VAGUE = ("diffuse", "patchy")  # give way to a depth
_RESPECTIVELY = re.compile(r"\brespectively\b|\bformer\b.{1,80}\blatter\b", re.I | re.S)
_DOUBTS = frozenset({"maybe", "artefact", "coref", "explain"})  # "Possible artefact.", "This could be due to artefact."
_PLACES = frozenset({"wall", "level", "apex", "numbers", "rvip", "territory", "sep", "all", "segword"})
_ONE_WORD = re.compile(r"\W*\w+\s*(?:[,;.(]|$)")
_ORGAN_HEADINGS = re.compile(
    r"\b(rv|right|atria|atrium|pericardi|perikard|valve|extra|noncardiac|aorta|lungs|pleura|lymph|thrombus|vessels|ege|early)"
)
_NOT_DONE = re.compile(
    r"\b(?:lge|(?:late|delayed) (?:gadolinium )?enhancement|(?<!early )gadolinium|contrast)(?: (?:imaging|images|agent|sequences|study|medium))?"
    r" (?:was |were |is |are |has |have |could |had )?(?:not|n't) (?:be |been )?(?:performed|acquired|obtained|given|administered|done|injected)\b"
    r"|\bno (?:lge|late (?:gadolinium )?enhancement|gadolinium|contrast)(?: (?:imaging|images|sequences))? (?:was |were )?(?:done|performed|acquired|given|administered|used)\b"
    r"|\b(?:kein|ohne) kontrastmittel\b|\bkontrastmittel\w* (?:wurde )?nicht\b|\bsans (?:injection|gadolinium)\b|\bsin (?:contraste|gadolinio)\b"
    r"|\b(?:non|un)[- ]?(?:contrast|enhanced) (?:study|scan|cmr|mri|examination|cardiac)\b"
    r"|(?<!and )(?<!or )(?<!/)\b(?:without|w/o) (?:iv |intravenous )?(?:contrast|gadolinium)\b(?! (?:agent |medium )?(?:enhanc|uptake|accum|retention))"
    r"|\bno (?:contrast|gadolinium|gbca) (?:because|due to|owing to|as|in view of|given|-)"
    r"|(?<!early )\b(?:contrast|gadolinium|gbca)(?: (?:agent|medium))? (?:was |is |being )?(?:contra-?indicated|withheld|omitted|declined|refused|avoided)\b",
    re.I,
)


def read(text: str) -> tuple[Finding, list[tuple[str, str]]]:
    """The finding of a report and, for every statement used, its words and what they gave."""
    cleaned = said_of_today(filled_in(lge_column(clean(as_lines(text)))))
    reading = Reading(not_done=bool(_NOT_DONE.search(cleaned)))
    table = read_segment_table(cleaned, reading)
    for number, sentence in enumerate(sentences(table)):
        if sentence.marks:
            Statement(sentence, number, reading).read()
    return finding_of(reading), reading.why


class Statement:
    """Reads one sentence into the reading."""

    def __init__(self, sentence: Sentence, number: int, reading: Reading) -> None:
        self.sentence = sentence
        self.number = number
        self.reading = reading
        self.section = sentence.section
        self.emitted: list[Draft] = []
        self.topic: str | None = None
        self.has = {m.kind for m in sentence.marks}
        self.organ_heading = sentence.section == "other" and bool(_ORGAN_HEADINGS.search(sentence.heading))

    def read(self) -> None:
        marks = places_of_organs(free_wall_of_rv(list(self.sentence.marks), self.sentence.heading))
        if self.section in ("history", "technique") and not self._current_despite_section(marks):
            self.reading.votes += votes_in(self.sentence, marks, self.emitted, 1)
            if self.section == "history":
                for clause in clauses_of(marks):
                    self._remember_earlier(with_places(vessel_at_levels(clause)))
            return
        asks_viability = self.sentence.text.rstrip().endswith("?") and self.has <= {"negpost", "viab", "assert"}
        if asks_viability or _QUESTION.match(self.sentence.text):
            return
        if self._restricts_levels() or self._lists_viable():
            return
        if is_only_artefact(marks):
            self._dismiss_seen()
        self.topic = self._first_topic(marks)
        before = len(self.reading.drafts)
        leads: list[Mark] = []
        for clause in clauses_of(marks):
            clause = with_there(with_same_levels(clause, self.reading), self.reading, self.number, self.sentence.text)
            placed = exact_in_brackets(with_places(vessel_at_levels(clause)))
            if any(m.kind == "colon" for m in placed):
                leads = leading_places(placed) or leads
            placed = under_places(placed, leads)
            self.reading.partly_absent += is_gone(placed, self.reading, self.number)
            self._clause(placed)
            remember_places(placed, self.reading, self.number, self.sentence.heading)
        if goes_back(self.sentence, self._answers_lge(), self.reading, self.number):
            as_before(self.reading)
        self.emitted = self.reading.drafts[before:]
        if self.emitted or self.topic == "lge":
            self.reading.last_lge = self.number
        tier = 3 if self.emitted or self.section in ("conclusion", "lge") else 2
        self.reading.votes += votes_in(self.sentence, marks, self.emitted, tier)

    def _current_despite_section(self, marks: list[Mark]) -> bool:
        """A sentence that plainly reports LGE although no heading ended the history (all on one line)."""
        past = {"history", "year"} - (set() if "now" not in self.has else {"history"})
        if self.sentence.heading or self.has & (past | {"query", "tech"}):
            return False
        lge = any(m.kind == "term" and m.value in ("lge", "scar") for m in said_of_images(marks))
        said = self.has & {"layer", "wall", "level", "numbers", "neg", "negpost", "rvip", "territory", "apex"}
        if (lge and said) or self.reading.resumed == self.sentence.line:
            self.section = "findings"
            self.reading.resumed = self.sentence.line
            return True
        return False

    def _first_topic(self, marks: list[Mark]) -> str | None:
        previous = self.reading.last_lge >= self.number - 1
        if previous and self.section not in ("other", "noreflow") and self._only_places():
            return "lge"
        if self.section in ("lge", "scmr"):
            bare = not self.has & {
                "term",
                "layer",
                "extent",
                "coref",
                "neg",
                "negpost",
                "rvip",
                "numbers",
                "except",
                "noreflow",
            }
            return None if bare and not self.sentence.heading else "lge"
        if self.section in ("other", "noreflow"):
            return "other"
        strong = any(m.kind == "term" and m.value in STRONG for m in marks)
        if previous and not strong and not self.has & {"topic", "organ", "history", "tech"}:
            first = next((m for m in marks if m.kind not in ("sep", "segword", "all")), None)
            if (
                "layer" in self.has
                or "extent" in self.has
                or (self.has & {"coref", "plus", "term"} and "rvip" in self.has)
                or (
                    first is not None
                    and first.kind in ("coref", "other")
                    and self.has & {"wall", "level", "numbers", "apex", "rvip"}
                )
            ):
                return "lge"
        return None

    def _restricts_levels(self) -> bool:
        """'Both basal.', 'It is confined to the mid level.': takes the other levels from the lesions just named."""
        marks = self.sentence.marks
        levels = tuple(level for m in marks if m.kind == "level" for level in m.value)
        if self.sentence.heading.startswith("level") and self.has <= {"level", "sep", "segword"}:
            self.reading.levels = (self.number, levels)
        said = "coref" in self.has and any(m.words.lower() in ("both", "confined", "limited") for m in marks)
        asked = self.sentence.heading.startswith("level")
        if not (levels and (said or asked) and self.has <= {"level", "coref", "assert", "sep", "segword"}):
            return False
        for draft in self.reading.drafts:
            if draft.sentence >= self.number - 2:
                draft.segments = set(at_levels(frozenset(draft.segments), levels)) or draft.segments
        return True

    def _lists_viable(self) -> bool:
        """'Viable: basal segments, lateral wall.': where there is no scar."""
        listed = self.sentence.heading == "viable" and self.has <= {*_PLACES, "lv"} and bool(self.has & _PLACES)
        self.reading.partly_absent += listed
        return listed

    def _only_places(self) -> bool:
        """'Anterior, septal and apical.': a sentence of places alone goes on from the one before; 'Mid-cavity obstruction.' does not."""
        marks = self.sentence.marks
        if (
            self.has & _PLACES - {"sep"}
            and self.has <= {*_PLACES, "assert", "coref"}
            and confines([], self.sentence.text)
        ):
            return True  # "Only the mid segments are affected."
        together = all(a.end == b.start for a, b in pairwise(marks))
        last_word = re.findall(r"\w+", self.sentence.text.lower())[-1:]
        return (
            together
            and marks[0].start == 0
            and last_word == re.findall(r"\w+", marks[-1].words.lower())[-1:]
            and self.has <= _PLACES
        )

    # -------------------------------------------------------------- clause

    def _clause(self, marks: list[Mark]) -> None:
        marks = exact_after_colon(without_bound_terms(said_of_images(shown_on_images(with_measured(marks)))))
        marks = amounts_of_the_lv(marks, self.sentence.heading)
        for words, there in no_reflow_in(marks):
            self.reading.no_reflow.append(there)
            self.reading.why.append((words, "no-reflow " + ("present" if there else "absent")))
        last = self.reading.drafts[-1] if self.reading.drafts else None
        if any(m.kind == "maybe" for m in marks) and all(m.kind in _DOUBTS for m in marks):
            if last is not None and last.sentence >= self.number - 2:
                last.possible = True
            elif self._answers_lge():
                self.reading.possible += 1  # "LGE: inconclusive"
        if is_past(marks) and not any(m.kind in ("again", "now") for m in marks):
            self._remember_earlier(marks)
            return
        chunks = chunks_of(marks)
        topics = topics_of(chunks, self.topic, self.section, self.has)
        walk = Scope()
        content = [m.kind for m in marks if m.kind not in ("assert", "sep")]
        walk.heading_asks = self._answers_lge()
        walk.below_lge = self.section == "lge"
        walk.heading_measures = measures_scar(self.sentence.heading)
        walk.answer_alone = walk.heading_asks and bool(_ONE_WORD.match(self.sentence.text))
        walk.leading_except = content[:1] == ["except"] and bool({"neg", "negpost", "scarfree"} & set(content))
        if walk.leading_except:
            topics = ["lge" if any(t == "lge" for t in topics) else t for t in topics]
        for chunk, topic, following in zip(chunks, topics, [*chunks[1:], []], strict=True):
            walk.chunk(chunk, topic, following)
        if any(t == "lge" for t in topics):
            self._settle(marks, walk)
        self.topic = topics[-1] if topics and topics[-1] == "lge" else self.topic

    def _remember_earlier(self, marks: list[Mark]) -> None:
        """What a clause tells of an earlier examination, in case it is unchanged."""
        lesions, absent = earlier_in(without_bound_terms(said_of_images(marks)), self.has)
        if lesions or absent:
            self.reading.earlier = lesions
            self.reading.earlier_absent, self.reading.told_earlier = absent and not lesions, self.number

    def _answers_lge(self) -> bool:
        """Whether the sentence stands behind a heading such as 'Late enhancement:'."""
        return self.section in ("lge", "scmr") and bool(
            re.search(r"lge|late|enhanc|scar|fibros|gad", self.sentence.heading)
        )

    def _settle(self, marks: list[Mark], walk: Scope) -> None:
        """Turns what the walk found into drafts, negatives and mentions."""
        if self.organ_heading and not any(m.kind in ("lv", "place") for m in marks):
            return
        maybe, dismissed = doubt_of(marks)
        maybe = maybe or (self.sentence.text.rstrip().endswith("?") and not self._asks_cause())
        maybe = maybe or (only_probable(marks) and not self.reading.drafts)
        if dismissed and not maybe:
            if walk.positive_term or not any(m.kind == "place" for m in marks):
                self._dismiss_bright()
                self.reading.partly_absent += any(m.kind in ("place", "layer") for m in marks)
            if walk.negatives:
                self._count_absent(marks, walk, maybe)
            return
        earlier = list(self.reading.drafts)
        drafts = drafts_of(walk.items, bool(_RESPECTIVELY.search(self.sentence.text)))
        shared: set[int] = set()  # by layers that are all said of the lesion before: "...; subepicardial and mid-wall"
        for draft in drafts:
            draft.possible = maybe
            draft.sentence = self.number
            draft.conclusion = self.section == "conclusion" or (bool(marks) and marks[0].kind == "explain")
            draft.infarct = walk.infarct_only
            draft.bright = not walk.firm
            refer_back(draft, marks, walk, earlier, self.sentence.text)
            draft.segments = draft.segments or set(seen_there(self.reading, self.number, self.sentence.text))
            draft.segments = draft.segments or set(shared)
            if draft.vague and self.reading.levels[0] == self.number - 1:  # "Levels: basal, mid. Walls: inferior."
                draft.segments = {s for wall in draft.walls for s in at_levels(wall, self.reading.levels[1])}
            kept = self._keep(draft, walk, any(m.words.lower() == "also" for m in marks))
            shared = kept.segments if kept is not draft and kept.layer == draft.layer else set()
        if drafts:
            return
        if walk.positive_term:
            self._mention(walk, maybe)
        if maybe and (walk.positive_term or not walk.negatives):
            self._doubt_last()
        if walk.negatives:
            self._count_absent(marks, walk, maybe)

    def _asks_cause(self) -> bool:
        """'LGE of the lateral wall; sarcoid?': whether only what it comes from is asked."""
        marks = self.sentence.marks
        last = marks[-1].start if marks and marks[-1].kind == "vote" else -1
        apart = marks[-2].kind in ("sep", "break", "colon", "open") if len(marks) > 1 else False
        return (
            last > 0
            and (apart or marks[-2].end < last)
            and any(m.kind in ("wall", "layer", "numbers", "rvip") for m in marks)
        )

    def _dismiss_bright(self) -> None:
        """'... likely artefact': takes back bright signal of this sentence or the one before."""
        last = self.reading.drafts[-1] if self.reading.drafts else None
        if last is not None and last.bright and last.sentence >= self.number - 1:
            self._dismiss_seen()

    def _dismiss_seen(self) -> None:
        """Takes back what was seen in the sentence before, which turns out no enhancement."""
        last = self.reading.drafts[-1] if self.reading.drafts else None
        if last is not None and last.sentence >= self.number - 1:
            self.reading.drafts.pop()
            self.reading.partly_absent += 1

    def _doubt_last(self) -> None:
        """A doubt without a lesion of its own is about the lesion before."""
        if self.reading.drafts and self.reading.drafts[-1].sentence >= self.number - 1:
            self.reading.drafts[-1].possible = True

    def _mention(self, walk: Scope, maybe: bool) -> None:
        """Counts enhancement named without place, layer or depth."""
        if not (walk.asserted or (maybe and walk.firm and not walk.infarct_only)):
            return
        if maybe:
            self.reading.possible += 1
        elif walk.infarct_only:
            self.reading.infarct_named += 1
        else:
            self.reading.present += 1
        self.reading.why.append((self.sentence.text.strip(), "possible LGE" if maybe else "LGE present"))

    def _count_absent(self, marks: list[Mark], walk: Scope, maybe: bool) -> None:
        """Counts a denial, of all LGE or of some; a doubtful one of all counts as possible LGE."""
        terms = {m.value for m in marks if m.kind == "term"}
        if (self.reading.not_done and terms <= {"infarct"}) or (terms == {"event"} and not walk.global_negative):
            return  # "old MI, all segments viable"
        if maybe:
            firmly = any(m.kind == "maybe" and "definite" in m.words for m in marks)
            self.reading.possible += walk.global_negative and not firmly
            return
        whole = walk.global_negative and not self.organ_heading
        self.reading.rest_absent = self.reading.rest_absent or (walk.rest_negative and not self.organ_heading)
        self.reading.absent += whole
        self.reading.partly_absent += not whole
        self.reading.why.append((self.sentence.text.strip(), "no LGE" if whole else "no LGE there"))

    def _keep(self, draft: Draft, walk: Scope, adds: bool) -> Draft:
        """Takes a lesion up, or what it says of the one before; ``adds``: 'the apex is also involved'. Returns what it became."""
        last = self.reading.drafts[-1] if self.reading.drafts else None
        if last is not None and draft.depth_only and last.layer not in (None, "subendocardial", "transmural"):
            return draft  # "Pattern: mid-wall. Extent: 5 %."
        near = last is not None and last.sentence >= self.number - 1 and last.conclusion == draft.conclusion
        if (
            last is not None
            and near
            and not draft.segments
            and last.layer in (None, draft.layer, *_VAGUE)
            and (draft.layer or draft.transmurality)
            and (self.number != last.sentence or not walk.strong)
        ):
            for other in self.reading.drafts:  # "basal inferior; mid inferior. Pattern: subendocardial"
                if other.sentence == last.sentence and (other.layer is None or (draft.layer and other.layer in _VAGUE)):
                    other.layer, other.transmurality = draft.layer, other.transmurality or draft.transmurality
            last.transmurality = last.transmurality or draft.transmurality
            last.possible = last.possible or draft.possible
            last.sentence = self.number
        elif (
            last is not None
            and near
            and not walk.strong
            and draft.layer is None
            and draft.segments
            and self.topic == "lge"
            and self.number - last.sentence <= 1
            and not last.segments
        ):
            for drafted in self.reading.drafts:  # "Pattern: subepicardial and mid-wall. Location: lateral."
                if drafted is not last and drafted.sentence == last.sentence and not drafted.segments:
                    drafted.segments |= draft.segments
            last.segments |= draft.segments
            last.sentence = self.number
        else:
            if (
                last is not None
                and near
                and not walk.strong
                and draft.layer is None
                and (self.number - last.sentence == 1 or adds)
            ):
                draft.layer, draft.transmurality = last.layer, last.transmurality
            self.reading.drafts.append(draft)
        place = "segments " + ", ".join(map(str, sorted(draft.segments))) if draft.segments else "no place"
        self.reading.why.append(
            (
                self.sentence.text.strip(),
                f"{'possible ' if draft.possible else ''}LGE, {draft.layer or 'no layer'}, {place}",
            )
        )
        return self.reading.drafts[-1]
