"""A GPU whose memory runs out: a matter of the recipe, said as such."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from LGETextDetectLib.refusal import InputRefused


@contextmanager
def refused_when_full() -> Iterator[None]:
    """Raise InputRefused('gpu-memory') where the GPU's memory runs out; the last checkpoint stays."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise InputRefused("gpu-memory", "The GPU's memory is not enough for a pass of this training.") from error
