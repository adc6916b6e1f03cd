"""What is said about late enhancement (LGE) of the left ventricle (LV): the vocabulary shared by all parts.

``Finding`` is what a report, the truth of a virtual patient or the model says of one study; ``Meaning`` is what a prompt
asks of it. Segments are AHA numbers: 1-6 basal, 7-12 mid (each anterior, anteroseptal, inferoseptal, inferior,
inferolateral, anterolateral), 13-16 apical (anterior, septal, inferior, lateral), 17 the apical cap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

LGE_STATES = ("present", "absent", "uncertain", "not_stated")
LAYERS = ("subendocardial", "mid-wall", "subepicardial", "transmural", "insertion-point", "diffuse", "patchy")
ENDOCARDIAL = ("subendocardial", "transmural")  # the layers of an infarct; they have a transmurality score
DEPTHS = {
    "subendocardial": (1, 3),
    "transmural": (4, 4),
    None: (0, 4),
}  # transmurality of a layer; of the others (0, 0)
CERTAINTIES = ("definite", "possible")
AETIOLOGIES = ("ischaemic", "non-ischaemic")
NEAR = "near-threshold"  # the one reason for no answer that is not about the images


def images_unfit(reasons: Iterable[str]) -> bool:
    """Whether it is for its images that a study has no answer. One whose probability is near the threshold answers prompts."""
    return any(reason != NEAR for reason in reasons)


@dataclass(frozen=True)
class Lesion:
    """One described lesion; another layer or aetiology is another lesion, the same lesion over several walls is one.

    segments       sorted AHA numbers, empty when no place is given
    layer          one of LAYERS, None when not said; subendocardial as long as it is not transmural (up to 75 % of the wall)
    transmurality  0 none, 1 up to 25 %, 2 up to 50 %, 3 up to 75 %, 4 more; None when not said or no endocardial layer
    certainty      definite, or possible where the report doubts
    """

    segments: tuple[int, ...] = ()
    layer: str | None = None
    transmurality: int | None = None
    certainty: str = "definite"

    def __post_init__(self) -> None:
        if any(not 1 <= s <= 17 for s in self.segments):
            raise ValueError(f"AHA segments are 1-17, got {self.segments}")
        if self.layer is not None and self.layer not in LAYERS:
            raise ValueError(f"layer must be one of {LAYERS}, got {self.layer!r}")
        if self.transmurality is not None and not 0 <= self.transmurality <= 4:
            raise ValueError(f"transmurality is 0-4, got {self.transmurality}")
        if self.certainty not in CERTAINTIES:
            raise ValueError(f"certainty must be one of {CERTAINTIES}, got {self.certainty!r}")
        object.__setattr__(self, "segments", tuple(sorted(set(self.segments))))


@dataclass(frozen=True)
class Finding:
    """The LGE statement of one study; earlier examinations count only where the report says that nothing changed.

    lge        present; uncertain (only possible LGE); absent; not_stated (the LV is not spoken of: other organs, no contrast)
    lesions    none when absent or not stated
    aetiology  ischaemic or non-ischaemic where stated or implied by a named disease; None when not, or both alike
    no_reflow  microvascular obstruction: True described, False excluded, None not mentioned
    """

    lge: str = "not_stated"
    lesions: tuple[Lesion, ...] = ()
    aetiology: str | None = None
    no_reflow: bool | None = None

    def __post_init__(self) -> None:
        if self.lge not in LGE_STATES:
            raise ValueError(f"lge must be one of {LGE_STATES}, got {self.lge!r}")
        if self.aetiology is not None and self.aetiology not in AETIOLOGIES:
            raise ValueError(f"aetiology must be one of {AETIOLOGIES}, got {self.aetiology!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary in the schema's field order."""
        data = asdict(self)
        data["lesions"] = [{**lesion, "segments": list(lesion["segments"])} for lesion in data["lesions"]]
        return data

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Finding:
        """Inverse of :meth:`to_dict`; raises ValueError or KeyError on foreign content."""
        lesions = tuple(Lesion(**{**lesion, "segments": tuple(lesion["segments"])}) for lesion in data["lesions"])
        return Finding(data["lge"], lesions, data["aetiology"], data["no_reflow"])


@dataclass(frozen=True)
class Meaning:
    """What a prompt asks of one study: whether some lesion meets all of its fields, or, negated, whether none does.

    understood         False when the prompt asks nothing about LGE of the LV in this study (other organs, function,
                       treatment, knowledge in general, no sense, a segment that does not exist); all else is then empty
    negated            the prompt denies and asks nothing else ("no scar in the septum", "is the lateral wall free of
                       enhancement?", "viable anterior wall"); "infarct without MVO", "scar, not in the septum" and "no
                       infarct but midwall fibrosis" are not negated
    segments           AHA numbers one of which the lesion has; empty anywhere. A wall without level is meant at all levels,
                       a coronary territory or "outside the septum" is its segments; what is excepted ("sparing the septum",
                       "except the apex", ", not the septum") is taken away
    layers             names of LAYERS one of which the lesion has, empty any; those of an exception are not asked. A share
                       of the wall names no layer ("less than 25 % transmural")
    aetiology          ischaemic for infarct, MI and heart attack; non-ischaemic for other named diseases; None otherwise, for
                       a territory alone, and for alternatives ("infarct or myocarditis?")
    no_reflow          True when microvascular obstruction is asked or denied alone ("no MVO"); None otherwise, also when it
                       is denied beside something else ("infarct without MVO")
    min_transmurality  lowest transmurality (1-4 as in ``Lesion``) that is enough: more than, or at least, 25 % 2, 50 % 3,
                       75 % 4; None for an upper limit ("up to 50 %") and for shares of the LV
    """

    understood: bool = False
    negated: bool = False
    segments: tuple[int, ...] = ()
    layers: tuple[str, ...] = ()
    aetiology: str | None = None
    no_reflow: bool | None = None
    min_transmurality: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary in the schema's field order."""
        return {**asdict(self), "segments": list(self.segments), "layers": list(self.layers)}

    def true_for(self, finding: Finding) -> bool:
        """Whether the prompt is true of a study of which the finding says all there is; doubtful lesions count."""
        found = finding.lge in ("present", "uncertain") and any(
            (not self.segments or set(self.segments) & set(lesion.segments))
            and (not self.layers or lesion.layer in self.layers)
            and (self.min_transmurality is None or (lesion.transmurality or 0) >= self.min_transmurality)
            for lesion in finding.lesions
        )
        found = found and (self.aetiology is None or finding.aetiology == self.aetiology)
        found = found and (self.no_reflow is None or finding.no_reflow == self.no_reflow)
        return bool(found) != self.negated

    def decided_for(self, finding: Finding) -> bool | None:
        """Whether the prompt is true of a study with this finding; None when the finding leaves it open.

        What is not said is open, but for what the way in which reports are written decides: "absent" denies all; scar
        whose place is given lies nowhere else; each layer has its range of transmurality; scar that is called
        non-ischaemic holds no microvascular obstruction. A doubtful lesion decides nothing where it may lie. Of a finding
        that leaves nothing open, as the truth of a virtual patient, it says the same as :meth:`true_for`.
        """
        if finding.lge == "not_stated":
            return None
        lesions = () if finding.lge == "absent" else finding.lesions or (Lesion(),)
        found = _any(self._met_by(lesion, finding) for lesion in lesions)
        return None if found is None else found != self.negated

    def _met_by(self, lesion: Lesion, finding: Finding) -> bool | None:
        """Whether one lesion of a finding meets all fields."""
        return _all(
            (
                True if finding.lge == "present" and lesion.certainty == "definite" else None,
                self._lies_there(lesion, finding),
                not self.layers or (None if lesion.layer is None else lesion.layer in self.layers),
                self._reaches_through(lesion),
                self._has_cause(finding),
                self._has_core(finding),
            )
        )

    def _lies_there(self, lesion: Lesion, finding: Finding) -> bool | None:
        """Whether a lesion lies in one of the segments; one without a place lies somewhere in what is named."""
        asked = set(self.segments)
        named = set(lesion.segments) or {n for other in finding.lesions for n in other.segments} or set(range(1, 18))
        if not asked or named <= asked:
            return True
        return bool(asked & named) and (True if lesion.segments else None)

    def _reaches_through(self, lesion: Lesion) -> bool | None:
        """Whether a lesion reaches as far through the wall as is asked."""
        least, score = self.min_transmurality or 0, lesion.transmurality
        low, high = DEPTHS.get(lesion.layer, (0, 0)) if score is None else (score, score)
        return None if low < least <= high else low >= least

    def _has_cause(self, finding: Finding) -> bool | None:
        if self.aetiology is None:
            return True
        return None if finding.aetiology is None else finding.aetiology == self.aetiology

    def _has_core(self, finding: Finding) -> bool | None:
        if self.no_reflow is None:
            return True
        said = False if finding.no_reflow is None and finding.aetiology == "non-ischaemic" else finding.no_reflow
        return None if said is None else said == self.no_reflow


def _all(parts: Iterable[bool | None]) -> bool | None:
    """Kleene's conjunction: false when one part is, else open when one part is."""
    known = set(parts)
    return False if False in known else None if None in known else True


def _any(parts: Iterable[bool | None]) -> bool | None:
    """Kleene's disjunction: true when one part is, else open when one part is."""
    known = set(parts)
    return True if True in known else None if None in known else False
