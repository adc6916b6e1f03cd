"""Compressed data (gzip or zlib), inflated to their end in small pieces: only there stands the checksum that proves them whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from .refusal import InputRefused

GZIP = b"\x1f\x8b"
PIECE = 2**20  # bytes kept at a time
MOST_BESIDE = 2**28  # bytes inflated besides those of the image: nothing sound has so many
TOO_SHORT = "The file holds less image data than its header promises."
_GZIP_OR_ZLIB = 47  # window bits: whichever of both the first bytes are of


def inflate(file: BinaryIO, most: int, length: int | None = None) -> Iterator[bytes]:
    """The content of ``file`` from where it stands, in pieces; what follows the last part of a gzip file is ignored.

    length: of the compressed bytes, where they end before the file. Raises InputRefused: damaged-file, pixels-truncated
    when they end too early, absurd-size beyond ``most`` bytes.
    """
    left, total = length, 0

    def more() -> bytes:
        nonlocal left
        data = file.read(PIECE if left is None else min(PIECE, left))
        left = None if left is None else left - len(data)
        return data

    data = more()
    while True:
        stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        while not stream.eof:
            if not (data := data or more()):
                raise InputRefused("pixels-truncated", TOO_SHORT)
            try:
                piece = stream.decompress(data, PIECE)
            except zlib.error as error:
                raise InputRefused("damaged-file", "The file's compressed data are damaged.") from error
            data = stream.unconsumed_tail
            total += len(piece)
            if total > most:
                raise InputRefused("absurd-size", "A compressed file holds more than its header promises.")
            yield piece
        data = stream.unused_data
        if len(data) < len(GZIP):
            data += more()
        if not data.startswith(GZIP):  # a gzip file may have several parts
            return
