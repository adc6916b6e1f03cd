"""A child process that outlives this one: it writes its events to a file, which is read as it grows."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .child_process import Event, ProcessTree, as_event

READ_BYTES = 1_000_000  # taken from the log at one poll


class DetachedChild:
    """A running child, head of its own process group, with standard output and error in one log file.

    Never blocks: call :meth:`poll` from a timer until :attr:`finished`. Nothing stops the child but :meth:`ask_to_stop`
    and :meth:`kill`; when this process ends, it goes on.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._rest = b""
        with log.open("ab") as stream:
            self._tree = ProcessTree(command, environment, stdout=stream, stderr=subprocess.STDOUT)
        self._process = self._tree.process

    @property
    def finished(self) -> bool:
        """Whether the child has ended and every event has been taken."""
        return self._all_read() and not self._rest

    @property
    def exit_code(self) -> int | None:
        """The child's exit code, None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def poll(self) -> list[Event]:
        """The events written since the last call; a line that is no event is a log event."""
        with self.log.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read(READ_BYTES)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._all_read():
            lines, self._rest = [*lines, self._rest], b""  # no line end will come any more
        texts = (line.decode("utf-8", "replace").rstrip("\r") for line in lines)
        return [as_event(text) or {"event": "log", "text": text} for text in texts if text]

    def ask_to_stop(self) -> None:
        """Ask the whole tree to clean up and end; at once."""
        self._tree.ask_to_stop()

    def kill(self) -> None:
        """End the whole tree, grandchildren included."""
        self._tree.kill()

    def _all_read(self) -> bool:
        return self._process.poll() is not None and self._offset >= self.log.stat().st_size
