"""From logits of sentences to what is said of study, segments, prompts and layers; no network here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from . import aha
from .finding import ENDOCARDIAL, LAYERS, Meaning

Float32 = npt.NDArray[np.float32]
LIKELIEST = 3  # segments that answer for the study
SURE_OF_AETIOLOGY = 0.6  # either way; between, the images do not tell and none is named
SCORE_SHARES = (0.255, 0.505)  # of the wall: scores 2 and 3 begin here
SEEN_IN_FULL = 0.3  # scarred share of a segment's wall from which its sentence alone decides
SEEN_NOWHERE = 0.006  # share that is taken for at least: a lesion that the map has lost is still said
UNSEEN = -10.0  # logit of a segment that no slice shows: nothing is said of it
BESIDE = 0.5  # weight of the lesion's other segments in the layer of one


def study_logit(segment_logits: Float32) -> float:
    """Whether there is scar anywhere: mean logit of the three segments, of those seen, whose sentences are affirmed most.

    A lesion reaches into the segments beside it, a fleck does not. On real hearts this holds better than one sentence
    about the whole ventricle (docs/model-log.md).
    """
    return float(np.sort(segment_logits)[-LIKELIEST:].mean())


def segment_logits_by_share(
    segment_logits: Float32, share: npt.NDArray[np.floating], seen: npt.NDArray[np.bool_], of_study: float
) -> Float32:
    """(17,) logits of the segments: the odds of one are in proportion to the ``share`` of its wall that the map shows as scar.

    A segment's tokens also tell of the lesion beside it; by its sentence alone too many neighbours are named. No segment is
    likelier scarred than the study, whose logit is ``of_study``.
    seen: whether a slice shows the segment; one that none shows is not named.
    """
    scarred = np.clip(share, SEEN_NOWHERE, SEEN_IN_FULL) / SEEN_IN_FULL
    return np.where(seen, np.minimum(segment_logits + np.log(scarred), of_study), UNSEEN).astype(np.float32)


def can_be_answered(meaning: Meaning, seen: npt.NDArray[np.bool_]) -> bool:
    """Whether a prompt was understood and the images show something of where it asks; seen (17,) of the segments."""
    return meaning.understood and (not meaning.segments or any(seen[n - 1] for n in meaning.segments))


def prompt_logit(meaning: Meaning, own: float, segment_logits: Float32, of_study: float) -> float:
    """The answer to a prompt, negated or not, from its ``own`` sentence's logit, the segments' (17,) and the study's.

    Answers agree with each other: scar in a place is as likely as in the likeliest of its segments, scar anywhere is the
    study's own question, and scar of some kind there is never likelier than scar there.
    """
    places = [n - 1 for n in meaning.segments]
    there = float(segment_logits[places].max()) if places else of_study
    return there if asks_place_alone(meaning) else min(own, there)


def asks_place_alone(meaning: Meaning) -> bool:
    """Whether a prompt asks for scar of any kind, somewhere or anywhere."""
    return replace(meaning, negated=False) == Meaning(True, segments=meaning.segments)


def layers_affirmed(segments: Sequence[int], logits: Float32, ischaemic: float) -> dict[int, str]:
    """The layer with the highest logit (N, 7) of each of N segments among those that it has.

    A lesion keeps its layer from segment to segment: half of what counts is the mean of the segments that touch. Beside scar
    that reaches the endocardium, a study that is surely ischaemic has no other: an infarct spreads from there.
    """
    shared = np.array(logits, float)
    for lesion in touching(segments):
        rows = [list(segments).index(n) for n in lesion]
        shared[rows] += BESIDE * (shared[rows].mean(0) - shared[rows])
    layers = {
        n: _highest(row, [m for m in LAYERS if m != "insertion-point" or n in aha.INSERTION_SEGMENTS])
        for n, row in zip(segments, shared, strict=True)
    }
    if ischaemic >= SURE_OF_AETIOLOGY and any(layer in ENDOCARDIAL for layer in layers.values()):
        return {n: _highest(row, ENDOCARDIAL) for n, row in zip(segments, shared, strict=True)}
    return layers


def _highest(logits: npt.NDArray[np.floating], layers: Sequence[str]) -> str:
    return max(layers, key=lambda layer: float(logits[LAYERS.index(layer)]))


def touching(segments: Sequence[int]) -> list[list[int]]:
    """The segments in groups that touch each other, in plane or across levels."""
    left, groups = set(segments), []
    while left:
        group, edge = set[int](), {min(left)}
        while edge:
            group |= edge
            left -= edge
            edge = {n for n in left if any(n in aha.NEIGHBOURS[m] for m in edge)}
        groups.append(sorted(group))
    return groups
