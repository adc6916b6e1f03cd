"""Folder -> the studies below it: what is one study, and under which name its result is kept."""

from __future__ import annotations

import hashlib
import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from .dicom_frames import is_dicom
from .refusal import InputRefused
from .volume_files import IMAGE_IO, NIFTI

DICOM_SUFFIXES = (".dcm", ".ima")  # named so, but damaged at the very start: to be refused, not to be overlooked
DICOM_DIRECTORY = "1.2.840.10008.1.3.10"  # media storage class of a DICOMDIR
IDENTIFIERS = ("PatientID", "StudyInstanceUID")
KINDS = ("Modality", "SOPClassUID")  # a header without any of all these ends too early
UNKNOWN = ("\\", "")  # study of damaged files: no PatientID holds a backslash
MAX_NAME = 80  # characters; some file systems end at 143 bytes
RESERVED = {"results.csv", "con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
StudyKey = tuple[str, str]  # PatientID and StudyInstanceUID, compared and never shown


@dataclass(frozen=True)
class Study:
    """One study to detect in. name: of its result's folder, unique; path: relative to the root, with slashes."""

    name: str
    path: str
    source: Path


def find_studies(root: Path, leave_out: Path | None = None) -> list[Study]:
    """Every study at or below ``root``, sorted by name; hidden files, ``*_mask.*`` and ``leave_out`` are ignored.

    A volume file is a study. A folder is a study when the DICOM files in it and in its subfolders belong to one; the
    highest such folder is taken, ``root`` itself only when its own files or several of its folders are one study.
    Files of several folders belong to one study only when all of these name the same StudyInstanceUID: a folder that
    names none, or whose headers cannot be read, is a study of its own.
    Raises InputRefused(not-found, no-studies).
    """
    if not root.is_dir():
        raise InputRefused(
            "not-found", "The folder does not exist.", "Check the path; for one file use lgetext detect."
        )
    volumes, leaves = _scan(root, leave_out)
    sources = sorted([*volumes, *_dicom_studies(root, leaves)])
    if not sources:
        raise InputRefused("no-studies", "No DICOM file and no volume file was found.")
    paths = [source.relative_to(root).as_posix() for source in sources]
    own = {".": root.resolve().name}
    names = study_names([own.get(path, path) for path in paths])
    return sorted((Study(*row) for row in zip(names, paths, sources, strict=True)), key=lambda study: study.name)


def _scan(root: Path, leave_out: Path | None) -> tuple[list[Path], dict[Path, tuple[StudyKey, list[Path]]]]:
    """Volume files, and for each folder that itself holds DICOM files the study of the first with these files.

    A folder that cannot be opened counts as one with damaged files.
    """
    volumes: list[Path] = []
    leaves: dict[Path, tuple[StudyKey, list[Path]]] = {}
    skipped = leave_out.resolve() if leave_out else None
    seen: set[Path] = set()

    def keep_closed(error: OSError) -> None:
        leaves[Path(error.filename)] = (UNKNOWN, [])

    for place, folders, names in os.walk(root, onerror=keep_closed, followlinks=True):
        folder = Path(place)
        real = folder.resolve()
        if real in seen or (real == skipped and folder != root):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files = [folder / name for name in sorted(names) if not name.startswith(".")]
        images = [path for path in files if volume_suffix(path.name)]
        volumes += [path for path in images if not _stem(path.name).endswith("_mask")]
        others = [path for path in files if path not in set(images) and path.is_file()]
        key = _first_study(others)
        if key is not None:
            leaves[folder] = (key, others)
    return volumes, leaves


def _first_study(files: Sequence[Path]) -> StudyKey | None:
    """Study of the first DICOM file that names one, else of the first readable one; None when there is no DICOM file."""
    found = None
    for path in files:
        key = _study_of(path)
        if key is not None and (found in (None, UNKNOWN) or key[1]):
            found = key
        if found is not None and found[1]:
            break
    return found


def _study_of(path: Path) -> StudyKey | None:
    """Study of a DICOM file, UNKNOWN when it is damaged; None for any other file and for a DICOMDIR."""
    try:
        if not is_dicom(path):
            return UNKNOWN if path.suffix.lower() in DICOM_SUFFIXES else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = dcmread(path, stop_before_pixels=True, specific_tags=[*IDENTIFIERS, *KINDS])
            if header.file_meta.get("MediaStorageSOPClassUID") == DICOM_DIRECTORY:
                return None
            patient, study = (str(header.get(name) or "") for name in IDENTIFIERS)
            cut_off = not (patient or study or any(header.get(name) for name in KINDS))
            return UNKNOWN if cut_off else (patient, study)
    except Exception:  # whatever is wrong with it: the study is listed, and refused when it is read
        return UNKNOWN


def _dicom_studies(root: Path, leaves: Mapping[Path, tuple[StudyKey, list[Path]]]) -> list[Path]:
    """Highest folders at or below ``root`` that hold one study each, and the single files that lie beside several.

    Damaged folders below a folder with images of its own do not take that apart: they are studies beside it.
    """
    inside = _subfolders(root, leaves)
    own = {place: key if key[1] else (place, key) for place, (key, _) in leaves.items()}  # equal in one study only
    only: dict[Path, tuple[object, object] | None] = {}  # the one study at or below a folder, None of several
    for folder in sorted({root, *leaves, *inside}, key=lambda place: len(place.parts), reverse=True):
        held = {only[child] for child in inside.get(folder, ())} | ({own[folder]} if folder in own else set())
        only[folder] = held.pop() if len(held) == 1 else None
    found, waiting = [], [root]
    while waiting:
        folder = waiting.pop()
        below = inside.get(folder, [])
        damaged = [child for child in below if (only[child] or UNKNOWN)[1] == UNKNOWN]
        if only[folder] is not None and (folder != root or folder in own or len(below) > 1):
            found.append(folder)
        elif folder in own and all(child in damaged or only[child] == own[folder] for child in below):
            found += [folder, *damaged]
        else:
            found += [path for path in (leaves[folder][1] if folder in own else ()) if _study_of(path) is not None]
            waiting += below
    return found


def _subfolders(root: Path, places: Iterable[Path]) -> dict[Path, list[Path]]:
    """Of every folder from ``root`` down to ``places``: those of its subfolders that lead to one of them."""
    inside: dict[Path, list[Path]] = {}
    known = {root}
    for place in places:
        while place not in known:
            known.add(place)
            inside.setdefault(place.parent, []).append(place)
            place = place.parent
    return inside


# --- names -----------------------------------------------------------------------------------------------------------


def volume_suffix(name: str) -> str | None:
    """The suffix of a volume file's name, None for any other name."""
    return next((suffix for suffix in (*NIFTI, *IMAGE_IO) if name.casefold().endswith(suffix)), None)


def _stem(name: str) -> str:
    suffix = volume_suffix(name)
    return name[: -len(suffix)] if suffix else name


def study_names(paths: Sequence[str]) -> list[str]:
    """A folder name for every path: its last part, with its parents where two would be equal; unique on any system."""
    parts = [path.split("/") for path in paths]
    names = _with_others(_safe(_stem(part[-1])) for part in parts)
    longer = [_safe("_".join([*part[:-1], part[-1]])) for part in parts]
    names = _with_others(name if alone else other for (name, alone), other in zip(names, longer, strict=True))
    return [
        name if alone else f"{name[: MAX_NAME - 9]}-{_digest(path)}"
        for (name, alone), path in zip(names, paths, strict=True)
    ]


def _with_others(names: object) -> list[tuple[str, bool]]:
    """Each name with whether it is the only one of its kind, letter case aside."""
    listed = [str(name) for name in names]  # type: ignore[attr-defined]
    count = Counter(name.casefold() for name in listed)
    return [(name, count[name.casefold()] == 1) for name in listed]


def _digest(path: str) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def _safe(name: str) -> str:
    """A name that is a legal folder on any system and begins no spreadsheet formula."""
    plain = unicodedata.normalize("NFC", name)
    kept = "".join(c if (c.isprintable() or c == " ") and c not in '<>:"/\\|?*' else "_" for c in plain).rstrip(". ")
    if not kept or kept[0] in ".=+-@ " or kept.casefold().split(".")[0] in RESERVED or kept.casefold() in RESERVED:
        kept = f"_{kept.lstrip('.=+-@ ')}"
    return kept if len(kept) <= MAX_NAME else f"{kept[: MAX_NAME - 9]}-{_digest(name)}"
