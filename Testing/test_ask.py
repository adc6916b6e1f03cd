"""The questions of a training step fit what each report says, also where it says little."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training environment has torch")

from LGETextDetectLib.finding import Finding, Lesion
from LGETextDetectLib.wording import read_report
from LGETextTrainLib.ask import LayerQuestion, draw_layer_questions, draw_questions

THIN = (
    "Transmural LGE.",
    "Mid-wall fibrosis is present.",
    "Transmural infarct. LGE present.",
    "Scar in the inferior wall.",
)


@pytest.mark.parametrize("text", THIN)
def test_a_report_without_place_or_layer_can_be_asked_about(text: str) -> None:
    findings = (read_report(text),)
    assert findings[0].lge == "present"
    for seed in range(40):
        rng = np.random.default_rng(seed)
        assert len(draw_questions(rng, findings, 20)) == 20
        for question in draw_layer_questions(rng, findings, 12):
            assert question == LayerQuestion(0, (), findings[0].lesions[0].layer)


def test_the_layer_of_scar_without_a_place_is_asked_of_the_whole_wall() -> None:
    (question,) = draw_layer_questions(np.random.default_rng(0), (read_report("Transmural LGE."),), 12)
    assert question == LayerQuestion(0, (), "transmural")


def test_of_several_lesions_only_those_with_a_place_are_asked_about() -> None:
    """Of the whole wall two layers would be right."""
    finding = Finding("present", (Lesion((), "transmural"), Lesion((2, 8), "mid-wall")))
    for seed in range(20):
        (question,) = draw_layer_questions(np.random.default_rng(seed), (finding,), 12)
        assert question.layer == "mid-wall" and set(question.segments) <= {2, 8}
