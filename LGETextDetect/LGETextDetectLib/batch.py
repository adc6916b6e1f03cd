"""Every study below a folder: worker processes or a Dask cluster, a result folder each, and one table."""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .backends import choose
from .bundle import default_bundle, open_bundle
from .events import Events, failure_place
from .outputs.write_outputs import ALWAYS, DICOM, write_outputs
from .refusal import InputRefused
from .results_table import ResultsTable, Row, done_row, failed_row
from .studies_below import Study, find_studies
from .study import DetectOptions, detect, read_prompts
from .worker_pool import run_tasks

__all__ = ["BatchOptions", "find_studies", "run_batch"]

ALL_DONE, SOME_FAILED = 0, 5
TABLE_EVERY_S = 1.0  # results.csv is rewritten at most this often, and at the end
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)

Outcomes = Generator[tuple[Study, Row], None, None]


@dataclass(frozen=True)
class BatchOptions:
    """How a batch runs. workers: 0 = one a core; shard: (i, n), the i-th of n parts; scheduler: address of a cluster."""

    workers: int = 0
    shard: tuple[int, int] = (1, 1)
    scheduler: str | None = None
    resume: bool = False
    prompts: Path | None = None
    backend: str = "auto"
    device: str = "auto"
    keep_phi: bool = False
    dicom: bool = False


@dataclass(frozen=True)
class Work:
    """What every worker does with a study; travels to the workers."""

    out: Path
    bundle: Path
    prompts: tuple[str, ...]
    backend: str
    device: str
    keep_phi: bool
    dicom: bool
    threads: int


def run_batch(root: Path, out: Path, options: BatchOptions | None = None, events: Events | None = None) -> int:
    """Detect in all studies below ``root``; a result folder each and results.csv below ``out``.

    Returns 0, or 5 when a study was refused or failed. Raises InputRefused when nothing can be done at all.
    """
    options, events = options or BatchOptions(), events or Events()
    if out.exists() and (not out.is_dir() or out.samefile(root)):
        raise InputRefused(
            "out-occupied", "The output path is a file or the input folder itself.", "Name another output folder."
        )
    studies = find_studies(root, leave_out=out)
    part, parts = options.shard
    mine = studies[part - 1 :: parts]
    bundle = open_bundle(default_bundle())
    work = _work(out, bundle.folder, options, len(mine))
    out.mkdir(parents=True, exist_ok=True)
    table = ResultsTable(out, options.shard, (study.name for study in studies))
    if options.resume:
        found = ((study, finished_row(study, work, bundle.sha256)) for study in mine)
        table.rows = {study.name: row for study, row in found if row}
        events.log(f"{len(table.rows)} of {len(mine)} studies are done already")
    left = [study for study in mine if study.name not in table.rows]
    outcomes = (
        _on_cluster(left, work, options.scheduler)
        if options.scheduler
        else _on_this_machine(left, work, options.workers)
    )
    _collect(outcomes, table, len(mine), events)
    return _finish(table, out, events)


def _work(out: Path, bundle: Path, options: BatchOptions, count: int) -> Work:
    """The workers' orders; what runs the networks is settled here, once, but for a cluster whose machines may differ."""
    backend, device = options.backend, options.device
    if options.scheduler is None:
        chosen = choose(backend, device)
        backend, device = chosen.backend, chosen.device
    prompts = read_prompts(options.prompts) if options.prompts else ()
    threads = max(cores() // _workers(options.workers, count), 1)
    return Work(out.resolve(), bundle.resolve(), prompts, backend, device, options.keep_phi, options.dicom, threads)


def _workers(wanted: int, studies: int) -> int:
    return max(min(wanted or cores(), studies), 1)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _collect(outcomes: Outcomes, table: ResultsTable, total: int, events: Events) -> None:
    """Rows into the table as they come; whatever ends the batch, the table on disk holds all rows there are."""
    written_s = time.monotonic()
    events.progress("batch", len(table.rows), total)
    with closing(outcomes):
        try:
            for study, row in outcomes:
                table.rows[study.name] = row
                if row["status"] != "ok":
                    events.log(f"{study.name}: {row['status']} [{row['reason']}]")
                events.progress("batch", len(table.rows), total)
                if time.monotonic() - written_s >= TABLE_EVERY_S:
                    table.write()
                    written_s = time.monotonic()
        finally:
            table.write()


def _finish(table: ResultsTable, out: Path, events: Events) -> int:
    counts = {
        status: sum(row["status"] == status for row in table.rows.values()) for status in ("ok", "refused", "error")
    }
    events.result({"studies": len(table.rows), **counts, "table": str(out / "results.csv")})
    events.log(", ".join(f"{number} {status}" for status, number in counts.items()) + f": {out / 'results.csv'}")
    return SOME_FAILED if counts["refused"] or counts["error"] else ALL_DONE


# --- one study -------------------------------------------------------------------------------------------------------


class Detector:
    """One worker's engine; detects in one study after another and never raises for what one study does."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._engine: Any = None

    def __call__(self, study: Study) -> Row:
        try:
            result = self._detect(study)
        except InputRefused as refused:
            return failed_row(study.name, study.path, "refused", f"{refused.code}: {refused.cause}")
        except Exception as error:
            return failed_row(study.name, study.path, "error", f"internal: {failure_place(error)}")
        return done_row(study.name, study.path, result)

    def _detect(self, study: Study) -> dict[str, Any]:
        if self._engine is None:
            from .model import Engine

            self._engine = Engine(self._work.bundle, self._work.backend, self._work.device, self._work.threads)
        options = DetectOptions(prompts=self._work.prompts, keep_phi=self._work.keep_phi)
        folder = self._work.out / study.name
        write_outputs(folder, detect(study.source.resolve(), self._engine, options), self._work.dicom)
        return read_result(folder)


def read_result(folder: Path) -> dict[str, Any]:
    """result.json of a result folder."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    if not isinstance(result, dict):
        raise ValueError("result.json holds no object")
    return result


def finished_row(study: Study, work: Work, model_sha256: str) -> Row | None:
    """The row of a study that has a complete result of this model, these prompts and this way of naming; else None."""
    folder = work.out / study.name
    if not all((folder / name).is_file() for name in (*ALWAYS, *(DICOM if work.dicom else ()))):
        return None
    try:
        result = read_result(folder)
        pseudonym = result["study"] == f"study-{result['input']['sha256'][:12]}"
        same = result["model"]["sha256"] == model_sha256 and [row["text"] for row in result["prompts"]] == list(
            work.prompts
        )
        return done_row(study.name, study.path, result) if same and (work.keep_phi or pseudonym) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a result that cannot be read is made again


# --- where it runs ---------------------------------------------------------------------------------------------------


def _on_this_machine(studies: Sequence[Study], work: Work, workers: int) -> Outcomes:
    environment = dict.fromkeys(THREAD_VARIABLES, str(work.threads))
    outcomes = run_tasks(studies, functools.partial(Detector, work), _workers(workers, len(studies)), environment)
    running = {study.name: study for study in studies}
    try:
        for study, row in outcomes:
            running.pop(study.name)
            if row is None:
                clean_up(work.out, study.name)
                row = failed_row(study.name, study.path, "error", "internal: the worker process died")
            yield study, row
    finally:
        outcomes.close()
        for name in running:
            clean_up(work.out, name)


def clean_up(out: Path, name: str) -> None:
    """Remove what a worker that was killed while writing left behind; an older result is put back."""
    for path in out.iterdir():
        if path.name.startswith(f".{name}.old-") and not (out / name).exists():
            path.rename(out / name)
        elif path.name.startswith((f".{name}.part-", f".{name}.old-")):
            shutil.rmtree(path, ignore_errors=True)


def _on_cluster(studies: Sequence[Study], work: Work, address: str | None) -> Outcomes:
    """Hand studies to a Dask cluster, two for each of its threads at a time; all of them must see the same disk."""
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        raise InputRefused("no-dask", "--scheduler needs Dask, which is not installed.") from error
    with Client(address) as client:
        waiting = iter(studies)
        first = list(itertools.islice(waiting, 2 * max(sum(client.nthreads().values()), 1)))
        futures = {client.submit(_detect_remotely, work, study, pure=False): study for study in first}
        running = as_completed(list(futures))
        for future in running:
            study = futures.pop(future)
            if future.status == "finished":
                row = future.result()
            else:
                row = failed_row(study.name, study.path, "error", "internal: the cluster's worker died")
            if (following := next(waiting, None)) is not None:
                new = client.submit(_detect_remotely, work, following, pure=False)
                futures[new] = following
                running.add(new)
            yield study, row


@functools.lru_cache(maxsize=1)
def _detector(work: Work) -> Detector:
    return Detector(work)


def _detect_remotely(work: Work, study: Study) -> Row:
    return _detector(work)(study)
