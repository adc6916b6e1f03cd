"""The patient of the bundled sample study: drawn like any other, with an inferior infarct and a clean scan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .dicom_study import Layout, write_dicom_study
from .patient import Patient, draw, draw_scar
from .virtual_study import render_study

SEED = (2026, 12)
INFERIOR_RAD = np.pi / 2  # heart frame: 0 lateral, growing towards inferior


def sample_patient(seed: tuple[int, int] = SEED) -> Patient:
    """A scar-free patient given one subendocardial infarct of the basal and mid inferior wall."""
    rng = np.random.default_rng(seed)
    patient = draw(rng, scar_share=0.0)
    scar = replace(
        draw_scar(rng, patient.anatomy, "ischaemic"), angle=INFERIOR_RAD, drift=0.1, half_width=np.radians(42),
        levels=(-0.1, 0.72), depth=0.62, power=3.0, no_reflow=0.0,
    )  # fmt: skip
    step = patient.scan.step
    scan = replace(
        patient.scan, psir=True, scar_contrast=1.05, scar_texture=0.1, noise=0.06 * step, noise_blur_px=0.8, blur_px=0.9,
        inhomogeneity=0.0, bias=(0.08, 0.002, 0.0), ghost=(0.0, 20.0), sharpening=(0.0, 1.0), window=(0.0, 100.0, 1.0), chemical_shift=0.0,
    )  # fmt: skip
    return replace(patient, scars=(scar,), scan=scan)


def write_sample(folder: Path) -> None:
    """The sample study as a DICOM folder: PSIR and magnitude stack, and the series that lie beside them in a study."""
    write_dicom_study(render_study(sample_patient()), folder, SEED, "SAMPLE", Layout(with_companions=True))
