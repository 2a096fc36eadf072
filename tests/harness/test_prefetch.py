"""Work ahead: in order, bounded in number and bytes, errors in their place."""

from __future__ import annotations

import threading
import time

import pytest

from harness.prefetch import ahead


def test_order_is_kept() -> None:
    def make(i: int) -> int:
        time.sleep(0.002 * (i % 3))
        return i * i

    assert list(ahead(range(20), make, lambda _: 1)) == [i * i for i in range(20)]


def test_it_runs_ahead_of_the_reader_but_not_far() -> None:
    begun: list[int] = []
    results = ahead(range(100), lambda i: begun.append(i) or i, lambda _: 1, threads=2)
    assert next(results) == 0
    time.sleep(0.05)
    assert 1 < len(begun) <= 5


def test_heavy_results_leave_no_room_for_many() -> None:
    waiting = 0
    most = 0
    lock = threading.Lock()

    def make(i: int) -> bytes:
        nonlocal waiting, most
        with lock:
            waiting += 1
            most = max(most, waiting)
        return b""

    for i, _ in enumerate(ahead(range(30), make, lambda _: 600, threads=4, budget=1000)):
        with lock:
            waiting -= 1
        if i == 10:
            # Once the weight is known: one ready, and the next being made.
            most = waiting
    assert most <= 2


def test_an_error_arrives_in_its_place() -> None:
    results = ahead([2, 1, 0, 1], lambda i: 2 // i, lambda _: 1)
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        next(results)
