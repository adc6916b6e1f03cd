"""A virtual patient as a scanner would deliver it: an oblique stack in DICOM patient space with its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.landmarks import Landmarks, SliceLandmarks
from LGETextDetectLib.orientation import BASE_TO_APEX
from LGETextDetectLib.volume import Volume

from . import phantom, truth
from .patient import ANGLES, Patient

TO_SEPTUM = np.array([-0.72, -0.68, 0.08])
TILT_DEG = 12.0


@dataclass(frozen=True, eq=False)
class VirtualStudy:
    """One stack: PSIR and, in a pair, magnitude; labels (slice, row, column) as phantom.LABELS; truth."""

    volume: Volume
    magnitude: Volume | None
    labels: npt.NDArray[np.uint8]
    landmarks: Landmarks
    finding: Finding
    segments: dict[int, float]
    transmurality: dict[int, int]
    scarred: npt.NDArray[np.bool_]


def heart_axes(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(3, 3): columns lateral, inferior, base-to-apex as LPS unit vectors of one patient."""
    axis = _unit(BASE_TO_APEX + np.radians(TILT_DEG) * rng.standard_normal(3) * 0.6)
    lateral = -TO_SEPTUM + np.radians(TILT_DEG) * rng.standard_normal(3)
    lateral = _unit(lateral - axis * (lateral @ axis))
    inferior = np.cross(lateral, axis)  # lateral x inferior points from apex to base
    return np.stack([lateral, inferior, axis], 1)


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))


def render_study(patient: Patient) -> VirtualStudy:
    """Scan the patient: grid, orientation and slice order are drawn from the patient's own seed."""
    rng = np.random.default_rng((patient.seed, 1))
    row_mm = rng.uniform(1.2, 1.9)
    column_mm = row_mm * (rng.uniform(0.8, 1.25) if rng.random() < 0.15 else 1.0)
    rows, columns = (int(rng.uniform(190, 320) / mm) // 2 * 2 for mm in (row_mm, column_mm))
    pose = phantom.Pose(
        rows, columns, row_mm, column_mm, turn=rng.uniform(0, 2 * np.pi) if rng.random() < 0.3 else rng.normal(0.9, 0.4),
        mirrored=bool(rng.random() < 0.1), shift=(float(rng.uniform(-30, 30)), float(rng.uniform(-30, 30))),
    )  # fmt: skip
    rendered = phantom.render(patient, pose)
    labels = rendered.labels.numpy()
    true = truth.describe(patient, labels, rendered.angle.numpy(), row_mm * column_mm)
    affine, centres = _geometry(patient, pose, heart_axes(rng), rng.normal(0, 40, 3))
    order = slice(None, None, -1) if rng.random() < 0.5 else slice(None)
    if order.step == -1:
        affine = affine.copy()
        affine[:3, 3] += affine[:3, 0] * (len(labels) - 1)
        affine[:3, 0] *= -1
    image = np.ascontiguousarray(rendered.image.numpy()[order])
    volume = Volume(image, affine, "psir" if patient.scan.psir else "magnitude")
    magnitude = Volume(np.abs(image), affine, "magnitude") if patient.scan.psir and rng.random() < 0.7 else None
    landmarks = _landmarks(patient, labels, centres, order)
    named = {n + 1: float(true.share[n]) for n in range(17) if true.share[n] > 0}
    scores = {n: int(true.transmurality[n - 1]) for n in named}
    return VirtualStudy(
        volume, magnitude, labels[order].copy(), landmarks, true.finding, named, scores, true.scarred[order].copy()
    )


def _geometry(
    patient: Patient, pose: phantom.Pose, axes: npt.NDArray[np.float64], base: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], dict[str, npt.NDArray[np.float64]]]:
    """Affine (slices base to apex) and LPS points (S, 3): LV centre and the two insertion points."""
    lateral, inferior, axis = axes.T
    sign = -1.0 if pose.mirrored else 1.0
    cos, sin = np.cos(pose.turn), np.sin(pose.turn)
    along_columns = cos * sign * lateral - sin * inferior
    along_rows = sin * sign * lateral + cos * inferior
    s = patient.anatomy.s.astype(float)
    step = patient.anatomy.length_mm * float(s[1] - s[0])
    affine = np.eye(4)
    affine[:3, :3] = np.stack([axis * step, along_rows * pose.row_mm, along_columns * pose.column_mm], 1)
    centre = base + axis * patient.anatomy.length_mm * s[0]
    corner = (
        (pose.columns - 1) / 2 * pose.column_mm + pose.shift[0],
        (pose.rows - 1) / 2 * pose.row_mm + pose.shift[1],
    )
    affine[:3, 3] = centre - along_columns * corner[0] - along_rows * corner[1]
    middle = centre + np.arange(len(s))[:, None] * step * axis
    points = {"lv_centre": middle}
    for name, angle in zip(("rvip_anterior", "rvip_inferior"), patient.anatomy.rvip, strict=True):
        radius = patient.anatomy.epi[:, int(angle / (2 * np.pi) * ANGLES) % ANGLES].astype(float)[:, None]
        points[name] = middle + radius * (np.cos(angle) * lateral + np.sin(angle) * inferior)
    return affine, points


def _landmarks(
    patient: Patient, labels: npt.NDArray[np.uint8], points: dict[str, npt.NDArray[np.float64]], order: slice
) -> Landmarks:
    has_rv = (labels == phantom.LABELS["rv"]).any((1, 2))[order]
    ordered = {name: value[order] for name, value in points.items()}
    slices = tuple(
        SliceLandmarks(
            k, tuple(ordered["lv_centre"][k]), tuple(ordered["rvip_anterior"][k]) if has_rv[k] else None,
            tuple(ordered["rvip_inferior"][k]) if has_rv[k] else None, 1.0,
        )
        for k in range(len(labels))
    )  # fmt: skip
    s, middle = patient.anatomy.s, points["lv_centre"]
    unit = (middle[-1] - middle[0]) / (s[-1] - s[0])
    base, apex = middle[0] - unit * s[0], middle[0] + unit * (1 - s[0])
    return replace(Landmarks("manual", tuple(apex), tuple(base), slices), source="manual")
