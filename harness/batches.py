"""Which questions go in a call together: those of one shape where there are enough of them.

Frames of one shape need no padding. What has no company waits for some, though never behind more than a
few batches of others, and then goes with those nearest to it in volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Generic, TypeVar

from harness.batch_size import BatchSize

Question = TypeVar("Question")
Shape = tuple[tuple[int, ...], ...]
"""The shapes of all arrays in a question."""

WINDOW = 4
"""Batches: when that many questions have come after one that waits, it waits no longer."""


def volume(shape: Shape) -> int:
    """Elements in all arrays of a shape."""
    return sum(map(prod, shape))


def grouped(
    questions: Iterable[Question | None], shape: Callable[[Question], Shape], size: BatchSize
) -> Iterator[list[Question]]:
    """Batches of the questions: each once, none larger than ``size`` has it.

    None among the questions says that no more can come before some are answered: a batch of what waits
    is given out. No question is referred to from here once it is given out.
    """
    waiting: _Waiting[Question] = _Waiting(size)
    for question in questions:
        if question is not None:
            found = shape(question)
            waiting.put(found, question)
            del question
            while waiting.full(found):
                yield waiting.take(found)
            if waiting.longest() >= WINDOW * size.of(volume(found)):
                yield waiting.take_oldest()
        elif waiting.count:
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
        return self._put - min((group[0][0] for group in self._groups.values()), default=self._put)

    def take_oldest(self) -> list[Question]:
        """A batch with the question that waits longest, filled up with those nearest to it in volume."""
        first = min(self._groups, key=lambda shape: self._groups[shape][0][0])
        return self.take(
            *sorted(self._groups, key=lambda shape: (shape != first, abs(volume(shape) - volume(first))))
        )
