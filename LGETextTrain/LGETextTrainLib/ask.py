"""Draw the questions of a training step: presence, single segments, parts of what is true, random ones, and layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.finding import LAYERS, Finding, Lesion, Meaning

Bools = npt.NDArray[np.bool_]
PRESENCE = Meaning(True)
SEGMENTS = tuple(Meaning(True, segments=(n,)) for n in range(1, 18))
SINGLE_SEGMENT = 0.7  # of the layer questions ask about one segment, as detection does; the others about a whole lesion
RARE = 0.5  # exponent by which lesions of a layer that is frequent in a batch are drawn less often


@dataclass(frozen=True)
class LayerQuestion:
    """In which layer the scar of some segments lies, of the study at ``row`` of a batch; ``layer`` is the right one.

    No segments: the scar wherever it is.
    """

    row: int
    segments: tuple[int, ...]
    layer: str


PLACES: tuple[tuple[int, ...], ...] = (
    (1, 7, 13), (2, 8), (3, 9), (2, 3, 8, 9, 14), (4, 10, 15), (5, 11), (6, 12), (5, 6, 11, 12, 16), (13, 14, 15, 16),
    (1, 2, 7, 8, 13, 14, 17), (3, 4, 9, 10, 15), (5, 6, 11, 12, 16), (2, 3, 8, 9), tuple(range(1, 7)), tuple(range(7, 13)),
)  # fmt: skip


def answers_to(meanings: Sequence[Meaning], findings: Sequence[Finding]) -> tuple[Bools, Bools]:
    """(N, P) whether each question is true of each study, and (N, P) whether what is said of the study decides it."""
    said = [[meaning.decided_for(finding) for meaning in meanings] for finding in findings]
    true = np.array([[answer is True for answer in row] for row in said], bool)
    return true, np.array([[answer is not None for answer in row] for row in said], bool)


def segment_answers(findings: Sequence[Finding]) -> tuple[Bools, Bools]:
    """(N, 17) whether each segment holds scar, and (N, 17) whether what is said of the study decides that."""
    return answers_to(SEGMENTS, findings)


def random_question(rng: np.random.Generator) -> Meaning:
    """A plausible question that owes nothing to any study."""
    kind = rng.random()
    if kind < 0.15:
        place: tuple[int, ...] = ()
    elif kind < 0.7:
        place = PLACES[rng.integers(len(PLACES))]
        if rng.random() < 0.25:
            level = set(((1, 2, 3, 4, 5, 6), (7, 8, 9, 10, 11, 12), (13, 14, 15, 16))[rng.integers(3)])
            place = tuple(sorted(level & set(place))) or place
        if rng.random() < 0.08:
            place = tuple(n for n in range(1, 18) if n not in place)
    else:
        place = tuple(sorted(int(n) for n in rng.permutation(np.arange(1, 18))[: rng.integers(1, 4)]))
    detail = rng.random()
    if detail < 0.25:
        return Meaning(True, segments=place, layers=(str(rng.choice(LAYERS)),))
    if detail < 0.38:
        return Meaning(True, segments=place, aetiology=str(rng.choice(["ischaemic", "non-ischaemic"])))
    if detail < 0.45:
        return Meaning(True, segments=place, no_reflow=True)
    if detail < 0.55:
        return Meaning(True, segments=place, min_transmurality=int(rng.integers(1, 5)))
    return Meaning(True, segments=place)


def true_question(rng: np.random.Generator, finding: Finding) -> Meaning:
    """A question to which this finding, with lesions, says yes."""
    lesion = finding.lesions[rng.integers(len(finding.lesions))]
    some: list[int] = list(rng.permutation(lesion.segments)[: rng.integers(1, 4)]) if rng.random() < 0.7 else []
    score = lesion.transmurality if rng.random() < 0.3 else None
    layers = (lesion.layer,) if lesion.layer and rng.random() < 0.5 and not score else ()
    return Meaning(
        True, segments=tuple(sorted(int(n) for n in some)), layers=layers, min_transmurality=score,
        aetiology=finding.aetiology if rng.random() < 0.15 else None, no_reflow=True if finding.no_reflow and rng.random() < 0.3 else None,
    )  # fmt: skip


def draw_questions(rng: np.random.Generator, findings: tuple[Finding, ...], count: int) -> list[Meaning]:
    """``count`` questions for a batch of studies, presence first."""
    present = [finding for finding in findings if finding.lge == "present" and finding.lesions]
    questions = [PRESENCE]
    while len(questions) < count:
        kind = rng.random()
        if kind < 0.3:
            questions.append(Meaning(True, segments=(int(rng.integers(1, 18)),)))
        elif kind < 0.65 and present:
            questions.append(true_question(rng, present[rng.integers(len(present))]))
        else:
            questions.append(random_question(rng))
    return questions


def draw_layer_questions(rng: np.random.Generator, findings: tuple[Finding, ...], most: int) -> list[LayerQuestion]:
    """One question of each of up to ``most`` studies that have a lesion of a known layer.

    Lesions of layers that are rare in the batch are drawn more often than their share.
    """
    lesions = [
        (row, known[rng.integers(len(known))])
        for row, finding in enumerate(findings)
        if finding.lge == "present" and (known := _of_known_layer(finding))
    ]
    if not lesions:
        return []
    counts = Counter(lesion.layer for _, lesion in lesions)
    share = np.array([counts[lesion.layer] ** -RARE for _, lesion in lesions])
    chosen = rng.choice(len(lesions), min(most, len(lesions)), replace=False, p=share / share.sum())
    questions: list[LayerQuestion] = []
    for row, lesion in (lesions[k] for k in chosen):
        one = rng.random() < SINGLE_SEGMENT
        segments = (int(rng.choice(lesion.segments)),) if one and lesion.segments else lesion.segments
        questions.append(LayerQuestion(row, segments, str(lesion.layer)))
    return questions


def _of_known_layer(finding: Finding) -> list[Lesion]:
    """Lesions of which the layer can be asked: without a place, only where no other lesion might be meant."""
    alone = len(finding.lesions) == 1
    return [lesion for lesion in finding.lesions if lesion.layer in LAYERS and (lesion.segments or alone)]
