"""What training adds to a drawn patient, since real hearts have it: blunt apices, infarcts that widen there, dark fat.

On EMIDEC the networks lost the wall where these meet (docs/model-log.md). Patients for evaluation are drawn without it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .patient import TISSUE, Anatomy, Patient, Scan, Scar

Float32 = npt.NDArray[np.float32]
BLUNT_SHARE = 0.5  # of the hearts; also those whose stack ends above the tip
WIDENING_SHARE = 0.5  # of the infarcts
THROUGH_APEX = 0.6  # of those
DARK_FAT_SHARE, DARK_FAT_WITH_INFARCT = 0.1, 0.25  # of the patients: fat suppressed, or nulled together with muscle
DARK_FAT = 0.1  # steps over muscle up to which suppressed fat keeps its signal


def harder(rng: np.random.Generator, patient: Patient) -> Patient:
    """The patient with some of it, by the shares above."""
    anatomy = blunter(rng, patient.anatomy) if rng.random() < BLUNT_SHARE else patient.anatomy
    infarct = any(scar.kind == "ischaemic" for scar in patient.scars)
    scars = tuple(widened(rng, scar) if rng.random() < WIDENING_SHARE else scar for scar in patient.scars)
    scan = patient.scan
    if rng.random() < (DARK_FAT_WITH_INFARCT if infarct else DARK_FAT_SHARE):
        scan = with_dark_fat(rng, scan)
        anatomy = replace(anatomy, fat=anatomy.fat + np.float32(rng.uniform(0, 4)))
    return replace(patient, anatomy=anatomy, scan=scan, scars=scars)


def blunter(rng: np.random.Generator, anatomy: Anatomy) -> Anatomy:
    """A heart that is up to 2.3 times as wide at the apex, its wall somewhat thicker there."""
    wider = 1 + rng.uniform(0, 1.3) * np.clip(anatomy.s, 0, 1)[:, None] ** rng.uniform(2, 4)
    wall = (anatomy.epi - anatomy.endo) * (1 + rng.uniform(0.2, 0.4) * (wider - 1))
    epi = anatomy.epi * wider
    rv = anatomy.rv * (1 + 0.5 * (wider - 1))
    return replace(
        anatomy, epi=epi.astype(np.float32), endo=np.maximum(epi - wall, 0.5).astype(np.float32), rv=rv.astype(np.float32)
    )  # fmt: skip


def widened(rng: np.random.Generator, scar: Scar) -> Scar:
    """An infarct that grows wider towards the apex, through it in most; other scars as they are."""
    if scar.kind != "ischaemic":
        return scar
    low, high = scar.levels
    if rng.random() < THROUGH_APEX:
        low, high = min(low, 0.6), 1.4
    return replace(scar, widening=float(rng.uniform(0.5, 3.5)), levels=(low, high))


def with_dark_fat(rng: np.random.Generator, scan: Scan) -> Scan:
    """The same acquisition with fat about as dark as remote muscle."""
    signal = scan.signal.copy()
    for name in ("fat", "epicardial_fat"):
        signal[TISSUE[name]] = scan.signal[TISSUE["myocardium"]] + scan.step * rng.uniform(-0.2, 0.2)
    return replace(scan, signal=signal)


def fat_darkened(rng: np.random.Generator, image: Float32, heart: npt.NDArray[np.bool_]) -> Float32:
    """A stack (S, H, W) in blood-myocardium steps whose fat is suppressed; ``heart``: what is no fat (LV and RV)."""
    kept = np.minimum(image, DARK_FAT) + rng.uniform(0, 0.25) * np.maximum(image - DARK_FAT, 0)
    outside = ndimage.gaussian_filter((~heart).astype(np.float32), (0, 0.7, 0.7))
    return np.asarray(image + outside * (kept - image), np.float32)
