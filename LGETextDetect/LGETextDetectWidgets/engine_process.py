"""The command line's engine as a child process of Slicer: where it is, what it needs to find the library, how it fails."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import LGETextDetectLib

GRACE_S = 5.0  # for the engine to clean up after Cancel, then its tree is killed


class EngineFailed(RuntimeError):
    """The engine ended without a result and without a refusal; the message holds the last lines of its log."""

    def __init__(self, cause: str, log: Sequence[str] = ()) -> None:
        super().__init__("\n".join([cause, *log]))


def python_executable() -> str:
    """The interpreter that shares Slicer's packages: PythonSlicer in the application."""
    return shutil.which("PythonSlicer") or sys.executable


def engine_command() -> tuple[str, ...]:
    """The command line's words before its first argument."""
    return (python_executable(), "-m", "LGETextDetectLib")


def library_path(*more: Path) -> dict[str, str]:
    """Environment in which a child process finds this library and ``more`` folders, wherever the extension lies."""
    folders = [
        str(Path(LGETextDetectLib.__file__).resolve().parents[1]),
        *map(str, more),
        os.environ.get("PYTHONPATH", ""),
    ]
    return {"PYTHONPATH": os.pathsep.join(folder for folder in folders if folder)}
