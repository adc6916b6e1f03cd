"""What is gathered while a report is read: lesion drafts, votes on the aetiology, denials; and the transmurality bins."""

from __future__ import annotations

from dataclasses import dataclass, field

from .levels import Place
from .marks import Mark
from .words import Extent

STRONG = frozenset({"lge", "scar", "infarct", "stripe"})


@dataclass
class Draft:
    """A lesion while it is read."""

    segments: set[int] = field(default_factory=set)
    layer: str | None = None
    transmurality: int | None = None
    possible: bool = False
    territory: bool = False
    infarct: bool = False
    bright: bool = False  # said of bright signal only, which may turn out an artefact
    levelled: bool = True
    vague: bool = False  # of whole walls, no level said
    walls: tuple[frozenset[int], ...] = ()  # its walls and territories at all their levels
    numbered: bool = False  # of two or more numbered segments
    depth_only: bool = False  # a share of the wall without layer and place
    conclusion: bool = False
    sentence: int = 0
    words: list[str] = field(default_factory=list)


@dataclass
class Reading:
    """All that was gathered from the sentences read so far."""

    drafts: list[Draft] = field(default_factory=list)
    votes: list[tuple[int, int, str]] = field(default_factory=list)  # tier, weight, aetiology
    no_reflow: list[bool] = field(default_factory=list)
    absent: int = 0
    partly_absent: int = 0
    rest_absent: bool = False  # of the rest beside what is not the LV ("papillary muscles enhance, otherwise no LGE")
    not_done: bool = False  # late enhancement was not imaged: "no infarct" then says nothing of it
    seen_at: tuple[int, frozenset[int]] = (-9, frozenset())  # sentence and segments of the last finding that is no LGE
    earlier: list[Draft] = field(default_factory=list)  # lesions of the last earlier examination that was told
    earlier_absent: bool = False  # ... or that it had none
    told_earlier: int = -9  # the sentence that told it
    levels: tuple[int, tuple[str, ...]] = (-9, ())  # the last sentence of levels alone ("Levels: basal and mid.")
    last_levels: tuple[str, ...] = ()  # those named last with a place
    resumed: int = -9  # the line of a history on which findings of today follow without a heading
    last_lge: int = -9  # number of the last sentence on LGE
    present: int = 0
    infarct_named: int = 0  # without a place or layer: weaker than "no LGE"
    possible: int = 0
    why: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Item:
    """Layer, place or extent in reading order with its polarity."""

    kind: str
    value: object
    positive: bool
    words: str
    ranged: bool = False  # 'subepicardial to transmural'
    linked: bool = False  # joined to the item before by and / or / to
    minus: bool = False


def place_of(thing: object) -> Place:
    value = thing.value if isinstance(thing, Item | Mark) else thing
    assert isinstance(value, Place)
    return value


def score_of(percent: float) -> int:
    """Transmurality bin 0-4 of a percentage of the wall."""
    return 0 if percent <= 0 else 1 if percent <= 25 else 2 if percent <= 50 else 3 if percent <= 75 else 4


def score_of_extent(extent: Extent) -> int:
    """Bin of a stated share: the highest a range reaches; '<' and 'up to' count by their limit."""
    if extent.compared in (">", ">="):
        return min(score_of(extent.high + 1), 4)
    return max(score_of(extent.high), 1)
