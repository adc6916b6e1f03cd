"""Arrays kept between the stages of a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt


def save_arrays(path: Path, arrays: Mapping[str, npt.ArrayLike], *, compressed: bool = False) -> None:
    """One .npz without pickle, written whole or not at all: a run killed meanwhile leaves no broken file behind."""
    partial = path.with_suffix(".partial.npz")
    save = np.savez_compressed if compressed else np.savez
    save(partial, allow_pickle=False, **arrays)
    partial.replace(path)
