"""Slices for training, made by worker processes: what a step is shown follows from the seed, the step and the part alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from LGETextDetectLib.child_process import stop_signals
from torch.utils.data import DataLoader, Dataset

from .optimise import Key, PartSource
from .samples import Make, Sample

BLOCK = 4  # batches drawn together, so that slices of several patients are mixed


@dataclass(frozen=True, eq=False)
class _Blocks(Dataset[list[Sample]]):
    """Block (b, part): the batches of steps 4 b to 4 b + 3 of one part, from slices of patients drawn for them."""

    make: Make
    seed: int
    batch: int

    def __getitem__(self, key: Key) -> list[Sample]:
        rng = np.random.default_rng((self.seed, *key))
        store: dict[str, list[Any]] = {}
        while sum(map(len, store.get("image", []))) < BLOCK * self.batch:
            for name, value in self.make(rng).items():
                store.setdefault(name, []).append(value)
        joined = {name: np.concatenate(parts) for name, parts in store.items()}
        order = rng.permutation(len(joined["image"]))
        cuts = [order[k * self.batch : (k + 1) * self.batch] for k in range(BLOCK)]
        return [{name: value[cut] for name, value in joined.items()} for cut in cuts]


def sample_source(make: Make, seed: int, batch: int, workers: int = 1) -> PartSource:
    """Batches of ``make``'s slices for the loop's keys; ``workers`` 0 makes them in this process."""

    def stream(keys: list[Key]) -> Iterator[Sample]:
        if not keys:
            return
        blocks = list(dict.fromkeys((step // BLOCK, part) for step, part in keys))
        loader: Any = DataLoader(
            _Blocks(make, seed, batch), batch_size=None, sampler=blocks, num_workers=workers, collate_fn=_as_it_is,
            worker_init_fn=_begin_work if workers else None, multiprocessing_context="spawn" if workers else None,
        )  # fmt: skip
        batches = iter(loader)
        try:
            yield from _in_order(keys, zip(blocks, batches, strict=False))
        finally:
            _end_workers(batches)

    return stream


def _in_order(keys: list[Key], made: Iterator[tuple[Key, list[Sample]]]) -> Iterator[Sample]:
    """The batch of every key, out of blocks that come as the keys ask for them."""
    held: dict[Key, list[Sample]] = {}
    for step, part in keys:
        while (step // BLOCK, part) not in held:
            block, batches = next(made)
            held[block] = batches
        yield held[(step // BLOCK, part)][step % BLOCK]
        if step % BLOCK == BLOCK - 1:
            del held[(step // BLOCK, part)]


def _end_workers(batches: Any) -> None:
    """Send the worker processes away, whatever ended the stream.

    DataLoader does so itself only when its iterator is forgotten. The traceback of an error remembers it until the program
    ends, which then waits for ever for workers that answer no signal; there is no public way to close an iterator.
    """
    end = getattr(batches, "_shutdown_workers", None)  # none where the samples are made in this process
    if end is not None:
        end()


def _as_it_is(batches: list[Sample]) -> list[Sample]:
    return batches


def _begin_work(worker: int) -> None:
    """One thread a worker; a request to stop goes to the whole process group and is for the training to answer."""
    torch.set_num_threads(1)
    for number in {signal.SIGINT, signal.SIGTERM, *stop_signals()}:
        signal.signal(number, signal.SIG_IGN)
