"""Batch: what is a study, one result folder and one row each, and nothing lost when something goes wrong."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import resource_tracker
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from conftest import child_environment, write_headers
from LGETextDetectLib import batch, results_table, studies_below, worker_pool
from LGETextDetectLib.backends import Chosen
from LGETextDetectLib.batch import BatchOptions, clean_up, run_batch
from LGETextDetectLib.events import Events
from LGETextDetectLib.finding import Meaning
from LGETextDetectLib.output_folder import check_writable
from LGETextDetectLib.outputs.write_outputs import write_outputs
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.results_table import COLUMNS, ResultsTable, done_row, failed_row, read_rows, safe_cell, write_rows
from LGETextDetectLib.studies_below import Study, StudyKey, find_studies, study_names
from LGETextDetectLib.study import sample_study
from LGETextDetectLib.wording import read_prompt
from LGETextDetectLib.worker_pool import run_tasks
from pydicom.dataset import FileDataset
from sample_detection import sample_detection

RESULT_FILES = {"result.json", "report.html", "landmarks.mrk.json", "normalised.nrrd", "evidence.nrrd", "bullseye.svg"}


class Log(Events):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done: list[int] = []
        self.warnings: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.done.append(done)

    def warning(self, code: str, text: str) -> None:
        self.warnings.append(code)
        self.lines.append(text)


# --- what is a study -------------------------------------------------------------------------------------------------


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def found(root: Path, **options: Path) -> list[tuple[str, str]]:
    return [(study.name, study.path) for study in find_studies(root, **options)]


def test_a_folder_of_one_study_is_one_study_however_deep(tmp_path: Path) -> None:
    write_headers(tmp_path / "a" / "1.dcm", patient="A", study="1.1")
    write_headers(tmp_path / "b" / "s1" / "x", patient="B", study="1.2")
    write_headers(tmp_path / "b" / "s2" / "x", patient="B", study="1.2")
    write_headers(tmp_path / "centre" / "c" / "s" / "x", patient="C", study="1.3")
    write_headers(tmp_path / "centre" / "d" / "s" / "x", patient="D", study="1.4")
    touch(tmp_path / "notes" / "readme.txt")
    assert found(tmp_path) == [("a", "a"), ("b", "b"), ("c", "centre/c"), ("d", "centre/d")]


def test_the_root_is_a_study_when_files_lie_in_it_or_several_folders_are_one(tmp_path: Path) -> None:
    write_headers(tmp_path / "flat" / "1.dcm", patient="A", study="1.1")
    assert found(tmp_path / "flat") == [("flat", ".")]
    for series in ("s1", "s2"):
        write_headers(tmp_path / "series" / series / "1.dcm", patient="A", study="1.1")
    assert found(tmp_path / "series") == [("series", ".")]
    write_headers(tmp_path / "single" / "p" / "s" / "1.dcm", patient="A", study="1.1")
    assert found(tmp_path / "single") == [("p", "p")]


def test_a_stray_file_or_a_dicomdir_at_the_root_does_not_swallow_the_studies(tmp_path: Path) -> None:
    for name in "ab":
        write_headers(tmp_path / name / "1.dcm", patient=name, study=f"1.{ord(name)}")
    write_headers(tmp_path / "DICOMDIR", patient="", study="", media_class="1.2.840.10008.1.3.10")
    assert found(tmp_path) == [("a", "a"), ("b", "b")]
    write_headers(tmp_path / "stray.dcm", patient="S", study="1.9")
    assert found(tmp_path) == [("a", "a"), ("b", "b"), ("stray.dcm", "stray.dcm")]


def test_volume_files_are_studies_but_not_masks_hidden_files_and_the_output(tmp_path: Path) -> None:
    for name in (
        "v1.nii.gz",
        "v1_mask.nii.gz",
        "sub/V2.NRRD",
        "sub/v2_mask.mha",
        ".hidden.nrrd",
        ".cache/x.nrrd",
        "out/v1/evidence.nrrd",
    ):
        touch(tmp_path / name)
    assert found(tmp_path, leave_out=tmp_path / "out") == [("V2", "sub/V2.NRRD"), ("v1", "v1.nii.gz")]


def test_damaged_dicom_is_listed_so_that_it_is_refused_and_not_lost(tmp_path: Path) -> None:
    touch(tmp_path / "broken" / "1.dcm")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "image").write_bytes(b"\0" * 128 + b"DICM" + b"junk")
    assert found(tmp_path) == [("broken", "broken"), ("cut", "cut")]


def damage(path: Path) -> None:
    """A DICOM file that ends at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 128 + b"DICM" + b"junk")


@pytest.mark.parametrize("depth", ["", "centre/"])
def test_unreadable_headers_join_no_study(tmp_path: Path, depth: str) -> None:
    write_headers(tmp_path / f"{depth}a" / "1.dcm", patient="A", study="1.1")
    damage(tmp_path / f"{depth}b" / "1.dcm")
    write_headers(tmp_path / f"{depth}c" / "s1" / "1.dcm", patient="C", study="1.3")
    damage(tmp_path / f"{depth}c" / "s2" / "1.dcm")
    assert found(tmp_path) == [
        ("a", f"{depth}a"), ("b", f"{depth}b"), ("s1", f"{depth}c/s1"), ("s2", f"{depth}c/s2"),
    ]  # fmt: skip


def test_no_folders_are_one_study_by_the_patient_alone(tmp_path: Path) -> None:
    for place in ("p1/s", "p2/s1", "p2/s2"):
        write_headers(tmp_path / place / "1.dcm", patient="ANON", study="")
    for place in ("p3", "p4"):
        write_headers(tmp_path / place / "1.dcm", patient="", study="")
    assert [path for _, path in found(tmp_path)] == ["p1", "p3", "p4", "p2/s1", "p2/s2"]
    assert [path for _, path in found(tmp_path / "p2")] == ["s1", "s2"]


def test_the_first_file_that_names_its_study_counts(tmp_path: Path) -> None:
    for series in ("s1", "s2"):
        damage(tmp_path / "a" / series / "1.dcm")
        write_headers(tmp_path / "a" / series / "2.dcm", patient="", study="")
        write_headers(tmp_path / "a" / series / "3.dcm", patient="A", study="1.1")
    assert found(tmp_path) == [("a", "a")]


def test_a_damaged_folder_below_the_images_of_a_study_is_listed_beside_it(tmp_path: Path) -> None:
    for number in range(3):
        write_headers(tmp_path / "a" / f"{number}.dcm", patient="A", study="1.1")
    damage(tmp_path / "a" / "more" / "1.dcm")
    assert found(tmp_path) == [("a", "a"), ("more", "a/more")]


def test_a_file_or_folder_that_cannot_be_opened_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path, tags: Sequence[int]) -> FileDataset | None:
        if path.parent.name == "b":
            raise PermissionError(13, "Permission denied", path)
        return read_elements(path, tags)

    def walked(root: Path, onerror: Callable[[OSError], None], followlinks: bool) -> Iterator[tuple[str, list, list]]:
        for place, folders, names in walk(root, followlinks=followlinks):
            if Path(place).name == "c":
                onerror(PermissionError(13, "Permission denied", place))
            else:
                yield place, folders, names

    read_elements, walk = studies_below.read_elements, os.walk
    monkeypatch.setattr(studies_below, "read_elements", opened)
    monkeypatch.setattr(studies_below.os, "walk", walked)
    for name in "abc":
        write_headers(tmp_path / name / "1.dcm", patient=name, study=f"1.{ord(name)}")
    assert [path for _, path in found(tmp_path)] == ["a", "b", "c"]


def test_the_search_stays_linear(tmp_path: Path) -> None:
    """Folders in a chain: of each is asked a few times, however many there are."""
    looked = 0

    class Looked(dict):
        def __getitem__(self, place: Path) -> object:
            nonlocal looked
            looked += 1
            return super().__getitem__(place)

        def __iter__(self) -> Iterator[Path]:
            nonlocal looked
            looked += len(self)
            return super().__iter__()

        def get(self, place: Path, default: object = None) -> object:
            nonlocal looked
            looked += 1
            return super().get(place, default)

        def items(self) -> object:
            nonlocal looked
            looked += len(self)
            return super().items()

    places = [tmp_path.joinpath(*["f"] * depth) for depth in range(1, 301)]
    leaves = Looked({place: {StudyKey("A", f"1.{number}"): [place / "1"]} for number, place in enumerate(places)})
    expected = [(place / "1", (place / "1",)) for place in places[:-1]]
    assert studies_below._dicom_studies(tmp_path, leaves, set()) == [*expected, (places[-1], places[-1])]
    assert looked <= 5 * len(places)


@pytest.mark.parametrize(
    ("make", "code"), [(lambda p: None, "not-found"), (lambda p: touch(p / "a.txt"), "no-studies")]
)
def test_nothing_to_do_is_refused(tmp_path: Path, make: Callable[[Path], None], code: str) -> None:
    make(tmp_path / "root")
    with pytest.raises(InputRefused) as refused:
        find_studies(tmp_path / "root")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/v1.nrrd", "b/v2.nii.gz"], ["v1", "v2"]),
        (["a/s", "b/s"], ["a_s", "b_s"]),
        (["A.nrrd", "a.nrrd"], ["A.nrrd", "a.nrrd"]),
        (["p", "p.nrrd"], ["p", "p.nrrd"]),
        (["-x", "=1+1", ".."], ["_x", "_1+1", "_"]),
        (["results.csv", "con", "a:b?"], ["_results.csv", "_con", "a_b_"]),
    ],
)  # fmt: skip
def test_names_of_results(paths: list[str], names: list[str]) -> None:
    found_names = study_names(paths)
    if len({name.casefold() for name in names}) == len(names):
        assert found_names == names
    assert len({name.casefold() for name in found_names}) == len(paths)


def test_long_and_equal_names_stay_apart_and_short() -> None:
    paths = [f"{'x' * 300}/{k}" for k in "ab"] + ["x" * 300, "X" * 300, "a/b_c", "a_b/c", "b_c", "c"]
    paths += ["検" * 80, "é" * 127, *("\N{GRINNING FACE}" * 62 + k for k in "ab")]
    names = study_names(paths)
    assert len({name.casefold() for name in names}) == len(paths)
    assert max(map(len, names)) <= 80 and max(len(name.encode("utf-8")) for name in names) <= 120


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("a=b", "a=b"),
        ("\t=x", "' =x"),
        ("a\nb", "a b"),
        ("x\udcff", "x?"),
        ("'-1", "''-1"),
        ("'tis", "'tis"),
        (" a", " a"),
    ],
)
def test_cells_begin_no_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


def test_rows_are_sorted_and_come_back(tmp_path: Path) -> None:
    rows = [failed_row(name, f"sub/{name}", "refused", 'no-heart: a "quoted", cause') for name in ("b", "a")]
    write_rows(tmp_path / "t.csv", rows)
    assert read_rows(tmp_path / "t.csv") == rows[::-1]
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_shards_with_one_folder_make_one_table(tmp_path: Path) -> None:
    shards = [ResultsTable(tmp_path, (k, 2)) for k in (1, 2)]
    shards[0].rows = {name: failed_row(name, name, "refused", "x") for name in "ac"}
    shards[1].rows = {"b": failed_row("b", "b", "error", "y")}
    assert [table.without_row("abcd") for table in shards] == [2, 3]
    for table in shards:
        table.write()
    shards[0].write()  # it does not know of b, which came later
    assert [table.without_row("abcd") for table in shards] == [1, 1]
    assert [(row["study"], row["status"]) for row in read_rows(tmp_path / "results.csv")] == [
        ("a", "refused"),
        ("b", "error"),
        ("c", "refused"),
    ]


def test_parts_of_earlier_runs_in_another_number_leave_no_rows(tmp_path: Path) -> None:
    for k in (1, 2):
        table = ResultsTable(tmp_path, (k, 2))
        table.rows = {"ab"[k - 1]: failed_row("ab"[k - 1], "x", "refused", "x")}
        table.write()
    (tmp_path / ".results-2-of-2.csv").write_bytes(b"\xff")  # damaged
    ResultsTable(tmp_path, (1, 2)).remove_other_parts()
    ResultsTable(tmp_path, (1, 2)).write()
    assert read_rows(tmp_path / "results.csv") == []
    ResultsTable(tmp_path, (1, 1)).remove_other_parts()
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


# --- workers ---------------------------------------------------------------------------------------------------------


def make_fragile() -> Callable[[int], int]:
    return fragile


def fragile(task: int) -> int:
    if task == 3:
        os._exit(1)
    return task * int(os.environ["FACTOR"])


def test_a_dying_worker_costs_its_own_task_only() -> None:
    outcomes = dict(run_tasks(range(1, 7), make_fragile, 2, {"FACTOR": "10"}))
    assert outcomes == {1: 10, 2: 20, 3: None, 4: 40, 5: 50, 6: 60}
    assert "FACTOR" not in os.environ


def make_failing() -> Callable[[int], int]:
    return fail_to_read


def fail_to_read(task: int) -> int:
    if task == 2:
        raise PermissionError(13, "Permission denied")
    return task


def test_an_error_of_the_work_itself_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    assert dict(run_tasks(range(1, 4), make_failing, 1, {})) == {1: 1, 2: None, 3: 3}
    assert "PermissionError" in capfd.readouterr().err


def hear_ctrl_c() -> object:
    """Listen to it again: what a script starts in the background (pytest, or a batch from it) is made to ignore it."""
    return signal.signal(signal.SIGINT, signal.default_int_handler)


def make_deaf() -> Callable[[int], bool]:
    return lambda _: signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(os.name == "nt", reason="only POSIX lets a process inherit held-back signals")
def test_ctrl_c_is_left_to_the_parent_and_reaches_it_after_the_start_of_a_worker() -> None:
    resource_tracker._resource_tracker._stop()  # as in a process that has not made any
    handler = hear_ctrl_c()
    try:
        with pytest.raises(KeyboardInterrupt), worker_pool._inherited({}):
            os.kill(os.getpid(), signal.SIGINT)
            survived = True
    finally:
        signal.signal(signal.SIGINT, handler)
    assert survived
    assert dict(run_tasks(range(2), make_deaf, 2, {})) == {0: True, 1: True}


def make_nothing() -> Callable[[int], int]:
    os._exit(1)


def test_no_task_is_blamed_when_workers_cannot_be_made() -> None:
    with pytest.raises(RuntimeError, match="before it could take a task"):
        list(run_tasks(range(1, 4), make_nothing, 2, {}))


def test_leftovers_of_a_killed_worker_are_removed_beside_and_within_result_folders(tmp_path: Path) -> None:
    kept = [".a.part-2/x", ".ab.part-12345678/x", "b/result.json", "c/.c.part-12345678/x"]
    for name in (".a.part-12345678/x", "b/.b.part-34abcdef/older/x", *kept):
        touch(tmp_path / name)
    clean_up(tmp_path, {"a", "b"})
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == kept


def test_a_cancelled_batch_looks_for_leftovers_of_what_was_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many studies were still to come: the output folder of a large batch has thousands of entries."""
    looks = []
    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: looks.append(self) or iterdir(self))

    def two_at_once(tasks: Iterator[Study], *_: object) -> Iterator[tuple[Study, dict]]:
        first, _ = next(tasks), next(tasks)
        yield first, {}

    monkeypatch.setattr(batch, "run_tasks", two_at_once)
    studies = [Study(f"s{number}", f"s{number}", tmp_path) for number in range(50)]
    outcomes = batch._on_this_machine(studies, work_in(tmp_path))
    assert next(outcomes) == (studies[0], {})
    outcomes.close()
    assert looks == [tmp_path, tmp_path / "s1"]


def work_in(out: Path, **other: object) -> batch.Work:
    """What every worker is told, as far as it matters here."""
    told = {"out": out, "bundle": out, "prompts": (), "backend": "onnx", "device": "cpu", "keep_phi": False}
    return batch.Work(**{**told, "dicom": False, "workers": 1, "threads": 1, **other})


# --- on a GPU --------------------------------------------------------------------------------------------------------


def test_one_process_uses_a_gpu_unless_more_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "cores", lambda: 16)
    for chosen, wanted, workers, threads in (
        (Chosen("torch", "cuda"), 0, 1, 16), (Chosen("torch", "cuda"), 3, 3, 5), (Chosen("onnx", "cpu"), 0, 9, 1),
    ):  # fmt: skip
        monkeypatch.setattr(batch, "choose", lambda *_, chosen=chosen: chosen)
        work = batch._work(tmp_path, tmp_path, BatchOptions(workers=wanted), 9, Events())
        assert (work.workers, work.threads, work.device) == (workers, threads, chosen.device)


def test_a_gpu_that_fails_is_said_and_left_to_the_results_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr(batch, "choose", lambda *_: Chosen("onnx", "cpu", "The GPU does not compute."))
    work = batch._work(tmp_path, tmp_path, BatchOptions(), 9, log)
    assert (work.backend, work.device) == ("auto", "auto")
    assert log.warnings == ["gpu-unusable"]


# --- whole batches ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two virtual patients as volume files, one broken file, a mask and a hidden file."""
    from LGETextDetectLib.volume_files import write_nrrd
    from LGETextTrainLib.patient import draw
    from LGETextTrainLib.virtual_study import render_study

    root = tmp_path_factory.mktemp("cohort")
    (root / "sub").mkdir()
    for number, name in enumerate(("sub/one", "two")):
        study = render_study(draw(np.random.default_rng((5, number)), scar_share=1.0))
        write_nrrd(study.volume, root / f"{name}.nrrd")
        write_nrrd(study.volume.with_array(study.labels.astype(np.float32)), root / f"{name}_mask.nrrd")
    (root / "broken.nrrd").write_bytes(b"NRRD0004\n")
    touch(root / ".hidden.nrrd")
    return root


@pytest.fixture(scope="module")
def batch_out(cohort: Path, bundled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A finished batch and its exit code."""
    out = tmp_path_factory.mktemp("batch") / "out"
    return out, run_batch(cohort, out, BatchOptions(workers=2), Log())


def without_seconds(path: Path) -> dict:
    return {key: value for key, value in json.loads(path.read_text("utf-8")).items() if key != "seconds"}


def test_batch_writes_a_folder_and_a_row_for_every_study(batch_out: tuple[Path, int], bundled_model: Path) -> None:
    out, code = batch_out
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert code == 5
    assert tuple(rows[0]) == COLUMNS
    assert [(row["study"], row["path"], row["status"]) for row in rows] == [
        ("broken", "broken.nrrd", "refused"), ("one", "sub/one.nrrd", "ok"), ("two", "two.nrrd", "ok"),
    ]  # fmt: skip
    assert rows[0]["reason"].startswith("damaged-file: ")
    for row in rows[1:]:
        assert {path.name for path in (out / row["study"]).iterdir()} == RESULT_FILES
        assert row == done_row(
            row["study"], row["path"], json.loads((out / row["study"] / "result.json").read_text("utf-8"))
        )
    assert {path.name for path in out.iterdir()} == {"results.csv", "one", "two"}


def test_resume_skips_what_is_done_and_redoes_what_is_not(
    batch_out: tuple[Path, int], cohort: Path, tmp_path: Path
) -> None:
    out, _ = batch_out
    before = {name: (out / name / "result.json").stat().st_mtime_ns for name in ("one", "two")}
    table = (out / "results.csv").read_text("utf-8").splitlines()
    log = Log()
    (out / "one" / "report.html").unlink()
    expected = without_seconds(out / "one" / "result.json")
    assert run_batch(cohort, out, BatchOptions(workers=1, resume=True), log) == 5
    assert log.lines[0] == "1 of 3 studies are done already"
    assert (out / "two" / "result.json").stat().st_mtime_ns == before["two"]
    assert (out / "one" / "result.json").stat().st_mtime_ns > before["one"]
    assert without_seconds(out / "one" / "result.json") == expected
    assert [row[:-1] for row in csv.reader((out / "results.csv").open())] == [row[:-1] for row in csv.reader(table)]


def test_resume_clears_away_what_a_killed_batch_left(batch_out: tuple[Path, int], cohort: Path, tmp_path: Path) -> None:
    out = shutil.copytree(batch_out[0], tmp_path / "out")
    before = (out / "two" / "result.json").stat().st_mtime_ns
    (out / ".one.part-0123abcd").mkdir()
    (out / "two" / ".two.part-0123abcd").mkdir()  # killed before it took the older result's place
    run_batch(cohort, out, BatchOptions(workers=1, resume=True))
    assert (out / "two" / "result.json").stat().st_mtime_ns == before
    assert not list(out.rglob(".*"))


def test_resume_asks_again_when_the_prompts_are_others(
    batch_out: tuple[Path, int], cohort: Path, tmp_path: Path
) -> None:
    out, _ = batch_out
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("Is there scar in the septum?\n", "utf-8")
    log = Log()
    for _ in range(2):
        run_batch(cohort, out, BatchOptions(workers=1, resume=True, shard=(2, 3), prompts=prompts), log)
    assert [line for line in log.lines if "already" in line] == [f"{n} of 1 studies are done already" for n in (0, 1)]
    result = json.loads((out / "one" / "result.json").read_text("utf-8"))
    assert [row["text"] for row in result["prompts"]] == ["Is there scar in the septum?"]
    assert [row["study"] for row in read_rows(out / "results.csv")] == ["one"]


@pytest.mark.parametrize(
    ("change", "done"),
    [
        (lambda result: None, True),
        (lambda result: result["prompts"][0].update(text="Septal scar?"), False),
        (lambda result: result["prompts"][0]["meaning"].update(segments=[2, 3]), False),
        (lambda result: result["prompts"][0].update(understood=False, meaning=Meaning().to_dict()), False),
        (lambda result: result["prompts"][0].pop("meaning"), False),
        (
            lambda result: result["detection"].update(present=None, abstained=True, reasons=["contrast-implausible"]),
            False,
        ),
    ],
)
def test_a_result_of_a_program_that_read_the_prompts_otherwise_is_not_done(
    tmp_path: Path, change: Callable[[dict], None], done: bool
) -> None:
    text = "Is there scar in the septum?"
    detection = sample_detection(prompts=((text, read_prompt(text), 0.8),))
    write_outputs(tmp_path / "a", detection)
    result = json.loads((tmp_path / "a" / "result.json").read_text("utf-8"))
    change(result)
    (tmp_path / "a" / "result.json").write_text(json.dumps(result), "utf-8")
    study, work = Study("a", "a.nrrd", tmp_path / "a.nrrd"), work_in(tmp_path, prompts=(text,))
    assert (batch.finished(study, work, result["model"]["sha256"]) is not None) == done


def test_resume_detects_again_in_images_that_were_replaced(cohort: Path, bundled_model: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    shutil.copytree(cohort, root)
    run_batch(root, out)
    (root / "two.nrrd").write_bytes((root / "sub" / "one.nrrd").read_bytes())
    stat = (cohort / "two.nrrd").stat()
    os.utime(root / "two.nrrd", ns=(stat.st_atime_ns, stat.st_mtime_ns))  # pixels count, not times
    os.utime(root / "sub" / "one.nrrd")
    log = Log()
    assert run_batch(root, out, BatchOptions(workers=1, resume=True), log) == 5
    assert log.lines[0] == "1 of 3 studies are done already"
    assert log.warnings == ["images-replaced"] and log.lines[1].startswith("two: ")
    one, two = (json.loads((out / name / "result.json").read_text("utf-8")) for name in ("one", "two"))
    assert two["input"]["sha256"] == one["input"]["sha256"]
    (root / "two.nrrd").write_bytes(b"NRRD0004\n")
    assert run_batch(root, out, BatchOptions(workers=1, resume=True)) == 5
    assert [(row["study"], row["status"]) for row in read_rows(out / "results.csv")] == [
        ("broken", "refused"), ("one", "ok"), ("two", "refused"),
    ]  # fmt: skip
    assert not (out / "two").exists()  # what lay there was of other images


def test_a_result_of_other_images_is_taken_away_when_the_new_one_cannot_be_written(
    batch_out: tuple[Path, int], cohort: Path, tmp_path: Path
) -> None:
    """DICOM objects cannot be made of a volume file; what lay there was of a run without them."""
    pytest.importorskip("highdicom")
    out = shutil.copytree(batch_out[0], tmp_path / "out")
    assert run_batch(cohort, out, BatchOptions(workers=1, resume=True, dicom=True, shard=(3, 3))) == 5
    reasons = {row["study"]: row["reason"] for row in read_rows(out / "results.csv")}
    assert reasons["two"].startswith("not-dicom: ")
    assert not (out / "two").exists() and (out / "one").exists()


def test_without_highdicom_no_batch_begins(
    cohort: Path, tmp_path: Path, bundled_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputRefused) as refused:
        run_batch(cohort, tmp_path / "out", BatchOptions(dicom=True))
    assert refused.value.code == "no-highdicom" and not (tmp_path / "out").exists()


def test_a_result_that_calls_the_study_otherwise_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detection = sample_detection()
    write_outputs(tmp_path / "a", detection)
    study, model = Study("a", "a.nrrd", tmp_path / "a.nrrd"), detection.result["model"]["sha256"]
    for identity, keep_phi, done in (("Doe", False, ["a"]), ("Doe", True, []), (None, True, ["a"])):
        facts = replace(detection.loaded.facts, identity=identity)
        monkeypatch.setattr(batch, "run_tasks", lambda studies, *_, facts=facts: ((s, facts) for s in studies))
        rows = batch._rows_done([study], work_in(tmp_path, keep_phi=keep_phi), model, 1, Log())
        assert list(rows) == done


def test_an_older_result_nested_too_deep_is_made_again(tmp_path: Path) -> None:
    write_outputs(tmp_path / "a", sample_detection())
    (tmp_path / "a" / "result.json").write_text("[" * 200_000, "utf-8")
    assert batch.finished(Study("a", "a.nrrd", tmp_path / "a.nrrd"), work_in(tmp_path), "f" * 64) is None


def test_a_study_with_unreadable_headers_beside_a_good_one_has_its_row(bundled_model: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_study(), tmp_path / "root" / "a")
    damage(tmp_path / "root" / "b" / "1.dcm")
    assert run_batch(tmp_path / "root", tmp_path / "out", BatchOptions(workers=1)) == 5
    rows = read_rows(tmp_path / "out" / "results.csv")
    assert [(row["study"], row["status"]) for row in rows] == [("a", "ok"), ("b", "refused")]
    assert rows[1]["reason"].startswith("damaged-file: ")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C of another process is sent by POSIX means here")
def test_ctrl_c_stops_and_leaves_nothing_half_done(cohort: Path, bundled_model: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "LGETextDetectLib",
        "--events",
        "batch",
        str(cohort),
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "1",
    ]
    environment = child_environment(bundled_model)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        while json.loads(child.stdout.readline()).get("done") != 1:  # the broken file is the first
            pass
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(60) == 130
        assert child.stderr.read() == "cancelled\n"
    left = {path.name for path in (tmp_path / "out").iterdir()} - {"one", "two"}
    assert left == {"results.csv"}
    assert [row["study"] for row in read_rows(tmp_path / "out" / "results.csv")][:1] == ["broken"]


def test_no_output_into_the_input_a_file_or_beside_a_folder_of_the_table_s_name(
    cohort: Path, tmp_path: Path, bundled_model: Path
) -> None:
    touch(tmp_path / "file")
    (tmp_path / "taken" / "results.csv").mkdir(parents=True)
    for out in (cohort, tmp_path / "file", tmp_path / "taken"):
        with pytest.raises(InputRefused) as refused:
            run_batch(cohort, out)
        assert refused.value.code == "out-occupied"


def test_an_output_folder_that_cannot_be_written_is_refused_before_any_work(
    cohort: Path, tmp_path: Path, bundled_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "file")
    monkeypatch.setattr(batch, "find_studies", lambda *_, **__: pytest.fail("work has started"))
    with pytest.raises(InputRefused) as refused:
        run_batch(cohort, tmp_path / "file" / "out")
    assert refused.value.code == "out-unwritable"


def test_an_output_folder_on_a_disk_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(InputRefused, match="out-unwritable"):
        check_writable(Path("Z:/out"))


def test_a_worker_computes_nothing_that_it_could_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "file")
    monkeypatch.setattr(batch, "detect", lambda *_: pytest.fail("it has computed"))
    detector = batch.Detector(work_in(tmp_path / "file"))
    monkeypatch.setattr(detector, "_engine", object())
    row = detector(Study("a", "a", tmp_path))
    assert row["status"] == "refused" and row["reason"].startswith("out-unwritable: ")


def test_a_full_disk_ends_a_batch_with_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputRefused) as refused:
        write_rows(tmp_path / "results.csv", [])
    assert refused.value.code == "out-unwritable" and "no space left on device" in refused.value.cause
    assert not list(tmp_path.iterdir())


@pytest.fixture
def held_open(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tables that were to be replaced; the first two times that fails, as on Windows."""
    replaced: list[str] = []
    replace = os.replace

    def refuse(new: Path, old: Path) -> None:
        replaced.append(Path(old).name)
        if len(replaced) < 3:
            raise PermissionError(errno.EACCES, "Permission denied", str(new), None, str(old))
        replace(new, old)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(results_table, "TRY_EVERY_S", 0.0)
    return replaced


def outcomes_of(*names: str) -> batch.Outcomes:
    for name in names:
        yield Study(name, name, Path(name)), failed_row(name, name, "refused", "x")


def test_a_table_that_is_open_elsewhere_is_written_with_the_next_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_open: list[str]
) -> None:
    monkeypatch.setattr(batch, "TABLE_EVERY_S", 0.0)
    written = []
    monkeypatch.setattr(Log, "progress", lambda *_: written.append(len(read_rows(tmp_path / "results.csv"))))
    batch._collect(outcomes_of(*"abcd"), ResultsTable(tmp_path, (1, 1)), 4, Log())
    assert written == [0, 0, 0, 0, 3]  # before the first study, and before the table is written after each
    assert len(read_rows(tmp_path / "results.csv")) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


def test_at_the_end_a_table_that_is_open_elsewhere_is_waited_for(tmp_path: Path, held_open: list[str]) -> None:
    batch._collect(outcomes_of("a"), ResultsTable(tmp_path, (1, 1)), 1, Log())
    assert len(held_open) == 3 and len(read_rows(tmp_path / "results.csv")) == 1


def test_a_table_that_stays_open_is_refused_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_open: list[str]
) -> None:
    monkeypatch.setattr(batch, "PATIENCE_S", 0.0)
    with pytest.raises(InputRefused, match=r"out-unwritable: results.csv is open.*--resume"):
        batch._collect(outcomes_of("a"), ResultsTable(tmp_path, (1, 1)), 1, Log())
    assert not list(tmp_path.iterdir())


def test_dask_cluster_gives_the_same_rows(
    batch_out: tuple[Path, int], cohort: Path, tmp_path: Path, bundled_model: Path
) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="the 'dask' extra is not installed: --scheduler is NOT tested"
    )
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        assert run_batch(cohort, tmp_path / "out", BatchOptions(scheduler=cluster.scheduler_address)) == 5
    assert [(row["study"], row["status"]) for row in read_rows(tmp_path / "out" / "results.csv")] == [
        ("broken", "refused"), ("one", "ok"), ("two", "ok"),
    ]  # fmt: skip


def test_a_task_that_fails_on_the_cluster_is_named_by_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="the 'dask' extra is not installed")

    def fail(*_: object) -> None:
        raise ModuleNotFoundError("No module named Mustermann")

    monkeypatch.setattr(batch, "_detect_remotely", fail)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        ((_, row),) = batch._on_cluster([Study("a", "a", tmp_path)], work_in(tmp_path), client)
    assert (row["status"], row["reason"]) == ("error", "internal: ModuleNotFoundError on the cluster")


def test_a_study_gets_its_share_of_the_worker_s_own_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers on one machine, one with two threads, one on another."""
    beside = batch.studies_at_once({"tcp://10.0.0.1:40001": 2, "tcp://10.0.0.1:40002": 2, "tcp://10.0.0.2:40001": 1})
    assert list(beside.values()) == [4, 4, 1]
    distributed = pytest.importorskip("distributed", reason="the 'dask' extra is not installed")
    monkeypatch.setattr(batch, "cores", lambda: 16)
    monkeypatch.setattr(batch, "_detector", lambda work: lambda study: {"study": str(work.threads)})
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        outcomes = batch._on_cluster([Study("a", "a", tmp_path)], work_in(tmp_path), client)
        assert [row for _, row in outcomes] == [{"study": "4"}]


def test_without_dask_the_scheduler_is_refused(
    cohort: Path, tmp_path: Path, bundled_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputRefused) as refused:
        run_batch(cohort, tmp_path / "out", BatchOptions(scheduler="tcp://127.0.0.1:1"))
    assert refused.value.code == "no-dask" and not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [OSError("Timed out"), ValueError("missing port")])
def test_a_scheduler_that_does_not_answer_is_refused_and_an_older_table_stays(
    cohort: Path, tmp_path: Path, bundled_model: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def client(_: str) -> None:
        raise error

    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=client))
    write_rows(tmp_path / "results.csv", [failed_row("one", "one", "refused", "x")])
    with pytest.raises(InputRefused) as refused:
        run_batch(cohort, tmp_path, BatchOptions(scheduler="tcp://127.0.0.1:1"))
    assert refused.value.code == "no-scheduler" and len(read_rows(tmp_path / "results.csv")) == 1


def test_identifiers_stay_out_of_the_study_list(tmp_path: Path) -> None:
    write_headers(tmp_path / "p1" / "1.dcm", patient="Doe^John", study="1.1")
    assert pydicom.dcmread(tmp_path / "p1" / "1.dcm").PatientID == "Doe^John"
    assert "Doe" not in repr(find_studies(tmp_path)[0]).replace(str(tmp_path), "")
