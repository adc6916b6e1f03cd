"""From the scar network's maps to the tokens that the text side reads: one per slice, 30-degree sector and layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from . import aha
from .finding import LAYERS
from .surroundings import SURROUNDINGS, surroundings
from .wall_regions import BANDS, PER_SLICE, SECTORS, Float32, wall_regions

OWN_MEASURES = 6 + len(LAYERS)  # area, mean signal, mean and peak scar, mean and peak no-reflow, share of each layer
MEASURES = OWN_MEASURES + SURROUNDINGS
PLACES = 12
BASAL_EDGE = 0.12  # of the LV length, about one slice
LEVEL_MARGIN = 0.04  # of the LV length


@dataclass(frozen=True, eq=False)
class StudyTokens:
    """values (S * 36, F), places (S * 36, 12), present (S * 36,) bool: the region holds myocardium of the LV."""

    values: Float32
    places: Float32
    present: npt.NDArray[np.bool_]

    @property
    def position(self) -> Float32:
        """(S,) place of each slice along the LV."""
        return self.places[::PER_SLICE, 0]

    @cached_property
    def trusted(self) -> npt.NDArray[np.bool_]:
        """(S * 36,) present and away from the base: what the study's answer may rest on."""
        return self.present & away_from_base(self.position)


def study_tokens(image: Float32, maps: Float32, position: Float32) -> StudyTokens:
    """Pool what the scar network saw over the regions of its own myocardium.

    image: (S, 96, 96) normalised signal. maps: (S, 11, 96, 96) cavity, myocardium, scar, no-reflow, layers. position: (S,)
    along the LV, 0 base .. 1 apex. Only measures that have a meaning are pooled: the network's inner features tell
    virtual patients apart better and real ones worse (docs/model-log.md).
    """
    regions = wall_regions(maps[:, 0] > 0.5, maps[:, 1] > 0.5)
    scar, core = maps[:, 2], maps[:, 3]
    total = regions.total(scar)
    # One pixel more: where no scar is seen all shares are 0.
    shares = [regions.total(scar * maps[:, 4 + k]) / (total + 1) for k in range(len(LAYERS))]
    own = [
        np.log1p(regions.area) / 4, regions.mean(image), regions.mean(scar), regions.peak(scar),
        regions.mean(core), regions.peak(core), *shares,
    ]  # fmt: skip
    values = np.concatenate([np.stack(own, 1), surroundings(image, maps, regions)], 1)
    inside_lv = np.repeat((position >= 0) & (position <= 1), PER_SLICE)
    return StudyTokens(values.astype(np.float32), _places(position), (regions.area > 0) & inside_lv)


def _places(position: Float32) -> Float32:
    """(S,) to (S * 36, 12): where each token lies, smooth in position and angle, one-hot in layer."""
    s = np.repeat(np.asarray(position, float), PER_SLICE)
    angle = np.tile(np.repeat((np.arange(SECTORS) + 0.5) * 2 * np.pi / SECTORS, BANDS), len(position))
    band = np.tile(np.eye(BANDS), (len(position) * SECTORS, 1))
    levels = [1 / (1 + np.exp(-(s - border) / 0.04)) for border in (1 / 3, 2 / 3, aha.CAP_START)]
    waves = [f(k * angle) for k in (1, 2) for f in (np.cos, np.sin)]
    return np.stack([s, *levels, *waves, np.cos(3 * angle), *band.T], 1).astype(np.float32)


def segments_of_tokens(position: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """(S,) places along the LV to (S * 36, 17): whether a token may hold part of an AHA segment.

    Levels overlap a little, since base and apex are known only to half a slice.
    """
    angle = np.repeat((np.arange(SECTORS) + 0.5) * (360 / SECTORS), BANDS)
    member = np.zeros((len(position), PER_SLICE, 18), bool)
    for row, place in zip(member, np.asarray(position, float), strict=True):
        for level in {aha.level_of(place + step) for step in (-LEVEL_MARGIN, 0.0, LEVEL_MARGIN)}:
            row[np.arange(PER_SLICE), aha.segment_of(angle, level)] = True
    return member.reshape(-1, 18)[:, 1:]


def away_from_base(position: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """(S,) places along the LV to (S * 36,): tokens below the slice that meets outflow tract and mitral annulus.

    There the wall is cut obliquely and holds blood by partial volume: brightness on that slice alone decides nothing
    about the study. All tokens when no slice lies below.
    """
    below = np.repeat(np.asarray(position, float) >= BASAL_EDGE, PER_SLICE)
    return below if below.any() else np.ones(len(below), bool)


def shown_segments(member: npt.NDArray[np.bool_], present: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(17,) whether some token holds a part of the segment; all when no slice shows a wall: such a study is not answered."""
    shown = np.asarray((member & present[:, None]).any(0), np.bool_)
    return shown if shown.any() else ~shown


def looked_at(
    member: npt.NDArray[np.bool_], present: npt.NDArray[np.bool_], segments: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    """(T,) tokens that a question about these segments may look at: all when it names none, none when no slice shows them."""
    return present & member[:, [n - 1 for n in segments]].any(1) if segments else present
