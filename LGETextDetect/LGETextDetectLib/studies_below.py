"""Folder -> the studies below it: what is one study, and under which name its result is kept."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydicom.tag import Tag

from .dicom_frames import read_elements
from .events import Events
from .input_files import Source, walk
from .refusal import InputRefused
from .results_table import safe_cell
from .volume_files import IMAGE_IO, NIFTI
from .worker_pool import run_tasks

DICOM_SUFFIXES = (".dcm", ".ima")  # named so, but damaged at the very start: to be refused, not to be overlooked
DICOM_DIRECTORY = "1.2.840.10008.1.3.10"  # media storage class of a DICOMDIR
IDENTIFIERS = ("PatientID", "StudyInstanceUID")
KINDS = ("Modality", "SOPClassUID")  # a header without any of all these ends too early
TAGS = [Tag(name) for name in (*IDENTIFIERS, *KINDS)]
FILES_A_WORKER = 5000  # headers from which a process of its own, which takes a second to start, is worth it
FILES_A_TASK = 500
MAX_NAME, MAX_BYTES = 80, 120  # characters; some file systems end at 143 bytes, and a result begins with 15 more
RESERVED = {"results.csv", "con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class Study:
    """One study to detect in.

    name: of its result's folder, unique. path: of its folder or file, or of the first of its files where it shares a
    folder with other studies or lies in several; relative to the root, with slashes. source: what to read, absolute.
    """

    name: str
    path: str
    source: Source


class StudyKey(NamedTuple):
    """What tells studies apart; compared and never shown. place: the folder (or file) of files that name no study."""

    patient: str
    uid: str
    place: Path | None = None
    damaged: bool = False


DAMAGED = StudyKey("", "", damaged=True)
Leaf = dict[StudyKey, list[Path]]  # a folder's own DICOM files, by study


def find_studies(
    root: Path, leave_out: Path | None = None, workers: int = 1, events: Events | None = None
) -> list[Study]:
    """Every study at or below ``root``, sorted by name; what is left out besides ``leave_out``: see ``input_files.walk``.

    A volume file is a study. DICOM files are one study when they name the same StudyInstanceUID, wherever they lie;
    only folders that name different patients with it stay apart. Where a folder and its subfolders hold one study, the
    highest such folder is taken, ``root`` itself only when its own files or several of its folders are one study.
    Files that name no study, and damaged ones, count to the only study of their folder, so that it is refused; beside
    several studies they are listed as studies of their own. Many headers are read in up to ``workers`` processes, and
    ``events`` told how many.
    Raises InputRefused(not-found, no-studies).
    """
    if not os.path.isdir(root):
        raise InputRefused(
            "not-found", "The folder does not exist.", "Check the path; for one file use lgetext detect."
        )
    volumes, others, shared = _scan(root, leave_out)
    keys = _read_keys([path for files in others.values() for path in files], workers, events or Events())
    leaves = {folder: leaf for folder, files in others.items() if (leaf := _by_study(folder, files, keys))}
    found = sorted(
        [*((path, path) for path in volumes), *_dicom_studies(root, leaves, shared)], key=lambda item: item[0]
    )
    if not found:
        raise InputRefused("no-studies", "No DICOM file and no volume file was found.")
    return sorted(_named(root, found), key=lambda study: study.name)


def source_at(root: Path, path: str, leave_out: Path | None = None) -> Source:
    """What the study with this ``path`` in results.csv is read from.

    Where that is one DICOM file, or a path that a table cannot hold as it is, the studies are searched for again. Raises
    InputRefused(not-found) when there is no such study any more.
    """
    if safe_cell(path) == path and ((root / path).is_dir() or (volume_suffix(path) and (root / path).is_file())):
        return root / path
    for study in find_studies(root, leave_out):
        if safe_cell(study.path) == path:
            return study.source
    raise InputRefused("not-found", "The files of this study are not there any more.", "Run the batch again.")


# --- what lies where -------------------------------------------------------------------------------------------------


def _scan(root: Path, leave_out: Path | None) -> tuple[list[Path], dict[Path, list[Path]], set[Path]]:
    """Volume files, the other files of every folder, and the folders out of which a link leads to files listed elsewhere.

    A folder that cannot be opened has no files. Whoever reads one with such a link would read those files, too.
    """
    volumes: list[Path] = []
    others: dict[Path, list[Path]] = {}
    shared: set[Path] = set()

    def keep_closed(error: OSError) -> None:
        others[Path(error.filename)] = []

    for place in walk(root, keep_closed, leave_out):
        if place.proper is not None:
            shared.update(p for p in place.folder.parents if not place.proper.is_relative_to(p.resolve()))
        named = [path for path in place.files if volume_suffix(path.name)]
        volumes += [path for path in named if os.path.isfile(path) or not os.path.exists(path)]  # no pipe, no device
        if rest := [path for path in place.files if not volume_suffix(path.name) and path.is_file()]:
            others[place.folder] = rest
    return volumes, others, shared


def _by_study(folder: Path, files: Sequence[Path], keys: Mapping[Path, StudyKey | None]) -> Leaf:
    """The DICOM files among a folder's own; here the StudyInstanceUID alone counts, whatever the patients are called.

    A folder that could not be opened counts as one with damaged files.
    """
    found: Leaf = {} if files else {DAMAGED._replace(place=folder): []}
    named: dict[str, StudyKey] = {}
    for path in files:
        key = keys[path]
        if key is not None:
            key = named.setdefault(key.uid, key) if key.uid else key._replace(place=folder)
            found.setdefault(key, []).append(path)
    studies = list(named.values()) or [key for key in found if not key.damaged] or list(found)
    if len(studies) == 1:
        return {studies[0]: sorted(path for paths in found.values() for path in paths)}
    damaged = found.pop(DAMAGED._replace(place=folder), [])
    return found | {DAMAGED._replace(place=path): [path] for path in damaged}


def _read_keys(files: Sequence[Path], workers: int, events: Events) -> dict[Path, StudyKey | None]:
    """Study of every file."""
    keys: dict[Path, StudyKey | None] = {}
    tasks = [files[first : first + FILES_A_TASK] for first in range(0, len(files), FILES_A_TASK)]
    with closing(_read_tasks(tasks, min(workers, len(files) // FILES_A_WORKER))) as read:
        for task, found in read:
            keys.update(zip(task, found or _keys_of(task), strict=True))  # again here where the process died
            events.progress("headers", len(keys), len(files))
    return keys


def _read_tasks(
    tasks: Sequence[Sequence[Path]], processes: int
) -> Generator[tuple[Sequence[Path], list[StudyKey | None] | None], None, None]:
    """Files with their studies; in this process unless more are worth it."""
    if processes < 2:
        yield from ((task, _keys_of(task)) for task in tasks)
    else:
        yield from run_tasks(tasks, _key_reader, processes, {})


def _key_reader() -> Callable[[Sequence[Path]], list[StudyKey | None]]:
    """What a worker does to read headers."""
    return _keys_of


def _keys_of(files: Sequence[Path]) -> list[StudyKey | None]:
    return [_study_of(path) for path in files]


def _study_of(path: Path) -> StudyKey | None:
    """Study of a DICOM file, DAMAGED when it is that; None for any other file and for a DICOMDIR."""
    try:
        header = read_elements(path, TAGS)
        if header is None:
            return DAMAGED if path.suffix.lower() in DICOM_SUFFIXES else None
        if header.file_meta.get("MediaStorageSOPClassUID") == DICOM_DIRECTORY:
            return None
        patient, study = (str(header.get(name) or "").strip() for name in IDENTIFIERS)
        cut_off = not (patient or study or any(header.get(name) for name in KINDS))
        return DAMAGED if cut_off else StudyKey(patient, study)
    except Exception:  # whatever is wrong with it: the study is listed, and refused when it is read
        return DAMAGED


# --- which files are one study ---------------------------------------------------------------------------------------


def _dicom_studies(root: Path, leaves: Mapping[Path, Leaf], shared: Container[Path]) -> list[tuple[Path, Source]]:
    """Of each study its first place and its source: the highest folder that holds it alone, else its files.

    Of a folder in ``shared`` the source are its files, too.

    Damaged folders below a folder with images of its own do not take that apart: they are studies beside it.
    """
    inside = _subfolders(root, leaves)
    only = _only_studies(root, leaves, inside)
    places: dict[StudyKey, list[Path]] = {}  # folders that hold the study alone, and files
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        own, below = leaves.get(folder, {}), inside.get(folder, [])
        study = only[folder]
        damaged = [child for child in below if (held := only[child]) is not None and held.damaged]
        if study is not None and (folder != root or own or len(below) > 1):
            places.setdefault(study, []).append(folder)
        elif len(own) == 1 and all(child in damaged or only[child] in own for child in below):
            places.setdefault(next(iter(own)), []).append(folder)
            waiting += damaged
        else:
            for one, files in own.items():
                places.setdefault(one, []).extend(files)
            waiting += below
    return [_place_and_source(sorted(parts), leaves, inside, shared) for parts in places.values()]


def _only_studies(
    root: Path, leaves: Mapping[Path, Leaf], inside: Mapping[Path, Sequence[Path]]
) -> dict[Path, StudyKey | None]:
    """Of every folder the one study at or below it, None of several."""
    only: dict[Path, StudyKey | None] = {}
    for folder in sorted({root, *leaves, *inside}, key=lambda place: len(place.parts), reverse=True):
        held = {*(only[child] for child in inside.get(folder, ())), *leaves.get(folder, ())}
        only[folder] = held.pop() if len(held) == 1 else None
    return only


def _place_and_source(
    parts: Sequence[Path], leaves: Mapping[Path, Leaf], inside: Mapping[Path, Sequence[Path]], shared: Container[Path]
) -> tuple[Path, Source]:
    """First place and source of a study that lies in these folders and files."""
    if len(parts) == 1 and parts[0] not in shared and (parts[0] in leaves or parts[0] in inside):
        return parts[0], parts[0]
    files, waiting = [], [*parts]
    while waiting:
        part = waiting.pop()
        if part in leaves or part in inside:
            waiting += [*inside.get(part, ()), *(path for paths in leaves.get(part, {}).values() for path in paths)]
        else:
            files.append(part)
    return parts[0], tuple(sorted(files))


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


def _named(root: Path, found: Sequence[tuple[Path, Source]]) -> list[Study]:
    """Studies with their names and paths; found: of each the folder or file that it is named by, and its source."""
    own = {root: root.resolve().name}
    places = [own.get(place) or place.relative_to(root).as_posix() for place, _ in found]
    firsts = [source[0] if isinstance(source, tuple) else source for _, source in found]
    spread = [isinstance(source, tuple) and place == source[0] for place, source in found]
    names = study_names(places, {place for place, one_of_several in zip(places, spread, strict=True) if one_of_several})
    return [
        Study(name, first.relative_to(root).as_posix(), _absolute(source))
        for name, first, (_, source) in zip(names, firsts, found, strict=True)
    ]


def _absolute(source: Source) -> Source:
    return tuple(path.absolute() for path in source) if isinstance(source, tuple) else source.absolute()


def volume_suffix(name: str) -> str | None:
    """The suffix of a volume file's name, None for any other name."""
    return next((suffix for suffix in (*NIFTI, *IMAGE_IO) if name.casefold().endswith(suffix)), None)


def _stem(name: str) -> str:
    suffix = volume_suffix(name)
    return name[: -len(suffix)] if suffix else name


def study_names(paths: Sequence[str], beside_others: Container[str] = ()) -> list[str]:
    """A folder name for every path: its last part, with its parents where two would be equal; unique on any system.

    beside_others: first files of studies that share their folder; they always go by their parents too, since files of
    other folders are called the same, and a name must not change when these are added.
    """
    longer = [_safe(path.replace("/", "_")) for path in paths]
    short = (_safe(_stem(path.split("/")[-1])) for path in paths)
    names = _with_others(
        other if path in beside_others else name for path, name, other in zip(paths, short, longer, strict=True)
    )
    names = _with_others(name if alone else other for (name, alone), other in zip(names, longer, strict=True))
    return [
        name if alone else f"{_cut(name, 9)}-{_digest(path)}" for (name, alone), path in zip(names, paths, strict=True)
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
    return kept if kept == _cut(kept) else f"{_cut(kept, 9)}-{_digest(name)}"


def _cut(name: str, room: int = 0) -> str:
    """What of a name is short enough, with as much ASCII behind it."""
    return name[: MAX_NAME - room].encode("utf-8")[: MAX_BYTES - room].decode("utf-8", "ignore")
