"""What a training says, and who says it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from LGETextDetectLib.events import Events
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.processes import Processes
from LGETextTrainLib.training_log import LOG_NAME, training_log


class Heard(Events):
    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def progress(self, stage: str, done: int, total: int) -> None:
        self.steps.append((stage, done, total))


def test_lines_are_kept_and_progress_is_told(tmp_path: Path) -> None:
    heard = Heard()
    log = training_log(tmp_path, {"scar": 100, "real": 7}, heard)
    log({"stage": "scar", "step": 50, "loss": 0.5})
    log({"stage": "real", "step": 3})
    log({"stage": "done", "auroc": 0.9})
    assert heard.steps == [("scar", 50, 100), ("real", 3, 7)]
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text("utf-8").splitlines()]
    assert [line["stage"] for line in lines] == ["scar", "done"] and lines[0]["loss"] == 0.5


def test_tensorboard_files_are_written_or_what_is_missing_is_said(tmp_path: Path) -> None:
    if importlib.util.find_spec("tensorboard") is None:
        with pytest.raises(InputRefused) as refused:
            training_log(tmp_path, {}, Events(), tensorboard=True)
        assert refused.value.code == "no-tensorboard"
        return
    training_log(tmp_path, {}, Events(), tensorboard=True)({"stage": "scar", "step": 50, "loss": 0.5})
    assert list((tmp_path / "tensorboard").iterdir())


def test_parts_are_shared_out_once() -> None:
    shares = [Processes(rank, 3).own_parts(7) for rank in range(3)]
    assert sorted(part for share in shares for part in share) == list(range(7))
    assert [Processes(rank, 3).speaks for rank in range(3)] == [True, False, False]
