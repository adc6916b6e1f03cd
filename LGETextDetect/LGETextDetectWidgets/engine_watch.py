"""Follow a child process by a timer: its events as they come, its end, and how it is stopped. The window never waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import qt

POLL_MS = 100


class EngineWatch:
    """One run at a time; ``on_end(run, cancelled)`` hears of its end.

    A run has ``child``, ``take_events()``, ``close()`` and ``grace_s``, the time to clean up after Cancel.
    """

    def __init__(self, on_event: Callable[[Mapping[str, Any]], None], on_end: Callable[[Any, bool], None]) -> None:
        self._on_event, self._on_end = on_event, on_end
        self._run: Any = None
        self._kill_at_s: float | None = None  # set by Cancel: when to stop asking and kill
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)

    @property
    def run(self) -> Any:
        """What is under way; None when nothing is."""
        return self._run

    @property
    def cancelling(self) -> bool:
        return self._kill_at_s is not None

    def watch(self, run: Any) -> None:
        """Follow a run that was just started."""
        self._run, self._kill_at_s = run, None
        self._timer.start()

    def cancel(self) -> None:
        """Ask the engine to stop; its tree is killed when it does not."""
        if self._run is not None:
            # First: whatever asking does, it is killed then.
            self._kill_at_s = time.monotonic() + self._run.grace_s
            self._run.child.ask_to_stop()

    def abandon(self) -> bool:
        """Leave no process behind when the scene or the application closes; whether there was one."""
        run = self._run
        self._forget()
        if run is not None:
            run.close()
        return run is not None

    def _poll(self) -> None:
        run = self._run
        if run is None:
            self._timer.stop()
            return
        for event in run.take_events():
            self._on_event(event)
        if not run.child.finished:
            if self._kill_at_s is not None and time.monotonic() > self._kill_at_s:
                run.child.kill()
            return
        cancelled = self.cancelling
        self._forget()
        try:
            self._on_end(run, cancelled)
        finally:
            run.close()

    def _forget(self) -> None:
        self._timer.stop()
        self._run, self._kill_at_s = None, None
