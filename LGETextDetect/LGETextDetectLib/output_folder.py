"""Whether results can be written to a folder: tried before work starts, and refused, not a crash, when the disk fails."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .refusal import InputRefused

UNWRITABLE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOTDIR", "ENAMETOOLONG")
    if hasattr(errno, name)
}


def check_writable(folder: Path) -> None:
    """Raise InputRefused('out-unwritable') when nothing can be made at the place of ``folder``; leaves nothing there."""
    target = Path(os.path.abspath(folder))
    nearest = next((place for place in (target, *target.parents) if os.path.lexists(place)), None)
    if nearest is None:  # a drive that is not there
        raise InputRefused("out-unwritable", "The output folder's disk is not there.")
    try:
        with suppress(FileNotFoundError):
            os.stat(target)  # fails when the name is too long or a folder on the way is closed
        os.rmdir(tempfile.mkdtemp(prefix=".lgetext-", dir=nearest))
    except OSError as error:
        raise _refusal(error) from error


@contextmanager
def written_below(folder: Path) -> Iterator[None]:
    """Turn the OSError of a disk that is full or closed, met below ``folder``, into InputRefused('out-unwritable')."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE or not _lies_below(error, folder):
            raise
        raise _refusal(error) from error


def _lies_below(error: OSError, folder: Path) -> bool:
    """Whether the error is of a file at or below a folder, or names none, as when a disk is full."""
    names = [name for name in (error.filename, error.filename2) if isinstance(name, str)]
    target = Path(os.path.abspath(folder))
    return not names or any(Path(os.path.abspath(name)).is_relative_to(target) for name in names)


def _refusal(error: OSError) -> InputRefused:
    why = error.strerror or type(error).__name__
    return InputRefused("out-unwritable", f"The output folder cannot be written: {why[0].lower()}{why[1:]}.")
