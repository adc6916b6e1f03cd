"""Arrays kept between the stages of a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .whole_file import written_whole


def save_arrays(path: Path, arrays: Mapping[str, npt.ArrayLike], *, compressed: bool = False) -> None:
    """One .npz without pickle, written whole or not at all: a run killed meanwhile leaves no broken file behind."""
    save = np.savez_compressed if compressed else np.savez
    with written_whole(path) as partial:
        save(partial, allow_pickle=False, **arrays)
