"""One place that says whether the MRML tests can run here, and why not."""

from __future__ import annotations

import importlib.util

import pytest

REASON = "PyPI slicer-core is not installed in this interpreter; `make test-slicer` runs these tests in .venv-slicer"
available = importlib.util.find_spec("slicer") is not None


def skip_without_slicer_core() -> None:
    """Skip the calling test file, with the reason, where there is no MRML."""
    if not available:
        pytest.skip(REASON, allow_module_level=True)
