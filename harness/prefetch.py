"""Work done ahead of whoever takes it, in threads, within a bound of bytes.

The bytes of a result count from before it is made until the taker has given back all its parts. The taker
gets no more than half of the bound, so that the other half is being filled while it works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

THREADS = 2
BUDGET = 1 << 30
"""Bytes of all results that are being made, lie ready, or are with the taker."""


@dataclass(slots=True)
class Loan:
    """What a result takes up: its bytes until the last of its parts, at least one, is given back."""

    nbytes: int
    parts: int


class Lent(Protocol):
    """What every result has."""

    loan: Loan


Item = TypeVar("Item")
Result = TypeVar("Result", bound=Lent)


@dataclass(slots=True, eq=False)
class _Job(Generic[Result]):
    """A result that is being made; its loan is foreseen until then."""

    loan: Loan
    result: Result | None = None
    error: BaseException | None = None
    done: bool = False


class Lack(Enum):
    """Why nothing comes out just now."""

    ROOM = "what the taker holds leaves no room: it has to give something back"
    READY = "whatever comes next is still being made, and will be waited for when it is asked for again"


class _Turn(Enum):
    TAKE, END, WAIT = range(3)


class Prefetch(Generic[Item, Result]):
    """``make`` of each item, ahead of the taker. Use it as a context, iterate once, give everything back.

    Items are begun in their order, and results come out in it but for those that take longer than the next.

    foresee: the loan of an item's result, before it is made. An item is begun when its bytes fit in
    ``budget`` beside all others and the parts held are fewer than ``parts()``, or when nothing is held:
    so only a result that is larger than the budget by itself, or than was foreseen, exceeds it.
    patient: wait for whatever is lacking, as others give back meanwhile; else the taker is told, in place
    of a result: once for each result or return that a result is still being made.

    What the items, ``foresee`` and ``make`` raise is raised to the taker.
    """

    def __init__(
        self,
        items: Iterable[Item],
        make: Callable[[Item], Result],
        foresee: Callable[[Item], Loan],
        parts: Callable[[], int],
        patient: bool = False,
        budget: int = BUDGET,
        threads: int = THREADS,
    ) -> None:
        self._items, self._make, self._foresee, self._parts = iter(items), make, foresee, parts
        self._patient, self._budget, self._threads = patient, budget, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="prefetch")
        self._gate = threading.Lock()
        self._changed = threading.Condition()
        self._jobs: list[_Job[Result]] = []
        self._held = Loan(0, 0)
        """Of the jobs and with the taker."""
        self._lent = 0
        """Bytes with the taker."""
        self._next: Loan | None = None
        """Of the item that waits to be begun."""
        self._told = patient
        """Whether the taker knows that it has to wait."""
        self._ended = False

    def __enter__(self) -> Self:
        for _ in range(self._threads):
            self._pool.submit(self._work)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Begin nothing more; what is being made is waited for."""
        self._end()
        self._pool.shutdown()

    def __iter__(self) -> Iterator[Result | Lack]:
        while (turn := self._wait()) is not _Turn.END:
            # Nothing here may go on referring to the result.
            yield turn if isinstance(turn, Lack) else self._take()

    def give_back(self, loan: Loan) -> None:
        """Say that one part of a result is done with, and no longer referred to. From any thread."""
        with self._changed:
            loan.parts -= 1
            self._held.parts -= 1
            if not loan.parts:
                self._held.nbytes -= loan.nbytes
                self._lent -= loan.nbytes
            self._told = self._patient
            self._changed.notify_all()

    def _wait(self) -> _Turn | Lack:
        """What comes next for the taker; never ``_Turn.WAIT``."""
        with self._changed:
            while (turn := self._turn()) is _Turn.WAIT or (turn is Lack.ROOM and self._patient):
                self._changed.wait()
            self._told = turn is Lack.READY or self._patient
            return turn

    def _turn(self) -> _Turn | Lack:
        if (job := self._first()) is not None:
            fits = not self._lent or self._lent + job.loan.nbytes <= self._budget // 2
            return _Turn.TAKE if fits else Lack.ROOM
        if not self._jobs and self._next is not None and not self._room(self._next):
            return Lack.ROOM
        if not self._jobs and self._ended:
            return _Turn.END
        return _Turn.WAIT if self._told else Lack.READY

    def _first(self) -> _Job[Result] | None:
        return next((job for job in self._jobs if job.done), None)

    def _take(self) -> Result:
        with self._changed:
            job = self._first()
            assert job is not None
            self._jobs.remove(job)
            self._lent += job.loan.nbytes
            if job.error is not None:
                raise job.error
            assert job.result is not None
            return job.result

    def _room(self, loan: Loan) -> bool:
        held = self._held
        fits = held.nbytes + loan.nbytes <= self._budget and held.parts < self._parts()
        return fits or not held.parts

    def _work(self) -> None:
        while (begun := self._begin()) is not None:
            self._carry_out(*begun)
            del begun

    def _begin(self) -> tuple[_Job[Result], Item] | None:
        """The next item once there is room for it. One thread at a time, so that none overtakes another."""
        with self._gate:
            try:
                # What is not taken from the items yet, another process may still take.
                if not self._admitted(Loan(0, 0)):
                    return None
                item = next(self._items)
                job = _Job[Result](self._foresee(item))
            except StopIteration:
                self._end()
                return None
            except BaseException as error:
                self._end(_Job(Loan(0, 0), error=error, done=True))
                return None
            return (job, item) if self._admitted(job.loan, job) else None

    def _admitted(self, loan: Loan, job: _Job[Result] | None = None) -> bool:
        """Wait for room, and give it to the job; False when nothing more is to be begun."""
        with self._changed:
            self._next = loan
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or self._room(loan))
            self._next = None
            if job is not None and not self._ended:
                self._jobs.append(job)
                self._hold(loan)
            return not self._ended

    def _carry_out(self, job: _Job[Result], item: Item) -> None:
        result, error = None, None
        try:
            result = self._make(item)
        except BaseException as caught:
            error = caught
        with self._changed:
            self._hold(job.loan, -1)
            job.loan = Loan(0, 0) if result is None else result.loan
            self._hold(job.loan)
            job.result, job.error, job.done = result, error, True
            self._ended = self._ended or error is not None
            self._changed.notify_all()

    def _hold(self, loan: Loan, sign: int = 1) -> None:
        self._held.nbytes += sign * loan.nbytes
        self._held.parts += sign * loan.parts

    def _end(self, last: _Job[Result] | None = None) -> None:
        with self._changed:
            self._ended = True
            if last is not None:
                self._jobs.append(last)
            self._changed.notify_all()
