"""A small synthetic detection with known truth: a ring of wall around blood, scar in the inferior wall, oblique slices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.landmarks import Landmarks, SliceLandmarks
from LGETextDetectLib.model import Prediction
from LGETextDetectLib.normalised import PIXEL_MM, SIZE, NormalisedStack
from LGETextDetectLib.result import build_result
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import InputFacts, LoadedStudy

SLICES = 8
GAP_MM = 9.0
SHA = "0123456789abcdef" * 4
SECONDS = {"read": 0.1, "landmarks": 0.2, "normalise": 0.1, "model": 0.3, "write": 0.0, "total": 0.7}
THRESHOLDS = {
    "study": 0.5, "segment": 0.4, "abstain_low": 0.46, "abstain_high": 0.54,
    "calibration": {"a": 1.0, "b": 0.0}, "no_reflow": 0.5,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sample:
    """The attributes the outputs read from a detection."""

    loaded: LoadedStudy
    landmarks: Landmarks
    stack: NormalisedStack
    prediction: Prediction
    evidence: np.ndarray
    result: dict[str, Any]


def heart_axes() -> np.ndarray:
    """(3, 3) columns right (lateral), up (anterior), towards the apex: LPS, like real hearts."""
    apex = np.array([0.53, -0.76, -0.33]) / np.linalg.norm([0.53, -0.76, -0.33])
    right = np.array([0.72, 0.68, -0.08]) - apex * (np.array([0.72, 0.68, -0.08]) @ apex)
    right /= np.linalg.norm(right)
    return np.column_stack([right, np.cross(apex, right), apex])


def sample_volume(slices: int = SLICES, size: int = 64) -> Volume:
    """Oblique stack, base first, 2 mm pixels, seen from the apex."""
    right, up, apex = heart_axes().T
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([apex * GAP_MM, -up * 2.0, right * 2.0])
    affine[:3, 3] = (12.0, -30.0, 7.0) - affine[:3, 1:3].sum(1) * (size - 1) / 2
    array = np.random.default_rng(0).normal(100, 20, (slices, size, size)).astype(np.float32)
    return Volume(array, affine, "psir")


def sample_landmarks(volume: Volume) -> Landmarks:
    """LV centre in every slice's middle, insertion points 30 mm away at 120 and 240 degrees."""
    right, up, _ = heart_axes().T
    middle = (np.array(volume.array.shape[1:]) - 1) / 2
    rows = []
    for k in range(len(volume.array)):
        centre = volume.to_lps([k, *middle])
        places = [centre + 30 * (right * np.cos(a) + up * np.sin(a)) for a in np.radians((120, 240))]
        rows.append(SliceLandmarks(k, *(tuple(map(float, p)) for p in (centre, *places)), 0.9))
    base, apex = (volume.to_lps([k, *middle]) for k in (-0.5, len(volume.array) - 0.5))
    return Landmarks("auto", tuple(map(float, apex)), tuple(map(float, base)), tuple(rows))


def sample_stack(volume: Volume) -> NormalisedStack:
    """Blood 1, wall 0, tapering towards the apex."""
    right, up, apex = heart_axes().T
    count = len(volume.array)
    row, column = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    radius = np.hypot(row, column) * PIXEL_MM
    rng = np.random.default_rng(1)
    image, maps, grids = np.empty((count, SIZE, SIZE), np.float32), np.zeros((count, 3, SIZE, SIZE), np.float32), []
    for k in range(count):
        outer = 32.0 * np.sqrt(1 - 0.8 * (k / max(count - 1, 1)) ** 2)
        cavity, wall = radius < outer - 9, (radius >= outer - 9) & (radius < outer)
        maps[k, 0], maps[k, 1] = cavity, wall
        image[k] = np.where(cavity, 1.0, np.where(wall, 0.0, 0.4)) + rng.normal(0, 0.08, radius.shape)
        grid = np.eye(4)
        grid[:3, :3] = np.column_stack([apex * GAP_MM, -up * PIXEL_MM, right * PIXEL_MM])
        centre = volume.to_lps([k, *(np.array(volume.array.shape[1:]) - 1) / 2])
        grid[:3, 3] = centre - grid[:3, 1:3].sum(1) * (SIZE - 1) / 2
        grids.append(grid)
    position = ((np.arange(count) + 0.5) / count).astype(np.float32)
    return NormalisedStack(image, maps, position, np.arange(count), np.stack(grids), 0.0, False, False)


def scar_evidence(stack: NormalisedStack) -> np.ndarray:
    """(S, 96, 96) evidence 0.9 in the inner half of the inferior wall (display angles 240 to 300)."""
    row, column = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    angle = np.degrees(np.arctan2(-row, column)) % 360
    wall = stack.maps[:, 1] > 0.5
    return np.where(wall & (angle >= 240) & (angle < 300), 0.9, 0.02).astype(np.float32)


def sample_prediction(stack: NormalisedStack, probability: float = 0.91, **changes: Any) -> Prediction:
    """Subendocardial scar of segments 4 and 10, mid-wall scar of 9; everything else unlikely."""
    segments = np.full(17, 0.05, np.float32)
    layers: list[str | None] = [None] * 17
    scores: list[int | None] = [None] * 17
    for number, p, layer, score in (
        (4, 0.93, "subendocardial", 2),
        (10, 0.81, "subendocardial", 3),
        (9, 0.55, "mid-wall", None),
    ):
        segments[number - 1], layers[number - 1], scores[number - 1] = p, layer, score
    prediction = Prediction(
        probability=probability, slice_probability=np.linspace(0.9, 0.1, len(stack.index)).astype(np.float32),
        segment_probability=segments, segment_seen=np.ones(17, bool), segment_layer=tuple(layers), segment_transmurality=tuple(scores),
        no_reflow_probability=0.2, ischaemic_probability=0.9, prompt_probability=(),
        evidence=scar_evidence(stack), heart=stack.maps[:, :2], head_probability=0.8,
    )  # fmt: skip
    return replace(prediction, **changes)


def sample_engine(**thresholds: Any) -> Any:
    """What build_result reads from an engine."""
    bundle = SimpleNamespace(name="lge-test", version="0.0.1", sha256="f" * 64, thresholds={**THRESHOLDS, **thresholds})
    return SimpleNamespace(bundle=bundle, backend="onnx", device="cpu", fell_back=False)


def sample_loaded(volume: Volume, **changes: Any) -> LoadedStudy:
    """A study read from one volume file."""
    facts = InputFacts("volume", 1, volume.image_type, len(volume.array), volume.spacing_mm, SHA, None)
    return replace(LoadedStudy(volume, facts, None, "one volume file", ()), **changes)


def sample_detection(
    probability: float = 0.91,
    prompts: tuple[tuple[str, Meaning, float | None], ...] = (),
    slices: int = SLICES,
    loaded: LoadedStudy | None = None,
    keep_phi: bool = False,
    **changes: Any,
) -> Sample:
    """A whole detection; ``changes`` go to the prediction."""
    study = loaded or sample_loaded(sample_volume(slices))
    volume = study.volume
    landmarks, stack = sample_landmarks(volume), sample_stack(volume)
    prediction = sample_prediction(stack, probability, prompt_probability=tuple(p for *_, p in prompts), **changes)
    asked = [(text, meaning) for text, meaning, _ in prompts]
    result = build_result(study, landmarks, stack, prediction, asked, sample_engine(), keep_phi=keep_phi)
    evidence = np.zeros(volume.array.shape, np.float32)
    evidence[1:3, 40:46, 28:36] = 0.9
    return Sample(study, landmarks, stack, prediction, evidence, {**result, "seconds": dict(SECONDS)})
