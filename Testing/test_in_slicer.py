"""The suite for the application itself: run where there is a Slicer, loudly not run elsewhere."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUNNER = ROOT / "Testing" / "InSlicer" / "run_in_slicer.py"
PASSES = "import unittest\nclass C(unittest.TestCase):\n    def test_it(self):\n        pass\n"


def test_suite_inside_slicer() -> None:
    program = os.environ.get("SLICER_EXECUTABLE") or shutil.which("Slicer")
    if not program:
        pytest.skip("NOT RUN: no 3D Slicer here (set SLICER_EXECUTABLE); nothing was tested inside the application")
    modules = [str(ROOT / "LGETextDetect"), str(ROOT / "LGETextTrain")]
    command = [
        program,
        "--no-splash",
        "--testing",
        "--additional-module-paths",
        *modules,
        "--python-script",
        str(RUNNER),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def run_cases(folder: Path) -> int:
    spec = importlib.util.spec_from_file_location("run_in_slicer", RUNNER)
    assert spec is not None and spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    return int(runner.main(folder))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, 1),
        (PASSES, 0),
        (PASSES.replace("pass\n", "self.fail()\n"), 1),
        (PASSES.replace("pass\n", "self.skipTest('nothing')\n"), 1),
        ("import no_such_module_here\n", 1),
    ],
    ids=["no case", "a case passes", "a case fails", "all are skipped", "a case cannot be imported"],
)
def test_the_runner_fails_unless_something_ran_and_passed(tmp_path: Path, text: str | None, code: int) -> None:
    if text is not None:
        (tmp_path / f"case_{tmp_path.name}.py").write_text(text, "utf-8")  # a module of its own name
    assert run_cases(tmp_path) == code


def test_there_are_cases_for_the_application() -> None:
    assert list(RUNNER.parent.glob("case_*.py"))
