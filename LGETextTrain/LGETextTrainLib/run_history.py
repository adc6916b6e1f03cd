"""The runs of a user: which folders, how each stands, and a running one attached to again. Needs no torch."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from LGETextDetectLib.child_process import Event, as_event, end_windows_tree

from .run_lock import running_process
from .run_record import DONE, read_run
from .training_curves import read_log
from .whole_file import written_whole

STOP_FILE = "stop"  # in the run folder: the training writes a checkpoint and ends
EVENTS_NAME = "slicer-events.jsonl"
SHOWN_BYTES = 200_000  # of an older log, when attaching to its run


@dataclass(frozen=True)
class RunSummary:
    """One run: began in seconds since 1970, None when unknown.

    state: 'running', 'done', 'stopped', 'not started', or 'unreadable' when its files cannot be read.
    """

    folder: Path
    name: str
    state: str
    began: float | None
    studies: int | None
    figure: str
    bundle: Path | None


def summary_of(folder: Path) -> RunSummary:
    """How the run in a folder stands, from what it wrote."""
    facts = read_run(folder)
    entries = read_log(folder / "log.jsonl")
    bundles = sorted(folder.glob("bundle/[!.]*/manifest.json"))  # one that is being made begins with a dot
    done = bool(bundles) and facts.get("state") == DONE
    state = (
        "running" if running_process(folder) else "done" if done else "stopped" if entries or facts else "not started"
    )
    last: dict[str, Any] = next(
        (
            e["validation"]
            for e in reversed(entries)
            if isinstance(e.get("validation"), dict) and "auroc" in e["validation"]
        ),
        {},
    )
    final: dict[str, Any] = next((e for e in reversed(entries) if e.get("stage") == "done"), {})
    figure = _number(final.get("validation_auroc", last.get("auroc")))
    name = f"{facts.get('name', folder.name)} {facts.get('version', '')}".strip()
    began = _number(facts.get("began")) or _number(next((e["time"] for e in entries if "time" in e), None))
    studies = _number(facts.get("studies"))
    words = f"validation AUROC {figure:.2f}" if figure is not None else ""
    return RunSummary(
        folder,
        name,
        state,
        began,
        None if studies is None else int(studies),
        words,
        bundles[0].parent if done else None,
    )


def _summary_or_unreadable(folder: Path) -> RunSummary:
    try:
        return summary_of(folder)
    except OSError:
        return RunSummary(folder, folder.name, "unreadable", None, None, "", None)


def _number(value: object) -> float | None:
    """A finite number that a file holds; None for anything else."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


class RunHistory:
    """The run folders of a user, newest first, kept in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folders(self) -> list[Path]:
        """Folders that are still there."""
        try:
            listed = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return []
        names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        return [Path(name) for name in names if os.path.isdir(name)]  # false, not an error, below a closed folder

    def add(self, folder: Path) -> None:
        """Put a folder first."""
        known = [str(folder.resolve()), *(str(f) for f in self.folders() if f.resolve() != folder.resolve())]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path) as path:
            path.write_text(json.dumps(known, indent=1), "utf-8")

    def runs(self) -> list[RunSummary]:
        """How every run stands, also when one of them cannot be read."""
        return [_summary_or_unreadable(folder) for folder in self.folders()]

    def running(self) -> RunSummary | None:
        """The newest run that is under way."""
        return next((run for run in self.runs() if run.state == "running"), None)


class AttachedRun:
    """A training that another process started, followed by its log; the same face as detached_child.DetachedChild."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / EVENTS_NAME
        self.log.touch()
        self._offset = max(self.log.stat().st_size - SHOWN_BYTES, 0)
        self._rest, self._skip_first = b"", self._offset > 0
        self._pid = running_process(folder)

    @property
    def finished(self) -> bool:
        """Whether the training has ended and every event has been taken."""
        return running_process(self.folder) is None and self._offset >= self.log.stat().st_size and not self._rest

    @property
    def exit_code(self) -> int | None:
        """0 when it is done, 1 when it ended otherwise, None while it runs."""
        if running_process(self.folder) is not None:
            return None
        return 0 if summary_of(self.folder).state == "done" else 1

    def poll(self) -> list[Event]:
        """The events written since the last call; a line that is no event is a log event."""
        ended = running_process(self.folder) is None
        with self.log.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read()
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if ended:
            lines, self._rest = [*lines, self._rest], b""
        if self._skip_first and lines:
            lines, self._skip_first = lines[1:], False  # its beginning was cut off
        texts = (line.decode("utf-8", "replace").rstrip("\r") for line in lines)
        return [as_event(text) or {"event": "log", "text": text} for text in texts if text]

    def ask_to_stop(self) -> None:
        """Ask it to write a checkpoint and end."""
        (self.folder / STOP_FILE).touch()
        self._signal(getattr(signal, "SIGTERM", 15))

    def kill(self) -> None:
        """End its whole tree, if it still runs."""
        if self._pid is None or running_process(self.folder) is None:
            return
        if sys.platform == "win32":
            end_windows_tree(self._pid)
        else:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        """Signal its process group, of which it is the head when Slicer started it; on Windows the stop file does it."""
        if sys.platform == "win32" or self._pid is None or running_process(self.folder) != self._pid:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self._pid) == self._pid:
                os.killpg(self._pid, number)
            else:
                os.kill(self._pid, number)


class TimeLeft:
    """How long the present stage will still take, by its own pace since it was first seen."""

    def __init__(self) -> None:
        self._stage, self._first, self._began_s = "", 0, 0.0

    def of(self, stage: str, done: int, total: int, now_s: float | None = None) -> float | None:
        """Seconds left; None while the pace is unknown."""
        now = time.monotonic() if now_s is None else now_s
        if stage != self._stage or done < self._first:
            self._stage, self._first, self._began_s = stage, done, now
        made, took = done - self._first, now - self._began_s
        return took / made * (total - done) if made > 0 and took > 0 else None


def minutes_words(seconds: float | None) -> str:
    """'about 3 min left'; empty when unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s left"
    return f"about {round(seconds / 60)} min left" if seconds < 5400 else f"about {seconds / 3600:.1f} h left"
