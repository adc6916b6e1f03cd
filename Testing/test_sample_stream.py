"""Worker processes that make samples leave with the stream, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from conftest import LIBRARIES

LIMIT_S = 120.0  # it ends in a few seconds, or never
PROGRAM = """
import sys
import numpy as np
from LGETextTrainLib.sample_stream import sample_source

def make(rng):
    if sys.argv[1] == "worker":
        raise OSError("a damaged file")
    return {"image": np.zeros((4, 1), np.float32)}

def read():
    try:
        for batch in sample_source(make, 1, 2, 1)([(step, 0) for step in range(400)]):
            if sys.argv[1] == "loop":
                raise OSError("no more memory")
    except OSError as error:
        print("said:", type(error).__name__, flush=True)
        return 4
    return 0

if __name__ == "__main__":
    sys.exit(read())
"""


@pytest.mark.parametrize("who", ["worker", "loop"])
def test_an_error_ends_the_program(tmp_path: Path, who: str) -> None:
    """The workers answer no SIGTERM, by which Python would end them."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    child = subprocess.Popen(
        [sys.executable, str(program), who], env={**os.environ, "PYTHONPATH": LIBRARIES}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = child.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        pytest.fail("it waits for its workers for ever")
    assert (child.returncode, said) == (4, "said: OSError\n")
