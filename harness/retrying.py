"""Which failed calls are made again, how often and after how long: for one question, and for a whole run."""

from __future__ import annotations

import random
import threading

from harness.pacing import Ended

FIRST_DELAY, LONGEST_DELAY = 0.5, 60.0
"""Seconds before the first further try after a failure; doubled each time."""
SAME = 3
"""The same failure so many times, while others are answered, is the question's own."""
REFUSALS = 3
"""Refusals (HTTP 429) that count as one failed try: they say nothing about the question."""
IN_HAND = 100
"""Further tries that a run has in hand; each takes one away, and each answer gives one back."""


class Tries:
    """The tries of one question. ``retries``: how many may follow the first."""

    def __init__(self, retries: int) -> None:
        self._left = float(retries)
        self._none = retries == 0
        self._failures = 0
        self._said: list[tuple[str, int]] = []

    def again(self, ended: Ended, said: str, accepted: int) -> float | None:
        """Seconds to wait before the next try, None when there shall be none.

        said: what went wrong this time. accepted: calls that the server has accepted in all so far.
        """
        self._left -= 1 / REFUSALS if ended is Ended.REFUSED else 1
        if self._none or self._left < -1e-6:
            return None
        if ended is Ended.REFUSED:
            return 0.0  # the pause is the same for all calls, and kept by their pace
        if self._is_its_own(said, accepted):
            return None
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0**self._failures)
        self._failures += 1
        return delay * random.uniform(0.75, 1.0)

    def _is_its_own(self, said: str, accepted: int) -> bool:
        last = self._said[-1] if self._said else None
        if last is not None and last[0] != said:
            self._said.clear()
        elif last is not None and last[1] == accepted:
            return False
        self._said.append((said, accepted))
        return len(self._said) >= SAME


class RetryBudget:
    """Further tries that all questions to one server share."""

    def __init__(self, in_hand: int = IN_HAND) -> None:
        self._most = self._left = in_hand
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one away; False when there is none left."""
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def give_back(self) -> None:
        with self._lock:
            self._left = min(self._most, max(0, self._left) + 1)
