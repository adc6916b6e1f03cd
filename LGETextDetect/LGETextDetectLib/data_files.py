"""Headers of NRRD and MetaImage files: in which file the image data lie, from where on, and whether they are compressed."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER_BYTES = 2**20  # more than any header has
DETACHED = (".nhdr", ".mhd")  # names of headers whose data usually lie in another file
_GZIP = (b"gzip", b"gz")


@dataclass(frozen=True)
class DataPlace:
    """files: with the data, the header's own where they follow it; none where only a pattern of names is given.

    first: byte of the data; length: of the compressed data in bytes, None where they go on to the file's end.
    """

    files: tuple[Path, ...]
    first: int = 0
    length: int | None = None
    compressed: bool = False


def data_place(header: Path) -> DataPlace:
    """Where the data of an NRRD or MetaImage file lie; raises OSError when it cannot be opened.

    Sources: teem.sourceforge.net/nrrd/format.html; itk.org/Wiki/MetaIO/Documentation.
    """
    with header.open("rb") as file:
        start = file.read(HEADER_BYTES)
    return _of_nrrd(header, start) if start.startswith(b"NRRD") else _of_meta_image(header, start)


def _of_nrrd(header: Path, start: bytes) -> DataPlace:
    name, first, compressed = b"", 0, False
    listed: list[bytes] = []
    for line, end in _lines(start):
        first = end
        if name.startswith(b"LIST"):
            listed.append(line)
            continue
        if not line:
            break
        field, _, value = (part.strip() for part in line.partition(b":"))
        field = field.lower().replace(b" ", b"")
        if field == b"encoding":
            compressed = value.lower() in _GZIP
        elif field == b"datafile":
            name = value
    return DataPlace(_files(header, name, listed), 0 if name else first, None, compressed)


def _of_meta_image(header: Path, start: bytes) -> DataPlace:
    fields: dict[bytes, bytes] = {}
    listed: list[bytes] = []
    first = 0
    for line, end in _lines(start):
        if fields.get(b"ElementDataFile", b"LIST").upper() == b"LOCAL":
            break
        if b"ElementDataFile" in fields:
            listed.append(line)
        elif match := re.fullmatch(rb"(\w+)\s*[=:]\s*(.*)", line):
            fields[match[1]], first = match[2], end
    name = fields.get(b"ElementDataFile", b"")
    name = b"" if name.upper() == b"LOCAL" else name
    first = max(_number(fields, b"HeaderSize"), 0) or (0 if name else first)
    compressed = fields.get(b"CompressedData", b"")[:1] in (b"T", b"t", b"1")  # as MetaIO reads it
    length = _number(fields, b"CompressedDataSize") or None
    return DataPlace(_files(header, name, listed), first, length, compressed)


def _number(fields: dict[bytes, bytes], name: bytes) -> int:
    value = fields.get(name, b"0")
    return int(value) if re.fullmatch(rb"[+-]?\d+", value) else 0


def _lines(start: bytes) -> Iterator[tuple[bytes, int]]:
    """Lines of a header, each with the place of its end."""
    end = 0
    for line in io.BytesIO(start):
        end += len(line)
        yield line.strip(), end


def _files(header: Path, name: bytes, listed: list[bytes]) -> tuple[Path, ...]:
    """Files with the data; name: of the one, or what stands for several, or empty when they follow the header."""
    if not name:
        return (header,)
    names = [line for line in listed if line] if name.startswith(b"LIST") else [] if b"%" in name else [name]
    return tuple(header.parent / os.fsdecode(one) for one in names)
