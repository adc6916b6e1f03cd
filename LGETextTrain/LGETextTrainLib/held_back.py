"""Virtual patients of a recipe that training never draws from: another field strength, other noise, other hearts.

For evaluation only: a model that has merely learnt the training recipe's ranges fails here. Against
:func:`diagnostic.draw_clinical` the contrast is that of 3 T without steady-state term, noise is higher and coarser, the coil
falls off more, the grey scale is bent further; ventricles are oval with a flattened septum, shorter or longer, with a
larger right ventricle and two big papillary muscles; scars are blunter and more mottled. A reader would still see them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .diagnostic import contrast_clear_of_blood, diagnostic_patient, draw_reportable_scar
from .patient import (
    SCAR_SHARES,
    THETA,
    TISSUE,
    TISSUES,
    Anatomy,
    Patient,
    Scan,
    Scar,
    draw_anatomy,
    wrap,
)

Array = npt.NDArray[np.float32]

T1_3T_MS = {  # post-contrast, 10-15 min, 3 T
    "muscle": (520, 720), "fat": (330, 400), "liver": (420, 580), "stomach": (400, 1500), "vessel": (340, 460),
    "spine": (400, 800), "bone": (330, 800), "cavity": (340, 440), "myocardium": (500, 640), "no_reflow": (500, 640),
    "pericardium": (340, 620), "mediastinum": (340, 620), "lung": (400, 800), "air": (400, 800),
}  # fmt: skip
MIN_STEP = 0.12  # blood over myocardium, of the fully recovered signal: less is no diagnostic contrast
SEPTUM = np.pi  # heart frame: 0 lateral, growing towards inferior
MIN_WALL_MM, MIN_CAVITY_MM = 3.0, 1.0


def draw_held_back(rng: np.random.Generator, scar_share: float = 0.5) -> Patient:
    """One patient of diagnostic quality whose image, noise and heart lie beside what training draws."""
    return diagnostic_patient(
        rng, reshape(rng, draw_anatomy(rng)), scar_share, lambda anatomy: _draw_scar(rng, anatomy), 0.4,
        lambda scan: shift_scan(rng, scan),
    )  # fmt: skip


def _draw_scar(rng: np.random.Generator, anatomy: Anatomy) -> Scar:
    """A reportable scar with a blunter edge along the wall and a rougher one across it."""
    scar = draw_reportable_scar(rng, anatomy, SCAR_SHARES)
    return replace(scar, power=float(rng.uniform(6, 9)), jitter=scar.jitter * float(rng.uniform(1.0, 1.5)))


def reshape(rng: np.random.Generator, anatomy: Anatomy) -> Anatomy:
    """An oval ventricle with a flat septum, of another length, beside a larger RV, with two big papillary muscles."""
    oval = 1 + rng.uniform(0.05, 0.09) * np.cos(2 * (THETA - rng.uniform(0, np.pi)))
    flat = 1 - rng.uniform(0.06, 0.11) * np.exp(-((wrap(THETA - SEPTUM) / 0.7) ** 2))
    epi = anatomy.epi * (oval * flat)[None]
    septal = 1 + rng.uniform(0.06, 0.13) * np.cos(THETA - SEPTUM)  # the lateral wall is thinner
    wall = (anatomy.epi - anatomy.endo) * septal[None]
    wall = np.clip(wall, MIN_WALL_MM, np.maximum(epi - MIN_CAVITY_MM, MIN_WALL_MM))
    endo = np.maximum(epi - wall, 0.5)
    length = rng.uniform(61, 68) if rng.random() < 0.5 else rng.uniform(108, 115)
    return replace(
        anatomy, epi=epi.astype(np.float32), endo=endo.astype(np.float32), rv=(anatomy.rv * rng.uniform(1.15, 1.35)).astype(np.float32),
        length_mm=float(length), papillary=_papillary_muscles(rng, anatomy.s, endo.mean(1)),
    )  # fmt: skip


def _papillary_muscles(rng: np.random.Generator, s: Array, inner_mm: npt.NDArray[np.floating]) -> Array:
    """(S, 3, 4): an anterolateral and a posteromedial muscle, both large, in the middle of the ventricle."""
    muscles = np.zeros((len(s), 3, 4), np.float32)
    inside = (s > rng.uniform(0.2, 0.35)) & (s < rng.uniform(0.65, 0.8)) & (inner_mm > 10)
    for number, where in enumerate((-0.8, 1.3)):
        size = rng.uniform(0.24, 0.32, 2)
        muscles[:, number, 0] = where + rng.normal(0, 0.2)
        muscles[:, number, 1] = inner_mm * rng.uniform(0.6, 0.85)
        muscles[:, number, 2:] = inner_mm[:, None] * size * inside[:, None]
    return muscles


def shift_scan(rng: np.random.Generator, scan: Scan) -> Scan:
    """The same kind of acquisition at 3 T: other contrast, coarser and stronger noise, more fall-off, bent grey scale."""
    signal = signal_at_3t(rng, scan.psir)
    step = float(signal[TISSUE["cavity"]] - signal[TISSUE["myocardium"]])
    gain = step / scan.step
    return replace(
        scan, signal=signal, texture=(scan.texture * gain).astype(np.float32), step=step,
        scar_contrast=contrast_clear_of_blood(rng, 1.25, 0.2, (0.75, 2.0)), scar_texture=float(rng.uniform(0.2, 0.35)),
        partial_volume_px=float(rng.uniform(0.9, 1.2)), inhomogeneity=float(rng.uniform(0, 0.08)),
        bias=(float(rng.uniform(0.15, 0.26)), float(rng.uniform(0.004, 0.013)), scan.bias[2]),
        noise=float(step * rng.uniform(0.1, 0.14)), noise_blur_px=float(rng.uniform(1.3, 1.6)), blur_px=float(rng.uniform(0.6, 1.1)),
        ghost=(0.0, scan.ghost[1]), slice_gain=np.exp(rng.normal(0, 0.08, len(scan.slice_gain))).astype(np.float32),
        window=_bent_window(rng),
    )  # fmt: skip


def signal_at_3t(rng: np.random.Generator, psir: bool) -> Array:
    """(tissues,) inversion recovery near the null of myocardium, full recovery between pulses: M0 (1 - 2 exp(-TI/T1)).

    A magnitude image must be nulled well to be of diagnostic quality: it would show negative myocardium bright.
    """
    while True:
        t1 = {name: float(rng.uniform(*span)) for name, span in T1_3T_MS.items()}
        t1 |= {"rv": t1["cavity"] * rng.uniform(0.95, 1.05), "atrium": t1["cavity"] * rng.uniform(0.95, 1.05)}
        t1 |= {"papillary": t1["myocardium"], "rv_wall": rng.uniform(480, 640), "epicardial_fat": rng.uniform(330, 400)}
        inversion = t1["myocardium"] * np.log(2) * rng.uniform(0.88 if psir else 1.0, 1.12)
        m0 = {name: float(rng.uniform(0.8, 1.2)) for name in TISSUES} | {
            "air": 0.01,
            "lung": float(rng.uniform(0.05, 0.2)),
        }
        m0 |= {"rv": m0["cavity"], "papillary": m0["myocardium"], "epicardial_fat": m0["fat"]}
        signal = np.array([m0[name] * (1 - 2 * np.exp(-inversion / t1[name])) for name in TISSUES], np.float32)
        if signal[TISSUE["cavity"]] - signal[TISSUE["myocardium"]] >= MIN_STEP:
            return signal


def _bent_window(rng: np.random.Generator) -> tuple[float, float, float]:
    """Half of the studies untouched, half exported with a stronger bend than training's 0.65-1.5."""
    if rng.random() < 0.5:
        return 0.0, 100.0, 1.0
    return (
        0.0,
        float(rng.uniform(98.5, 100)),
        float(rng.uniform(0.5, 0.65) if rng.random() < 0.5 else rng.uniform(1.5, 1.8)),
    )
