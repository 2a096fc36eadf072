"""How many questions go in a call: a number, or what turns out to be fast; fewer once memory ran out."""

from __future__ import annotations

from statistics import fmean
from typing import Literal, Self

DEFAULT = 8
GAIN = 1.1
"""Times as many questions a second that a doubled batch must bring for the doubling to go on."""
TRIES = 3
"""Batches of one size that may bring no gain before the doubling rests."""
REST = 16
"""Batches after which it is tried again: what was measured may have been a slow moment."""
_CROWDED = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
"""How allocators say it: of CUDA and Metal, of the processor (two ways), of cuBLAS."""


class BatchSize:
    """The size of batches, remembered for as long as this object lives.

    most: never more. auto: begin with one question and double while questions a second grow; else it
    is ``most`` from the start. A volume is what one question weighs, in any unit: what was refused for
    lack of memory says how many fit of those as heavy, and how many may fit of lighter ones.
    """

    def __init__(self, most: int, auto: bool = False) -> None:
        self._most = most
        self._aim = 1 if auto else most
        self._rates: list[float] = []
        """Questions a second, of the calls of this size."""
        self._before = 0.0
        """The same of the calls half as large."""
        self._resting = False
        self._refused: list[tuple[int, int]] = []

    @classmethod
    def asked(cls, number: int | Literal["auto"] | None, most: int) -> Self:
        """As the user asked, None being the default, though never more than the model takes."""
        return cls(most, auto=True) if number == "auto" else cls(min(number or DEFAULT, most))

    def of(self, volume: int = 0) -> int:
        """Questions for a call whose heaviest weighs ``volume``; at least one."""
        return max(1, min([self._aim, *(_fitting(volume, *refused) for refused in self._refused)]))

    def refuse(self, volume: int, count: int) -> None:
        """Remember that memory did not hold ``count`` questions, the heaviest of ``volume``."""
        kept = [old for old in self._refused if old[0] < volume or old[1] < count]
        self._refused = [*kept, (volume, count)]

    def took(self, count: int, seconds: float) -> None:
        """Learn from a call that was answered."""
        if count < self._aim or self._aim == self._most:
            return
        self._rates.append(count / max(seconds, 1e-9))
        if self._resting:
            if len(self._rates) == REST:
                self._double()
        elif max(self._rates) > GAIN * self._before:
            self._double()
        elif len(self._rates) == TRIES:
            # As fast, and half the memory.
            self._aim, self._rates, self._resting = max(1, self._aim // 2), [], True

    def _double(self) -> None:
        # The mean: one lucky call must not end the doubling.
        self._before, self._rates = fmean(self._rates), []
        self._aim, self._resting = min(2 * self._aim, self._most), False


def _fitting(volume: int, refused_volume: int, refused_count: int) -> int:
    """How many of ``volume`` may fit where so many of another volume did not."""
    if volume >= refused_volume:
        return refused_count // 2
    return (refused_count * refused_volume - 1) // max(1, volume)


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the machine or of a device. Known by name: torch need not be there."""
    if any(kind.__name__ in ("MemoryError", "OutOfMemoryError") for kind in type(error).__mro__):
        return True
    return any(words in str(error).lower() for words in _CROWDED)
