"""A file, or a folder of many, is written whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.events import Cancelled
from LGETextDetectLib.refusal import InputRefused
from LGETextTrainLib.array_files import save_arrays
from LGETextTrainLib.new_folder import new_folder
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


def write_both(folder: Path) -> None:
    (folder / "studies").mkdir()
    for name in ("studies/image", "truth.csv"):
        (folder / name).write_text(name, "utf-8")


def held(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("leftover", ["", "out", "out/.new-0123abcd/studies"])
def test_a_new_folder_is_whole(tmp_path: Path, leftover: str) -> None:
    (tmp_path / leftover).mkdir(parents=True, exist_ok=True)
    with new_folder(tmp_path / "out") as folder:
        write_both(folder)
    assert held(tmp_path / "out") == ["studies", "studies/image", "truth.csv"]


@pytest.mark.parametrize("place", ["out", "a/out"])
@pytest.mark.parametrize("error", [Cancelled, KeyboardInterrupt])
def test_of_a_folder_that_was_not_finished_nothing_is_left(
    tmp_path: Path, place: str, error: type[BaseException]
) -> None:
    with pytest.raises(error), new_folder(tmp_path / place) as folder:
        write_both(folder)
        raise error
    assert held(tmp_path) == []


def test_a_folder_stopped_while_it_is_moved_is_empty_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def stop_at_truth(path: Path, target: Path) -> Path:
        if path.name == "truth.csv":
            raise KeyboardInterrupt
        return rename(path, target)

    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "out") as folder:
        write_both(folder)
        monkeypatch.setattr(Path, "rename", stop_at_truth)
    assert held(tmp_path) == []


@pytest.mark.parametrize("own", ["truth.csv", "notes/today.txt", ".new-me/x"])
def test_a_folder_with_files_of_others_is_refused_and_stays(tmp_path: Path, own: str) -> None:
    (tmp_path / own).parent.mkdir(exist_ok=True)
    (tmp_path / own).write_text("mine", "utf-8")
    with pytest.raises(InputRefused) as caught, new_folder(tmp_path):
        pytest.fail("it was entered")
    assert caught.value.code == "out-occupied"
    assert (tmp_path / own).read_text("utf-8") == "mine"
