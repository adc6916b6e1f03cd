"""A file that is there whole or not at all, however many processes write it at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path of the same ending to write to; it takes ``path``'s place at the end, and is gone when the writing fails.

    Its name is its writer's alone: of several writers the last one counts, and none meets the half-written file of another.
    """
    partial = path.with_name(f".{path.stem}.part-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
