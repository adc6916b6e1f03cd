"""What a detection costs: whole process and peak memory of ``lgetext detect`` on the sample study, and the warm engine.

Exit code 1 when a figure is over its limit. Called by ``make bench``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from LGETextDetectLib.model import Engine
from LGETextDetectLib.study import detect, sample_study

PROCESS_S, PROCESS_MB, WARM_S = 4.0, 800.0, 1.0
REPEATS = 3


def one_process(out: Path) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one ``lgetext detect``."""
    command = [sys.executable, "-m", "LGETextDetectLib", "detect", str(sample_study()), "--out", str(out)]
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"lgetext detect ended with exit code {child.returncode}")
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    return seconds, usage.ru_maxrss / per_mb


def warm_engine() -> float:
    """Seconds of a detection with a loaded engine; median after one that does not count."""
    engine = Engine()
    runs = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        detect(sample_study(), engine)
        runs.append(time.perf_counter() - started)
    return statistics.median(runs[1:])


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        runs = [one_process(Path(folder) / "result") for _ in range(REPEATS)]
    figures = (
        ("whole process", statistics.median(seconds for seconds, _ in runs), PROCESS_S, "s"),
        ("peak memory", max(megabytes for _, megabytes in runs), PROCESS_MB, "MB"),
        ("warm engine", warm_engine(), WARM_S, "s"),
    )
    for name, value, limit, unit in figures:
        print(f"{name:14} {value:8.2f} {unit:3} (limit {limit:g} {unit}){'' if value <= limit else '  OVER'}")
    return int(any(value > limit for _, value, limit, _ in figures))


if __name__ == "__main__":
    sys.exit(main())
