"""A virtual hospital: one scanner's look, its own patients, few of them scarred, and reports by a writer of their own.

To prove that training on a hospital's images and reports works. Against :func:`diagnostic.draw_clinical` every study comes
from one scanner: a bent and clipped grey scale, a strong surface coil, coarse noise, faint scar against bright blood,
many magnitude images, though none of poorly nulled myocardium; hearts are smaller and thicker, with more fat. Its readers
report scars that show in such images, not all that there are (:func:`is_reported`). The sentences share no code with the
ones the model is trained to write.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from LGETextDetectLib.events import Events

from .diagnostic import (
    contrast_clear_of_blood,
    diagnostic_patient,
    draw_reportable_scar,
    is_told_apart,
    poorly_nulled,
    scar_depth_mm,
)
from .hospital_reports import hospital_report
from .patient import Anatomy, Patient, Scan, Scar, draw_anatomy
from .virtual_cohort import CohortMember, write_members
from .virtual_study import VirtualStudy, render_study

SCAR_SHARE = 0.35
KIND_SHARES = (0.4, 0.18, 0.18, 0.1, 0.08, 0.06)
CLEAR_OF_NOISE = 2.0  # standard deviations of noise between scar and blood, so that a reader sees the scar's edge
DARKER_MM = 5.0  # depth of an endocardial scar that is darker than blood
SECOND_STUDY = 0.05  # patients examined twice


def draw_hospital(rng: np.random.Generator, scar_share: float = SCAR_SHARE) -> Patient:
    """One patient of the hospital."""
    return diagnostic_patient(
        rng, hospital_anatomy(rng, draw_anatomy(rng)), scar_share, lambda anatomy: draw_reportable_scar(rng, anatomy, KIND_SHARES), 0.3,
        lambda scan: hospital_scan(rng, scan), is_reported,
    )  # fmt: skip


def is_reported(scar: Scar, anatomy: Anatomy, scan: Scan) -> bool:
    """Whether the hospital's readers see a scar: a thin endocardial one must be brighter than blood, or it is the cavity's blurred border."""
    if not is_told_apart(scar, anatomy, scan):
        return False
    endocardial = scar.kind in ("ischaemic", "diffuse")
    return not endocardial or scan.scar_contrast > 1 or scar_depth_mm(scar, anatomy) >= DARKER_MM


def hospital_anatomy(rng: np.random.Generator, anatomy: Anatomy) -> Anatomy:
    """Smaller hearts with thicker walls and more fat."""
    epi = anatomy.epi * rng.uniform(0.84, 0.96)
    wall = np.minimum((anatomy.epi - anatomy.endo) * rng.uniform(1.1, 1.45), np.maximum(epi - 3, 1.5))
    fat = np.clip(anatomy.fat + rng.uniform(0, 1.5), 0, 16)
    return replace(
        anatomy, epi=epi.astype(np.float32), endo=(epi - wall).astype(np.float32), fat=fat.astype(np.float32)
    )


def hospital_scan(rng: np.random.Generator, scan: Scan) -> Scan:
    """The hospital's one scanner: within narrow limits the same for all of its patients."""
    step, noise = abs(scan.step), rng.uniform(0.07, 0.14)
    return replace(
        scan, psir=bool(scan.psir and rng.random() < 0.6) or poorly_nulled(scan), noise=float(step * noise), noise_blur_px=float(rng.uniform(0.9, 1.3)),
        blur_px=float(rng.uniform(0.6, 1.0)), bias=(float(rng.uniform(0.12, 0.22)), float(rng.uniform(0.004, 0.01)), float(rng.normal(np.radians(225), 0.3))),
        scar_contrast=contrast_clear_of_blood(rng, 0.95, 0.25, (0.6, 1.5), CLEAR_OF_NOISE * noise), inhomogeneity=float(rng.uniform(0.06, 0.16)), ghost=(float(rng.uniform(0, 0.05)), scan.ghost[1]),
        window=(float(rng.uniform(0.5, 1.5)), float(rng.uniform(97.5, 99.0)), float(rng.uniform(0.65, 0.8))), sharpening=(0.0, 1.0), chemical_shift=float(rng.uniform(0.8, 1.8)),
    )  # fmt: skip


def hospital_studies(count: int, seed: int) -> Iterator[tuple[int, VirtualStudy]]:
    """``count`` studies with the number of their patient; study k depends on the seed and k alone, some patients come twice."""
    patient = 0
    for number in range(count):
        again = number > 0 and np.random.default_rng((seed, number, 5)).random() < SECOND_STUDY
        patient += not again
        drawn = draw_hospital(np.random.default_rng((seed, patient)))
        yield patient, render_study(replace(drawn, seed=drawn.seed + number) if again else drawn)


def write_hospital(out: Path, count: int, seed: int, events: Events) -> None:
    """Write the hospital below ``out``: studies/ (DICOM), reports.csv (study, text), and what is true of them.

    Masks, landmarks, truth.csv and findings.jsonl as :func:`virtual_cohort.write_cohort` writes them, all in studies/, so that ``lgetext evaluate`` finds them.
    """
    about = f"{count} studies of a virtual hospital (one scanner, own sentences), seed {seed}"
    members = (
        CohortMember(f"hospital-{seed}-{number:04d}", f"H{seed}-{patient:05d}", (seed, number, 3), study)
        for number, (patient, study) in enumerate(hospital_studies(count, seed))
    )
    written = write_members(out / "studies", about, members, count, events)
    texts = [
        (name, hospital_report(np.random.default_rng((seed, number, 4)), finding))
        for number, (name, finding) in enumerate(written)
    ]
    with (out / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("study", "text"), *texts])
