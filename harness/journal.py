r"""Append-only files: every record is on the disk before its writer goes on, whatever happens next.

One line a record: the CRC-32 of a JSON text in eight hexadecimal digits, a tab, the text, a newline.
The text is ``[key, stamp, record]`` in UTF-8; JSON escapes control characters, so that no tab or
newline occurs inside it and any piece of a damaged file can be tried on its own. ``stamp`` is the
time in nanoseconds and orders records of one key that lie in different journals.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from harness.errors import CacheError
from harness.locks import hold_free
from harness.plain import check_key, check_record

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


def parse(data: bytes) -> Contents:
    """The records of a journal's bytes, in their order. Damage costs the records it touches."""
    entries: list[Entry] = []
    damaged = 0
    *lines, tail = data.split(b"\n")
    for line in lines:
        entry = _decode(line)
        if entry is not None:
            entries.append(entry)
        elif line:
            damaged += 1
            entries.extend(_salvage(line))
    entries.extend(_salvage(tail))
    return Contents(entries, damaged, len(data))


class Journal:
    """The append-only file of one writer; a context manager. Made by :meth:`harness.cache.Cache.journal`.

    path: where to write; when a live process holds that file, a name beside it. A torn line that a
    killed writer left at its end is cut off. Stamps rise from ``after`` (nanoseconds) on, whatever
    the clock does. Raises CacheError when the folder cannot be written.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self._wanted, self._stamp = path, after
        self._lock, self._sync = threading.Lock(), threading.Lock()
        self._closed = False
        self._written = self._synced = 0
        try:
            self._open()
        except OSError as error:
            cannot_write(path, error)

    @property
    def path(self) -> Path:
        """The file that is written."""
        return self._path

    def append(self, key: Key, record: Record) -> None:
        """Store a record; it is on the disk when this returns. Safe to call from several threads.

        Raises TypeError for anything but plain data (:mod:`harness.plain`), ValueError after close,
        CacheError when it cannot be written: the journal stays usable, a torn line does no harm.
        """
        check_key(key)
        check_record(record)
        texts = _ENCODER.encode(key), _ENCODER.encode(record)
        try:
            with self._lock:
                if self._closed:
                    raise ValueError(f"{self._path.name} is closed")
                self._stamp = max(time.time_ns(), self._stamp + 1)
                line = _line(f"[{texts[0]},{self._stamp},{texts[1]}]")
                self._write(line)
                if os.fstat(self._file).st_nlink == 0:  # somebody removed the file
                    os.close(self._file)
                    self._open()
                    self._write(line)
                self._written += 1
                mine = self._written
            self._flush(mine)
        except OSError as error:
            cannot_write(self._path, error)

    def close(self) -> None:
        """Let go of the file; one without records is removed."""
        with self._sync, self._lock:
            if not self._closed:
                self._closed = True
                if os.fstat(self._file).st_size == 0:
                    self._path.unlink(missing_ok=True)
                os.close(self._file)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        self._wanted.parent.mkdir(parents=True, exist_ok=True)
        self._file, self._path = hold_free(self._wanted)
        self._torn = True
        self._mend()
        sync_folder(self._path.parent)

    def _write(self, line: bytes) -> None:
        if self._torn:
            self._mend()
        self._torn = True
        write(self._file, line)
        self._torn = False

    def _mend(self) -> None:
        """Make the file end with a newline: cut a torn line off, close one that can be read."""
        size = os.fstat(self._file).st_size
        data = os.pread(self._file, size, 0)
        end = data.rfind(b"\n") + 1
        if end < size:
            if any(_salvage(data[end:])):
                os.write(self._file, b"\n")
            else:
                os.ftruncate(self._file, end)
        self._torn = False

    def _flush(self, mine: int) -> None:
        """Wait until the first ``mine`` records are on the disk; threads share one flush."""
        with self._sync:
            if self._synced < mine:
                written = self._written
                flush(self._file)
                self._synced = written


def write(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; the system may take it in pieces. Raises OSError, with a part written."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def flush(descriptor: int) -> None:
    """Bring a file's content to the disk."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return  # not every file system lets a folder be synced
    finally:
        os.close(descriptor)


def cannot_write(path: Path, error: OSError) -> NoReturn:
    """Raise CacheError for what the system said."""
    raise CacheError(
        f"cannot write {path}: {error.strerror or error}; make room or use another --work_dir, "
        "then run the same command again: what is stored is kept"
    ) from error


def _line(text: str) -> bytes:
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
    return Entry(stamp, key, record) if type(stamp) is int else None


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
