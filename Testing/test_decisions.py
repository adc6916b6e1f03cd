"""What is said follows from the logits of sentences: study, segments, prompts and layers agree with each other."""

import numpy as np
import pytest
from LGETextDetectLib import aha
from LGETextDetectLib.decisions import (
    can_be_answered,
    layers_affirmed,
    prompt_logit,
    segment_logits_by_share,
    study_logit,
    touching,
)
from LGETextDetectLib.finding import LAYERS, Meaning

SEPTUM = Meaning(True, segments=(2, 3, 8, 9, 14))
NO_SEPTUM = Meaning(True, negated=True, segments=(2, 3, 8, 9, 14))


def test_three_segments_answer_for_the_study() -> None:
    segments = np.full(17, -3.0, np.float32)
    segments[[7, 8, 1]] = 1.0, 2.0, 0.0
    assert study_logit(segments) == 1.0
    segments[1] = -3.0  # a fleck reaches into no third segment
    assert study_logit(segments) == 0.0


def test_answers_to_prompts_agree_with_the_segments() -> None:
    segments = np.full(17, -3.0, np.float32)
    segments[[7, 8, 1]] = 1.0, 2.0, 0.0  # mid anteroseptal and inferoseptal, basal anteroseptal
    assert prompt_logit(SEPTUM, -1.0, segments, 0.4) == prompt_logit(NO_SEPTUM, -1.0, segments, 0.4) == 2.0
    assert prompt_logit(Meaning(True), 5.0, segments, 0.4) == 0.4
    of_septum = Meaning(True, segments=SEPTUM.segments, layers=("mid-wall",))
    assert prompt_logit(of_septum, 0.5, segments, 0.4) == 0.5
    assert prompt_logit(of_septum, 4.0, segments, 0.4) == 2.0  # scar of one kind is not likelier than scar
    assert prompt_logit(Meaning(True, aetiology="ischaemic"), 4.0, segments, 0.4) == 0.4


def test_a_segment_is_as_likely_as_its_scar_is_seen() -> None:
    """Same sentence, three shares of the wall: odds go with the share up to three tenths, and a lost lesion is still said."""
    share = np.full(17, 0.5)
    share[:4] = 0.15, 0.03, 0.0, 0.3
    odds = np.exp(segment_logits_by_share(np.zeros(17, np.float32), share, np.ones(17, bool), 0.0))
    assert odds == pytest.approx([0.5, 0.1, 0.02] + [1.0] * 14)


def test_no_segment_is_likelier_than_the_study() -> None:
    segments = np.linspace(-3, 3, 17, dtype=np.float32)
    logits = segment_logits_by_share(segments, np.full(17, 0.5), np.ones(17, bool), 1.5)
    assert logits.max() == 1.5 and (logits[segments < 1.5] == segments[segments < 1.5]).all()


def test_nothing_is_said_of_segments_that_no_slice_shows() -> None:
    seen = np.zeros(17, bool)
    seen[6:12] = True  # a single slice, half way
    logits = segment_logits_by_share(np.full(17, 3.0, np.float32), np.full(17, 0.5), seen, 4.0)
    assert (logits[seen] == 3).all() and (logits[~seen] < -9).all()
    assert not can_be_answered(Meaning(True, segments=(1, 17)), seen)
    assert can_be_answered(Meaning(True, segments=(1, 7)), seen) and can_be_answered(Meaning(True), seen)
    assert not can_be_answered(Meaning(), seen)


def test_a_lesion_keeps_its_layer_from_segment_to_segment() -> None:
    """One segment of three that touch says otherwise, not by much; one far away says the same and keeps it."""
    logits = np.zeros((4, len(LAYERS)), np.float32)
    logits[:, LAYERS.index("mid-wall")] = 2.0, 2.0, 0.5, 0.5
    logits[:, LAYERS.index("subepicardial")] = 0.0, 0.0, 1.0, 1.0
    layers = layers_affirmed([5, 11, 12, 8], logits, 0.1)
    assert layers == {5: "mid-wall", 11: "mid-wall", 12: "mid-wall", 8: "subepicardial"}


def test_segments_touch_in_plane_and_across_levels() -> None:
    assert {n: sorted(aha.NEIGHBOURS[n]) for n in (1, 9, 14, 17)} == {
        1: [2, 6, 7], 9: [3, 8, 10, 14, 15], 14: [8, 9, 13, 15, 17], 17: [13, 14, 15, 16],
    }  # fmt: skip
    assert all(n in aha.NEIGHBOURS[m] for n in aha.NAMES for m in aha.NEIGHBOURS[n])
    assert touching([16, 5, 2, 11, 17]) == [[2], [5, 11, 16, 17]]


@pytest.mark.parametrize(
    ("ischaemic", "beside", "expected"),
    [
        (0.9, "subendocardial", ("transmural", "subendocardial")),  # an infarct's layers go together
        (0.5, "subendocardial", ("subepicardial", "subendocardial")),  # the images do not tell the aetiology
        (0.9, "mid-wall", ("subepicardial", "mid-wall")),  # nothing reaches the endocardium: no infarct is named
    ],
)
def test_an_infarct_has_no_layer_that_spares_the_endocardium(
    ischaemic: float, beside: str, expected: tuple[str, str]
) -> None:
    logits = np.zeros((2, len(LAYERS)), np.float32)
    logits[0, [LAYERS.index("subepicardial"), LAYERS.index("transmural")]] = 3, 2
    logits[1, LAYERS.index(beside)] = 1
    assert tuple(layers_affirmed([10, 11], logits, ischaemic).values()) == expected


def test_insertion_points_lie_beside_the_septum() -> None:
    logits = np.zeros((2, len(LAYERS)), np.float32)
    logits[:, [LAYERS.index("insertion-point"), LAYERS.index("mid-wall")]] = 3, 2
    assert layers_affirmed([2, 12], logits, 0.1) == {2: "insertion-point", 12: "mid-wall"}
