"""Where the time of something went: the seconds in some functions, from all threads together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Spent:
    """Seconds in functions, by a name."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._lock = threading.Lock()

    def timed(self, name: str, function: Callable[P, T]) -> Callable[P, T]:
        """The same function, its seconds counted under ``name``."""

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            start = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                with self._lock:
                    self.seconds[name] += perf_counter() - start

        return call
