"""A folder of many files that is there whole or not at all, and never put among files of others."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from LGETextDetectLib.refusal import InputRefused

PART = re.compile(r"\.new-[0-9a-f]{8}")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """An empty hidden folder in ``folder`` to write to; all it holds is moved up when the block ends well, else it is removed.

    Raises InputRefused('out-occupied') when ``folder`` holds anything but what a killed process left.
    """
    held = list(folder.iterdir()) if folder.is_dir() else []
    if any(not PART.fullmatch(path.name) for path in held):
        raise InputRefused("out-occupied", "The output folder is not empty.", "Name a new or empty output folder.")
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    part = folder / f".new-{secrets.token_hex(4)}"
    try:
        part.mkdir(parents=True)
        yield part
        _move_up(part, folder)
    finally:
        for path in (part, *held):
            shutil.rmtree(path, ignore_errors=True)
        for place in made:
            with suppress(OSError):  # not empty
                place.rmdir()


def _move_up(part: Path, folder: Path) -> None:
    """Move all entries into ``folder``, folders first; all back on an error."""
    entries = sorted(part.iterdir(), key=Path.is_file)
    try:
        for path in entries:
            path.rename(folder / path.name)
    except BaseException:
        for path in entries:
            with suppress(FileNotFoundError):  # not moved yet
                (folder / path.name).rename(path)
        raise
