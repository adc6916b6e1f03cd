"""Events reach whoever watches, on one line each; a child process and all its children can be stopped."""

import io
import json
import logging
import os
import signal
import socket
import sys
import warnings
from pathlib import Path

import pytest
from conftest import LIBRARIES
from LGETextDetectLib import child_process
from LGETextDetectLib.child_process import Child, stop_tree
from LGETextDetectLib.detached_child import DetachedChild
from LGETextDetectLib.events import (
    QUIET_S,
    JsonEvents,
    TerminalEvents,
    failure_place,
    one_line,
    quiet_libraries,
    refusal_line,
)


class Screen(io.StringIO):
    """A terminal that remembers what it was sent."""

    def isatty(self) -> bool:
        return True


def python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.path[:0] = {LIBRARIES.split(os.pathsep)!r}\n{code}"]


# --- what is said ----------------------------------------------------------------------------------------------------


def test_bar_is_redrawn_in_place_and_cleared_before_text() -> None:
    screen = Screen()
    events = TerminalEvents(screen)
    events.progress("read", 1, 4)
    events.progress("read", 4, 4)
    events.log("done")
    bars = screen.getvalue().split("\r")
    assert bars[1] == "[######..................] read 1/4"
    assert bars[2] == "[########################] read 4/4"
    assert bars[3].isspace() and bars[4] == "done\n"


def test_without_a_terminal_progress_is_a_line_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]
    events = TerminalEvents(stream, clock=lambda: now[0])
    for step in range(5):
        now[0] = step * QUIET_S / 2
        events.progress("batch", step, 5)
    assert stream.getvalue() == "batch 2/5\nbatch 4/5\n"


def test_json_events_are_one_ascii_object_a_line() -> None:
    stream = io.StringIO()
    events = JsonEvents(stream)
    events.progress("read", 1, 4)
    events.log("Größe\nzwei")
    events.warning("w", "text")
    events.result({"present": None})
    events.error("not-found", "cause", "remedy")
    assert stream.getvalue().isascii()
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"event": "progress", "stage": "read", "done": 1, "total": 4},
        {"event": "log", "text": "Größe\nzwei"},
        {"event": "warning", "code": "w", "text": "text"},
        {"event": "result", "data": {"present": None}},
        {"event": "error", "code": "not-found", "cause": "cause", "remedy": "remedy"},
    ]


@pytest.mark.parametrize("text", ["two\nlines", "bell\a and \x1b[31mred", "a\r\nb", "\u2028separator"])
def test_hostile_text_stays_on_one_line(text: str) -> None:
    assert one_line(text).isprintable()
    assert len(refusal_line("not-found", text, text).splitlines()) == 1


def test_failure_names_the_place_and_not_the_message() -> None:
    try:
        raise ValueError("Doe^John")
    except ValueError as error:
        place = failure_place(error)
    assert place.startswith("ValueError in test_events.py, line ")
    assert "Doe" not in place


def test_pydicom_remarks_are_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    import warnings

    from pydicom.config import logger

    with quiet_libraries():
        logger.warning("Doe^John")
        warnings.warn("Doe^John", stacklevel=1)
    assert "Doe" not in "".join(capsys.readouterr())


def test_libraries_are_quiet_until_the_last_thread_has_read() -> None:
    from pydicom.config import logger

    level, filters = logger.level, list(warnings.filters)
    first, second = quiet_libraries(), quiet_libraries()  # as two threads would enter and leave them
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert logger.level > logging.CRITICAL and warnings.filters[0][0] == "ignore"
    second.__exit__(None, None, None)
    assert (logger.level, list(warnings.filters)) == (level, filters)


# --- child processes -------------------------------------------------------------------------------------------------


def events_of(child: Child, enough: int = 1_000_000) -> list[dict]:
    """The events of a child until there are enough of them, or it ends."""
    events: list[dict] = []
    while not child.finished and len(events) < enough:
        events += child.poll()
        child.rest()
    return events + child.poll()


def test_child_hands_over_events_and_log_lines() -> None:
    code = """
import os
print('{"event": "progress", "stage": "a", "done": 1, "total": 2}', flush=True)
print('plain', flush=True)
print('{"no": "event"}', flush=True)
os.write(1, b'\\xff\\n')
sys.exit(5)
"""
    child = Child(python(code))
    assert events_of(child) == [
        {"event": "progress", "stage": "a", "done": 1, "total": 2},
        {"event": "log", "text": "plain"},
        {"event": "log", "text": '{"no": "event"}'},
        {"event": "log", "text": "\ufffd"},
    ]
    assert child.exit_code == 5


def test_log_of_a_child_gone_wild_is_capped() -> None:
    events = events_of(Child(python("print('x' * 50 + '\\n' * 1 + ('y' * 50 + '\\n') * 1000)"), log_limit=200))
    assert sum(len(event["text"]) for event in events) < 300
    assert events[-1]["text"].endswith("(log cut here)")


def test_stopping_ends_grandchildren_too() -> None:
    """Each process of the tree holds a connection; both see theirs closed only when the process is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        hold = f"import socket, threading; s = socket.create_connection(('127.0.0.1', {server.getsockname()[1]})); threading.Event().wait()"
        code = f"import subprocess, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); subprocess.Popen([sys.executable, '-c', {hold!r}])\n{hold}"
        child = Child(python(code))
        connections = [server.accept()[0] for _ in range(2)]
        stop_tree(child, grace_s=0.1)
        for connection in connections:
            connection.settimeout(30)
            assert connection.recv(1) == b""
            connection.close()
    assert child.exit_code not in (None, 0)


SIGNALS = () if os.name == "nt" else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_child_asked_to_stop_again_and_again_cleans_up(tmp_path: Path, number: int) -> None:
    mark = tmp_path / "cleaned"
    code = f"""
import os, pathlib, signal, threading
from LGETextDetectLib.child_process import stop_when_asked
signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts in the background ignores it
try:
    with stop_when_asked():
        try:
            print('{{"event": "log", "text": "ready"}}', flush=True)
            threading.Event().wait()
        finally:
            os.kill(os.getpid(), {int(number)})
            pathlib.Path({str(mark)!r}).touch()
except KeyboardInterrupt:
    os.kill(os.getpid(), {int(number)})
    sys.exit(130)
"""
    child = Child(python(code))
    assert events_of(child, 1)
    child._tree._signal_group(number)
    events_of(child)
    assert (child.exit_code, mark.exists()) == (130, True)


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_a_lost_terminal_stops_nothing_that_was_told_to_go_on() -> None:
    code = "import os, signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nfrom LGETextDetectLib.child_process import stop_when_asked\n"
    child = Child(python(code + "with stop_when_asked():\n os.kill(os.getpid(), signal.SIGHUP)\nprint('gone on')"))
    assert events_of(child) == [{"event": "log", "text": "gone on"}]


# --- as on Windows ---------------------------------------------------------------------------------------------------

WAITS = """
import time
from LGETextDetectLib.child_process import stop_when_asked
try:
    with stop_when_asked():
        print('{"event": "log", "text": "ready"}', flush=True)
        while True:
            time.sleep(0.01)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def no_signals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """A system without process groups whose processes cannot be signalled; the numbers of those ended by force."""
    ended: list[int] = []

    def refuse(*_: object) -> None:
        raise OSError(6, "The handle is invalid")

    monkeypatch.setattr(child_process, "WINDOWS", True)
    monkeypatch.setattr(child_process, "end_windows_tree", ended.append)
    monkeypatch.setattr(child_process.subprocess.Popen, "send_signal", refuse)
    monkeypatch.setattr(child_process.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return ended


@pytest.mark.parametrize("kind", ["child", "detached"])
def test_a_child_that_gets_no_signal_stops_by_a_file(no_signals: list[int], tmp_path: Path, kind: str) -> None:
    child = Child(python(WAITS)) if kind == "child" else DetachedChild(python(WAITS), tmp_path / "log")
    while not child.poll():
        pass
    child.ask_to_stop()
    assert child._process.wait(30) == 130
    child.kill()
    assert no_signals == [child._process.pid] and not list((tmp_path / "temporary").iterdir())


def test_a_child_that_has_ended_is_not_asked(no_signals: list[int], tmp_path: Path) -> None:
    child = Child(python(""))
    child._process.wait(30)
    child.ask_to_stop()
    assert not list((tmp_path / "temporary").iterdir())


def test_windows_children_open_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = []
    monkeypatch.setattr(child_process, "WINDOWS", True)
    monkeypatch.setattr(child_process, "NO_WINDOW", 0x08000000)
    monkeypatch.setattr(child_process.subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(child_process.subprocess, "run", lambda words, **given: flags.append((words, given)))
    assert child_process.own_group() == {"creationflags": 0x08000200}
    child_process.end_windows_tree(12)
    assert flags[0][0] == ["taskkill", "/PID", "12", "/T", "/F"] and flags[0][1]["creationflags"] == 0x08000000
