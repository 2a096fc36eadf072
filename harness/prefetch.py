"""Work done ahead of whoever waits for it, in threads, in order, within a bound of memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 2
BUDGET = 1 << 30
"""Bytes that may lie ready: the largest result so far times the number ahead stays below."""


def ahead(
    items: Iterable[Item],
    make: Callable[[Item], Result],
    weigh: Callable[[Result], int],
    threads: int = THREADS,
    budget: int = BUDGET,
) -> Iterator[Result]:
    """``map(make, items)``, up to ``2 * threads`` items ahead; at least one, whatever its weight.

    ``weigh`` gives the bytes of a result. What ``make`` raises is raised here, in its place.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="prefetch") as pool:
        under_way: deque[Future[Result]] = deque()
        heaviest = 1
        try:
            for item in items:
                under_way.append(pool.submit(make, item))
                while len(under_way) > max(1, min(2 * threads, budget // heaviest)):
                    result = under_way.popleft().result()
                    heaviest = max(heaviest, weigh(result))
                    yield result
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
