"""The gate: threads wait for room, for pauses and for retries, and for nothing once it is closed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.gate import ClosedError, Gate
from harness.pacing import START, Ended


def test_no_more_are_inside_than_the_pace_allows() -> None:
    gate, lock = Gate(6), threading.Lock()
    inside = most = 0

    def call(_: int) -> None:
        nonlocal inside, most
        turn = gate.enter()
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.001)
        with lock:
            inside -= 1
        gate.leave(turn, Ended.ACCEPTED)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, range(300)))
    assert START <= most <= 6 and gate.limit == 6


def test_whoever_waits_enters_as_soon_as_one_leaves() -> None:
    gate = Gate(1)
    turn = gate.enter()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gate.enter)
        time.sleep(0.02)
        assert not waiting.done()
        gate.leave(turn, None)
        gate.leave(waiting.result(60), None)


@pytest.mark.parametrize("cause", ["room", "pause", "retry"])
def test_closing_ends_all_waiting(cause: str) -> None:
    gate = Gate(1)
    turn = gate.enter()
    if cause == "pause":
        gate.leave(turn, Ended.REFUSED, retry_after=1000.0)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(gate.enter, 1000.0 if cause == "retry" else 0.0) for _ in range(3)]
        time.sleep(0.02)
        assert not any(future.done() for future in waiting)
        gate.close()
        for future in waiting:
            with pytest.raises(ClosedError):
                future.result(60)


def test_a_closed_gate_can_be_opened_again() -> None:
    gate = Gate(2)
    gate.close()
    with pytest.raises(ClosedError, match="run the same command again"):
        gate.enter()
    gate.open()
    gate.leave(gate.enter(), Ended.ACCEPTED)


def test_a_delay_is_waited_for() -> None:
    now, waits = 0.0, []

    class Clocked(Gate):
        def _wait(self, seconds: float) -> None:
            nonlocal now
            waits.append(seconds)
            now += seconds

    gate = Clocked(2, clock=lambda: now)
    gate.enter(3.0)
    assert waits == [3.0]
