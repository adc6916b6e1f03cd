"""Every question reaches the text encoder in its closed vocabulary."""

import numpy as np
import pytest
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.questions import PROMPT_VOCABULARY, place_words, prompt_pair
from LGETextTrainLib.ask import random_question


def test_closed_vocabulary() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        for sentence in prompt_pair(random_question(rng)):
            words = sentence.replace(",", " , ").split()
            assert len(words) <= 64
            assert set(words) <= set(PROMPT_VOCABULARY)


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        ((), "anywhere"),
        ((4, 10, 15), "inferior wall"),
        ((2, 3, 8, 9, 14), "septal wall"),
        ((1, 2, 7, 8, 13, 14, 17), "lad territory"),
        ((9,), "mid inferoseptal"),
        ((17,), "apex"),
        ((4, 10), "basal inferior , mid inferior"),
    ],
)
def test_place_words(segments: tuple[int, ...], words: str) -> None:
    assert place_words(segments) == words


def test_two_places_never_share_a_sentence() -> None:
    seen: dict[str, tuple[int, ...]] = {}
    rng = np.random.default_rng(1)
    for _ in range(2000):
        segments = tuple(sorted(int(n) for n in rng.permutation(np.arange(1, 18))[: rng.integers(0, 10)]))
        assert seen.setdefault(place_words(segments), segments) == segments


def test_negative_sentence_denies_the_affirmative() -> None:
    affirm, deny = prompt_pair(Meaning(True, segments=(5,), layers=("mid-wall",), no_reflow=True))
    assert deny == affirm.replace("there is", "there is no", 1)
