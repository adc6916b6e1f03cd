"""Which files below a folder are input: the one rule for whoever searches for studies and whoever reads one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .data_files import DETACHED, data_place
from .refusal import InputRefused
from .result_files import ALWAYS, DICOM, holds_result

Source = Path | tuple[Path, ...]  # a folder with all below it, one file, or files that belong together


class Place(NamedTuple):
    """A folder with what may be input among its own entries, sorted.

    proper: the real folder, where a link leads to one that was met before; then there are no files here.
    """

    folder: Path
    files: list[Path]
    proper: Path | None = None


def walk(root: Path, closed: Callable[[OSError], None], leave_out: Path | None = None) -> Iterator[Place]:
    """The folder and all below it, each before those inside it, in order of their names.

    Links are followed, each folder is entered once. Left out: hidden files and folders, ``*_mask.*``, the files of a
    result of this program, data files that a header beside them names, and ``leave_out`` with all below it. closed: told of a folder that cannot be opened.
    """
    skipped = leave_out.resolve() if leave_out else None
    seen: set[Path] = set()
    for place, folders, names in os.walk(root, onerror=closed, followlinks=True):
        folder = Path(place)
        real = folder.resolve()
        if real in seen or (real == skipped and folder != root):
            folders.clear()
            yield Place(folder, [], real if real in seen else None)
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        own = {*ALWAYS, *DICOM} if "result.json" in names and holds_result(folder) else set()
        own |= _named_by_headers(folder, names)
        yield Place(folder, [folder / name for name in sorted(names) if name not in own and _is_input(name)])


def _named_by_headers(folder: Path, names: list[str]) -> set[str]:
    """Names of the files that hold the image data of headers in the folder."""
    found: set[str] = set()
    for name in names:
        if name.casefold().endswith(DETACHED):
            with suppress(OSError):  # reading the study says so
                found.update(file.name for file in data_place(folder / name).files if file.parent == folder)
    return found - {name for name in names if name.casefold().endswith(DETACHED)}


def _is_input(name: str) -> bool:
    return not name.startswith(".") and "_mask." not in name.casefold()


def refuse_closed(error: OSError) -> None:
    """What reading a study makes of a folder that cannot be opened: InputRefused(damaged-file)."""
    raise InputRefused("damaged-file", "A folder cannot be opened.") from error


def files_of(source: Source, closed: Callable[[OSError], None] = refuse_closed) -> list[Path]:
    """The files that a study is read from, in path order; a file that is named itself is always input.

    closed: as of :func:`walk`. Raises InputRefused(not-found) and what ``closed`` raises.
    """
    if isinstance(source, tuple):
        return sorted(source)
    if not os.path.exists(source):
        raise InputRefused("not-found", "The input path does not exist, or cannot be reached.")
    if source.is_file():
        return [source]
    return sorted(path for place in walk(source, closed) for path in place.files if path.is_file())


def pass_closed(_: OSError) -> None:
    """For who looks at the files alone: reading the study says that a folder cannot be opened."""
