"""All files of one result, all or nothing: written to a hidden folder, then put in their place by renaming."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..markups import write_markups
from ..normalised import NormalisedStack
from ..output_folder import check_writable, written_below
from ..refusal import InputRefused
from ..result import Detected
from ..result_files import ALWAYS, DICOM, holds_result
from ..volume import Volume
from ..volume_files import write_nrrd
from .bullseye_svg import bullseye_svg
from .report_html import report_html
from .report_words import segment_rows

FILES = (*DICOM, *ALWAYS)  # in the order in which they are put in place: result.json makes a result whole
PART = re.compile(r"\.(?P<name>.+)\.part-[0-9a-f]{8}")  # what a result is written to first
MAX_BYTES = 200  # of the result folder's name in that of its part; a name ends at 255


def write_outputs(folder: Path, detection: Detected, dicom: bool = False) -> None:
    """Write every file of a finished detection to ``folder``; an older result there is replaced at the very end.

    On any error or interruption the folder is as it was before; a process killed while it replaces a result leaves no
    result.json. result.json's ``seconds.write`` and ``total`` take in the time spent here. Raises
    InputRefused('out-occupied') when the folder holds anything but an older result, InputRefused('out-unwritable') when
    the disk is full or closed, and InputRefused('not-dicom') when DICOM objects are wanted of a volume file or of images
    that nothing can refer to.
    """
    started = time.perf_counter()
    if dicom:
        check_dicom_possible(detection)
    with replaced_folder(folder) as work:
        _write_files(work, detection)
        if dicom:
            # highdicom is optional and slow to import: only those who want DICOM objects pay for it.
            from .dicom_objects import write_dicom_objects

            write_dicom_objects(work, detection)
        result = with_write_time(detection.result, time.perf_counter() - started)
        (work / "result.json").write_text(result_text(result), "utf-8")


def check_dicom_possible(detection: Detected) -> None:
    """Raise InputRefused('not-dicom' or 'no-highdicom') when no DICOM objects can be made of a detection."""
    frames = detection.loaded.frames
    if frames is None:
        raise InputRefused("not-dicom", "DICOM objects need a DICOM study; the input is a volume file.")
    if not all(frame.sop_uid and frame.sop_class for frame in frames):
        cause = "An image has no SOPInstanceUID or SOPClassUID, by which DICOM objects would refer to it."
        raise InputRefused("not-dicom", cause, "Leave --dicom out, or export the study again.")
    check_highdicom()


def check_highdicom() -> None:
    """Raise InputRefused('no-highdicom') when the package that writes DICOM objects is missing."""
    if importlib.util.find_spec("highdicom") is None:
        raise InputRefused("no-highdicom", "DICOM objects need the package highdicom, which is not installed.")


def result_text(result: dict[str, Any]) -> str:
    """The bytes of result.json: fields in the schema's order, finite numbers only."""
    return json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def with_write_time(result: dict[str, Any], write_s: float) -> dict[str, Any]:
    """The result with the time of writing added to its ``seconds``."""
    seconds = dict(result["seconds"])
    seconds["total"] = round(float(seconds["total"]) - float(seconds["write"]) + write_s, 3)
    seconds["write"] = round(write_s, 3)
    return {**result, "seconds": seconds}


def _write_files(work: Path, detection: Detected) -> None:
    result, stack = detection.result, detection.stack
    named = [number for lesion in result["finding"]["lesions"] for number in lesion["segments"]]
    (work / "bullseye.svg").write_text(bullseye_svg(segment_rows(result), named), "utf-8")
    write_markups(detection.landmarks, work / "landmarks.mrk.json")
    write_nrrd(detection.loaded.volume.with_array(np.asarray(detection.evidence, np.float32)), work / "evidence.nrrd")
    write_nrrd(normalised_volume(stack), work / "normalised.nrrd")
    annotate_nrrd(work / "normalised.nrrd", normalised_fields(stack))
    (work / "report.html").write_text(report_html(detection), "utf-8")


# --- the normalised stack as a volume --------------------------------------------------------------------------------


def normalised_volume(stack: NormalisedStack) -> Volume:
    """The stack as one volume, base to apex: first slice in its true place, the others straight behind it.

    Every slice of the frame is centred on its own LV centre, so a volume with one affine can be true for one slice
    only; :func:`normalised_fields` holds the true place of each.
    """
    affine = stack.grids[0].copy()
    normal = np.cross(affine[:3, 1], affine[:3, 2])
    normal /= np.linalg.norm(normal)
    run = stack.grids[-1][:3, 3] - stack.grids[0][:3, 3] if len(stack.grids) > 1 else stack.grids[0][:3, 0]
    affine[:3, 0] = normal * float(run @ normal) / max(len(stack.grids) - 1, 1)
    return Volume(np.ascontiguousarray(stack.image, np.float32), affine)


def normalised_fields(stack: NormalisedStack) -> dict[str, str]:
    """NRRD key/value pairs that explain the frame and give each slice's own place, LPS mm."""
    origins = [" ".join(f"{v + 0.0:.3f}" for v in grid[:3, 3]) for grid in stack.grids]
    return {
        "lgetext_frame": "LV centre in the middle, septum left, anterior up, seen from the apex; slices base to apex",
        "lgetext_intensity": "0 = myocardium, 1 = blood of this study, clipped to -3..5",
        "lgetext_slice_index": " ".join(str(int(k)) for k in stack.index),
        "lgetext_slice_position": " ".join(f"{float(p) + 0.0:.4f}" for p in stack.position),
        "lgetext_slice_origins_lps": "; ".join(origins),
        "lgetext_geometry": "each slice has its own origin (lgetext_slice_origins_lps); the space origin is the first slice's",
    }


def annotate_nrrd(path: Path, fields: Mapping[str, str]) -> None:
    """Add key/value pairs to the end of an NRRD file's header (NRRD 0004, section 6)."""
    header, pixels = path.read_bytes().split(b"\n\n", 1)
    pairs = "".join(f"\n{key}:={value}" for key, value in fields.items())
    path.write_bytes(header + pairs.encode("ascii") + b"\n\n" + pixels)


# --- all or nothing --------------------------------------------------------------------------------------------------


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write to; its files become those of ``folder`` when the block ends well, else it is removed.

    It lies inside ``folder`` where that exists, which may be a mount point, somebody's working folder or the only place
    that can be written.
    """
    target = check_output(folder)
    name = os.fsencode(target.name)[:MAX_BYTES].decode("utf-8", "ignore")
    work = (target if target.exists() else target.parent) / f".{name}.part-{secrets.token_hex(4)}"
    made = [place for place in (target.parent, *target.parent.parents) if not os.path.exists(place)]
    try:
        with written_below(made[-1] if made else target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            work.mkdir()
            yield work
            _flush_to_disk(work)
            _swap(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        for parent in made:
            _remove_if_empty(parent)
        raise
    shutil.rmtree(work, ignore_errors=True)
    remove_parts(target)


def check_output(folder: Path) -> Path:
    """Where a result for ``folder`` is put, links followed.

    Raises InputRefused('out-occupied') when that would destroy anything but an older result, 'out-unwritable' when
    nothing can be written there.
    """
    target = Path(os.path.abspath(folder))
    target = target.resolve() if os.path.islink(target) else target
    with written_below(target):
        _check_replaceable(target)
    check_writable(target)
    return target


def remove_result(target: Path) -> None:
    """Take away the files of an older result; whatever else lies there stays, and all of it when it is no result."""
    if holds_result(target):
        for name in FILES:
            (target / name).unlink(missing_ok=True)
        remove_parts(target)
        with suppress(OSError):  # not empty
            target.rmdir()


def _check_replaceable(target: Path) -> None:
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise InputRefused("out-occupied", "The output path is a file.")
    others = (entry for entry in target.iterdir() if not PART.fullmatch(entry.name))
    foreign = [entry for entry in others if entry.name not in FILES or entry.is_dir()]
    if foreign:
        raise InputRefused("out-occupied", f"The output folder holds {len(foreign)} other files or folders.")


def _swap(work: Path, target: Path) -> None:
    """Put ``work`` in the place of ``target``; where that exists, its files in the place of those of an older result."""
    if target.exists():
        _move_in(work, target)
    else:
        work.rename(target)
        _sync(target.parent)


def _move_in(work: Path, target: Path) -> None:
    """Move an older result's files out, result.json first, and the new ones in, result.json last; undone on an error.

    So a folder with result.json never holds files of two results.
    """
    older = work / "older"
    older.mkdir()
    moves = [(target / name, older / name) for name in reversed(FILES)]
    moves += [(work / name, target / name) for name in FILES]
    begun = []
    try:
        for source, place in moves:
            if os.path.lexists(source):
                begun.append((source, place))
                source.rename(place)
        _sync(target)
    except BaseException:
        for source, place in reversed(begun):
            if os.path.lexists(place):
                place.rename(source)
        raise


def remove_parts(folder: Path, names: Container[str] | None = None) -> None:
    """Remove what killed processes left in a folder; names: of the result folders that they were writing, any by default."""
    for path in list(folder.iterdir()):
        part = PART.fullmatch(path.name)
        if part is not None and (names is None or part["name"] in names):
            shutil.rmtree(path, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    if os.path.isdir(folder) and not any(folder.iterdir()):
        folder.rmdir()


def _flush_to_disk(folder: Path) -> None:
    """fsync every file and the folder, so that a rename never exposes half-written files after a power cut."""
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    """fsync a folder where the platform can open one (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
