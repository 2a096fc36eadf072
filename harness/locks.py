"""Locks that the kernel lets go of when their holder dies, and the rule of one run per cell.

``flock`` on a file that is removed by its holder: nothing is left over by a run that ends, and what
a killed run leaves is recognised as stale because nobody holds it any more. Where the file system has no
such locks, a mark beside the file says who holds it (:mod:`harness.marks`).
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from harness.errors import HarnessError
from harness.marks import is_marked, make_mark, mark_of

_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
GATE_SECONDS = 30.0
"""How long to wait for others that enter the same cell; each needs a few milliseconds."""


class Held(int):
    """A descriptor of a locked file; ``mark`` is what stands for the lock where there are none."""

    mark: Path | None = None


def hold(path: Path, create: bool = True) -> Held | None:
    """A descriptor (read, append) of ``path``, locked for this process; None while another holds it.

    The lock ends with ``let_go``, or when its process dies. A holder may unlink the file.
    Raises OSError; FileNotFoundError when there is no file and ``create`` is false.
    """
    flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT if create else 0)
    while True:
        descriptor = Held(os.open(path, flags, 0o666))
        try:
            held = _lock(descriptor)
            if held is None:
                descriptor.mark = make_mark(path)
                held = descriptor.mark is not None
            if held and _names(path, descriptor):
                return descriptor
        except BaseException:
            let_go(descriptor)
            raise
        let_go(descriptor)
        if not held:
            return None
        # Its last holder removed or replaced the file between our open and our lock: look again.


def hold_free(path: Path) -> tuple[Held, Path]:
    """``hold`` of ``path`` or, while others hold that, of the first free of ``NAME~1``, ``NAME~2``, ..."""
    free, number = path, 0
    while (descriptor := hold(free)) is None:
        number += 1
        free = path.with_name(f"{path.stem}~{number}{path.suffix}")
    return descriptor, free


def let_go(descriptor: int) -> None:
    """End a hold."""
    if isinstance(descriptor, Held) and descriptor.mark is not None:
        descriptor.mark.unlink(missing_ok=True)
    os.close(descriptor)


def release(descriptor: int, path: Path) -> None:
    """End a hold and remove its file, unless ``path`` names another one by now."""
    with suppress(OSError):
        if _names(path, descriptor):
            path.unlink()
    let_go(descriptor)


class CellLock:
    """Held by every rank of a run for as long as it works on a cell; keeps other runs out.

    path: the cell's cache. token: what the ranks of one run have in common (letters, digits, ``_``,
    ``-``). Entering raises HarnessError when a run with another token is at work; stale files of
    dead runs are removed. Ranks of one run never wait for one another.
    """

    def __init__(self, path: Path, token: str, rank: int) -> None:
        if not re.fullmatch(r"[\w-]+", token, re.ASCII):
            raise ValueError(f"a token is made of letters, digits, _ and -, not {token!r}")
        self._path, self._token, self._rank = path, token, rank
        self._held: tuple[Held, Path] | None = None

    def __enter__(self) -> CellLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _gate(self._path):
                for other in self._others():
                    _remove_stale(other, self._path)
                name = f"{self._path.stem}.{self._token}.{self._rank}.lock"
                self._held = hold_free(self._path.with_name(name))
                since = time.strftime("%Y-%m-%d %H:%M:%S")
                holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
                os.ftruncate(self._held[0], 0)
                os.write(self._held[0], json.dumps(holder).encode())
        except OSError as error:
            self._release()
            raise HarnessError(
                f"cannot lock {self._path}: {error.strerror or error}; mend that or use another --work_dir"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        if self._held is not None:
            release(*self._held)
            self._held = None

    def _others(self) -> list[Path]:
        return sorted(path for path, token in _locks(self._path) if token != self._token)


def holder(path: Path) -> str | None:
    """Who works on the cell of this cache: process, host and since when; None when nobody does.

    Writes nothing and needs no permission to write. Raises OSError when the folder cannot be read.
    """
    for lock, _ in _locks(path):
        if is_held(lock):
            return _holder(lock).strip(" ()") or "another run"
    return None


def is_held(path: Path) -> bool:
    """Whether a live process holds a file; one that is not there is held by nobody."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except PermissionError:
        return False
    except OSError as error:
        return error.errno in _HELD or is_marked(path)
    return False


def _locks(cell: Path) -> list[tuple[Path, str]]:
    """The lock files of a cell, with the tokens of the runs that made them."""
    pattern = re.compile(rf"{re.escape(cell.stem)}\.([\w-]+)\.\d+(~\d+)?\.lock", re.ASCII)
    found = ((path, pattern.fullmatch(path.name)) for path in cell.parent.iterdir())
    return [(path, match[1]) for path, match in found if match]


def _lock(descriptor: int) -> bool | None:
    """Whether the file is locked now; None where there are no locks."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True


def _names(path: Path, descriptor: int) -> bool:
    """Whether ``path`` is still the name of the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def _gate(path: Path) -> Iterator[None]:
    """Lets the processes that enter a cell look around one after another."""
    gate = path.with_name(f"{path.stem}.gate")
    deadline = time.monotonic() + GATE_SECONDS
    while (descriptor := hold(gate)) is None:
        if time.monotonic() > deadline:
            raise HarnessError(
                f"another process has been entering {path.name} for {GATE_SECONDS:g} s: "
                f"end it if it hangs, or use another --work_dir{_remedy(gate)}"
            )
        time.sleep(0.01)
    try:
        yield
    finally:
        release(descriptor, gate)


def _remove_stale(lock: Path, cell: Path) -> None:
    try:
        descriptor = hold(lock, create=False)
        if descriptor is None:
            time.sleep(0.05)  # who only looks, as ``is_held`` does, is gone by then
            descriptor = hold(lock, create=False)
    except FileNotFoundError:
        return
    if descriptor is None:
        raise HarnessError(
            f"another run{_holder(lock)} is working on {cell.name}: "
            f"wait for it, end it, or use another --work_dir{_remedy(lock)}"
        )
    release(descriptor, lock)


def _remedy(path: Path) -> str:
    """What else helps where a process of another machine may have left its mark."""
    mark = mark_of(path)
    return f"; if that process has ended, remove {mark}" if mark.exists() else ""


def _holder(lock: Path) -> str:
    try:
        holder = json.loads(lock.read_text())
        return f" (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (OSError, ValueError, LookupError, TypeError):
        return ""
