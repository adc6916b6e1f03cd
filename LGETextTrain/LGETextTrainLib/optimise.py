"""The one training loop: steps made of parts, averaged weights, early stopping, checkpoints, exact resumption.

Whatever is random in a step follows from (seed, step, part) alone, so a run that was killed and goes on ends with the
same weights as one that was not, and processes may share the parts of a step: their gradients are summed before it.
"""

from __future__ import annotations

import copy
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from LGETextDetectLib.child_process import stop_signals
from LGETextDetectLib.events import Cancelled
from LGETextDetectLib.refusal import InputRefused
from torch import Tensor, nn

from .processes import ALONE, Processes
from .run_history import STOP_FILE

Log = Callable[[dict[str, object]], None]
Key = tuple[int, int]  # step, part
PartSource = Callable[[list[Key]], Iterator[Any]]
# Terms by name, the same names of every part: processes add them up.
PartLoss = Callable[[Any], tuple[Tensor, dict[str, float]]]
Validate = Callable[[nn.Module], dict[str, float]]  # 'score' among them, higher is better
LOG_EVERY = 50


@dataclass(frozen=True)
class Loop:
    """How one stage is optimised; ``validate_every`` 0: no early stopping."""

    stage: str
    steps: int
    peak: float
    seed: int
    accumulate: int = 1
    weight_decay: float = 1e-3
    clip: float = 5.0
    validate_every: int = 0
    patience: int = 0
    checkpoint_s: float = 120.0


class Average:
    """Exponential moving average of a network's weights; what is kept in the end."""

    def __init__(self, network: nn.Module) -> None:
        self.state = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        keep = min(0.998, (1 + step) / (10 + step))
        for key, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].mul_(keep).add_(value, alpha=1 - keep)
            else:
                self.state[key].copy_(value)


class StopRequest:
    """Whether someone asked the run to stop: SIGTERM, Ctrl-C, a lost terminal, or a file named 'stop' in the run folder."""

    def __init__(self, folder: Path) -> None:
        self.file, self.signalled = folder / STOP_FILE, False

    def __bool__(self) -> bool:
        return self.signalled or self.file.exists()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note signals instead of ending at once, so that a step is finished and a checkpoint written."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        numbers = {signal.SIGINT, signal.SIGTERM, *stop_signals()}
        before = [signal.signal(number, self._note) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        self.signalled = True


@dataclass
class _Progress:
    """What a checkpoint holds beside weights."""

    step: int = 0
    looks: int = 0
    best_score: float = -float("inf")
    best: dict[str, Tensor] | None = None
    done: bool = False


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over 150 steps (or a tenth), then half a cosine down to 2 %."""
    warm = min(150, max(steps // 10, 1))
    return float(peak * min(1.0, (step + 1) / warm) * (0.49 * (1 + np.cos(np.pi * min(step / steps, 1.0))) + 0.02))


def part_seed(seed: int, step: int, part: int) -> int:
    """The seed of everything random in one part of one step."""
    return int(np.random.SeedSequence((seed, step, part)).generate_state(1)[0])


def optimise(
    model: nn.Module, source: PartSource, loss_of: PartLoss, loop: Loop, checkpoint: Path, log: Log, *,
    validate: Validate | None = None, processes: Processes = ALONE,
) -> dict[str, Tensor]:  # fmt: skip
    """Train ``model`` or go on from its checkpoint; averaged weights, of the best look at the validation patients if any.

    The first look is at the weights that the training starts from.

    Raises Cancelled when asked to stop, after a checkpoint; InputRefused('bad-recipe') when there are more processes
    than parts, InputRefused('training-diverged') when loss or gradient is no finite number: the last checkpoint stays.
    """
    if processes.count > loop.accumulate:
        raise InputRefused(
            "bad-recipe", f"{processes.count} processes need 'accumulate' of {processes.count} at least."
        )
    optimiser = torch.optim.AdamW(model.parameters(), lr=loop.peak, weight_decay=loop.weight_decay)
    average, progress = Average(model), _Progress()
    if checkpoint.exists():
        progress = _resume(checkpoint, model, optimiser, average, processes.device)
    if progress.done:
        return progress.best or average.state
    stop, meter = StopRequest(checkpoint.parent), _Meter(loop.stage, progress.step, log if processes.speaks else None)
    own = processes.own_parts(loop.accumulate)
    parts = source([(step, part) for step in range(progress.step, loop.steps) for part in own])
    saved_at = time.monotonic()
    with stop.listening(), closing_all(parts):
        if validate and loop.validate_every and not progress.step:  # what was there before is the first to be beaten
            _look(model, average, validate, loop, progress, processes, meter)
        for step in range(progress.step, loop.steps):
            terms = _step(model, optimiser, parts, loss_of, loop, step, processes)
            average.update(model, step)
            progress.step = step + 1
            meter.add(progress.step, terms)
            if validate and loop.validate_every and (step + 1) % loop.validate_every == 0:
                _look(model, average, validate, loop, progress, processes, meter)
            progress.done = step + 1 == loop.steps or bool(loop.patience and progress.looks >= loop.patience)
            stopping = processes.any(bool(stop))
            if progress.done or stopping or processes.any(time.monotonic() - saved_at > loop.checkpoint_s):
                if processes.speaks:
                    _save(checkpoint, model, optimiser, average, progress)
                processes.wait()
                saved_at = time.monotonic()
            if progress.done:
                break
            if stopping:
                raise Cancelled
    return progress.best or average.state


@contextmanager
def closing_all(parts: Iterator[Any]) -> Iterator[None]:
    """Let go of a stream at the end, whatever ends it: its worker processes leave when it is closed, and only then."""
    try:
        yield
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _step(
    model: nn.Module, optimiser: torch.optim.Optimizer, parts: Iterator[Any], loss_of: PartLoss, loop: Loop, step: int,
    processes: Processes,
) -> dict[str, float]:  # fmt: skip
    """One optimiser step; every part starts from the step's own running statistics, whose mean is kept."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(step, loop.steps, loop.peak)
    model.train()
    optimiser.zero_grad(set_to_none=False)
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    buffers = [b for b in model.buffers() if b.dtype.is_floating_point]
    before, after = [b.clone() for b in buffers], [torch.zeros_like(b) for b in buffers]
    counters = [(b, b.clone()) for b in model.buffers() if not b.dtype.is_floating_point]
    terms: dict[str, float] = {}
    for part in processes.own_parts(loop.accumulate):
        data = next(parts)  # before the seed is set: fetching may draw from the same generator
        torch.manual_seed(part_seed(loop.seed, step, part))
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)
        loss, own = loss_of(data)
        (loss / loop.accumulate).backward()
        for total, buffer in zip(after, buffers, strict=True):
            total.add_(buffer, alpha=1 / loop.accumulate)
        for name, number in {"loss": float(loss.detach()), **own}.items():
            terms[name] = terms.get(name, 0.0) + number / loop.accumulate
    processes.total([p.grad for p in model.parameters() if p.grad is not None] + after)
    for buffer, value in zip(buffers, after, strict=True):
        buffer.copy_(value)
    for counter, value in counters:  # of parts seen by batch normalisation, in whatever process
        if not torch.equal(counter, value):
            counter.copy_(value + loop.accumulate)
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), loop.clip))
    shared = _shared_terms(terms, processes)
    if not (math.isfinite(shared["loss"]) and math.isfinite(norm)):
        raise InputRefused(
            "training-diverged",
            f"The loss of stage '{loop.stage}' or its gradient is no finite number at step {step + 1}.",
        )
    optimiser.step()
    return shared


def _shared_terms(terms: dict[str, float], processes: Processes) -> dict[str, float]:
    names = sorted(terms)
    values = torch.tensor([terms[name] for name in names], dtype=torch.float64).to(
        processes.device, torch.float32 if processes.device.type == "cuda" else torch.float64
    )
    processes.total([values])
    return dict(zip(names, values.tolist(), strict=True))


def _look(
    model: nn.Module, average: Average, validate: Validate, loop: Loop, progress: _Progress, processes: Processes,
    meter: _Meter,
) -> None:  # fmt: skip
    """Judge the averaged weights on the validation patients and remember the best."""
    figures: dict[str, float] = {}
    if processes.speaks:
        judged = copy.deepcopy(model)
        judged.load_state_dict(average.state)
        with torch.inference_mode():
            figures = validate(judged.eval())
    figures = processes.from_first(figures)
    progress.looks += 1
    if figures["score"] > progress.best_score:
        progress.best_score, progress.looks = figures["score"], 0
        progress.best = {key: value.clone() for key, value in average.state.items()}
    meter.look(progress.step, figures, progress.looks == 0)


class _Meter:
    """Log lines: mean terms every 50 steps, every look at the validation patients."""

    def __init__(self, stage: str, first: int, log: Log | None) -> None:
        self.stage, self.log, self.sums, self.count = stage, log, dict[str, float](), 0
        self.started = time.monotonic()

    def add(self, step: int, terms: Mapping[str, float]) -> None:
        self.count += 1
        for name, value in terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if step % LOG_EVERY == 0:
            means = {name: round(value / self.count, 4) for name, value in self.sums.items()}
            self._say({"step": step, "seconds": round(time.monotonic() - self.started, 1), **means})
            self.sums, self.count = {}, 0

    def look(self, step: int, figures: Mapping[str, float], best: bool) -> None:
        self._say({"step": step, "validation": {k: round(v, 4) for k, v in figures.items()}, "best": best})

    def _say(self, facts: dict[str, object]) -> None:
        if self.log is not None:
            self.log({"stage": self.stage, **facts})


def _save(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, average: Average, progress: _Progress
) -> None:
    """All or nothing: a run killed while it writes keeps its older checkpoint."""
    facts = {"step": progress.step, "looks": progress.looks, "best_score": progress.best_score, "done": progress.done}
    partial = path.with_suffix(".partial")
    torch.save(
        {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average.state, "best": progress.best or {},
         "facts": json.dumps(facts)},
        partial,
    )  # fmt: skip
    partial.replace(path)


def _resume(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, average: Average, device: torch.device
) -> _Progress:
    saved = torch.load(path, map_location=device, weights_only=True)
    facts = json.loads(saved["facts"])
    model.load_state_dict(saved["model"])
    if not facts["done"]:
        optimiser.load_state_dict(saved["optimiser"])
    average.state = saved["average"]
    return _Progress(facts["step"], facts["looks"], facts["best_score"], saved["best"] or None, facts["done"])


def is_finished(checkpoint: Path) -> bool:
    """Whether a checkpoint is there and its training has ended."""
    if not checkpoint.is_file():
        return False
    return bool(json.loads(torch.load(checkpoint, map_location="cpu", weights_only=True)["facts"])["done"])
