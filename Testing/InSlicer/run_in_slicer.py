"""The suite that runs inside 3D Slicer; it fails when it collects or runs nothing.

    Slicer --no-splash --testing --additional-module-paths LGETextDetect LGETextTrain \\
        --python-script Testing/InSlicer/run_in_slicer.py

Its cases lie in case_*.py beside it. Without Slicer, Testing/test_in_slicer.py says loudly that it was not run.
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

PATTERN = "case_*.py"


def main(folder: Path) -> int:
    """Run the cases of a folder; 0 when at least one ran and none failed, else 1."""
    suite = unittest.TestLoader().discover(str(folder), PATTERN, top_level_dir=str(folder))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    ran = result.testsRun - len(result.skipped)
    print(f"{ran} passed, {len(result.failures) + len(result.errors)} failed", flush=True)
    if ran == 0:
        print("no case was run inside Slicer", flush=True)
    return 0 if ran > 0 and result.wasSuccessful() else 1


if __name__ == "__main__":
    import slicer

    slicer.util.exit(main(Path(__file__).resolve().parent))
