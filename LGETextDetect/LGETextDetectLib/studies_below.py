"""Folder -> the studies below it: what is one study, and under which name its result is kept."""

from __future__ import annotations

import hashlib
import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from .dicom_frames import is_dicom
from .refusal import InputRefused
from .volume_files import IMAGE_IO, NIFTI

DICOM_SUFFIXES = (".dcm", ".ima")  # named so, but damaged at the very start: to be refused, not to be overlooked
DICOM_DIRECTORY = "1.2.840.10008.1.3.10"  # media storage class of a DICOMDIR
UNKNOWN = ("", "")
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
    Raises InputRefused(not-found, no-studies).
    """
    if not root.is_dir():
        raise InputRefused(
            "not-found", "The folder does not exist.", "Check the path; for one file use lgetext detect."
        )
    volumes, leaves = _scan(root, leave_out)
    sources = sorted([*volumes, *_dicom_studies(root, leaves, is_root=True)])
    if not sources:
        raise InputRefused("no-studies", "No DICOM file and no volume file was found.")
    paths = [source.relative_to(root).as_posix() for source in sources]
    own = {".": root.resolve().name}
    names = study_names([own.get(path, path) for path in paths])
    return sorted((Study(*row) for row in zip(names, paths, sources, strict=True)), key=lambda study: study.name)


def _scan(root: Path, leave_out: Path | None) -> tuple[list[Path], dict[Path, tuple[StudyKey, list[Path]]]]:
    """Volume files, and for each folder that itself holds DICOM files the study of the first with these files."""
    volumes: list[Path] = []
    leaves: dict[Path, tuple[StudyKey, list[Path]]] = {}
    skipped = leave_out.resolve() if leave_out else None
    seen: set[Path] = set()
    for place, folders, names in os.walk(root, followlinks=True):
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
    """Study of the first readable DICOM file; UNKNOWN when all are damaged, None when there is none."""
    keys = (key for path in files if (key := _study_of(path)) is not None)
    found = None
    for found in keys:
        if found != UNKNOWN:
            break
    return found


def _study_of(path: Path) -> StudyKey | None:
    """Study of a DICOM file, UNKNOWN when it is damaged; None for any other file and for a DICOMDIR."""
    if not is_dicom(path):
        return UNKNOWN if path.suffix.lower() in DICOM_SUFFIXES else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = dcmread(path, stop_before_pixels=True, specific_tags=["PatientID", "StudyInstanceUID"])
            if header.file_meta.get("MediaStorageSOPClassUID") == DICOM_DIRECTORY:
                return None
            return str(header.get("PatientID") or ""), str(header.get("StudyInstanceUID") or "")
    except Exception:  # whatever is wrong with it: the study is listed, and refused when it is read
        return UNKNOWN


def _dicom_studies(
    folder: Path, leaves: Mapping[Path, tuple[StudyKey, list[Path]]], is_root: bool = False
) -> list[Path]:
    """Highest folders at or below ``folder`` that hold one study each; all ``leaves`` lie there."""
    children: dict[Path, dict[Path, tuple[StudyKey, list[Path]]]] = {}
    for place, leaf in leaves.items():
        if place != folder:
            children.setdefault(folder / place.relative_to(folder).parts[0], {})[place] = leaf
    keys = {key for key, _ in leaves.values()} - {UNKNOWN}
    if not leaves:
        return []
    if folder in leaves and (not children or len(keys) <= 1):
        return [folder]
    if len(keys) <= 1 and not (is_root and (len(children) == 1 or not keys)):
        return [folder]
    loose = [] if folder not in leaves else [path for path in leaves[folder][1] if _study_of(path) is not None]
    return [*loose, *(study for child in sorted(children) for study in _dicom_studies(child, children[child]))]


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
