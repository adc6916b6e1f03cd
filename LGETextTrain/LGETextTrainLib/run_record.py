"""run.json of a run folder: the recipe and data that its run began with, and whether that run has ended. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from LGETextDetectLib.bundle import open_bundle
from LGETextDetectLib.refusal import InputRefused

from .whole_file import written_whole

RUN_FILE = "run.json"
STARTED, DONE = "started", "done"


def digest(facts: Mapping[str, Any]) -> str:
    """SHA-256 of facts that JSON can hold, whatever their order."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def read_run(out: Path) -> dict[str, Any]:
    """What run.json says of the run in a folder; nothing where there is none that can be read."""
    try:
        facts = json.loads((out / RUN_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def begin_run(out: Path, facts: Mapping[str, Any]) -> None:
    """Note the run that a folder holds from now on; one that goes on keeps its state and its beginning.

    facts: name, version, ``recipe`` and ``data`` (digests of what decides the weights), and what else the history shows;
    no path, no identifier. Raises InputRefused('recipe-changed' or 'data-changed') when the folder holds another run.
    """
    known = read_run(out)
    if known and known.get("recipe") != facts["recipe"]:
        raise InputRefused("recipe-changed", "The run folder holds a run of another recipe.")
    if known and known.get("data") != facts["data"]:
        raise InputRefused("data-changed", "The data are not those that this run began with.")
    began = known.get("began") or round(time.time(), 1)
    _write(out, {"state": known.get("state", STARTED), "began": began, **facts})


def end_run(out: Path) -> None:
    """Note that the run has ended: its bundle is whole."""
    _write(out, read_run(out) | {"state": DONE})


def has_ended(out: Path, bundle: Path) -> bool:
    """Whether the folder's run has ended, and its bundle is as it was written."""
    if read_run(out).get("state") != DONE:
        return False
    try:
        open_bundle(bundle)
    except InputRefused:
        return False
    return True


def _write(out: Path, facts: Mapping[str, Any]) -> None:
    with written_whole(out / RUN_FILE) as partial:
        partial.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
