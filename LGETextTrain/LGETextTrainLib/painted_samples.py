"""Slices that teach the scar network a hospital's own images: painted, scar-free and reported scars, and virtual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import aha
from LGETextDetectLib.finding import Finding
from LGETextDetectLib.looks import network_image
from LGETextDetectLib.normalised import SIZE, scale_to_heart
from LGETextDetectLib.wall_shape import mend_wall
from scipy import ndimage

from .painted_scar import Painted, paint_scar, scar_free_labels
from .phantom import LABELS
from .prepared_study import Prepared, load_prepared
from .recipe import PaintTable, ScarTable
from .samples import EarlierNetworks, Heart, Sample, SeenSamples, disturbed, heart_maps, seen_before
from .truth import layer_labels

SCAR_FREE = Finding("absent")
HALF_WAY = 0.55  # of the step from remote myocardium to blood: brighter wall in a reported segment is taken for scar
LAYER_BANDS = {  # depth of the wall that a reported layer may fill, a little more than it is defined
    "subendocardial": (0.0, 0.8), "mid-wall": (0.15, 0.85), "subepicardial": (0.35, 1.01), "transmural": (0.0, 1.01),
    "insertion-point": (0.2, 1.01), "diffuse": (0.0, 0.9), "patchy": (0.0, 1.01), None: (0.0, 1.01),
}  # fmt: skip


@dataclass(frozen=True)
class SampleStudy:
    """A study to be shown: where it lies, what its report says, the report without identifiers."""

    sha256: str
    finding: Finding
    text: str = ""


class PaintedSamples:
    """Draws one study and gives its slices as a training sample; travels to worker processes."""

    def __init__(
        self, prepared: Path, studies: Sequence[SampleStudy], paint: PaintTable, table: ScarTable, networks: EarlierNetworks
    ) -> None:  # fmt: skip
        self.prepared, self.paint, self.table = prepared, paint, table
        self.free = [s for s in studies if s.finding.lge == "absent"]
        self.scarred = [s for s in studies if tells_all_scar(s.finding)]
        self.networks = networks
        self._virtual = SeenSamples(networks)

    def __call__(self, rng: np.random.Generator) -> Sample:
        if rng.random() < self.table.virtual_share:
            return self._virtual(rng)
        if self.scarred and rng.random() < self.table.reported_share:
            chosen = self.scarred[rng.integers(len(self.scarred))]
            study = load_prepared(self.prepared, chosen.sha256)
            return self._sample(rng, study, reported_labels(study, chosen.finding), chosen.finding)
        study = load_prepared(self.prepared, self.free[rng.integers(len(self.free))].sha256)
        painted = paint_scar(rng, study, self.paint) if rng.random() < self.paint.share else None
        if painted is None:
            return self._sample(rng, study, scar_free_labels(study), SCAR_FREE)
        heart = self.networks.heart if rng.random() < self.table.seen_share else None
        return self._sample(rng, with_painting(rng, study, painted, heart), painted.labels, painted.finding)

    def _sample(
        self, rng: np.random.Generator, study: Prepared, labels: npt.NDArray[np.uint8], finding: Finding
    ) -> Sample:
        """The study moved a little: image (S, 18, 96, 96) float16 as the scar network takes it, labels, layer (S, 96, 96) uint8."""
        angle = np.broadcast_to(np.radians(-aha.frame_angles()).astype(np.float32), labels.shape)
        study, (labels, layer) = moved(rng, study, labels, layer_labels(finding, study.position, labels, angle))
        image = disturbed(rng, seen_before(network_image(study.image, study.maps), self.networks.look))
        return {"image": image.astype(np.float16), "labels": labels, "layer": layer}


def tells_all_scar(finding: Finding) -> bool:
    """Whether a report of scar gives every lesion a place and doubts none: only then is wall elsewhere known to be free of it."""
    lesions = finding.lesions if finding.lge == "present" else ()
    return bool(lesions) and all(lesion.segments and lesion.certainty == "definite" for lesion in lesions)


def with_painting(rng: np.random.Generator, study: Prepared, painted: Painted, heart: Heart | None) -> Prepared:
    """The painted study; with ``heart`` its maps, and the scale that follows from them, are found anew on the painted image."""
    if heart is None:
        return replace(study, image=painted.image)
    maps = heart_maps(rng, painted.image, heart)
    return replace(study, image=scale_to_heart(painted.image, maps), maps=maps)


def reported_labels(study: Prepared, finding: Finding) -> npt.NDArray[np.uint8]:
    """Labels (S, 96, 96) of a scarred study without a mask: bright wall where the report says that scar is, of all its scar.

    Scar as bright as blood or fat is often lost from the heart maps, so that it is looked for in the mended wall.
    """
    labels = scar_free_labels(study)
    mended = mend_wall(study.maps)
    for number, position in enumerate(study.position):
        cavity, muscle = mended[number, 0] > 0.5, mended[number, 1] > 0.5
        level = aha.level_of(float(position))
        if not muscle.any() or level == "outside":
            continue
        segment = aha.segment_map(level)
        depth = aha.radial_depth(cavity, muscle)
        bright = muscle & (ndimage.gaussian_filter(study.image[number], 0.6) > HALF_WAY)
        for lesion in finding.lesions:
            inner, outer = LAYER_BANDS[lesion.layer]
            there = np.isin(segment, lesion.segments) & (depth >= inner) & (depth <= outer)
            labels[number][bright & there] = LABELS["scar"]
    return labels


def moved(
    rng: np.random.Generator, study: Prepared, *labels: npt.NDArray[np.uint8]
) -> tuple[Prepared, list[npt.NDArray[np.uint8]]]:
    """The study and pictures of labels (S, 96, 96) turned, shifted, stretched and rescaled a little, as landmarks and scans differ; never mirrored."""
    turn, scale = rng.normal(0, np.radians(5)), rng.uniform(0.94, 1.06, 2)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / scale[:, None]
    middle = np.full(2, (SIZE - 1) / 2)
    offset = middle - matrix @ (middle + rng.normal(0, 1.0, 2))

    def warp(array: npt.NDArray[np.generic], order: int) -> npt.NDArray[np.generic]:
        flat = array.reshape(-1, SIZE, SIZE)
        return np.stack(
            [ndimage.affine_transform(a, matrix, offset, order=order, mode="nearest") for a in flat]
        ).reshape(array.shape)

    image = np.asarray(warp(study.image, 1) * np.exp(rng.normal(0, 0.08)) + rng.normal(0, 0.05), np.float32)
    maps = np.asarray(warp(study.maps, 1), np.float32)
    return replace(study, image=image, maps=maps), [np.asarray(warp(each, 0), np.uint8) for each in labels]
