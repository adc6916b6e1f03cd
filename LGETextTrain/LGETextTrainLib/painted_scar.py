"""Scars painted into real scar-free studies, as in the reference method: drawn parameters, then applied to the image.

The region is the drawn wall and levels (AHA, from the landmarks) times a radial band of the *predicted* myocardium, with
an irregular border, partial volume and noise of its own. Nothing is painted where the heart network is unsure.
Contrast, noise and shares follow public infarct data (scar level 1.13 of the remote-to-blood step, 0.53-2.41; scar SD
0.83 of the remote SD; dark core at 0.47 of the scar's contrast).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import aha
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.normalised import INTENSITY_CLIP, PIXEL_MM, scale_to_heart
from scipy import ndimage

from .phantom import LABELS
from .prepared_study import Prepared
from .recipe import PaintTable
from .truth import SLICE_MM2, describe_labels

Float32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
KINDS = ("ischaemic", "mid-wall", "subepicardial", "insertion-point", "patchy", "diffuse")
WALL_DEG = {  # middle of each wall in the frame, counter-clockwise from lateral
    "anterior": 90.0, "anteroseptal": 150.0, "inferoseptal": 210.0, "inferior": 270.0, "inferolateral": 330.0, "anterolateral": 30.0,
    "septal": 180.0, "lateral": 0.0,
}  # fmt: skip
USUAL_WALL = {"mid-wall": "septal", "subepicardial": "inferolateral"}  # in six of ten
INSERTIONS_DEG = (aha.RVIP_ANTERIOR_DEG, 360 - aha.RVIP_ANTERIOR_DEG)
SECTORS = 12
MIN_SLICES, MIN_MM2 = 2, 70.0  # less scar a reader would not report
TRIES = 12
SURE_SHARE = 0.85  # of the drawn region must lie where the heart network is sure


@dataclass(frozen=True)
class Painting:
    """The drawn parameters of one scar; depth counts from 0 at the endocardium to 1 at the epicardium.

    angles_deg: its middle (two at the insertion points); levels: base 0 .. apex 1; band: inner and outer depth;
    contrast: over remote myocardium, in steps to blood; core: share of the depth that is dark; power: how the depth falls
    off to the sides; roughness: of the border.
    """

    kind: str
    angles_deg: tuple[float, ...]
    half_width_deg: float
    levels: tuple[float, float]
    band: tuple[float, float]
    power: float
    contrast: float
    core: float
    core_contrast: float
    roughness: float
    partial_volume_px: float
    noise_share: float
    seed: int


@dataclass(frozen=True, eq=False)
class Painted:
    """signal (S, 96, 96) in the study's steps; image, the same scaled anew; labels as phantom.LABELS; what is now true."""

    signal: Float32
    image: Float32
    labels: npt.NDArray[np.uint8]
    finding: Finding
    scarred: Bools
    painting: Painting


def draw_painting(rng: np.random.Generator, shares: PaintTable) -> Painting:
    """Draw one scar: kind by the recipe's shares, then wall, levels, layer, extent and intensity."""
    weight = np.array([getattr(shares, kind.replace("-", "_")) for kind in KINDS])
    kind = str(rng.choice(KINDS, p=weight / weight.sum()))
    wall = USUAL_WALL[kind] if kind in USUAL_WALL and rng.random() < 0.6 else str(rng.choice(list(WALL_DEG)))
    angles: tuple[float, ...] = (WALL_DEG[wall] + rng.normal(0, 12),)
    half_width = rng.uniform(22, 70) if rng.random() < 0.7 else rng.uniform(50, 110)
    low, high = sorted(rng.uniform(-0.1, 1.1, 2))
    if high - low < 0.35:
        low, high = low - 0.18, high + 0.18
    inner, outer = 0.0, float(rng.uniform(0.4, 0.75) if rng.random() < 0.55 else rng.uniform(0.75, 1.4))
    if kind == "mid-wall":
        middle, half = rng.uniform(0.42, 0.58), rng.uniform(0.17, 0.26)
        inner, outer = middle - half, middle + half
    elif kind == "subepicardial":
        inner, outer = 1 - rng.uniform(0.32, 0.5), 1.01
    elif kind == "insertion-point":
        chosen = rng.choice(3)
        angles = tuple(a + rng.normal(0, 6) for k, a in enumerate(INSERTIONS_DEG) if chosen in (k, 2))
        half_width, inner, outer, low, high = (
            rng.uniform(12, 20),
            rng.uniform(0.25, 0.5),
            1.01,
            -0.1,
            rng.uniform(0.5, 0.9),
        )
    elif kind == "diffuse":
        half_width, outer, low, high = 181.0, rng.uniform(0.3, 0.55), -0.1, rng.uniform(0.7, 1.1)
    elif kind == "patchy":
        inner, outer, half_width = 0.0, 1.01, rng.uniform(45, 120)
    core = float(rng.uniform(0.4, 0.8)) if kind == "ischaemic" and outer > 0.6 and rng.random() < 0.25 else 0.0
    return Painting(
        kind, angles, float(half_width), (float(low), float(high)), (float(inner), float(outer)), float(rng.uniform(1.5, 6)),
        float(np.clip(np.exp(rng.normal(np.log(1.13), 0.35)), 0.55, 2.4)), core, float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.3, 1.2)),
        float(rng.uniform(0.4, 1.0)), float(rng.uniform(0.6, 1.1)), int(rng.integers(2**31)),
    )  # fmt: skip


def paint_scar(rng: np.random.Generator, study: Prepared, shares: PaintTable) -> Painted | None:
    """Draw until a scar fits where the heart network is sure; None when none does: the study stays scar-free."""
    anatomy = _Wall.of(study, shares.certainty)
    for _ in range(TRIES):
        painting = draw_painting(rng, shares)
        scar, core = region(anatomy, study.position, painting)
        area = scar.sum((1, 2)) * PIXEL_MM**2
        sure = scar & anatomy.sure
        big_enough = (area >= SLICE_MM2).sum() >= MIN_SLICES and area.sum() >= MIN_MM2
        if not big_enough or sure.sum() < SURE_SHARE * scar.sum():
            continue
        painted = apply(study, anatomy, painting, sure, core & sure)
        if painted.finding.lge == "present":
            return painted
    return None


@dataclass(frozen=True, eq=False)
class _Wall:
    """The predicted myocardium of a study: mask, depth (NaN outside), angle (96, 96) in degrees, where it is sure."""

    muscle: Bools
    cavity: Bools
    depth: Float32
    angle_deg: npt.NDArray[np.float64]
    sure: Bools

    @staticmethod
    def of(study: Prepared, certainty: float) -> _Wall:
        cavity, muscle = study.maps[:, 0] > 0.5, study.maps[:, 1] > 0.5
        inside = (study.position >= 0) & (study.position <= 1) & (study.certainty > 0)
        depth = np.stack([aha.radial_depth(c, m) for c, m in zip(cavity, muscle, strict=True)])
        angle = aha.frame_angles()
        sure = sure_of(study.maps[:, 1], muscle, angle, certainty) & inside[:, None, None]
        return _Wall(muscle & np.isfinite(depth), cavity, depth, angle, sure)


def sure_of(probability: Float32, muscle: Bools, angle_deg: npt.NDArray[np.float64], certainty: float) -> Bools:
    """(S, H, W) pixels in sectors of 30 degrees whose wall is there and has a mean probability of ``certainty``."""
    sector = (angle_deg // (360 / SECTORS)).astype(int)
    result = np.zeros(muscle.shape, bool)
    for number in range(len(muscle)):
        count = np.bincount(sector[muscle[number]], minlength=SECTORS)
        total = np.bincount(sector[muscle[number]], probability[number][muscle[number]], SECTORS)
        good = (count >= 4) & (total >= certainty * np.maximum(count, 1))
        result[number] = muscle[number] & good[sector]
    return result


def region(wall: _Wall, position: Float32, painting: Painting) -> tuple[Bools, Bools]:
    """(S, H, W) masks of the scar, its dark core included, and of the core alone."""
    rng = np.random.default_rng(painting.seed)
    rough = _smooth_field(rng, wall.muscle.shape, 2.5)
    middle, half = sum(painting.levels) / 2, (painting.levels[1] - painting.levels[0]) / 2
    along = np.abs((position - middle) / half)[:, None, None]
    away = np.min([np.abs((wall.angle_deg - a + 180) % 360 - 180) for a in painting.angles_deg], axis=0)
    away = away[None] / painting.half_width_deg + 0.12 * painting.roughness * _smooth_field(rng, wall.muscle.shape, 4.0)
    inside = wall.muscle & (away < 1) & (along < 1)
    depth = np.where(np.isfinite(wall.depth), wall.depth, 2.0) + 0.07 * painting.roughness * rough
    inner, outer = painting.band
    share = np.clip(1 - np.clip(away, 0, 1) ** painting.power, 0, 1) * np.clip(1 - along**3, 0, 1)
    none = np.zeros_like(inside)
    if painting.kind == "ischaemic":
        reach = outer * share
        scar = inside & (depth < reach)
        return scar, scar & (away < 0.7) & (depth > 0.08) & (depth < reach * painting.core) if painting.core else none
    if painting.kind == "patchy":
        return inside & (_smooth_field(rng, wall.muscle.shape, 2.0) > 0.55), none
    if painting.kind == "subepicardial":
        return inside & (depth > 1 - (1 - inner) * (0.3 + 0.7 * share)), none
    if painting.kind == "mid-wall":
        half_band = (outer - inner) / 2 * (0.4 + 0.6 * share)
        return inside & (np.abs(depth - (inner + outer) / 2) < half_band), none
    return inside & (depth > inner) & (depth < outer), none


def apply(study: Prepared, wall: _Wall, painting: Painting, scar: Bools, core: Bools) -> Painted:
    """Put the scar's signal into the image, by partial volume and with noise, and read off what is now true."""
    rng = np.random.default_rng((painting.seed, 1))
    remote = wall.muscle & ~ndimage.binary_dilation(scar, np.ones((1, 5, 5), bool))
    values = study.image[remote] if remote.sum() >= 20 else study.image[wall.muscle]
    level, spread = float(np.median(values)), float(np.percentile(values, 84) - np.percentile(values, 16)) / 2
    noise = ndimage.gaussian_filter(rng.standard_normal(scar.shape), (0, 0.8, 0.8))
    noise *= painting.noise_share * spread / max(float(noise.std()), 1e-6)
    target = level + painting.contrast * np.where(core, painting.core_contrast, 1.0) + noise
    blurred = ndimage.gaussian_filter(target, (0, 0.5, 0.5))
    amount = ndimage.gaussian_filter(scar.astype(np.float32), (0, *2 * (painting.partial_volume_px,)))
    amount *= np.where(wall.muscle | wall.cavity, 1.0, 0.5)
    image = np.clip(study.image + amount * (blurred - study.image), *INTENSITY_CLIP).astype(np.float32)
    labels = np.where(study.maps[:, 2] > 0.5, LABELS["rv"], 0).astype(np.uint8)
    labels[wall.cavity], labels[wall.muscle] = LABELS["cavity"], LABELS["myocardium"]
    labels[scar], labels[core] = LABELS["scar"], LABELS["no_reflow"]
    angle = np.broadcast_to(np.radians(-wall.angle_deg).astype(np.float32), labels.shape)
    true = describe_labels(study.position, painting.kind, labels, angle, PIXEL_MM**2)
    return Painted(image, scale_to_heart(image, study.maps), labels, true.finding, true.scarred, painting)


def scar_free_labels(study: Prepared) -> npt.NDArray[np.uint8]:
    """Labels (S, 96, 96) of an unpainted study: what the heart network found, no scar."""
    labels = np.where(study.maps[:, 2] > 0.5, LABELS["rv"], 0).astype(np.uint8)
    labels[study.maps[:, 0] > 0.5] = LABELS["cavity"]
    labels[study.maps[:, 1] > 0.5] = LABELS["myocardium"]
    return labels


def _smooth_field(rng: np.random.Generator, shape: tuple[int, ...], sigma_px: float) -> npt.NDArray[np.float64]:
    """Random field of unit SD, smooth in plane and a little across slices."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), (0.5, sigma_px, sigma_px))
    return np.asarray(field / max(float(field.std()), 1e-6), np.float64)
