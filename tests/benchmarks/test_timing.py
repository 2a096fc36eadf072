from threading import Lock, Timer
from time import perf_counter

from benchmarks.timing import interleaved, undisturbed


def test_ways_take_turns_until_they_have_used_up_their_time():
    now = [0.0]
    turns = []

    def taking(name, *seconds):
        left = list(seconds)

        def way():
            turns.append(name)
            now[0] += left.pop(0)

        return way

    ways = {"quick": taking("quick", 1, 9, 2), "slow": taking("slow", 4, 7)}
    assert interleaved(ways, rounds=3, budget=10.5, clock=lambda: now[0]) == {"quick": 2000, "slow": 5500}
    assert turns == ["quick", "slow", "quick", "slow", "quick"]


def test_waiting_for_a_lock_counts_and_waiting_for_a_core_does_not():
    lock = Lock()
    lock.acquire()
    Timer(0.2, lock.release).start()
    start, clock = undisturbed(), perf_counter()
    lock.acquire()
    assert 0.15 < undisturbed() - start <= perf_counter() - clock
