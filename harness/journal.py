"""Append-only files: every record is on the disk before its writer goes on, whatever happens next.

One line a record, with a checksum (:mod:`harness.lines`).

When what is on the disk: :meth:`Journal.append` returns after ``fdatasync``, so an answer that was
acknowledged outlives a kill and, on a disk that keeps its word, a power cut. Threads that append at
once share one sync, and :meth:`Journal.extend` makes one for all it is given. A new journal's name is
brought to the disk when it is made (a sync of its folder). A merge syncs the new ``.pkl``, renames it,
syncs the folder and only then removes journals. Where the file system lies about syncs (some network
mounts), a kill still loses nothing; a power cut may.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from harness.errors import CacheError
from harness.lines import Key, Record, line, parse, texts
from harness.locks import hold_free, let_go

_LAST = 2**62
"""Nanoseconds, in the year 2116: stamps from there on are a forger's and move nobody else's."""


class Journal:
    """The append-only file of one writer; a context manager. Made by :meth:`harness.cache.Cache.journal`.

    path: where to write; when a live process holds that file, a name beside it. A torn line that a
    killed writer left at its end is cut off. Stamps rise from ``after`` (nanoseconds) on, whatever
    the clock does. Raises CacheError when the folder cannot be written.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self._wanted, self._stamp = path, min(after, _LAST)
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
        self.extend([(key, record)])

    def extend(self, items: Iterable[tuple[Key, Record]]) -> None:
        """``append`` for many: all are on the disk when this returns, with one sync."""
        encoded = [texts(key, record) for key, record in items]
        try:
            with self._lock:
                if self._closed:
                    raise ValueError(f"{self._path.name} is closed")
                # In one piece: where the file was removed meanwhile, all of it goes into the next one.
                self._store(b"".join(line(key, self._next_stamp(), record) for key, record in encoded))
                self._written += len(encoded)
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
                let_go(self._file)

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

    def _next_stamp(self) -> int:
        self._stamp = max(time.time_ns(), self._stamp + 1)
        return self._stamp

    def _store(self, data: bytes) -> None:
        self._write(data)
        if os.fstat(self._file).st_nlink == 0:  # somebody removed the file
            let_go(self._file)
            self._open()
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._torn:
            self._mend()
        self._torn = True
        write(self._file, data)
        self._torn = False

    def _mend(self) -> None:
        """Make the file end with a newline: cut a torn line off, close one that can be read."""
        size = os.fstat(self._file).st_size
        data = os.pread(self._file, size, 0)
        end = data.rfind(b"\n") + 1
        if end < size:
            if parse(data[end:]).entries:
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
