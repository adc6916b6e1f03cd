"""A cancellable child process that reports by JSON lines, and the child's own side of being cancelled."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

LOG_LIMIT = 200_000  # characters of plain output kept; a child gone wild must not fill the memory
LINE_LIMIT = 5_000_000  # characters of one line; a result with its 17 segments has some thousands
QUEUE_LIMIT = 10_000  # events waiting; a full queue makes the child wait
GRACE_S = 5.0  # for a child to clean up after being asked to stop
POLL_S = 0.05
Event = dict[str, Any]


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
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", errors="replace", env={**os.environ, "PYTHONIOENCODING": "utf-8", **(environment or {})},
            **own_group(),
        )  # fmt: skip
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
        signal_tree(self._process, force=False)

    def kill(self) -> None:
        """End the whole tree, grandchildren included, whatever it does."""
        signal_tree(self._process, force=True)

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


def run_child(
    command: Sequence[str],
    on_event: Callable[[Event], None],
    should_stop: Callable[[], bool] = lambda: False,
    log_limit: int = LOG_LIMIT,
) -> int:
    """Run a command to its end, or until ``should_stop``; returns its exit code, 130 when it was stopped."""
    child = Child(command, log_limit)
    try:
        while not child.finished:
            if should_stop():
                return 130
            events = child.poll()
            for event in events:
                on_event(event)
            if not events:
                child.rest()
        return int(child.exit_code or 0)
    finally:
        if not child.finished:
            stop_tree(child)


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
    """Turn a request to end (SIGTERM; on Windows Ctrl-Break) into KeyboardInterrupt, so that nothing is left half done."""
    name = "SIGBREAK" if os.name == "nt" else "SIGTERM"
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    number = getattr(signal, name)
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def as_event(line: str) -> Event | None:
    """The event of a JSON line; None for any other output."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def own_group() -> dict[str, Any]:
    """Popen arguments that put the child at the head of its own process group."""
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}


def signal_tree(process: subprocess.Popen[str], force: bool) -> None:
    """Signal the child's group; the group outlives its head, so this reaches grandchildren left behind too."""
    if os.name == "nt":
        if force:
            subprocess.run(["taskkill", "/PID", str(process.pid), "/T", "/F"], capture_output=True, check=False)
        elif process.poll() is None:
            process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        return
    try:
        os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in the group
