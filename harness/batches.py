"""Which questions go in a call together: those of one shape where there are enough of them.

Frames of one shape need no padding. What has no company waits for some, though neither behind more than a
few batches of others nor while the model has nothing else to do; then it goes with those nearest in volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Generic, TypeVar

from harness.batch_size import BatchSize
from harness.prefetch import Lack

Question = TypeVar("Question")
Shape = tuple[tuple[int, ...], ...]
"""The shapes of all arrays in a question."""

WINDOW = 4
"""Batches: when that many questions have come after one that waits, it waits no longer."""


def volume(shape: Shape) -> int:
    """Elements in all arrays of a shape."""
    return sum(map(prod, shape))


def grouped(
    questions: Iterable[Question | Lack], shape: Callable[[Question], Shape], size: BatchSize
) -> Iterator[list[Question]]:
    """Batches of the questions: each once, none larger than ``size`` has it.

    Where the next question lacks room, a batch of what waits is given out; where it is not ready, one that
    is full. No question is referred to from here once it is given out.
    """
    waiting: _Waiting[Question] = _Waiting(size)
    for question in questions:
        if isinstance(question, Lack):
            if waiting.count >= (1 if question is Lack.ROOM else waiting.batch()):
                yield waiting.take_oldest()
            continue
        found = shape(question)
        waiting.put(found, question)
        del question
        while waiting.full(found):
            yield waiting.take(found)
        if waiting.longest() >= WINDOW * size.of(volume(found)):
            yield waiting.take_oldest()
    while waiting.count:
        yield waiting.take_oldest()


class _Waiting(Generic[Question]):
    """The questions held back, by shape, each with its number."""

    def __init__(self, size: BatchSize) -> None:
        self._size = size
        self._groups: dict[Shape, list[tuple[int, Question]]] = {}
        self._put = 0
        self.count = 0

    def put(self, shape: Shape, question: Question) -> None:
        self._groups.setdefault(shape, []).append((self._put, question))
        self._put += 1
        self.count += 1

    def full(self, shape: Shape) -> bool:
        return len(self._groups.get(shape, ())) >= self._size.of(volume(shape))

    def take(self, *shapes: Shape) -> list[Question]:
        """As many as go in a call, of the first shape, then of the next."""
        batch: list[Question] = []
        heaviest = 0
        for shape in shapes:
            heaviest = max(heaviest, volume(shape))
            group = self._groups[shape]
            number = max(0, self._size.of(heaviest) - len(batch))
            batch += [question for _, question in group[:number]]
            del group[:number]
            if group:
                break
            del self._groups[shape]
        self.count -= len(batch)
        return batch

    def longest(self) -> int:
        """How many questions have come since the one that waits longest, itself included."""
        return self._put - self._groups[self._oldest()][0][0] if self.count else 0

    def batch(self) -> int:
        """How many go in a call with the one that waits longest; at least one."""
        return self._size.of(volume(self._oldest())) if self.count else 1

    def take_oldest(self) -> list[Question]:
        """A batch with the question that waits longest, filled up with those nearest to it in volume."""
        first = self._oldest()
        return self.take(
            *sorted(self._groups, key=lambda shape: (shape != first, abs(volume(shape) - volume(first))))
        )

    def _oldest(self) -> Shape:
        return min(self._groups, key=lambda shape: self._groups[shape][0][0])
