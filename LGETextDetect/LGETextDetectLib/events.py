"""What a long job says while it runs: progress, log, warning, result, error; as a bar or as JSON lines."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

BAR_WIDTH = 24
QUIET_S = 60.0  # without a terminal, at most one line of progress in this time: logs stay short


class Cancelled(Exception):
    """The user asked to stop; raised by an Events object from any of its methods, never caught on the way up."""


class Events:
    """Receiver of a job's events; this base class ignores them all."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of a named stage are finished."""

    def log(self, text: str) -> None:
        """One line for whoever watches; of a patient nothing but what the user named a folder or file."""

    def warning(self, code: str, text: str) -> None:
        """Something the user should know although the job goes on."""

    def result(self, data: dict[str, Any]) -> None:
        """What the job found, JSON-ready."""

    def error(self, code: str, cause: str, remedy: str) -> None:
        """Why the job ended without a result."""


def refusal_line(code: str, cause: str, remedy: str) -> str:
    """The one line that a refusal prints, whatever its parts contain."""
    return one_line(f"refused [{code}]: {cause} Remedy: {remedy}")


def one_line(text: str) -> str:
    """Text without line breaks and control characters, fit for a terminal or a log."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def failure_place(error: BaseException) -> str:
    """Kind and place of an error, without its message: that may quote a header."""
    frames = list(traceback.extract_tb(error.__traceback__))
    own = [frame for frame in frames if "LGEText" in frame.filename] or frames
    what = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        what += f" ({error.strerror})"
    return f"{what} in {Path(own[-1].filename).name}, line {own[-1].lineno}." if own else f"{what}."


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence warnings and log lines of the libraries that read headers: they quote what stands there, names included.

    May be entered by several threads at once, and within itself: levels and filters belong to the whole process, so they are
    as before only when the last block has ended.
    """
    with _quiet_lock:
        _quiet.append(_silence() if not _quiet else _quiet[-1])
    try:
        yield
    finally:
        with _quiet_lock:
            restore = _quiet.pop()
            if not _quiet:
                restore.close()


def _silence() -> ExitStack:
    """Silence the libraries now; closing what is returned undoes it."""
    undo = ExitStack()
    for logger in (logging.getLogger(name) for name in ("pydicom", "highdicom")):
        undo.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)
    undo.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return undo


_quiet_lock = threading.Lock()
_quiet: list[ExitStack] = []  # one entry for every block that runs now, all of them what the first has to undo


def stop_writing(stream: TextIO) -> None:
    """Let vanish what is written to a stream of this process whose reader has gone, from now on and what still waits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class TerminalEvents(Events):
    """For a person: a bar on a terminal, a line now and then elsewhere; results are printed by the command line.

    The job goes on when nobody reads any more, as behind ``2>&1 | head``, or the disk of the log is full.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        self._clock = clock
        self._said_s = clock()
        self._bar_length = 0

    def progress(self, stage: str, done: int, total: int) -> None:
        if self._is_terminal:
            filled = BAR_WIDTH * done // max(total, 1)
            self._draw(f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {stage} {done}/{total}")
        elif self._clock() - self._said_s >= QUIET_S:
            self._say(f"{stage} {done}/{total}")

    def log(self, text: str) -> None:
        self._say(text)

    def warning(self, code: str, text: str) -> None:
        self._say(f"warning [{code}]: {text}")

    def error(self, code: str, cause: str, remedy: str) -> None:
        self._say(refusal_line(code, cause, remedy))

    def clear(self) -> None:
        """Take the bar off the terminal, before anything else is printed there."""
        if self._bar_length:
            self._draw("")

    def _draw(self, text: str) -> None:
        self._write("\r" + text.ljust(self._bar_length) + ("" if text else "\r"))
        self._bar_length = len(text)

    def _say(self, text: str) -> None:
        self.clear()
        self._said_s = self._clock()
        self._write(one_line(text) + "\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            stop_writing(self._stream)


class JsonEvents(Events):
    """For a program: one JSON object a line, ASCII only, so that no console encoding can break it.

    When the program has gone every method raises BrokenPipeError: the job ends, nobody waits for it.

    progress {stage, done, total} · log {text} · warning {code, text} · result {data} · error {code, cause, remedy},
    each with its name as ``event``.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream

    def progress(self, stage: str, done: int, total: int) -> None:
        self._send("progress", stage=stage, done=done, total=total)

    def log(self, text: str) -> None:
        self._send("log", text=text)

    def warning(self, code: str, text: str) -> None:
        self._send("warning", code=code, text=text)

    def result(self, data: dict[str, Any]) -> None:
        self._send("result", data=data)

    def error(self, code: str, cause: str, remedy: str) -> None:
        self._send("error", code=code, cause=cause, remedy=remedy)

    def _send(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}, allow_nan=False), file=self._stream, flush=True)
