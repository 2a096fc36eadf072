r"""The lines of a journal: records that can be told from damage, each on its own.

The CRC-32 of a JSON text in eight hexadecimal digits, a tab, the text, a newline. The text is
``[key, stamp, record]`` in UTF-8; JSON escapes control characters, so that no tab or newline occurs
inside it and any piece of a damaged file can be tried on its own. ``stamp`` is the time in nanoseconds
and orders records of one key that lie in different journals.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness.plain import check_key, check_record, many_objects

Key = int | str
Record = dict[str, Any]

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it lies in a journal."""

    stamp: int
    key: Key
    record: Record


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal holds.

    damaged: lines that cannot be read; a torn last line is not counted. size: bytes of the file.
    """

    entries: list[Entry]
    damaged: int
    size: int


def order(key: Key) -> tuple[bool, Key]:
    """Sorts keys: ints by value, then strs."""
    return isinstance(key, str), key


def texts(key: Key, record: Record) -> tuple[str, str]:
    """Both as JSON, checked. Raises TypeError for anything but plain data (:mod:`harness.plain`)."""
    check_key(key)
    check_record(record)
    return _ENCODER.encode(key), _ENCODER.encode(record)


def line(key: str, stamp: int, record: str) -> bytes:
    """The line of a record; key and record as :func:`texts` gives them."""
    return _seal(f"[{key},{stamp},{record}]")


def parse(data: bytes) -> Contents:
    """The records of a journal's bytes, in their order. Damage costs the records it touches."""
    entries: list[Entry] = []
    damaged = 0
    *lines, tail = data.split(b"\n")
    with many_objects():
        for line in lines:
            entry = _decode(line)
            if entry is not None:
                entries.append(entry)
            elif line:
                damaged += 1
                entries.extend(_salvage(line))
        entries.extend(_salvage(tail))
    return Contents(entries, damaged, len(data))


def _seal(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"%08x\t%b\n" % (zlib.crc32(data), data)


def _decode(line: bytes) -> Entry | None:
    crc, tab, data = line[:8], line[8:9], line[9:]
    if tab != b"\t" or crc != b"%08x" % zlib.crc32(data):
        return None
    try:
        key, stamp, record = json.loads(data.decode("utf-8", "surrogatepass"))
        check_key(key)
        check_record(record)
    except (ValueError, TypeError, RecursionError):
        return None
    return Entry(stamp, key, record) if type(stamp) is int and 0 <= stamp < 2**63 else None


def _salvage(piece: bytes) -> Iterator[Entry]:
    """Whole records inside a damaged line: those whose newline was lost, or that came after it."""
    starts = [match.start() - 8 for match in re.finditer(rb"\t", piece) if match.start() >= 8]
    for start, after in pairwise([*starts, len(piece)]):
        # What stands in the place of the newline is the last byte.
        for end in (after, after - 1):
            entry = _decode(piece[start:end])
            if entry is not None:
                yield entry
                break
