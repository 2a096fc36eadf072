"""Answers on their way to the disk, in a thread of its own: those that come together share one sync."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from harness.cache import Journal
from harness.lines import Key, Record


class Storing:
    """Writes to a journal in the order of ``put``. Safe to use from several threads.

    Each record is written as soon as those before it are. What writing raises is raised by every ``wait``
    from then on, and on leaving the context, which waits for all.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._lock = threading.Lock()
        self._items: list[tuple[Key, Record]] = []
        self._last: Future[None] = Future()
        self._last.set_result(None)
        self._error: BaseException | None = None

    def put(self, items: Iterable[tuple[Key, Record]]) -> None:
        """Have records stored; returns before they are."""
        with self._lock:
            self._items += items
            self._last = self._pool.submit(self._write)

    def wait(self) -> None:
        """Return when all that was put is on the disk."""
        self._last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if error is None:
            self.wait()

    def _write(self) -> None:
        with self._lock:
            items, self._items = self._items, []
        try:
            if self._error is not None:
                raise self._error
            if items:
                self._journal.extend(items)
        except BaseException as error:
            self._error = error
            raise
