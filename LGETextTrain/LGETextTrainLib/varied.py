"""Slices changed once more before a step is shown them, so that no slice that was made once is learnt by heart."""

from __future__ import annotations

import numpy as np
import torch
from LGETextDetectLib.looks import SIGNAL
from LGETextDetectLib.normalised import SIZE
from torch import Tensor
from torch.nn import functional

from .samples import Make, Sample

MOVED_SHARE = 0.7  # of the slices; the others stay where they are
TURN_RAD, STRETCH, SHIFT_PX = 0.15, 0.05, 1.0  # standard deviations; turned about the middle of the frame
SIZES = (0.85, 1.18)
UPSIDE_DOWN_SHARE = 0.25  # the frame's rows in reverse: a view that detection takes too
BLOOD_CAP = 1.5  # signal in blood-myocardium steps up to which the grey scale is bent
SIGNAL_RANGE = (-3.0, 6.0)


class Varied:
    """The samples of a maker, every slice changed; travels to worker processes."""

    def __init__(self, make: Make) -> None:
        self.make = make

    def __call__(self, rng: np.random.Generator) -> Sample:
        return varied(rng, self.make(rng))


def varied(rng: np.random.Generator, sample: Sample) -> Sample:
    """A scar sample (image (S, 18, 96, 96), labels and layer (S, 96, 96)) with every slice moved and its signal changed."""
    image = torch.from_numpy(sample["image"].astype(np.float32))
    marks = torch.from_numpy(np.stack([sample["labels"], sample["layer"]], 1).astype(np.float32))
    moved = torch.from_numpy(rng.random(len(image)) < MOVED_SHARE)
    if moved.any():
        grid = functional.affine_grid(_moves(rng, int(moved.sum())), [int(moved.sum()), 1, *image.shape[2:]], False)
        image[moved] = functional.grid_sample(image[moved], grid, "bilinear", "border", False)
        marks[moved] = functional.grid_sample(marks[moved], grid, "nearest", "zeros", False)
    for slice_ in image:
        signal = list(SIGNAL)
        slice_[signal] = _changed_signal(rng, slice_[signal]).clamp(*SIGNAL_RANGE)
    labels, layer = marks.numpy().astype(np.uint8).swapaxes(0, 1)
    return {"image": image.numpy().astype(np.float16), "labels": labels, "layer": layer}


def _moves(rng: np.random.Generator, count: int) -> Tensor:
    """(count, 2, 3) from places in the new frame to the old, in half frames: turn, size, stretch, reversal and shift."""
    turn, size = rng.normal(0, TURN_RAD, count), np.exp(rng.uniform(np.log(SIZES[0]), np.log(SIZES[1]), count))
    stretch, shift = np.exp(rng.normal(0, STRETCH, (count, 2))), rng.normal(0, SHIFT_PX, (count, 2))
    reversed_ = np.where(rng.random(count) < UPSIDE_DOWN_SHARE, -1.0, 1.0)
    move = np.zeros((count, 2, 3), np.float32)
    cosine, sine = np.cos(turn), np.sin(turn)
    move[:, 0, 0], move[:, 0, 1], move[:, 1, 0], move[:, 1, 1] = cosine, -sine, sine, cosine
    move[:, :, :2] *= (stretch / size[:, None])[:, None]
    move[:, :, 1] *= reversed_[:, None]
    move[:, :, 2] = shift * 2 / SIZE
    return torch.from_numpy(move)


def _changed_signal(rng: np.random.Generator, signal: Tensor) -> Tensor:
    """Signal (3, 96, 96) of a slice and its neighbours with another grey scale, sharpness, noise and shading."""
    if rng.random() < 0.5:
        bent = BLOOD_CAP * (signal.clamp(0, BLOOD_CAP) / BLOOD_CAP) ** float(np.exp(rng.normal(0, 0.13)))
        signal = torch.where((signal > 0) & (signal < BLOOD_CAP), bent, signal)
    if rng.random() < 0.5:
        signal = signal * float(np.exp(rng.normal(0, 0.07))) + float(rng.normal(0, 0.045))
    if rng.random() < 0.3:  # the neighbours are scaled apart
        factors = np.exp(rng.normal(0, (0.0, 0.08, 0.08))).astype(np.float32)
        signal = signal * torch.from_numpy(factors)[:, None, None]
    if rng.random() < 0.2:
        signal = _coarser(signal, float(rng.uniform(0.5, 0.85)))
    if rng.random() < 0.28:
        signal = signal + _noise(rng, signal.shape)
    if rng.random() < 0.15:
        rows, columns = np.mgrid[-1 : 1 : signal.shape[1] * 1j, -1 : 1 : signal.shape[2] * 1j]
        slope = rng.normal(0, 0.12, 2)
        signal = signal * torch.from_numpy(np.exp(slope[0] * rows + slope[1] * columns).astype(np.float32))
    return signal


def _coarser(signal: Tensor, by: float) -> Tensor:
    """The signal as a scan with ``by`` times as many pixels a side would have it."""
    small = functional.interpolate(signal[None], scale_factor=by, mode="area", recompute_scale_factor=True)
    return functional.interpolate(small, signal.shape[1:], mode="bilinear", align_corners=False)[0]


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    """Noise of 0.03 to 0.18 steps, white or over three pixels."""
    noise = torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
    if rng.random() < 0.5:
        noise = functional.avg_pool2d(noise[None], 3, 1, 1)[0] * 2.2
    return noise * float(np.exp(rng.uniform(np.log(0.03), np.log(0.18))))
