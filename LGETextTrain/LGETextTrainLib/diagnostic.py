"""Virtual patients of diagnostic quality: images that a reader would accept, and scar that a reader would report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .patient import (
    SCAR_KINDS,
    SCAR_SHARES,
    THETA,
    TISSUE,
    Anatomy,
    Patient,
    Scan,
    Scar,
    draw_anatomy,
    draw_body,
    draw_scan,
    draw_scar,
    magnitude_share,
    thin_wall,
    wrap,
)

VISIBLE_MM = 2.5  # depth of a scar that a reader would report: about two pixels
CLEAR_OF_BLOOD = 0.12  # steps by which scar that a reader would report differs from blood
TOLD_APART = 0.3  # steps by which what lies outside an epicardial scar must be darker for the scar to be seen
SEEN_BORDER = 0.6  # share of such a scar's outer border along which that holds
COVERING_MM = 1.0  # of fat or RV blood: less is lost in partial volume

ToldApart = Callable[[Scar, Anatomy, Scan], bool]


def draw_clinical(
    rng: np.random.Generator, scar_share: float = 0.5, kind_shares: tuple[float, ...] = SCAR_SHARES
) -> Patient:
    """A patient with images of diagnostic quality and, if any, scar that a reader would report.

    :func:`draw` ranges wider on purpose, down to lesions and images in which nobody would see anything.
    """
    return diagnostic_patient(
        rng, draw_anatomy(rng), scar_share, lambda anatomy: draw_reportable_scar(rng, anatomy, kind_shares), 0.4,
        lambda scan: _clinical_scan(rng, scan),
    )  # fmt: skip


def diagnostic_patient(
    rng: np.random.Generator, anatomy: Anatomy, scar_share: float, scar_of: Callable[[Anatomy], Scar], thinning: float,
    scan_of: Callable[[Scan], Scan], told_apart: ToldApart | None = None,
) -> Patient:  # fmt: skip
    """A patient put together from its heart: perhaps a scar, half of the infarcts with a wall thinned by up to ``thinning``.

    ``scar_of`` draws the scar of a heart, ``scan_of`` changes an acquisition that follows the physics of inversion recovery,
    ``told_apart`` (:func:`is_told_apart`) says whether the scar shows in it.
    """
    scan = scan_of(draw_scan(rng, len(anatomy.s), physical_share=1.0))
    scars: tuple[Scar, ...] = ()
    if rng.random() < scar_share:
        scar, anatomy = _scar_told_apart(anatomy, scan, scar_of, told_apart or is_told_apart)
        scars = (scar,)
        if scar.kind == "ischaemic" and rng.random() < 0.5:
            anatomy = thin_wall(anatomy, scar, rng.uniform(0, thinning))
    return Patient(seed=int(rng.integers(2**31)), anatomy=anatomy, body=draw_body(rng), scan=scan, scars=scars)


def _scar_told_apart(
    anatomy: Anatomy, scan: Scan, scar_of: Callable[[Anatomy], Scar], told_apart: ToldApart
) -> tuple[Scar, Anatomy]:
    """A scar of the heart that shows in this acquisition; fat that hides a subepicardial one is taken off it."""
    while True:
        scar = scar_of(anatomy)
        for heart in (anatomy, _without_fat_over(scar, anatomy)):
            if told_apart(scar, heart, scan):
                return scar, heart


def is_told_apart(scar: Scar, anatomy: Anatomy, scan: Scan) -> bool:
    """Whether a scar that reaches the epicardium differs from what lies outside it: nobody reports bright beside bright.

    Along most of its border, what lies outside (RV blood, fat, or where there is neither the lung) must be darker.
    """
    if scar.kind != "subepicardial":
        return True
    bright, rv, fat, lung = (
        _as_shown(scan, value)
        for value in (
            scan.signal[TISSUE["myocardium"]] + scan.scar_contrast * scan.step,
            *(scan.signal[TISSUE[name]] for name in ("rv", "epicardial_fat", "lung")),
        )
    )
    outside = np.where(anatomy.rv > COVERING_MM, rv, np.where(anatomy.fat > COVERING_MM, fat, lung))
    border = _sector(scar, anatomy)
    return bool(border.any() and (bright - outside[border] >= TOLD_APART * abs(scan.step)).mean() >= SEEN_BORDER)


def _as_shown(scan: Scan, signal: float) -> float:
    """A signal as the image shows it: magnitude images lose its sign."""
    return signal if scan.psir else abs(signal)


def _sector(scar: Scar, anatomy: Anatomy, widths: float = 1.0) -> npt.NDArray[np.bool_]:
    """(S, 360) slices that a scar takes, and directions within ``widths`` of its half widths."""
    away = np.abs(wrap(THETA[None] - scar.angle - scar.drift * (anatomy.s[:, None] - 0.5)))
    along = (anatomy.s > scar.levels[0]) & (anatomy.s < scar.levels[1])
    return np.asarray((away < scar.half_width * widths) & along[:, None], bool)


def _without_fat_over(scar: Scar, anatomy: Anatomy) -> Anatomy:
    """The same heart with half a millimetre of epicardial fat at most over a scar, as most lateral walls have."""
    return replace(anatomy, fat=np.where(_sector(scar, anatomy), np.minimum(anatomy.fat, COVERING_MM / 2), anatomy.fat))


def _clinical_scan(rng: np.random.Generator, scan: Scan) -> Scan:
    """Little noise, even myocardium, hardly a ghost, no magnitude image of poorly nulled myocardium."""
    contrast = contrast_clear_of_blood(rng, 1.13, 0.35, (0.6, 2.4))
    noise = float(scan.step * np.exp(rng.uniform(np.log(0.02), np.log(0.1))))
    return replace(
        scan, psir=scan.psir or poorly_nulled(scan), scar_contrast=contrast, noise=noise,
        inhomogeneity=min(scan.inhomogeneity, 0.1), ghost=(min(scan.ghost[0], 0.06), scan.ghost[1]),
    )  # fmt: skip


def poorly_nulled(scan: Scan) -> bool:
    """Whether a magnitude image would lose half of the step between blood and myocardium, with dark rims at every border."""
    return magnitude_share(scan.signal) < 0.5


def contrast_clear_of_blood(
    rng: np.random.Generator, middle: float, spread: float, limits: tuple[float, float], clear: float = CLEAR_OF_BLOOD
) -> float:
    """Steps of scar over myocardium, log-normal, at least ``clear`` away from blood: nearer a reader would not see the scar's edge."""
    contrast = 1.0
    while abs(contrast - 1) < clear:
        contrast = float(np.clip(np.exp(rng.normal(np.log(middle), spread)), *limits))
    return contrast


def draw_reportable_scar(rng: np.random.Generator, anatomy: Anatomy, kind_shares: tuple[float, ...]) -> Scar:
    """A scar that a reader would report; the kind is drawn again too, since a thin wall has no room for some."""
    while True:
        scar = draw_scar(rng, anatomy, str(rng.choice(SCAR_KINDS, p=kind_shares)))
        if is_reportable(scar, anatomy):
            return scar


def is_reportable(scar: Scar, anatomy: Anatomy) -> bool:
    """Whether a scar is long, wide and deep enough to be seen: some slices, a good part of a segment, 2.5 mm of wall."""
    low, high = max(scar.levels[0], float(anatomy.s[0])), min(scar.levels[1], float(anatomy.s[-1]))
    wide = scar.kind in ("insertion-point", "diffuse") or scar.half_width >= np.radians(22)
    return high - low >= 0.3 and wide and scar_depth_mm(scar, anatomy) >= VISIBLE_MM


def scar_depth_mm(scar: Scar, anatomy: Anatomy) -> float:
    """How much of the wall a scar takes at its middle, in mm; infinite for spots, whose size is no share of the wall."""
    share = {
        "ischaemic": scar.depth,
        "diffuse": scar.depth,
        "subepicardial": scar.depth,
        "mid-wall": 2 * scar.thickness,
    }
    if scar.kind not in share:
        return float("inf")
    where = _sector(scar, anatomy, np.inf if scar.kind == "diffuse" else 0.5)
    wall = (anatomy.epi - anatomy.endo)[where]
    return float(min(share[scar.kind], 1.0) * wall.mean()) if wall.size else 0.0
