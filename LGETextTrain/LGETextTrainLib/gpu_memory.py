"""A GPU whose memory runs out: a matter of the recipe, said as such."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from LGETextDetectLib.backends import is_memory_shortage
from LGETextDetectLib.refusal import InputRefused


@contextmanager
def refused_when_full() -> Iterator[None]:
    """Raise InputRefused('gpu-memory') where the GPU's memory runs out; the last checkpoint stays."""
    try:
        yield
    except RuntimeError as error:
        if not is_memory_shortage(error):
            raise
        raise InputRefused("gpu-memory", "The GPU's memory is not enough for a pass of this training.") from error
