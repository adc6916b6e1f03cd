"""One study from input to finding: prompts as given, points set by hand used, the same input gives the same answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import StudyFiles
from LGETextDetectLib.events import Cancelled, Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.study import STAGES, Detection, DetectOptions, detect, read_prompts
from LGETextDetectLib.volume_files import write_nrrd

PROMPTS = ("Is there scar in the septum?", "What is the weather?", "No late enhancement of the lateral wall")


class Heard(Events):
    """Remembers progress."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def progress(self, stage: str, done: int, total: int) -> None:
        self.steps.append((stage, done, total))


class StopAt(Events):
    """A user who cancels when a stage begins."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage == self.stage:
            raise Cancelled


@pytest.fixture(scope="module")
def engine(untrained_bundle: Path) -> Engine:
    return Engine(untrained_bundle, "onnx")


@pytest.fixture(scope="module")
def detection(engine: Engine, study_files: StudyFiles) -> Detection:
    return detect(study_files.volume, engine, DetectOptions(study_files.landmarks, PROMPTS))


def test_stages_are_told_in_their_order_and_timed(engine: Engine, study_files: StudyFiles) -> None:
    heard = Heard()
    seconds = detect(study_files.volume, engine, DetectOptions(study_files.landmarks), heard).result["seconds"]
    assert heard.steps == [("read", 0, 4), ("landmarks", 1, 4), ("normalise", 2, 4), ("model", 3, 4), ("model", 4, 4)]
    assert list(seconds) == [*STAGES, "write", "total"]
    assert seconds["total"] == pytest.approx(sum(seconds[stage] for stage in STAGES), abs=1e-3)


def test_the_same_input_gives_the_same_answer(detection: Detection, engine: Engine, study_files: StudyFiles) -> None:
    again = detect(study_files.volume, engine, DetectOptions(study_files.landmarks, PROMPTS))
    assert np.array_equal(again.evidence, detection.evidence)
    assert {**again.result, "seconds": 0} == {**detection.result, "seconds": 0}


def test_evidence_lies_on_the_inputs_own_grid(detection: Detection) -> None:
    assert detection.evidence.shape == detection.loaded.volume.array.shape
    assert detection.evidence.dtype == np.float32
    assert detection.evidence.min() >= 0 and 0.1 < detection.evidence.max() <= 1


def test_points_set_by_hand_are_used_where_no_heart_is_seen(
    detection: Detection, engine: Engine, study_files: StudyFiles
) -> None:
    assert detection.result["landmarks"]["source"] == "manual"
    with pytest.raises(InputRefused) as refused:
        detect(study_files.volume, engine)
    assert refused.value.code == "no-heart"


def test_prompts_come_back_in_their_order_with_an_answer_or_none(bundled_model: Path, study_files: StudyFiles) -> None:
    options = DetectOptions(study_files.landmarks, PROMPTS)
    rows = detect(study_files.volume, Engine(bundled_model, "onnx"), options).result["prompts"]
    assert [row["text"] for row in rows] == list(PROMPTS)
    assert [row["understood"] for row in rows] == [True, False, True]
    assert [row["probability"] is None for row in rows] == [False, True, False]
    assert rows[2]["meaning"]["negated"]


def test_a_network_that_is_sure_of_nothing_gives_no_answer(detection: Detection) -> None:
    """Random weights: whether blood is brighter than muscle cannot be measured, and that does not count as good."""
    assert "contrast-not-measurable" in detection.result["detection"]["reasons"]
    assert [row["probability"] for row in detection.result["prompts"]] == [None] * len(PROMPTS)


@pytest.mark.parametrize("stage", STAGES[:2])
def test_cancelling_ends_the_detection(engine: Engine, study_files: StudyFiles, stage: str) -> None:
    with pytest.raises(Cancelled):
        detect(study_files.volume, engine, DetectOptions(study_files.landmarks), StopAt(stage))


@pytest.mark.parametrize(
    ("content", "prompts"),
    [
        (b"a\nb\n", ("a", "b")),
        (b"\xef\xbb\xbfa\r\n\r\n  \r\nb", ("a", "b")),
        ("Größe?\n zwei\u2028eins \n".encode(), ("Größe?", "zwei\u2028eins")),
        (b"", ()),
    ],
)
def test_prompt_files(tmp_path: Path, content: bytes, prompts: tuple[str, ...]) -> None:
    (tmp_path / "prompts.txt").write_bytes(content)
    assert read_prompts(tmp_path / "prompts.txt") == prompts


@pytest.mark.parametrize(
    ("content", "code"), [(None, "not-found"), (b"\xff\xfe\x00a", "bad-prompts"), (b"x" * 1_000_001, "bad-prompts")]
)
def test_prompt_files_that_cannot_be_read_are_refused(tmp_path: Path, content: bytes | None, code: str) -> None:
    if content is not None:
        (tmp_path / "prompts.txt").write_bytes(content)
    with pytest.raises(InputRefused) as refused:
        read_prompts(tmp_path / "prompts.txt")
    assert refused.value.code == code


def test_a_scarred_virtual_patient_is_found_without_help(bundled_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from LGETextTrainLib.sample_patient import sample_patient
    from LGETextTrainLib.virtual_study import render_study

    write_nrrd(render_study(sample_patient()).volume, tmp_path / "study.nrrd")
    result = detect(tmp_path / "study.nrrd", Engine(bundled_model)).result
    assert result["landmarks"]["source"] == "auto"
    assert result["detection"]["present"] is True
    named = {n for lesion in result["finding"]["lesions"] for n in lesion["segments"]}
    assert named & {4, 10}  # an infarct of the basal and mid inferior wall
