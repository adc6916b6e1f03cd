"""A hospital's study as training sees it: read, its heart found, brought into the normalised frame, kept on disk."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.input_files import Source, files_of, pass_closed
from LGETextDetectLib.landmarks import find_landmarks
from LGETextDetectLib.model import Engine
from LGETextDetectLib.normalised import USUAL_MM, NormalisedStack, in_usual_slices, normalise
from LGETextDetectLib.padding import without_padding
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.studies_below import Study
from LGETextDetectLib.volume_files import load_study
from LGETextDetectLib.worker_pool import run_tasks
from scipy import ndimage

from .array_files import save_arrays
from .whole_file import written_whole

Segment = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
INDEX = "index.json"
HEART = ("heart.onnx", "heart.safetensors")  # of a bundle: the network that finds the heart
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)  # of a damaged .npz file


@dataclass(frozen=True, eq=False)
class Prepared:
    """image (S, 96, 96) and maps (S, 3, 96, 96) of the normalised stack, base to apex; position (S,), 0 base .. 1 apex.

    Thin slices are averaged to usual ones, as where the model answers. certainty (S,): of the landmarks on each slice, 0-1.
    """

    image: npt.NDArray[np.float32]
    maps: npt.NDArray[np.float32]
    position: npt.NDArray[np.float32]
    certainty: npt.NDArray[np.float32]

    def stack(self) -> NormalisedStack:
        """What Engine.predict takes; only image, maps and position are the study's own."""
        count = len(self.image)
        grids = np.tile(np.diag([USUAL_MM, 1.0, 1.0, 1.0]), (count, 1, 1))
        return NormalisedStack(
            self.image, self.maps, self.position, np.arange(count, dtype=np.int64), grids, 0.0, False, False
        )


@dataclass(frozen=True)
class Reading:
    """How reading one study ended: sha256 of pixels and geometry, or the refusal's code and cause."""

    sha256: str = ""
    slices: int = 0
    image_type: str = ""
    code: str = ""
    cause: str = ""


LOST = Reading(code="damaged-file", cause="Reading this study ended its process.")


def prepare(source: Source, segment: Segment, normalise_orientation: bool = True) -> tuple[Prepared, str, str]:
    """Read and normalise one study; (prepared, sha256, image type). Raises InputRefused.

    Without ``normalise_orientation`` the frame is turned (and mirrored) back to how the image was acquired: the
    ablation of that step.
    """
    loaded = load_study(source)
    volume = without_padding(loaded.volume)
    landmarks, maps = find_landmarks(volume, segment)
    stack = normalise(volume, landmarks, maps)
    confidence = {mark.index: mark.confidence for mark in landmarks.slices}
    of_slices = np.array([confidence.get(int(k), 0.0) for k in stack.index])
    stack, place = in_usual_slices(stack)
    certainty = (np.bincount(place, of_slices) / np.bincount(place)).astype(np.float32)
    image, heart = stack.image, stack.maps
    if not normalise_orientation:
        image, heart = (as_acquired(array, stack) for array in (image, heart))
    return Prepared(image, heart, stack.position, certainty), loaded.facts.sha256, loaded.facts.image_type


def as_acquired(array: npt.NDArray[np.float32], stack: NormalisedStack) -> npt.NDArray[np.float32]:
    """(..., 96, 96) in the stack's frame, turned and mirrored to how the image lay; still centred on the LV."""
    seen = array[..., ::-1, :] if stack.mirrored else array  # across the septum's axis, which lies level
    return np.asarray(
        ndimage.rotate(seen, -stack.angle_deg, (-1, -2), reshape=False, order=1, mode="nearest"), np.float32
    )


def frame_folder(folder: Path, bundle: Path, normalise_orientation: bool) -> Path:
    """Where below ``folder`` studies lie that this bundle's heart network brought into this frame: no other takes their place."""
    files = open_bundle(bundle).manifest["files"]
    heart = hashlib.sha256("".join(files.get(name, "") for name in HEART).encode()).hexdigest()[:12]
    return folder / f"{'upright' if normalise_orientation else 'as-acquired'}-{heart}"


def file_key(source: Source) -> str:
    """Changes when a file of the study does; tells nothing of the path."""
    facts = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files_of(source, pass_closed)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]


class _Preparer:
    """Prepares one study after another in a process of its own; made there, since networks do not travel."""

    def __init__(self, bundle: Path, folder: Path, normalise_orientation: bool) -> None:
        self.segment = Engine(bundle, "onnx", threads=1).segment
        self.folder, self.normalise_orientation = folder, normalise_orientation

    def __call__(self, task: tuple[str, Source]) -> Reading:
        _, source = task
        try:
            study, sha256, image_type = prepare(source, self.segment, self.normalise_orientation)
        except InputRefused as refused:
            return Reading(code=refused.code, cause=refused.cause)
        save_prepared(study, _file(self.folder, sha256))
        return Reading(sha256, len(study.image), image_type)


def prepare_all(
    studies: Sequence[Study], bundle: Path, folder: Path, *, workers: int = 1, normalise_orientation: bool = True,
    report: Callable[[int], None] = lambda done: None,
) -> list[Reading]:  # fmt: skip
    """Readings in the studies' order; what the frame's folder below ``folder`` holds already, and whole, is not read again.

    A study whose worker died is told as such, and read again the next time: another process may have ended it.
    """
    folder = frame_folder(folder, bundle, normalise_orientation)
    folder.mkdir(parents=True, exist_ok=True)
    keys = [file_key(study.source) for study in studies]
    known = {key: reading for key, reading in _read_index(folder).items() if _is_there(folder, reading)}
    missing = [(k, s.source) for k, s in zip(keys, studies, strict=True) if k not in known]
    report(len(studies) - len(missing))
    make = partial(_Preparer, bundle, folder, normalise_orientation)
    for done, (key, reading) in enumerate(_outcomes(missing, make, workers), start=len(studies) - len(missing) + 1):
        if reading is not None:
            known[key] = reading
        report(done)
        if done % 25 == 0:
            _write_index(folder, known)
    _write_index(folder, known)
    return [known.get(key, LOST) for key in keys]


def _outcomes(
    tasks: list[tuple[str, Source]], make: Callable[[], _Preparer], workers: int
) -> Iterator[tuple[str, Reading | None]]:
    """Key and reading of every task; None when its worker died."""
    if not tasks:
        return
    if workers < 2:
        work = make()
        yield from ((task[0], work(task)) for task in tasks)
        return
    for task, outcome in run_tasks(tasks, make, workers, {"OMP_NUM_THREADS": "1"}):
        yield task[0], outcome


def save_prepared(study: Prepared, path: Path) -> None:
    """One .npz of half-precision arrays; no pickle, no identifier."""
    half = {"image": study.image.astype(np.float16), "maps": study.maps.astype(np.float16)}
    save_arrays(path, {**half, "position": study.position, "certainty": study.certainty}, compressed=True)


def load_prepared(folder: Path, sha256: str) -> Prepared:
    """Inverse of :func:`save_prepared`, in single precision."""
    with np.load(_file(folder, sha256), allow_pickle=False) as data:
        return Prepared(*(data[name].astype(np.float32) for name in ("image", "maps", "position", "certainty")))


def _file(folder: Path, sha256: str) -> Path:
    return folder / f"{sha256[:24]}.npz"


def _is_there(folder: Path, reading: Reading) -> bool:
    """Whether what was read can be read again; a refusal has left nothing to be read."""
    try:
        return bool(reading.code) or load_prepared(folder, reading.sha256) is not None
    except UNREADABLE:
        return False


def _read_index(folder: Path) -> dict[str, Reading]:
    path = folder / INDEX
    if not path.is_file():
        return {}
    readings = ((key, Reading(**entry)) for key, entry in json.loads(path.read_text("utf-8")).items())
    return {key: reading for key, reading in readings if reading != LOST}  # older versions kept these


def _write_index(folder: Path, known: dict[str, Reading]) -> None:
    with written_whole(folder / INDEX) as partial_path:
        partial_path.write_text(json.dumps({key: asdict(reading) for key, reading in known.items()}), "utf-8")
