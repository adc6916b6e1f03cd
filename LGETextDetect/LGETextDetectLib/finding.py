"""What is said about late enhancement of one study: the vocabulary shared by all parts (text/SCHEMA)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LGE_STATES = ("present", "absent", "uncertain", "not_stated")
LAYERS = ("subendocardial", "mid-wall", "subepicardial", "transmural", "insertion-point", "diffuse", "patchy")
ENDOCARDIAL = ("subendocardial", "transmural")  # the layers of an infarct; they have a transmurality score
CERTAINTIES = ("definite", "possible")
AETIOLOGIES = ("ischaemic", "non-ischaemic")


@dataclass(frozen=True)
class Lesion:
    """One described lesion; ``segments`` are sorted AHA numbers, empty when no place is given."""

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
    """The LGE statement of one study."""

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
    """What a prompt asks; empty tuples mean anywhere / any layer."""

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
        """Whether the prompt is true of a study with this finding (text/SCHEMA, Prompt meaning)."""
        found = finding.lge in ("present", "uncertain") and any(
            (not self.segments or set(self.segments) & set(lesion.segments))
            and (not self.layers or lesion.layer in self.layers)
            and (self.min_transmurality is None or (lesion.transmurality or 0) >= self.min_transmurality)
            for lesion in finding.lesions
        )
        found = found and (self.aetiology is None or finding.aetiology == self.aetiology)
        found = found and (self.no_reflow is None or finding.no_reflow == self.no_reflow)
        return bool(found) != self.negated
