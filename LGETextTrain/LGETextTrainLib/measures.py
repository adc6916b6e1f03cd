"""What evaluation needs that is not in result.json: the plain head, heart masks against an expert's, size, threshold rules.

Measured on the detection itself, study by study, in worker processes; one small JSON file a study.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from LGETextDetectLib import aha
from LGETextDetectLib.batch import THREAD_VARIABLES
from LGETextDetectLib.bundle import default_bundle, file_sha256, open_bundle
from LGETextDetectLib.events import Events
from LGETextDetectLib.model import Engine
from LGETextDetectLib.normalised import PIXEL_MM, NormalisedStack, evidence_on_grid
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.result import named_from, slice_levels
from LGETextDetectLib.studies_below import Study, find_studies
from LGETextDetectLib.study import Detection, detect
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import load_study
from LGETextDetectLib.wall_regions import drawn_cavity_and_wall
from LGETextDetectLib.worker_pool import run_tasks
from scipy import ndimage

from .threshold_rules import rule_scores
from .whole_file import written_whole

FORMAT = 3  # of the files; measures of another format are taken again
CAVITY, MYOCARDIUM, SCAR = (1,), (2, 3, 4), (3, 4)  # labels of a mask file, EMIDEC's and the virtual patients'
TOLERANCE_PX = 1  # a strongest voxel this near to the scar, in plane, points at it


@dataclass(frozen=True)
class Measuring:
    """What every worker does; travels to the workers."""

    root: Path
    out: Path
    bundle: Path


def measure_studies(root: Path, out: Path, results: Path, workers: int, events: Events) -> None:
    """Measure all studies below ``root`` that have a result.

    Those measured with this model on the images of the result and the present mask are left as they are.
    """
    out.mkdir(parents=True, exist_ok=True)
    bundle = open_bundle(default_bundle())
    studies = [s for s in find_studies(root, leave_out=results) if (results / s.name / "result.json").is_file()]
    left = [s for s in studies if not _is_measured(s, root, out, results, bundle.sha256)]
    for study in left:
        (out / f"{study.name}.json").unlink(missing_ok=True)
    orders = Measuring(root.resolve(), out.resolve(), bundle.folder.resolve())
    done = len(studies) - len(left)
    events.progress("measure", done, len(studies))
    environment = dict.fromkeys(THREAD_VARIABLES, "1")
    for study, error in run_tasks(left, functools.partial(Measurer, orders), workers, environment):
        done += 1
        if error != "":
            events.log(f"{study.name}: not measured [{error or 'the worker process died'}]")
        events.progress("measure", done, len(studies))


def _is_measured(study: Study, root: Path, out: Path, results: Path, model_sha256: str) -> bool:
    """Whether the measures are of this model, of the images that the result is of, and of the mask as it is now."""
    images = json.loads((results / study.name / "result.json").read_text("utf-8"))["input"]["sha256"]
    known = _read(out / f"{study.name}.json")
    wanted = {"model_sha256": model_sha256, "images_sha256": images, "mask_sha256": _mask_sha256(root, study.name)}
    return all(known.get(name) == value for name, value in wanted.items())


def _mask_sha256(root: Path, study: str) -> str:
    """SHA-256 of the mask file's bytes; empty without one."""
    mask = find_mask(root, study)
    return file_sha256(mask) if mask is not None else ""


def read_measures(folder: Path, study: str) -> dict[str, Any]:
    """Measures of one study; empty when there are none."""
    return _read(folder / f"{study}.json")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(found) if isinstance(found, dict) and found.get("format") == FORMAT else {}


class Measurer:
    """One worker's engine; returns '' or, for a study that is refused, the code."""

    def __init__(self, orders: Measuring) -> None:
        self._orders = orders
        self._engine = Engine(orders.bundle, "onnx", "cpu", threads=1)

    def __call__(self, study: Study) -> str:
        try:
            detection = detect(study.source, self._engine)
        except InputRefused as refused:
            return refused.code
        labels = read_mask(self._orders.root, study.name)
        entry = {
            "format": FORMAT, "model_sha256": self._engine.bundle.sha256, "images_sha256": detection.result["input"]["sha256"],
            "mask_sha256": _mask_sha256(self._orders.root, study.name), **measure(detection, labels),
        }  # fmt: skip
        entry["segment_threshold"] = named_from(self._engine.bundle.thresholds)
        with written_whole(self._orders.out / f"{study.name}.json") as path:
            path.write_text(json.dumps(entry, indent=1) + "\n", "utf-8")
        return ""


def find_mask(root: Path, study: str) -> Path | None:
    """The mask file of a study: ``<study>_mask.*`` in the root."""
    return next(iter(sorted(root.glob(f"{escape(study)}_mask.*"))), None)


def read_mask(root: Path, study: str, refused: Callable[[str], None] = lambda code: None) -> Volume | None:
    """The mask of a study; None without one, and for one that cannot be read, an empty one among them: ``refused`` is told why."""
    path = find_mask(root, study)
    try:
        return load_study(path).volume if path is not None else None
    except InputRefused as error:
        refused(error.code)
        return None


def measure(detection: Detection, labels: Volume | None) -> dict[str, Any]:
    """All measures of one detection. labels: an expert's or the true labels on the study's own grid, if there are any."""
    stack, volume, heart = detection.stack, detection.loaded.volume, detection.prediction.heart
    entry: dict[str, Any] = {
        "head_probability": round(float(detection.prediction.head_probability), 6),
        "text_probability": round(float(detection.prediction.probability), 6),
        "cavity_ml": round(cavity_ml(stack, heart[:, 0], volume), 2),
        "rules": {name: asdict(score) for name, score in rule_scores(stack, heart[:, 1]).items()},
        "peak": peak(stack, detection.prediction.evidence),
    }
    if labels is None or labels.array.shape != volume.array.shape:
        return entry
    true = np.round(labels.array).astype(int)
    cavity, wall = drawn_cavity_and_wall(*(evidence_on_grid(stack, heart[:, k], volume) for k in (0, 1)))
    scar = np.isin(true, SCAR)
    return entry | {
        "cavity_dice": dice(cavity, np.isin(true, CAVITY)),
        "myocardium_dice": dice(wall, np.isin(true, MYOCARDIUM)),
        "scar_dice": dice(detection.evidence > 0.5, scar) if scar.any() else None,
        "points_at_scar": points_at(detection.evidence, scar) if scar.any() else None,
    }


def cavity_ml(stack: NormalisedStack, cavity: npt.NDArray[np.float32], volume: Volume) -> float:
    """Volume of the predicted LV cavity between base and apex, ml."""
    inside = (stack.position >= 0) & (stack.position <= 1)
    pixels = int((cavity[inside] > 0.5).sum())
    return pixels * PIXEL_MM**2 * volume.spacing_mm[2] / 1000


def peak(stack: NormalisedStack, evidence: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Input slice, AHA segment and height of the strongest evidence (S, 96, 96)."""
    number, row, column = (int(v) for v in np.unravel_index(int(np.argmax(evidence)), evidence.shape))
    segment = int(aha.segment_map(slice_levels(stack)[number])[row, column])
    return {
        "index": int(stack.index[number]),
        "segment": segment,
        "evidence": round(float(evidence[number, row, column]), 4),
    }


def points_at(evidence: npt.NDArray[np.float32], scar: npt.NDArray[np.bool_]) -> bool:
    """Whether the strongest voxel of the evidence lies on the scar, one pixel of tolerance in plane; same grid."""
    place = np.unravel_index(int(np.argmax(evidence)), evidence.shape)
    if not evidence.max() > 0:
        return False
    near = ndimage.binary_dilation(scar[place[0]], np.ones((3, 3)), iterations=TOLERANCE_PX)
    return bool(near[place[1:]])


def dice(found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    """Dice of two masks of a whole study; 1 when both are empty."""
    total = int(found.sum() + true.sum())
    return round(2 * int((found & true).sum()) / total, 4) if total else 1.0
