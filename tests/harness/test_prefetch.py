"""Work ahead: going on while the taker is busy, bounded in bytes, losing nothing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from harness.prefetch import Lack, Loan, Prefetch

DEADLINE = 60.0
"""Seconds after which a test that waits gives up; none takes a hundredth."""


@dataclass
class Box:
    """A result of some bytes."""

    number: int
    loan: Loan


@dataclass
class Maker:
    """Makes boxes; knows how many bytes are alive and how many there ever were at once."""

    sizes: Callable[[int], int] = lambda _: 1
    parts: int = 1
    begun: list[int] = field(default_factory=list)
    alive: int = 0
    most: int = 0
    gate: threading.Event | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, number: int) -> Box:
        with self.lock:
            self.begun.append(number)
            self.alive += self.sizes(number)
            self.most = max(self.most, self.alive)
        if self.gate is not None:
            assert self.gate.wait(DEADLINE)
        return Box(number, self.foresee(number))

    def foresee(self, number: int) -> Loan:
        return Loan(self.sizes(number), self.parts)

    def drop(self, box: Box) -> None:
        with self.lock:
            self.alive -= box.loan.nbytes


def prefetch(maker: Maker, items: Iterable[int], held: int = 100, **settings: object) -> Prefetch[int, Box]:
    return Prefetch(items, maker, maker.foresee, lambda: held, **settings)  # type: ignore[arg-type]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def results(ahead: Prefetch[int, Box]) -> Iterator[Box]:
    """Those that come without anything being given back."""
    return (box for box in ahead if isinstance(box, Box))


def stays(true: Callable[[], bool]) -> bool:
    """Whether it is still true after the threads had time to make it false."""
    time.sleep(0.05)
    return true()


def test_one_thread_keeps_the_order() -> None:
    maker = Maker()
    with prefetch(maker, range(20), threads=1) as ahead:
        assert [box.number for box in results(ahead)] == list(range(20))


def test_one_that_takes_long_holds_up_nobody() -> None:
    gate = threading.Event()
    maker = Maker()

    def make(number: int) -> Box:
        assert number != 3 or gate.wait(DEADLINE)
        return maker(number)

    with Prefetch(range(20), make, maker.foresee, lambda: 100, threads=2) as ahead:
        boxes = results(ahead)
        numbers = [next(boxes).number for _ in range(19)]
        assert numbers == [number for number in range(20) if number != 3]
        gate.set()
        assert next(boxes).number == 3


def test_it_begins_before_anything_is_taken_and_goes_on_while_the_taker_is_busy() -> None:
    maker = Maker()
    with prefetch(maker, range(100), held=6, threads=2) as ahead:
        wait_until(lambda: len(maker.begun) == 6)
        boxes = results(ahead)
        first, second = next(boxes), next(boxes)
        assert stays(lambda: len(maker.begun) == 6)
        # Two are given back in the middle of whatever the taker does: two more are made.
        ahead.give_back(first.loan)
        ahead.give_back(second.loan)
        wait_until(lambda: len(maker.begun) == 8)
        assert stays(lambda: len(maker.begun) == 8)


def test_items_are_not_taken_before_there_is_room() -> None:
    maker, taken = Maker(), []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with prefetch(maker, items(), held=3, threads=4):
        wait_until(lambda: len(maker.begun) == 3)
        assert stays(lambda: len(taken) == 3)


def test_a_result_is_held_until_its_last_part_is_given_back() -> None:
    maker = Maker(lambda _: 10, parts=3)
    with prefetch(maker, range(9), budget=40, threads=1) as ahead:
        box = next(results(ahead))
        wait_until(lambda: len(maker.begun) == 4)
        for _ in range(2):
            ahead.give_back(box.loan)
            assert stays(lambda: len(maker.begun) == 4)
        ahead.give_back(box.loan)
        wait_until(lambda: len(maker.begun) == 5)


def sizes(kind: str) -> Callable[[int], int]:
    draw = random.Random(kind)
    return {
        "small first, huge later": lambda number: 10 if number < 60 else 900,
        "huge first, small later": lambda number: 900 if number < 20 else 10,
        "in turns": lambda number: (10, 400, 30, 999)[number % 4],
        "any": {number: draw.randint(1, 1000) for number in range(100)}.__getitem__,
    }[kind]


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("kind", ["small first, huge later", "huge first, small later", "in turns", "any"])
def test_the_bytes_alive_stay_within_the_bound_whatever_the_sizes(kind: str, threads: int) -> None:
    maker = Maker(sizes(kind))
    batch: list[Box] = []
    largest_batch = 0

    def answer(ahead: Prefetch[int, Box]) -> None:
        time.sleep(0.0005)
        while batch:
            box = batch.pop()
            maker.drop(box)
            ahead.give_back(box.loan)

    with prefetch(maker, range(100), budget=1000, threads=threads) as ahead:
        numbers = []
        for box in ahead:
            if isinstance(box, Box):
                batch.append(box)
                numbers.append(box.number)
                largest_batch = max(largest_batch, len(batch))
            if box is Lack.ROOM or len(batch) == 8:
                answer(ahead)
        answer(ahead)
    assert sorted(numbers) == list(range(100))
    assert maker.most <= 1000
    assert maker.alive == 0
    assert largest_batch == 8 or "small" not in kind


def test_half_of_the_bound_fills_while_the_taker_holds_the_other() -> None:
    maker = Maker(lambda _: 10)
    with prefetch(maker, count(), budget=100, threads=1) as ahead:
        boxes = iter(ahead)
        lent = []
        while (box := next(boxes)) is not Lack.ROOM:
            lent += [box] if isinstance(box, Box) else []
        assert len(lent) == 5
        wait_until(lambda: len(maker.begun) == 10)


@pytest.mark.parametrize("patient", [False, True])
def test_what_is_larger_than_the_bound_goes_alone(patient: bool) -> None:
    maker = Maker(lambda number: 5000 if number % 3 == 1 else 400)
    with prefetch(maker, range(12), budget=1000, threads=3, patient=patient) as ahead:
        helpers = []
        lent: list[Box] = []
        for box in ahead:
            if isinstance(box, Lack):
                assert not patient
                for one in lent if box is Lack.ROOM else ():
                    maker.drop(one)
                    ahead.give_back(one.loan)
                lent = lent if box is Lack.READY else []
            elif patient:
                # Answered by somebody else, while the taker waits for the next.
                helper = threading.Timer(0.005, lambda box=box: (maker.drop(box), ahead.give_back(box.loan)))
                helper.start()
                helpers.append(helper)
            else:
                lent.append(box)
        for helper in helpers:
            helper.join()
    assert sorted(maker.begun) == list(range(12))
    assert maker.most == 5000


def test_sizes_that_were_foreseen_wrongly_are_put_right() -> None:
    maker = Maker(lambda _: 300)
    with Prefetch(range(50), maker, lambda _: Loan(1, 1), lambda: 100, budget=1000, threads=2) as ahead:
        # At most what two threads had begun before they knew.
        wait_until(lambda: len(maker.begun) >= 4)
        assert stays(lambda: len(maker.begun) <= 5)
        for box in ahead:
            if isinstance(box, Box):
                ahead.give_back(box.loan)
    assert len(maker.begun) == 50


@pytest.mark.parametrize("where", ["make", "foresee", "items"])
def test_an_error_reaches_the_taker(where: str) -> None:
    def fails(at: str, number: int) -> None:
        if at == where and number == 2:
            raise ZeroDivisionError(at)

    def items() -> Iterator[int]:
        for number in range(10):
            fails("items", number)
            yield number

    def foresee(number: int) -> Loan:
        fails("foresee", number)
        return Loan(1, 1)

    def make(number: int) -> Box:
        fails("make", number)
        return Box(number, Loan(1, 1))

    with Prefetch(items(), make, foresee, lambda: 10, threads=1) as ahead:
        boxes = results(ahead)
        assert [next(boxes).number, next(boxes).number] == [0, 1]
        with pytest.raises(ZeroDivisionError, match=where):
            next(boxes)


def test_leaving_begins_nothing_more_and_waits_for_what_is_begun() -> None:
    maker = Maker(gate=threading.Event())
    with pytest.raises(KeyboardInterrupt), prefetch(maker, count(), held=50, threads=2):
        wait_until(lambda: len(maker.begun) == 2)
        threading.Timer(0.05, maker.gate.set).start()  # type: ignore[union-attr]
        raise KeyboardInterrupt
    assert len(maker.begun) == 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_nothing_to_do() -> None:
    with prefetch(Maker(), ()) as ahead:
        assert list(results(ahead)) == []


def test_the_taker_is_told_once_that_it_has_to_wait() -> None:
    gates = [threading.Event() for _ in range(3)]

    def make(number: int) -> Box:
        assert gates[number].wait(DEADLINE)
        return Box(number, Loan(1, 1))

    with Prefetch(range(3), make, lambda _: Loan(1, 1), lambda: 9, threads=1) as ahead:
        boxes = iter(ahead)
        assert next(boxes) is Lack.READY
        threading.Timer(0.05, gates[0].set).start()
        first = next(boxes)
        assert isinstance(first, Box) and first.number == 0
        # Again after each result, and after each return.
        assert next(boxes) is Lack.READY
        ahead.give_back(first.loan)
        assert next(boxes) is Lack.READY
        threading.Timer(0.05, gates[1].set).start()
        second = next(boxes)
        assert isinstance(second, Box) and second.number == 1
        gates[2].set()
