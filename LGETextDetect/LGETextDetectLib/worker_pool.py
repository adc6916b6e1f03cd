"""Worker processes that get one task at a time; the death of one costs its task and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from .child_process import GRACE_S, stop_when_asked
from .events import quiet_libraries

WAIT_S = 1.0  # at most in one piece: Windows does not wake a waiting process to tell it to stop
Work = Callable[[Any], Any]


def run_tasks(
    tasks: Iterable[Any], make_work: Callable[[], Work], workers: int, environment: Mapping[str, str]
) -> Generator[tuple[Any, Any], None, None]:
    """(task, outcome) in the order of completion; the outcome is None when the worker died.

    ``make_work`` is called once in each worker, a freshly spawned process that sees ``environment``. Tasks are drawn
    when a worker is free. Closing the iterator stops all workers. Raises RuntimeError when workers cannot even be made: then
    no task is to blame.
    """
    waiting, any_made = iter(tasks), False
    busy: dict[Connection, tuple[_Worker, Any]] = {}
    idle: list[_Worker] = []
    try:
        while True:
            while len(busy) < workers and (task := next(waiting, None)) is not None:
                worker = idle.pop() if idle else _Worker(make_work, environment)
                worker.give(task)
                busy[worker.connection] = (worker, task)
            if not busy:
                return
            for ready in wait(list(busy), WAIT_S):
                worker, task = busy[cast(Connection, ready)]
                if not worker.made and worker.greet():
                    any_made = True
                    continue
                del busy[worker.connection]
                if not any_made:
                    raise RuntimeError("A worker process ended before it could take a task; its own message is above.")
                outcome, alive = worker.take()
                if alive:
                    idle.append(worker)
                yield task, outcome
    finally:
        _stop(idle, [worker for worker, _ in busy.values()])


class _Worker:
    """One process and the parent's end of its pipe."""

    def __init__(self, make_work: Callable[[], Work], environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.made = False  # whether make_work has returned there
        self.process = context.Process(target=_serve, args=(theirs, make_work), daemon=True)
        with _inherited(environment):
            self.process.start()
        theirs.close()  # so that the worker's death is seen as the end of its pipe

    def give(self, task: Any) -> None:
        try:
            self.connection.send(task)
        except OSError:
            return  # it has died: take() says so

    def greet(self) -> bool:
        """Whether the worker, not heard of so far, says that its work is made; False when it has died."""
        try:
            self.made = bool(self.connection.recv())
        except (EOFError, OSError):
            self.made = False
        return self.made

    def take(self) -> tuple[Any, bool]:
        """The outcome, and whether the worker lives."""
        try:
            return self.connection.recv(), True
        except (EOFError, OSError):
            self.connection.close()
            self.process.join(GRACE_S)
            return None, False


def _stop(idle: list[_Worker], busy: list[_Worker]) -> None:
    """Let idle workers go, ask busy ones to clean up, end those who do not."""
    for worker in [*idle, *busy]:
        worker.connection.close()
    for worker in busy:
        worker.process.terminate()
    for worker in [*idle, *busy]:
        worker.process.join(GRACE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(connection: Connection, make_work: Callable[[], Work]) -> None:
    """A worker's life: tasks in, outcomes out, until the pipe ends or the parent asks to stop.

    What the work itself raises ends the process, with its traceback.
    """
    with suppress(KeyboardInterrupt), stop_when_asked(), quiet_libraries():
        work = make_work()
        answer: Any = True
        while True:
            try:
                connection.send(answer)
                task = connection.recv()
            except (EOFError, OSError):
                return  # the parent has let go
            answer = work(task)


@contextmanager
def _inherited(environment: Mapping[str, str]) -> Iterator[None]:
    """What a process started in this block inherits: these variables, and no interest in Ctrl-C.

    Ctrl-C reaches every process of a terminal; only the parent is to act on it and then to stop its workers. One that
    comes during this block reaches the parent after it.
    """
    before = {name: os.environ.get(name) for name in environment}
    is_main = threading.current_thread() is threading.main_thread()
    os.environ.update(environment)
    try:
        with _ctrl_c_later() if is_main else nullcontext():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Children made here ignore Ctrl-C, where the system lets them inherit that; the parent gets it at the end."""
    noted: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    masks = hasattr(signal, "pthread_sigmask")
    if masks:
        resource_tracker.ensure_running()  # its start, part of the first child's, would lift the mask
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)  # None: not set from Python
        if noted:
            signal.raise_signal(signal.SIGINT)
