"""Landmark errors: LV centre against the masks' centroids, RV insertion points against readers' angles."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.events import Events
from LGETextDetectLib.orientation import display_angle, turn
from LGETextDetectLib.volume import Volume

from .evaluated_case import Case
from .measures import read_mask

CENTRE_MM, RVIP_DEG = 10.0, 20.0
LV_LABELS = (1, 4)  # first and last label of the LV in a mask: cavity, myocardium, scar, no-reflow

Angles = dict[tuple[str, int], dict[str, float]]


def landmark_errors(root: Path, cases: Sequence[Case], tables: Path, events: Events) -> dict[str, Any]:
    """Shares within 10 mm and 20 degrees, and medians; insertion points from rvip.csv as seen from the mask's centroid.

    A landmark that was not found counts as infinitely far off. A mask that cannot be compared is left out and logged.
    """
    readers = _read_rvip(tables / "rvip.csv")
    centre_mm: list[float] = []
    angle_deg: list[float] = []
    for case in cases:
        labels = _labels(root, case, events)
        if labels is None:
            continue
        marks = {row["index"]: row for row in case.result["landmarks"]["slices"]}
        for index in range(len(labels.array)):
            lv = np.argwhere((labels.array[index] >= LV_LABELS[0]) & (labels.array[index] <= LV_LABELS[1]))
            if not len(lv):
                continue
            centroid = labels.to_lps([index, *lv.mean(0)])
            found = marks[index]["lv_centre"]
            centre_mm.append(math.inf if found is None else float(np.linalg.norm(np.subtract(found, centroid))))
            for name, expected in readers.get((case.name, index), {}).items():
                angle_deg.append(_angle_error(labels, marks[index][name], centroid, expected))
    return _figures(centre_mm, angle_deg)


def _labels(root: Path, case: Case, events: Events) -> Volume | None:
    """The mask of a case; None without one, and for one that cannot be read or has not the study's slices."""
    labels = read_mask(root, case.name, lambda code: events.log(f"{case.name}: its mask is left out [{code}]"))
    slices = len(case.result["landmarks"]["slices"])
    if labels is not None and len(labels.array) != slices:
        events.log(f"{case.name}: its mask is left out, it has {len(labels.array)} slices, the study {slices}")
        return None
    return labels


def _angle_error(
    labels: Volume, point: list[float] | None, centroid: npt.NDArray[np.float64], expected: float
) -> float:
    if point is None:
        return math.inf
    return abs(float(turn(expected, display_angle(labels, np.subtract(point, centroid)))))


def _figures(centre_mm: list[float], angle_deg: list[float]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if centre_mm:
        figures |= {
            "centre_slices": len(centre_mm),
            "centre_within_10_mm": float(np.mean(np.asarray(centre_mm) <= CENTRE_MM)),
            "centre_median_mm": float(np.median(centre_mm)),
        }
    if angle_deg:
        figures |= {
            "rvips": len(angle_deg),
            "rvip_within_20_deg": float(np.mean(np.asarray(angle_deg) <= RVIP_DEG)),
            "rvip_median_deg": float(np.median(angle_deg)),
        }
    return figures


def _read_rvip(path: Path) -> Angles:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["study"], int(row["slice"])): {
                "rvip_anterior": float(row["anterior_deg"]),
                "rvip_inferior": float(row["inferior_deg"]),
            }
            for row in csv.DictReader(file)
        }
