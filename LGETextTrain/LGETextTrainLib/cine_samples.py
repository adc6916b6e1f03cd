"""Training samples from real hearts: cine made to look like late enhancement, with scars painted in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import aha
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.looks import network_image
from LGETextDetectLib.normalised import scale_to_heart
from scipy import ndimage

from . import samples
from .cine_hearts import CineHeart, load_hearts
from .harder_hearts import DARK_FAT_SHARE, fat_darkened
from .painted_samples import SCAR_FREE, moved
from .painted_scar import Painted, paint_scar
from .patient import SCAR_KINDS
from .prepared_study import Prepared
from .recipe import PaintTable
from .truth import layer_labels

Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]
PAINTED_SHARE = 0.6
_KINDS: dict[str, Any] = {
    kind.replace("-", "_"): share for kind, share in zip(SCAR_KINDS, samples.TRAINED_KINDS, strict=True)
}
PAINT = PaintTable(certainty=0.5, **_KINDS)
NEIGHBOURS = 0.35  # of a slice at most is the mean of itself and its neighbours


def as_enhancement(rng: np.random.Generator, image: Float32) -> Float32:
    """(S, H, W) cine in blood-myocardium steps with the look of late enhancement: coarser, noisier, other fat and lung.

    What is darker than muscle (lung) comes near it, as nulled muscle does in PSIR; what is brighter than blood (fat) is
    dimmed or raised; then partial volume of the neighbouring slices, blur, a coil's fall-off, and noise as smooth as a
    reconstruction leaves it.
    """
    dark, bright = np.minimum(image, 0), np.maximum(image - 1, 0)
    result = (
        np.clip(image, 0, 1) ** rng.uniform(0.75, 1.35) + dark * rng.uniform(-0.3, 1.3) + bright * rng.uniform(0.3, 1.6)
    )
    result += rng.uniform(0, NEIGHBOURS) * (ndimage.uniform_filter1d(result, 3, 0, mode="nearest") - result)
    blur = rng.uniform(0.2, 1.1)
    result = ndimage.gaussian_filter(result, (0, blur, blur))
    result *= np.exp(rng.uniform(0, 0.15) * _smooth_field(rng, image.shape, 40))
    noise = np.exp(rng.uniform(np.log(0.02), np.log(0.2)))
    result += noise * _smooth_field(rng, image.shape, rng.uniform(0.4, 1.2))
    if rng.random() < 0.4:  # edges raised by a scanner's filter
        result += rng.uniform(0.2, 1.0) * (result - ndimage.gaussian_filter(result, (0, 1.3, 1.3)))
    return np.asarray(result, np.float32)


def _smooth_field(rng: np.random.Generator, shape: tuple[int, ...], sigma_px: float) -> Float32:
    """Random field of unit SD, smooth in plane; coarse ones are made on a coarse grid."""
    step = max(int(sigma_px // 4), 1)
    coarse = rng.standard_normal((shape[0], -(-shape[1] // step), -(-shape[2] // step))).astype(np.float32)
    coarse = ndimage.gaussian_filter(coarse, (0, sigma_px / step, sigma_px / step))
    field = np.repeat(np.repeat(coarse, step, 1), step, 2)[:, : shape[1], : shape[2]]
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


@dataclass(frozen=True, eq=False)
class _Scarred:
    """A heart in the normalised frame, painted or not: signal (S, 96, 96) in its steps, labels, what is true."""

    signal: Float32
    labels: Labels
    finding: Finding
    scarred: npt.NDArray[np.bool_]


def true_maps(labels: Labels) -> Float32:
    """Labels (S, H, W) -> cavity, myocardium, RV (S, 3, H, W), 0 or 1."""
    heart = samples.HEART_OF_LABEL[labels]
    return np.stack([heart == k for k in (1, 2, 3)], 1).astype(np.float32)


def paint(rng: np.random.Generator, heart: CineHeart) -> _Scarred:
    """The heart with a scar drawn by training's shares of kinds, or as it is."""
    image, labels = heart.normalised()
    painted: Painted | None = None
    if rng.random() < PAINTED_SHARE:
        study = Prepared(image, true_maps(labels), heart.position, np.ones(len(image), np.float32))
        painted = paint_scar(rng, study, PAINT)
    if painted is None:
        return _Scarred(image, labels, SCAR_FREE, np.zeros(len(image), bool))
    return _Scarred(painted.signal, painted.labels, painted.finding, painted.scarred)


def seen_heart(
    rng: np.random.Generator, heart: CineHeart, see: samples.Heart | None
) -> tuple[Prepared, _Scarred, Labels, Labels]:
    """A heart, painted or not, as the scar network meets it: study, what was painted, its labels and layers, all moved a little.

    Its maps are those of ``see`` on the painted image, or the truth with drawn errors.
    """
    painted = paint(rng, heart)
    signal = as_enhancement(rng, painted.signal)
    if rng.random() < DARK_FAT_SHARE:
        signal = fat_darkened(rng, signal, painted.labels > 0)
    angle = np.broadcast_to(np.radians(-aha.frame_angles()).astype(np.float32), painted.labels.shape)
    layer = layer_labels(painted.finding, heart.position, painted.labels, angle)
    study = Prepared(signal, true_maps(painted.labels), heart.position, np.ones(len(signal), np.float32))
    study, (labels, layer) = moved(rng, study, painted.labels, layer)
    depth = np.stack([aha.radial_depth(m[0] > 0.5, m[1] > 0.5) for m in true_maps(labels)])
    maps = (
        samples.heart_maps(rng, study.image, see)
        if see
        else samples.soften_masks(rng, labels, np.nan_to_num(depth, nan=1.0).astype(np.float32))
    )
    return Prepared(scale_to_heart(study.image, maps), maps, heart.position, study.certainty), painted, labels, layer


class CineScarSamples:
    """Slices of one real heart in the normalised frame, as samples.scar_samples gives virtual ones; travels to workers."""

    def __init__(self, path: Path, networks: samples.EarlierNetworks) -> None:
        self.path, self.networks = path, networks
        self._hearts: list[CineHeart] = []

    def __call__(self, rng: np.random.Generator) -> samples.Sample:
        self._hearts = self._hearts or load_hearts(self.path)
        heart = self._hearts[rng.integers(len(self._hearts))]
        see = self.networks.heart if rng.random() < samples.SEEN_SHARE else None
        study, _, labels, layer = seen_heart(rng, heart, see)
        seen = samples.seen_before(network_image(study.image, study.maps), self.networks.look)
        return {"image": samples.disturbed(rng, seen).astype(np.float16), "labels": labels, "layer": layer}


class Mixed:
    """Samples of two makers, the second in ``share`` of the calls."""

    def __init__(self, usual: samples.Make, other: samples.Make, share: float) -> None:
        self.usual, self.other, self.share = usual, other, share

    def __call__(self, rng: np.random.Generator) -> samples.Sample:
        return (self.other if rng.random() < self.share else self.usual)(rng)
