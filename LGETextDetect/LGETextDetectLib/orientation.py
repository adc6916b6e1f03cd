"""How a heart lies in the body, and how a stack lies around it: all in LPS mm, none of it reads a pixel.

Display angles are degrees counter-clockwise on the image as stored (0 = towards higher columns, 90 = lower rows).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .volume import FloatArray, Volume

# Means of 19 public oblique LGE stacks, LPS, of length about 1; spread 10-15 degrees.
BASE_TO_APEX = np.array([0.53, -0.76, -0.33])
TO_RVIP_ANTERIOR = np.array([-0.1, -0.53, 0.83])
TO_RVIP_INFERIOR = np.array([-0.6, -0.15, -0.75])
TO_RV = np.array([-0.72, -0.68, 0.08])

MAX_TILT_DEG = 55.0  # a short-axis stack tilted further from the usual axis tells nothing about the heart
AXIS_ALIGNED = 0.9999  # real short-axis stacks are oblique; exactly axis-aligned ones have lost their direction


def plane_axes(volume: Volume) -> tuple[FloatArray, FloatArray]:
    """Unit LPS vectors along rows increasing (down as displayed) and columns increasing (right as displayed)."""
    down, right = volume.affine[:3, 1], volume.affine[:3, 2]
    return down / np.linalg.norm(down), right / np.linalg.norm(right)


def geometry_known(volume: Volume) -> bool:
    """Whether the affine can be believed: an oblique stack whose normal lies near the usual long axis of the LV."""
    down, right = plane_axes(volume)
    normal = np.cross(down, right)
    aligned = all(np.abs(axis).max() > AXIS_ALIGNED for axis in (down, right))
    return not aligned and abs(float(normal @ BASE_TO_APEX)) > np.cos(np.radians(MAX_TILT_DEG))


def seen_from_apex(volume: Volume) -> bool:
    """Whether the image as displayed shows the heart from its apex (else mirrored).

    With lost geometry: whether it is an axial, coronal or sagittal image in the usual view (from the feet, the front, the
    left), which is what such files claim to hold; short-axis images are shown from the apex in each.
    """
    down, right = plane_axes(volume)
    towards_viewer = np.cross(down, right)
    if geometry_known(volume):
        return float(towards_viewer @ BASE_TO_APEX) > 0
    along = int(np.abs(towards_viewer).argmax())
    return bool(towards_viewer[along] * BASE_TO_APEX[along] > 0)


def usual_view(volume: Volume) -> tuple[FloatArray, FloatArray]:
    """Unit LPS vectors down and right of the usual view of an axial, coronal or sagittal image, whichever lies nearest."""
    along = int(np.abs(np.cross(*plane_axes(volume))).argmax())
    left, posterior, feet = np.eye(3) * (1, 1, -1)
    return (feet if along < 2 else posterior), (posterior if along == 0 else left)


def display_angle(volume: Volume, direction: npt.ArrayLike) -> float:
    """Display angle in degrees, [0, 360), of an LPS direction projected to the slice plane."""
    down, right = plane_axes(volume)
    vector = np.asarray(direction, float)
    return float(np.degrees(np.arctan2(-(vector @ down), vector @ right)) % 360)


def direction_at(volume: Volume, angle_deg: float) -> FloatArray:
    """Unit LPS vector of a display angle in degrees."""
    down, right = plane_axes(volume)
    angle = np.radians(angle_deg)
    return np.asarray(right * np.cos(angle) - down * np.sin(angle), np.float64)


def expected_angles(volume: Volume) -> tuple[float, float]:
    """Display angles where the anterior and the inferior RV insertion point are expected, from known geometry."""
    return display_angle(volume, TO_RVIP_ANTERIOR), display_angle(volume, TO_RVIP_INFERIOR)


def turn(from_deg: npt.ArrayLike, to_deg: npt.ArrayLike) -> FloatArray:
    """Signed shortest turn in degrees, [-180, 180)."""
    return np.asarray(np.mod(np.subtract(to_deg, from_deg) + 180, 360) - 180, np.float64)


def circular_median(angles_deg: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    """Of (N,) angles the one with the smallest weighted sum of turns to all others, degrees."""
    angles, weight = np.asarray(angles_deg, float), np.asarray(weights, float)
    cost = np.abs(turn(angles[:, None], angles[None, :])) @ weight
    best = angles[np.argmin(cost)]
    # Refine by the weighted mean of the near half: the median of few angles alone would jump between them.
    turns = turn(best, angles)
    near = weight * (np.abs(turns) <= 15)
    return float((best + (turns @ near) / near.sum()) % 360)
