"""What is true of a virtual patient: finding, segments, slices; read off the labels, not off the drawn parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import aha
from LGETextDetectLib.finding import LAYERS, Finding, Lesion

from .patient import Patient
from .phantom import LABELS

SEGMENT_SHARE = 0.06  # of a segment's myocardium that must be scar for the segment to be named
SLICE_MM2 = 20.0  # scar that a reader would see on a slice
RAYS = 72
SEPTAL_NEIGHBOUR = {1: 2, 4: 3, 7: 8, 10: 9, 13: 14, 15: 14}  # insertion-point scar is named in the septum


@dataclass(frozen=True, eq=False)
class Truth:
    """finding; scarred (S,) bool; share (17,) of each segment that is scar; transmurality (17,) 0-4."""

    finding: Finding
    scarred: npt.NDArray[np.bool_]
    share: npt.NDArray[np.float64]
    transmurality: npt.NDArray[np.int64]


def describe(
    patient: Patient, labels: npt.NDArray[np.uint8], angle: npt.NDArray[np.float32], pixel_mm2: float
) -> Truth:
    """The truth of a patient's labels (S, H, W) whose pixels lie at heart-frame ``angle`` (S, H, W, rad, clockwise)."""
    kind = patient.scars[0].kind if patient.scars else ""
    return describe_labels(patient.anatomy.s, kind, labels, angle, pixel_mm2)


def describe_labels(
    position: npt.NDArray[np.float32],
    kind: str,
    labels: npt.NDArray[np.uint8],
    angle: npt.NDArray[np.float32],
    pixel_mm2: float,
) -> Truth:
    """The same of labels with a scar of one ``kind`` (patient.SCAR_KINDS) on slices at ``position`` (S,), 0 base .. 1 apex."""
    degrees = np.degrees(-angle) % 360
    segment = segments_of(position, labels, degrees)
    myocardium = (labels == LABELS["myocardium"]) | (labels == LABELS["scar"]) | (labels == LABELS["no_reflow"])
    scar = (labels == LABELS["scar"]) | (labels == LABELS["no_reflow"])
    area = np.bincount(segment[myocardium], minlength=18)[1:]
    scarred_area = np.bincount(segment[scar], minlength=18)[1:]
    share = scarred_area / np.maximum(area, 1)
    transmurality = _transmurality(segment, degrees, myocardium, scar)
    slices = scar.sum((1, 2)) * pixel_mm2 >= SLICE_MM2
    return Truth(_finding(kind, labels, slices, share, transmurality), slices, share, transmurality)


def segments_of(
    position: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8], degrees: npt.NDArray[np.floating]
) -> npt.NDArray[np.int64]:
    """AHA segment (S, H, W) of every pixel, myocardium or not, at the displayed angle ``degrees`` (S, H, W)."""
    segment = np.zeros(labels.shape, np.int64)
    for number, s in enumerate(position):
        level = aha.level_of(float(np.clip(s, 0, 1)), bool((labels[number] == LABELS["cavity"]).any()))
        segment[number] = aha.segment_of(degrees[number], level)
    return segment


def layer_labels(
    finding: Finding, position: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8], angle: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """(S, H, W) layer of the lesion that each scarred pixel belongs to, 1 + its place in LAYERS; 0 elsewhere and where it is not known.

    A scarred pixel of a segment that the finding does not name belongs to the lesion named first. Not known is the layer of
    a segment with a lesion whose layer is not said, and that of segments not named when there is such a lesion.
    """
    scar = (labels == LABELS["scar"]) | (labels == LABELS["no_reflow"])
    if not finding.lesions or not scar.any():
        return np.zeros(labels.shape, np.uint8)
    unknown = [lesion for lesion in finding.lesions if not lesion.layer]
    known = [lesion for lesion in finding.lesions if lesion.layer]
    of_segment = np.full(18, 0 if unknown else 1 + LAYERS.index(str(known[0].layer)), np.uint8)
    for lesion in reversed(known):
        of_segment[list(lesion.segments)] = 1 + LAYERS.index(str(lesion.layer))
    for lesion in unknown:
        of_segment[list(lesion.segments)] = 0
    return np.asarray(of_segment[segments_of(position, labels, np.degrees(-angle) % 360)] * scar, np.uint8)


def _transmurality(
    segment: npt.NDArray[np.int64],
    degrees: npt.NDArray[np.floating],
    myocardium: npt.NDArray[np.bool_],
    scar: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """Mean scarred share of the wall over the scarred rays of each segment, as the 0-4 score."""
    ray = (degrees * (RAYS / 360)).astype(np.int64) % RAYS
    slices = np.broadcast_to(np.arange(len(segment))[:, None, None], segment.shape)
    key = (segment * len(segment) + slices) * RAYS + ray
    size = 18 * len(segment) * RAYS
    wall, hurt = (np.bincount(key[mask], minlength=size).reshape(18, -1) for mask in (myocardium, scar))
    share = hurt / np.maximum(wall, 1)
    score = np.zeros(17, np.int64)
    for number in range(1, 18):
        rays = share[number][share[number] > 0.1]
        if len(rays):
            score[number - 1] = 1 + int(np.digitize(rays.mean(), (0.255, 0.505, 0.755)))
    return score


def _finding(
    kind: str,
    labels: npt.NDArray[np.uint8],
    slices: npt.NDArray[np.bool_],
    share: npt.NDArray[np.float64],
    score: npt.NDArray[np.int64],
) -> Finding:
    named = [n + 1 for n in range(17) if share[n] >= SEGMENT_SHARE]
    if not slices.any():
        return Finding("absent")
    if not named:
        named = [int(np.argmax(share)) + 1]
    if kind == "insertion-point":
        named = sorted({SEPTAL_NEIGHBOUR.get(n, n) for n in named})
    if kind != "ischaemic":
        return Finding("present", (Lesion(tuple(named), kind),), "non-ischaemic")
    through = tuple(n for n in named if score[n - 1] == 4)
    inner = tuple(n for n in named if score[n - 1] < 4)
    lesions = [Lesion(through, "transmural", 4)] if through else []
    if inner:
        lesions.append(Lesion(inner, "subendocardial", int(max(score[n - 1] for n in inner))))
    core = (labels == LABELS["no_reflow"]).sum() > 0
    return Finding("present", tuple(lesions), "ischaemic", bool(core))
