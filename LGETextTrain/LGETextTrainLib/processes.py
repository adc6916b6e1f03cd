"""The processes of one training: alone, or several started by torchrun; what each does, and how they agree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
from LGETextDetectLib.batch import cores
from torch import Tensor, distributed

T = TypeVar("T")
PATIENCE = timedelta(hours=24)  # the others wait while the first reads studies and paints


@dataclass(frozen=True)
class Processes:
    """rank 0 writes files and speaks; ``count`` processes share the parts of every step."""

    rank: int = 0
    count: int = 1

    @property
    def speaks(self) -> bool:
        """Whether this process writes logs and checkpoints."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """This process's GPU, else the CPU."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())

    def own_parts(self, parts: int) -> list[int]:
        """Which of a step's parts are this process's."""
        return [part for part in range(parts) if part % self.count == self.rank]

    def workers(self, asked: int) -> int:
        """How many processes read and paint for this one: ``asked``; beside a GPU at least one a core of its share, less one.

        That work is done on CPUs, and one of them cannot keep a GPU busy. 0: it is done in this process, beside a GPU too.
        """
        if not asked or self.device.type != "cuda":
            return asked
        return max(asked, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")) - 1)

    def total(self, tensors: list[Tensor]) -> None:
        """Replace every tensor by its sum over all processes, in one message for each type."""
        if self.count == 1 or not tensors:
            return
        for kind in {t.dtype for t in tensors}:
            alike = [t for t in tensors if t.dtype == kind]
            flat = torch.cat([t.reshape(-1) for t in alike])
            distributed.all_reduce(flat)
            for tensor, part in zip(alike, flat.split([t.numel() for t in alike]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        if self.count == 1:
            return flag
        told = torch.tensor([float(flag)], device=self.device)
        distributed.all_reduce(told, distributed.ReduceOp.MAX)
        return bool(told.item() > 0)

    def from_first(self, value: T) -> T:
        """The first process's value in all of them; the others wait for it. It must be one that pickles."""
        if self.count == 1:
            return value
        holder: list[Any] = [value]
        distributed.broadcast_object_list(holder, 0, device=self.device)
        return cast(T, holder[0])

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            distributed.barrier()


ALONE = Processes()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """The processes that torchrun started, connected (NCCL on GPUs, Gloo on CPUs); alone without torchrun."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield ALONE
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    processes = Processes(distributed.get_rank(), distributed.get_world_size())
    if processes.device.type == "cuda":
        torch.cuda.set_device(processes.device)
    try:
        yield processes
    finally:
        distributed.destroy_process_group()
