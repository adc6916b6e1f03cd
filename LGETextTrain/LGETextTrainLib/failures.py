"""Pictures of what a model gets wrong, of virtual patients only: missed scar, scar that is not there, scar elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.input_files import Source
from LGETextDetectLib.outputs.slice_pictures import png_bytes
from LGETextDetectLib.studies_below import find_studies
from LGETextDetectLib.volume_files import load_study
from scipy import ndimage

from .evaluated_case import Case
from .measures import SCAR, find_mask

UInt8 = npt.NDArray[np.uint8]
CROP_MM = 55.0  # half the side of a picture
SIDE = 160  # pixels of a picture
SLICES = 3
TRUE_RGB, FOUND_RGB = (86, 180, 233), (255, 120, 0)  # outline of the true scar, evidence
EVIDENCE_FROM, OPACITY = 0.25, 0.55
GREY_STEP = 12  # of 256: 22 greys are enough to look at and take less room in the repository
LIST = "failures.json"


@dataclass(frozen=True)
class Failure:
    """A case that went wrong, and in what way."""

    case: Case
    kind: str
    text: str


def worst_cases(cases: Sequence[Case]) -> list[Failure]:
    """At most one case of each kind, the worst; none of a kind that does not occur."""
    missed = [case for case in cases if case.scarred and not case.called]
    invented = [case for case in cases if not case.scarred and case.called]
    elsewhere = [
        case for case in cases if case.scarred and case.called and case.located and not case.named & case.segments
    ]
    failures = []
    if missed:
        case = min(missed, key=lambda c: (c.probability, c.name))
        failures.append(Failure(case, "missed", f"Missed: {_true(case)}, probability {case.probability:.2f}."))
    if invented:
        case = max(invented, key=lambda c: (c.probability, c.name))
        failures.append(
            Failure(case, "invented", f"Scar-free, but probability {case.probability:.2f}: {case.result['caption']}")
        )
    if elsewhere:
        case = max(elsewhere, key=lambda c: (c.probability, c.name))
        failures.append(
            Failure(
                case, "elsewhere", f"Scar named in another place: true is {_true(case)}. Said: {case.result['caption']}"
            )
        )
    return failures  # fmt: skip


def _true(case: Case) -> str:
    layers = " and ".join(sorted({str(lesion.layer) for lesion in case.finding.lesions if lesion.layer}))
    return f"{layers or 'scar'} in segment(s) {', '.join(str(n) for n in sorted(case.segments))}"


def write_failures(out: Path, root: Path, results: Path, cases: Sequence[Case]) -> list[dict[str, str]]:
    """failure-<kind>.png for the worst virtual cases, and failures.json that says what they show."""
    written = []
    failures = worst_cases(cases)
    sources = {study.name: study.source for study in find_studies(root)} if failures else {}
    for failure in failures:
        mask, source = find_mask(root, failure.case.name), sources.get(failure.case.name)
        if mask is None or source is None:
            continue
        name = f"failure-{failure.kind}.png"
        picture = failure_picture(source, mask, results / failure.case.name / "evidence.nrrd")
        (out / name).write_bytes(png_bytes(picture))
        written.append({"file": name, "text": failure.text})
    (out / LIST).write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return written


def failure_picture(study: Source, mask: Path, evidence: Path) -> UInt8:
    """(3 * 160, 2 * 160, 3): slices with most true scar, else most evidence; left plain, right with outline and evidence."""
    loaded = load_study(study).volume
    labels, heat = np.round(load_study(mask).volume.array).astype(int), load_study(evidence).volume.array
    scar = np.isin(labels, SCAR)
    weight = (scar if scar.any() else heat).sum((1, 2))
    chosen = np.sort(np.argsort(-weight, kind="stable")[:SLICES])
    middle = np.argwhere(labels > 0)[:, 1:].mean(0)
    rows = []
    for k in chosen:
        image, true, found = (
            _cut(a[k].astype(float), middle, loaded.spacing_mm[:2]) for a in (loaded.array, scar, heat)
        )
        grey = _grey(image)
        rows.append(np.concatenate([grey, _marked(grey, true > 0.5, found)], 1))
    return np.concatenate(rows, 0)


def _cut(
    image: npt.NDArray[np.float64], middle: npt.NDArray[np.float64], spacing: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """A square of 110 mm around ``middle`` (row, column), bilinear, edges repeated."""
    steps = np.linspace(-CROP_MM, CROP_MM, SIDE)
    rows, columns = (centre + steps / mm for centre, mm in zip(middle, spacing, strict=True))
    places = np.meshgrid(rows, columns, indexing="ij")
    return np.asarray(ndimage.map_coordinates(image, places, order=1, mode="nearest"), np.float64)


def _grey(image: npt.NDArray[np.float64]) -> UInt8:
    low, high = np.percentile(image, (1, 99))
    grey = np.clip((image - low) / max(high - low, 1e-9), 0, 1) * 255
    return np.repeat(grey.astype(np.uint8)[..., None] // GREY_STEP * GREY_STEP, 3, 2)


def _marked(grey: UInt8, true: npt.NDArray[np.bool_], found: npt.NDArray[np.float64]) -> UInt8:
    """The picture with orange evidence and the blue outline of the true scar."""
    opacity = np.where(found >= EVIDENCE_FROM, found * OPACITY, 0)[..., None]
    result = (grey * (1 - opacity) + np.array(FOUND_RGB) * opacity).astype(np.uint8)
    result[true & ~ndimage.binary_erosion(true, iterations=2)] = TRUE_RGB
    return result
