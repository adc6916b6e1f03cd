"""One training or data check a run folder: a lock that the operating system takes back when the process ends, however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from LGETextDetectLib.refusal import InputRefused

LOCK = "running.lock"
PID_AT = 1  # byte 0 is the one that is locked: Windows lets nobody else read it
LOOKS, BETWEEN_LOOKS_S = 6, 0.02  # running_process holds the lock for a moment, too


@contextmanager
def run_lock(folder: Path, trains: bool = True) -> Iterator[None]:
    """Hold the folder's lock; raises InputRefused('run-busy') when another training or data check has it.

    trains: whether :func:`running_process` names this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+b") as file:
        if not _take_soon(file):
            raise InputRefused("run-busy", "A training or data check is running in this folder already.")
        _name(file, str(os.getpid()).encode() if trains else b"")
        try:
            yield
        finally:
            _name(file, b"")


def running_process(folder: Path) -> int | None:
    """Number of the process that trains in the folder; None when none does.

    Where the lock cannot be written (an archive, another user's run) nothing of ours can be training.
    """
    try:
        file = (folder / LOCK).open("r+b")
    except OSError:
        return None
    with file:
        if _take(file):
            _give_back(file)
            return None
        file.seek(PID_AT)
        digits = file.read().strip()
    return int(digits) if digits.isdigit() else None


def _name(file: IO[bytes], process: bytes) -> None:
    """Write down who holds the lock."""
    file.truncate(0)
    file.seek(0)
    file.write(b" " + process)
    file.flush()


def _take_soon(file: IO[bytes]) -> bool:
    """Lock at once or within a tenth of a second; whether it was free."""
    for _ in range(LOOKS - 1):
        if _take(file):
            return True
        time.sleep(BETWEEN_LOOKS_S)
    return _take(file)


def _take(file: IO[bytes]) -> bool:
    """Lock without waiting; whether it was free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _give_back(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)
