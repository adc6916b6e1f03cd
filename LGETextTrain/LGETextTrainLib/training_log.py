"""What a training says: JSON lines in the run folder, progress to whoever listens, TensorBoard on request."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from LGETextDetectLib.events import Events
from LGETextDetectLib.refusal import InputRefused

from .optimise import Log

LOG_NAME = "log.jsonl"
SILENT = ("calibration", "test", "check", "real", "painted", "cine")  # stages whose steps are progress only


def training_log(folder: Path, totals: Mapping[str, int], events: Events, tensorboard: bool = False) -> Log:
    """A function that takes {"stage", "step", ...}; ``totals``: steps of every stage that shows progress.

    Raises InputRefused('no-tensorboard').
    """
    writer = _tensorboard(folder) if tensorboard else None

    def log(entry: dict[str, object]) -> None:
        stage, step = str(entry.get("stage", "")), entry.get("step")
        if isinstance(step, int) and stage in totals:
            events.progress(stage, step, totals[stage])
        if stage not in SILENT:
            with (folder / LOG_NAME).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"time": round(time.time(), 1), **entry}) + "\n")
        if writer is not None and isinstance(step, int):
            _write_scalars(writer, stage, step, entry)

    return log


def _tensorboard(folder: Path) -> Any:
    if find_spec("tensorboard") is None:
        raise InputRefused("no-tensorboard", "The recipe asks for TensorBoard files and tensorboard is not installed.")
    return import_module("torch.utils.tensorboard").SummaryWriter(str(folder / "tensorboard"))


def _write_scalars(writer: Any, stage: str, step: int, entry: Mapping[str, object]) -> None:
    validation = entry.get("validation")
    numbers = {f"validation_{k}": v for k, v in validation.items()} if isinstance(validation, dict) else dict(entry)
    for name, value in numbers.items():
        if isinstance(value, float) or (isinstance(value, int) and name not in ("step", "best")):
            writer.add_scalar(f"{stage}/{name}", value, step)
    writer.flush()
