"""One study from input to finding: the only file that knows the order of the stages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .events import Events
from .finding import Meaning
from .input_files import Source
from .landmarks import Landmarks, Maps, find_landmarks
from .manual_landmarks import maps_around, with_manual
from .markups import read_markups
from .model import Engine, Prediction
from .normalised import NormalisedStack, evidence_on_grid, normalise
from .padding import without_padding
from .refusal import InputRefused
from .result import build_result
from .volume import Volume
from .volume_files import LoadedStudy, load_study
from .wording import read_prompt

STAGES = ("read", "landmarks", "normalise", "model")
MAX_PROMPT_BYTES = 1_000_000


@dataclass(frozen=True)
class DetectOptions:
    """What may be asked of a detection besides the finding; landmarks: a .mrk.json whose points override found ones."""

    landmarks: Path | None = None
    prompts: tuple[str, ...] = ()
    keep_phi: bool = False


@dataclass(frozen=True, eq=False)
class Detection:
    """A finished detection. evidence: float32 0-1 on the input's grid; result: all of result.json, ``seconds`` too."""

    loaded: LoadedStudy
    landmarks: Landmarks
    stack: NormalisedStack
    prediction: Prediction
    evidence: npt.NDArray[np.float32]
    result: dict[str, Any]


class _Stages:
    """Tells the events where a detection stands and measures how long each stage took."""

    def __init__(self, events: Events) -> None:
        self.seconds: dict[str, float] = {}
        self._events = events

    @contextmanager
    def run(self, stage: str) -> Iterator[None]:
        self._events.progress(stage, len(self.seconds), len(STAGES))
        started = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - started, 3)


def detect(
    source: Source, engine: Engine, options: DetectOptions | None = None, events: Events | None = None
) -> Detection:
    """Detect scar in one study: a DICOM folder, DICOM files, or one NRRD, NIfTI or MHA file. Writes nothing.

    Raises InputRefused for input that must not be answered.
    """
    options, events = options or DetectOptions(), events or Events()
    stages = _Stages(events)
    with stages.run("read"):
        asked = ask(options.prompts)
        loaded = load_study(source)
        manual = read_markups(options.landmarks, loaded.volume) if options.landmarks else None
        image = without_padding(loaded.volume)
    with stages.run("landmarks"):
        landmarks, maps = locate(image, engine, manual)
    with stages.run("normalise"):
        stack = normalise(image, landmarks, maps)
    with stages.run("model"):
        prediction = engine.predict(stack, [meaning for _, meaning in asked])
        evidence = evidence_on_grid(stack, prediction.evidence, loaded.volume)
        result = build_result(loaded, landmarks, stack, prediction, asked, engine, keep_phi=options.keep_phi)
    events.progress("model", len(STAGES), len(STAGES))
    total = round(sum(stages.seconds.values()), 3)
    result["seconds"] = {**stages.seconds, "write": 0.0, "total": total}
    return Detection(loaded, landmarks, stack, prediction, evidence, result)


def locate(volume: Volume, engine: Engine, manual: Landmarks | None = None) -> tuple[Landmarks, Maps]:
    """Landmarks and maps; points set by hand override found ones and stand in where no heart was found."""
    if manual is None:
        return find_landmarks(volume, engine.segment)
    try:
        found: Landmarks | None = find_landmarks(volume, engine.segment)[0]
    except InputRefused as refused:
        if refused.code != "no-heart":
            raise
        found = None
    landmarks = with_manual(found, manual, volume)
    return landmarks, maps_around(volume, landmarks, engine.segment)


def ask(prompts: tuple[str, ...]) -> list[tuple[str, Meaning]]:
    """Every prompt with what it was understood to mean."""
    return [(text, read_prompt(text)) for text in prompts]


def read_prompts(path: Path) -> tuple[str, ...]:
    """Prompts of a UTF-8 text file, one a line; a byte order mark and blank lines are skipped.

    Raises InputRefused(not-found, bad-prompts).
    """
    if not os.path.isfile(path):
        raise InputRefused("not-found", "The prompt file does not exist, or cannot be reached.")
    if path.stat().st_size > MAX_PROMPT_BYTES:
        raise InputRefused("bad-prompts", "The prompt file is far too large.")
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputRefused("not-found", "The prompt file cannot be opened.") from error
    except UnicodeDecodeError as error:
        raise InputRefused("bad-prompts", "The prompt file is not UTF-8 text.") from error
    # Not splitlines(): characters such as U+2028 may stand inside a prompt.
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def sample_study() -> Path:
    """Folder of the bundled DICOM study: Resources/SampleStudy beside the libraries."""
    here = Path(__file__).resolve().parent
    for place in (here.parents[1], here.parent, here):
        if (place / "Resources" / "SampleStudy").is_dir():
            return place / "Resources" / "SampleStudy"
    raise InputRefused("no-sample", "The sample study was not found beside the program.")
