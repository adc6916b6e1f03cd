"""The normalised frame: slice by slice, LV centred, septum's midline left, anterior up, seen from the apex."""

from __future__ import annotations

from dataclasses import dataclass

from typing import Any

import numpy as np
import numpy.typing as npt

SIZE = 96  # pixels
PIXEL_MM = 1.25


@dataclass(frozen=True, eq=False)
class NormalisedStack:
    """What the model sees. Slices ordered base to apex.

    image: (S, 96, 96) float32, (signal - myocardium) / (blood - myocardium), clipped to [-3, 5].
    maps: (S, 3, 96, 96) float32 probabilities of LV cavity, myocardium (scar included), RV cavity in the same frame.
    position: (S,) float32, 0 at the base of the LV .. 1 at the apex; outside [0, 1] = outside the LV.
    index: (S,) int, slice index in the input. grids: (S, 4, 4) float64, (0, row, column, 1) of the frame -> LPS mm.
    angle_deg, mirrored, apex_first: how the input lay (result.json, orientation).
    """

    image: npt.NDArray[np.float32]
    maps: npt.NDArray[np.float32]
    position: npt.NDArray[np.float32]
    index: npt.NDArray[np.int64]
    grids: npt.NDArray[np.float64]
    angle_deg: float
    mirrored: bool
    apex_first: bool


INTENSITY_CLIP = (-3.0, 5.0)
MIN_STEP = 0.05  # of the p10-p90 spread: a smaller step between blood and myocardium would only blow up noise
MIN_WEIGHT = 30.0  # pixels (sum of probabilities) a study needs of blood and of myocardium for its own scale


def scale_intensity(
    image: npt.NDArray[Any], cavity_prob: npt.NDArray[Any], myocardium_prob: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Signal in units of the blood-myocardium step: remote myocardium about 0, blood about 1; clipped to [-3, 5].

    All arrays (S, H, W) or (H, W). One zero (25th percentile of the myocardium, so scar does not raise it) and one
    step (median of the cavity minus zero) for the study; slices whose own values lie far from the study's (signal
    scaled slice by slice by the scanner) use their own. Without heart, the study's quartiles stand in.
    """
    shape = np.shape(image)
    signal, cavity, myocardium = (
        np.asarray(array, np.float32).reshape(-1, *shape[-2:]) for array in (image, cavity_prob, myocardium_prob)
    )
    zero, step = _zero_and_step(signal, cavity > 0.5, myocardium > 0.5, None)
    result = np.empty_like(signal)
    for out, pixels, blood, muscle in zip(result, signal, cavity > 0.5, myocardium > 0.5, strict=True):
        own_zero, own_step = _zero_and_step(pixels, blood, muscle, (zero, step))
        out[:] = (pixels - own_zero) / own_step
    return np.clip(result, *INTENSITY_CLIP).reshape(shape)


def _zero_and_step(
    signal: npt.NDArray[np.float32],
    blood: npt.NDArray[np.bool_],
    muscle: npt.NDArray[np.bool_],
    study: tuple[float, float] | None,
) -> tuple[float, float]:
    """Zero and step of some pixels; with ``study``, its pair unless these pixels clearly disagree with it."""
    enough = blood.sum() >= MIN_WEIGHT and muscle.sum() >= MIN_WEIGHT
    if study is not None and not enough:
        return study
    low, high = np.percentile(signal, (10, 90))
    zero = float(np.percentile(signal[muscle], 25)) if muscle.sum() >= 10 else float(np.percentile(signal, 25))
    level = float(np.median(signal[blood])) if blood.sum() >= 5 else float(np.percentile(signal, 75))
    # A negative step (blood nulled below muscle) keeps the signal's polarity: scar stays bright.
    step = max(abs(level - zero), MIN_STEP * float(high - low), 1e-6 * float(np.abs(signal).max()) + 1e-20)
    if study is None:
        return zero, step
    same_zero = abs(zero - study[0]) < study[1]
    return study if same_zero and 0.5 < step / study[1] < 2 else (zero, step)
