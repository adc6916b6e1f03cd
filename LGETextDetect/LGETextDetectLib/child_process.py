"""A cancellable child process that reports by JSON lines, and the child's own side of being cancelled."""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

LOG_LIMIT = 200_000  # characters of plain output kept; a child gone wild must not fill the memory
LINE_LIMIT = 5_000_000  # characters of one line; a result with its 17 segments has some thousands
QUEUE_LIMIT = 10_000  # events waiting; a full queue makes the child wait
GRACE_S = 5.0  # for a child to clean up after being asked to stop
POLL_S = 0.05
LOOK_S = 0.2  # between two looks at the stop file
STOP_FILE_VARIABLE = "LGETEXT_STOP_FILE"  # names the file whose appearance asks a child to stop, where no signal does
WINDOWS = os.name == "nt"
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
Event = dict[str, Any]


class ProcessTree:
    """A child process at the head of its own group, and how it and all its children are stopped.

    On Windows a process without a console can send no signal to one: the child looks for a file.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None, **streams: Any) -> None:
        self._stop_file = Path(tempfile.gettempdir()) / f"lgetext-stop-{secrets.token_hex(8)}"
        told = {"PYTHONIOENCODING": "utf-8", **({STOP_FILE_VARIABLE: str(self._stop_file)} if WINDOWS else {})}
        self.process: subprocess.Popen[Any] = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, env={**os.environ, **told, **(environment or {})}, **own_group(),
            **streams,
        )  # fmt: skip

    def ask_to_stop(self) -> None:
        """Ask the whole tree to clean up and end; at once."""
        if not WINDOWS:
            self._signal_group(signal.SIGTERM)
        elif self.process.poll() is None:
            self._stop_file.touch()
            with suppress(OSError):  # the child has another console, or none: it sees the file
                self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))

    def kill(self) -> None:
        """End the whole tree, grandchildren included, whatever it does."""
        if WINDOWS:
            end_windows_tree(self.process.pid)
            self._stop_file.unlink(missing_ok=True)
        else:
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: int) -> None:
        """The group outlives its head, so this reaches grandchildren left behind too."""
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            os.killpg(self.process.pid, number)


def own_group() -> dict[str, Any]:
    """Popen arguments that put the child at the head of its own process group, and open no window."""
    if WINDOWS:
        return {"creationflags": NO_WINDOW | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}


def end_windows_tree(pid: int) -> None:
    """End a process and all its children on Windows."""
    subprocess.run(
        ["taskkill", "/PID", str(pid), "/T", "/F"], capture_output=True, check=False, creationflags=NO_WINDOW
    )


class Child:
    """A running child. Never blocks: call :meth:`poll` from a timer until :attr:`finished`.

    Standard output is read as JSON lines ({"event": ...}); every other line and standard error become log events, up
    to ``log_limit`` characters in all.
    """

    def __init__(
        self, command: Sequence[str], log_limit: int = LOG_LIMIT, environment: Mapping[str, str] | None = None
    ) -> None:
        self._waiting: queue.Queue[Event] = queue.Queue(QUEUE_LIMIT)
        self._log_left = log_limit
        self._log_lock = threading.Lock()
        self._tree = ProcessTree(
            command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            errors="replace",
        )  # fmt: skip
        self._process = self._tree.process
        streams = ((self._process.stdout, True), (self._process.stderr, False))
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    @property
    def finished(self) -> bool:
        """Whether the child has ended and every event has been taken."""
        ended = self._process.poll() is not None and not any(reader.is_alive() for reader in self._readers)
        return ended and self._waiting.empty()

    @property
    def exit_code(self) -> int | None:
        """The child's exit code, None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def poll(self) -> list[Event]:
        """The events since the last call; at once."""
        events: list[Event] = []
        while len(events) < QUEUE_LIMIT:
            try:
                events.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return events

    def ask_to_stop(self) -> None:
        """Ask the whole tree to clean up and end; at once. Follow with :meth:`kill` when it does not."""
        self._tree.ask_to_stop()

    def kill(self) -> None:
        """End the whole tree, grandchildren included, whatever it does."""
        self._tree.kill()

    def rest(self) -> None:
        """Wait a moment, less when the child ends."""
        try:
            self._process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            return
        for reader in self._readers:
            reader.join(POLL_S)

    def _read(self, stream: IO[str] | None, may_be_json: bool) -> None:
        assert stream is not None
        with stream:
            while line := stream.readline(LINE_LIMIT):
                event = as_event(line) if may_be_json else None
                if event is None:
                    event = self._as_log(line.rstrip("\r\n"))
                if event is not None:
                    self._waiting.put(event)

    def _as_log(self, text: str) -> Event | None:
        with self._log_lock:
            if self._log_left <= 0:
                return None
            kept = text[: self._log_left]
            self._log_left -= len(text) + 1
        return {"event": "log", "text": kept if self._log_left > 0 else kept + " ... (log cut here)"}


def stop_tree(child: Child, grace_s: float = GRACE_S) -> None:
    """Ask a child to end, wait ``grace_s`` at most, then end its whole tree."""
    child.ask_to_stop()
    deadline = time.monotonic() + grace_s
    while child.exit_code is None and time.monotonic() < deadline:
        child.poll()  # a child that waits for its reader cannot clean up
        child.rest()
    child.kill()
    child.rest()
    child.poll()


@contextmanager
def stop_when_asked() -> Iterator[None]:
    """Turn a request to end into KeyboardInterrupt, so that nothing is left half done.

    Asked is by the signals of :func:`stop_signals`, and by the file that :data:`STOP_FILE_VARIABLE` names. Who asks again
    does not cut the cleaning up short.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = {number: signal.getsignal(number) for number in stop_signals()}
    asked, ended = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        asked.set()
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, stop)
    if STOP_FILE_VARIABLE in os.environ:
        threading.Thread(target=_look_for, args=(Path(os.environ[STOP_FILE_VARIABLE]), ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        if not asked.is_set():  # else the process ends, and goes on ignoring them until it has
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not set from Python


def stop_signals() -> list[int]:
    """The signals that ask this process to end: Ctrl-C, a request, the loss of the terminal; but for those it was started to ignore."""
    names = ("SIGINT", "SIGBREAK") if WINDOWS else ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _look_for(stop_file: Path, ended: threading.Event) -> None:
    """Interrupt the main thread when the file appears."""
    while not ended.wait(LOOK_S):
        if stop_file.exists():
            signal.raise_signal(signal.SIGINT)
            return


def as_event(line: str) -> Event | None:
    """The event of a JSON line; None for any other output."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
