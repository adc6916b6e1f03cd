"""A file is written whole or not at all, also by several writers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from LGETextTrainLib.array_files import save_arrays
from LGETextTrainLib.whole_file import written_whole


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    """With one name for the unfinished file all but one of them failed to find it."""
    path = tmp_path / "prepared.npz"

    def write(number: int) -> None:
        for _ in range(20):
            save_arrays(path, {"image": np.full(5000, number)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with np.load(path) as data:
        assert len(np.unique(data["image"])) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_fails_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old", "utf-8")
    with pytest.raises(RuntimeError), written_whole(path) as partial:
        partial.write_text("half", "utf-8")
        raise RuntimeError
    assert path.read_text("utf-8") == "old" and list(tmp_path.iterdir()) == [path]
