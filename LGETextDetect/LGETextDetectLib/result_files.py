"""Names of the files of a result, and whether a folder holds one."""

from __future__ import annotations

import json
from pathlib import Path

ALWAYS = ("report.html", "landmarks.mrk.json", "normalised.nrrd", "evidence.nrrd", "bullseye.svg", "result.json")
DICOM = ("scar_seg.dcm", "report_sr.dcm")


def holds_result(folder: Path) -> bool:
    """Whether the folder's result.json is one of this program; False also when it cannot be read."""
    try:
        result = json.loads((folder / "result.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(result, dict) and {"input", "detection", "model"} <= set(result)
