"""Every study below a folder: worker processes or a Dask cluster, a result folder each, and one table."""

from __future__ import annotations

import functools
import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .backends import choose
from .bundle import default_bundle, open_bundle
from .events import Events, failure_place, quiet_libraries
from .finding import images_unfit
from .output_folder import check_writable
from .outputs.write_outputs import check_highdicom, check_output, remove_parts, remove_result, write_outputs
from .refusal import InputRefused
from .result import study_name
from .result_files import ALWAYS, DICOM
from .results_table import TABLE, ResultsTable, Row, TableInUse, done_row, failed_row
from .studies_below import Study, find_studies
from .study import DetectOptions, ask, detect, read_prompts
from .volume_files import InputFacts, load_study
from .worker_pool import run_tasks

__all__ = ["BatchOptions", "find_studies", "run_batch"]

ALL_DONE, SOME_FAILED = 0, 5
TABLE_EVERY_S = 1.0  # results.csv is rewritten at most this often, and at the end
WORKER_DIED = "internal: the worker process died, as when memory runs out: fewer --workers, and --resume"
PATIENCE_S = 5.0  # with a results.csv that is open elsewhere, at the end
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
# Refusals that say nothing against an older result: a decoder may be missing, the disk full.
OF_THIS_MACHINE = ("unreadable-pixels", "out-occupied", "out-unwritable")

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
    workers: int
    threads: int


def run_batch(root: Path, out: Path, options: BatchOptions | None = None, events: Events | None = None) -> int:
    """Detect in all studies below ``root``; a result folder each and results.csv below ``out``.

    Returns 0, or 5 when a study was refused or failed. Raises InputRefused when nothing can be done at all, or no more
    be written.
    """
    options, events = options or BatchOptions(), events or Events()
    _check_output(root, out)
    if options.dicom:
        check_highdicom()
    studies = find_studies(root, leave_out=out, workers=options.workers or cores(), events=events)
    part, parts = options.shard
    mine = studies[part - 1 :: parts]
    bundle = open_bundle(default_bundle())
    work = _work(out, bundle.folder, options, len(mine), events)
    with _connected(options.scheduler) as cluster:
        out.mkdir(parents=True, exist_ok=True)
        clean_up(work.out, {study.name for study in mine})
        table = ResultsTable(out, options.shard)
        table.remove_other_parts()
        if options.resume:
            table.rows = _rows_done(mine, work, bundle.sha256, options.workers, events)
        left = [study for study in mine if study.name not in table.rows]
        outcomes = _on_cluster(left, work, cluster) if cluster else _on_this_machine(left, work)
        _collect(outcomes, table, len(mine), events)
    if left_over := table.without_row(study.name for study in studies):
        events.log(
            f"{left_over} studies have no row: other parts have not ended, or the folder has changed since they began; "
            "then run all parts again with --resume"
        )
    return _finish(table, out, events)


def _check_output(root: Path, out: Path) -> None:
    """Raise InputRefused('out-occupied' or 'out-unwritable') when no results can be put there."""
    exists, table = os.path.exists(out), out / TABLE
    if exists and (not out.is_dir() or (os.path.exists(root) and out.samefile(root))):
        raise InputRefused(
            "out-occupied", "The output path is a file or the input folder itself.", "Name another output folder."
        )
    check_writable(out)
    if os.path.isdir(table):
        raise InputRefused("out-occupied", f"{TABLE} in the output folder is a folder.", "Name another output folder.")


def _work(out: Path, bundle: Path, options: BatchOptions, count: int, events: Events) -> Work:
    """The workers' orders.

    What runs the networks is settled here, once, but for a cluster whose machines may differ, and when a GPU fails: then
    every worker finds that out and its results say so.
    """
    backend, device = options.backend, options.device
    workers = _workers(options.workers, count)
    if options.scheduler is None:
        chosen = choose(backend, device)
        if chosen.fault:
            events.warning("gpu-unusable", f"{chosen.fault} The processor is used.")
        else:
            backend, device = chosen.backend, chosen.device
        workers = _workers(options.workers, count, chosen.device)
    prompts = read_prompts(options.prompts) if options.prompts else ()
    threads = max(cores() // workers, 1)
    return Work(
        out.resolve(), bundle.resolve(), prompts, backend, device, options.keep_phi, options.dicom, workers, threads
    )


def _workers(wanted: int, studies: int, device: str = "cpu") -> int:
    """How many processes: as many as are wanted, else one a core, of which each on a GPU would hold the networks: one."""
    return max(min(wanted or (1 if device == "cuda" else cores()), studies), 1)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _collect(outcomes: Outcomes, table: ResultsTable, total: int, events: Events) -> None:
    """Rows into the table as they come; whatever ends the batch, the table on disk holds all rows there are.

    Before the first of them an older table stays.
    """
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
                    with suppress(TableInUse):  # written with the next study, then
                        table.write()
                    written_s = time.monotonic()
        finally:
            if table.rows or not total:
                table.write(PATIENCE_S)


def _finish(table: ResultsTable, out: Path, events: Events) -> int:
    counts = {
        status: sum(row["status"] == status for row in table.rows.values()) for status in ("ok", "refused", "error")
    }
    events.result({"studies": len(table.rows), **counts, "table": str(out / TABLE)})
    events.log(", ".join(f"{number} {status}" for status, number in counts.items()) + f": {out / TABLE}")
    return SOME_FAILED if counts["refused"] or counts["error"] else ALL_DONE


# --- one study -------------------------------------------------------------------------------------------------------


class Detector:
    """One worker's engine; detects in one study after another and never raises for what one study does."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._engine: Any = None

    def __call__(self, study: Study) -> Row:
        try:
            with quiet_libraries():  # a cluster's workers are not ours, nor are their logs
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
        target = check_output(folder)
        try:
            write_outputs(folder, detect(study.source, self._engine, options), self._work.dicom)
        except InputRefused as refused:
            if refused.code not in OF_THIS_MACHINE:
                remove_result(target)  # of images that were others
            raise
        return read_result(folder)


def read_result(folder: Path) -> dict[str, Any]:
    """result.json of a result folder."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    if not isinstance(result, dict):
        raise ValueError("result.json holds no object")
    return result


# --- what is done already ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finished:
    """A complete result of an earlier run: its row, the sha256 of the images that it is of, and what it calls the study."""

    row: Row
    images: str
    name: str


def _rows_done(studies: Sequence[Study], work: Work, model_sha256: str, workers: int, events: Events) -> dict[str, Row]:
    """Rows of the studies whose result is of the images as they are now; says which results are of others."""
    earlier = ((study, finished(study, work, model_sha256)) for study in studies)
    results = {study: result for study, result in earlier if result}
    environment = dict.fromkeys(THREAD_VARIABLES, "1")
    read = run_tasks(results, image_reader, _workers(workers, len(results)), environment)
    rows, replaced = {}, {}
    with closing(read):
        for done, (study, facts) in enumerate(read, 1):
            events.progress("compare", done, len(results))
            if facts is None or facts.sha256 != results[study].images:
                replaced[study.name] = "are others than those of its result" if facts else "can no longer be read"
            elif results[study].name == study_name(facts, work.keep_phi):
                rows[study.name] = results[study].row
    events.log(f"{len(rows)} of {len(studies)} studies are done already")
    for name, how in sorted(replaced.items()):
        events.warning("images-replaced", f"{name}: its images {how}; detecting again")
    return rows


def finished(study: Study, work: Work, model_sha256: str) -> Finished | None:
    """A study's complete result of this model and these prompts, whatever its images; else None.

    Prompts are compared with what they are understood to mean now: an older program may have read them otherwise, or
    have given them a probability where the study has no answer.
    """
    folder = work.out / study.name
    if not all((folder / name).is_file() for name in (*ALWAYS, *(DICOM if work.dicom else ()))):
        return None
    try:
        result = read_result(folder)
        images = str(result["input"]["sha256"])
        name = str(result["study"])
        same_model = result["model"]["sha256"] == model_sha256
        same_prompts = [(row["text"], row["meaning"]) for row in result["prompts"]] == _meanings(work.prompts)
        answered = any(row["probability"] is not None for row in result["prompts"])
        answered_as_now = not (answered and images_unfit(result["detection"]["reasons"]))
        row = done_row(study.name, study.path, result)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # a result that cannot be read is made again
    return Finished(row, images, name) if same_model and same_prompts and answered_as_now else None


@functools.lru_cache(maxsize=1)
def _meanings(prompts: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """Each prompt as a result holds it, with its meaning as one."""
    return [(text, meaning.to_dict()) for text, meaning in ask(prompts)]


def image_reader() -> Callable[[Study], InputFacts | None]:
    """What a worker does to compare images."""
    return images_now


def images_now(study: Study) -> InputFacts | None:
    """What a result of the study's images, as they are now, would say of them; None when they cannot be read."""
    try:
        return load_study(study.source).facts
    except Exception:  # whatever it is: the study is detected again, and its row says what is wrong
        return None


# --- where it runs ---------------------------------------------------------------------------------------------------


def _on_this_machine(studies: Sequence[Study], work: Work) -> Outcomes:
    environment = dict.fromkeys(THREAD_VARIABLES, str(work.threads))
    running: set[str] = set()
    outcomes = run_tasks(_noted(studies, running), functools.partial(Detector, work), work.workers, environment)
    try:
        for study, row in outcomes:
            running.remove(study.name)
            if row is None:
                clean_up(work.out, {study.name})
                row = failed_row(study.name, study.path, "error", WORKER_DIED)
            yield study, row
    finally:
        outcomes.close()
        clean_up(work.out, running)


def _noted(studies: Sequence[Study], names: set[str]) -> Iterator[Study]:
    """The studies one by one; of each that is drawn the name is put into ``names``."""
    for study in studies:
        names.add(study.name)
        yield study


def clean_up(out: Path, names: Collection[str]) -> None:
    """Remove what was left behind by workers, of this batch or an earlier one, killed while writing results of these names.

    It lies beside the place of a new result, and within the folder of an older one.
    """
    if names:
        remove_parts(out, names)
    for name in names:
        with suppress(OSError):  # there is no such folder; writing to one that is closed says so
            remove_parts(out / name)


@contextmanager
def _connected(scheduler: str | None) -> Iterator[Any]:
    """A Dask cluster's client; None without a scheduler. Raises InputRefused('no-dask', 'no-scheduler')."""
    if scheduler is None:
        yield None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InputRefused("no-dask", "--scheduler needs Dask, which is not installed.") from error
    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        raise InputRefused("no-scheduler", "No Dask scheduler answers at the address given.") from error
    with client:
        yield client


def _on_cluster(studies: Sequence[Study], work: Work, client: Any) -> Outcomes:
    """Hand studies to a Dask cluster, two for each of its threads at a time; all of them must see the same disk."""
    from distributed import as_completed

    beside = studies_at_once(client.nthreads())
    waiting = iter(studies)
    first = list(itertools.islice(waiting, 2 * max(sum(client.nthreads().values()), 1)))
    futures = {client.submit(_detect_remotely, work, beside, study, pure=False): study for study in first}
    running = as_completed(list(futures))
    for future in running:
        study = futures.pop(future)
        row = future.result() if future.status == "finished" else _failed_on_cluster(future, study, work)
        if (following := next(waiting, None)) is not None:
            new = client.submit(_detect_remotely, work, beside, following, pure=False)
            futures[new] = following
            running.add(new)
        yield study, row


def studies_at_once(threads: Mapping[str, int]) -> dict[str, int]:
    """Of every worker, by address, how many studies its machine takes at once; threads: of every worker, by address."""
    machines = {address: urlsplit(address).hostname or address for address in threads}
    count: Counter[str] = Counter()
    for address, number in threads.items():
        count[machines[address]] += number
    return {address: count[machine] for address, machine in machines.items()}


def _failed_on_cluster(future: Any, study: Study, work: Work) -> Row:
    """The row of a study whose task did not end well; of an error its kind alone, since its message may quote a header."""
    kind = type(future.exception()).__name__ if future.status == "error" else str(future.status)
    if kind == "KilledWorker":
        clean_up(work.out, {study.name})
        return failed_row(study.name, study.path, "error", "internal: the cluster's worker died")
    return failed_row(study.name, study.path, "error", f"internal: {kind} on the cluster")


@functools.lru_cache(maxsize=1)
def _detector(work: Work) -> Detector:
    return Detector(work)


def _detect_remotely(work: Work, beside: Mapping[str, int], study: Study) -> Row:
    """Detect on a cluster's worker, with its share of the cores of its own machine."""
    from distributed import get_worker

    threads = max(cores() // beside.get(get_worker().address, 1), 1)
    return _detector(replace(work, threads=threads))(study)
