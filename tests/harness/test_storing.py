"""Storing: in order, several records with one sync, and no failure forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from harness.errors import CacheError
from harness.storing import Storing


class Disk:
    """A journal that takes records when it is let; full once ``room`` records are stored."""

    def __init__(self, room: int = 1000) -> None:
        self.calls: list[list[Any]] = []
        self.room = room
        self.free = threading.Event()
        self.begun = threading.Event()

    def extend(self, items: Iterable[tuple[Any, Any]]) -> None:
        self.begun.set()
        assert self.free.wait(60)
        keys = [key for key, _ in items]
        if sum(map(len, self.calls)) + len(keys) > self.room:
            raise CacheError("the disk is full")
        self.calls.append(keys)


def records(*keys: int) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((key, {}) for key in keys)


def storing(disk: Disk) -> Storing:
    return Storing(disk)  # type: ignore[arg-type]


def test_records_that_come_during_a_sync_share_the_next() -> None:
    disk = Disk()
    with storing(disk) as store:
        store.wait()  # nothing to wait for
        store.put(records(0, 1))
        assert disk.begun.wait(60)
        for key in range(2, 10):
            store.put(records(key))
        disk.free.set()
        store.wait()
        assert disk.calls == [[0, 1], list(range(2, 10))]


def test_leaving_waits_for_all() -> None:
    disk = Disk()
    with pytest.raises(KeyboardInterrupt), storing(disk) as store:
        store.put(records(1))
        store.put(records(2))
        threading.Timer(0.05, disk.free.set).start()
        raise KeyboardInterrupt
    assert [key for call in disk.calls for key in call] == [1, 2]


def test_a_failure_is_told_from_then_on() -> None:
    disk = Disk(room=2)
    disk.free.set()
    with pytest.raises(CacheError, match="full"), storing(disk) as store:
        store.put(records(1, 2))
        store.wait()
        store.put(records(3))
        for _ in range(2):
            with pytest.raises(CacheError, match="full"):
                store.wait()
        store.put(records())
        with pytest.raises(CacheError, match="full"):
            store.wait()
    assert disk.calls == [[1, 2]]


def test_a_failure_is_told_at_the_end_at_the_latest() -> None:
    disk = Disk(room=0)
    disk.free.set()
    with pytest.raises(CacheError, match="full"), storing(disk) as store:
        store.put(records(1))
