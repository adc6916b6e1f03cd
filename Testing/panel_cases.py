"""What the tests of the panel share: the stand-in application, a clean scene, the event loop, off-screen views."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest
from slicer_core_needed import skip_without_slicer_core

skip_without_slicer_core()
if importlib.util.find_spec("PySide6") is None:
    pytest.skip(
        "PySide6 is not installed; `make test-slicer` runs these tests in .venv-slicer", allow_module_level=True
    )

import slicer  # noqa: E402
import slicer_stand_in  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PATIENCE_S = 120.0  # a busy machine starts a process slowly
sys.path[:0] = [str(ROOT / "LGETextDetect"), str(ROOT / "LGETextTrain")]
PARTS = slicer_stand_in.install()


@pytest.fixture(autouse=True)
def clean_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    slicer.mrmlScene.Clear(1)
    PARTS.packages.installed.clear()
    PARTS.app.testing = True
    monkeypatch.setenv("ENGINE_STAND_IN_FOLDER", str(tmp_path))
    yield
    slicer.mrmlScene.Clear(1)


@pytest.fixture
def views(clean_scene):
    """Off-screen slice views of the scene in use."""
    PARTS.app.layout_manager = slicer_stand_in.LayoutManager(slicer.mrmlScene)
    yield PARTS.app.layout_manager
    PARTS.app.layout_manager = None


def wait_until(condition) -> None:
    """Run the event loop, where the panel's timer fires, until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    waker = slicer_stand_in.qt_stand_in.QtCore.QTimer()
    waker.start(20)
    more = slicer_stand_in.qt_stand_in.QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        PARTS.qt_application.processEvents(more)
