"""Ranks as threads or generators of one process, around a store like torch's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from harness.work import Together


class Store:
    """What torch.distributed.Store does, as far as it is used here."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: dict[str, str] = {}
        self.counters: dict[str, int] = {}

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        with self.lock:
            if self.values.get(key, "") == expected:
                self.values[key] = desired
            return self.values.get(key, expected).encode()

    def add(self, key: str, amount: int) -> int:
        with self.lock:
            self.counters[key] = self.counters.get(key, 0) + amount
            return self.counters[key]


def world(size: int, store: Store | None = None, local_size: int | None = None) -> list[Together]:
    """All ranks of a run, ``local_size`` on each machine."""
    store, local_size = store or Store(), local_size or size
    return [Together(store, rank, size, rank % local_size, local_size) for rank in range(size)]


def each(ranks: Sequence[Any], work: Callable[[Any], Any]) -> list[Any]:
    """Run ``work`` on all ranks at the same time."""
    results: list[Any] = [None] * len(ranks)

    def run(place: int) -> None:
        results[place] = work(ranks[place])

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(ranks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
