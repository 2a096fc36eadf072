"""Where the threads that call one server wait for their turn: the pace of calls, with a clock and a lock.

Whoever waits, for room, for the end of a pause or to try again, waits here and nowhere else, so that
closing the gate ends all waiting at once.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from harness.errors import HarnessError
from harness.pacing import Ended, Pace, Turn


class ClosedError(HarnessError):
    """The run is ending: no further call may begin."""


class Gate:
    """Lets calls begin as the pace allows. ``ceiling``: never more than this many at once.

    clock: seconds that never go back. long: as for ``Pace``.
    """

    def __init__(
        self, ceiling: int, clock: Callable[[], float] = time.monotonic, long: float = math.inf
    ) -> None:
        self.pace = Pace(ceiling, long)
        self._clock = clock
        self._changed = threading.Condition()
        self._closed = False

    @property
    def limit(self) -> int:
        """Calls that may be under way now, at least 1."""
        with self._changed:
            return self.pace.limit(self._clock())

    def open(self) -> None:
        with self._changed:
            self._closed = False

    def close(self) -> None:
        """Let nobody in until ``open``; those that wait get ClosedError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def enter(self, delay: float = 0.0) -> Turn:
        """Wait for a turn, ``delay`` seconds at least. Raises ClosedError."""
        with self._changed:
            earliest = self._clock() + delay
            while not self._closed:
                now = self._clock()
                wait = max(earliest - now, self.pace.wait(now))
                if wait <= 0:
                    return self.pace.begin(now)
                self._wait(wait)
            raise ClosedError("the run is ending; run the same command again to go on")

    def leave(self, turn: Turn, ended: Ended | None, retry_after: float | None = None) -> None:
        """Give a turn back, saying how the call ended; None when it was not made."""
        with self._changed:
            self.pace.end(turn, ended, self._clock(), retry_after)
            self._changed.notify_all()

    def _wait(self, seconds: float) -> None:
        self._changed.wait(None if math.isinf(seconds) else seconds)
