"""Who does which piece of work, and who is the last: by counters alone, and nobody waits in between.

A rank takes the pieces (a video with all its calls) in their order and each call at the last moment,
just before the model gets it. So a slow rank takes less; whoever finds no piece left helps with the
calls that others have not come to, at the price of decoding that video once more; and a rank that dies
costs what its model had in hand. What was in the hands of a rank that is replaced or gone is handed
out again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness.runlog import log
from harness.work import Ranks

if TYPE_CHECKING:
    from harness.plan import Call, Piece

SILENT_SECONDS = 180.0
"""A rank elsewhere that was silent for so long is gone; it waits less long for the store itself."""
LATE_SECONDS = 600.0
"""The same for one that has not begun yet: it may still be importing, or reading the data set."""
POLL_SECONDS = 1.0


class Claims:
    """One rank's view of who asks what in the cell ``name``. Safe to use from several threads.

    pieces: the same on all ranks, in the order to begin them.
    wanted: whether a call is to be asked at all.
    learn: told when calls of a rank that is no more are handed out, to read what it has stored.
    """

    def __init__(
        self,
        ranks: Ranks,
        name: str,
        pieces: Sequence[Piece],
        wanted: Callable[[Call], bool],
        learn: Callable[[], None],
    ) -> None:
        self._ranks, self._name, self._pieces = ranks, name, pieces
        self._wanted, self._learn = wanted, learn
        self._present = _incarnations(ranks)
        self._known_gone: set[str] = set()
        self._learning = threading.Lock()
        self._warned = False

    def pieces(self) -> Iterator[Piece]:
        """Pieces with calls to ask: first those that nobody has begun, then those with calls left."""
        begun = set()
        while (number := self._ranks.add(f"{self._name}/begun") - 1) < len(self._pieces):
            begun.add(number)
            if self._replaced():
                return
            if self.open(self._pieces[number]):
                yield self._pieces[number]
        self._present = _incarnations(self._ranks)
        # Each begins to help elsewhere, so that not all decode the same video once more.
        first = self._ranks.rank * len(self._pieces) // self._ranks.size
        for number in (*range(first, len(self._pieces)), *range(min(first, len(self._pieces)))):
            if number not in begun and self.open(self._pieces[number]):
                yield self._pieces[number]

    def open(self, piece: Piece) -> list[Call]:
        """The calls of a piece that are wanted and that nobody has claimed, or nobody who is still there."""
        return [call for call in piece.calls if self._wanted(call) and self._free(call)]

    def take(self, call: Call) -> bool:
        """Claim a call; False when another rank has it, or had stored its answer before it died."""
        if self._replaced():
            return False
        return _claim(self._ranks, self._key(call), self._gone) and self._wanted(call)

    def _free(self, call: Call) -> bool:
        key = self._key(call)
        while (holder := self._ranks.agreed(key)) is not None:
            if not self._gone(holder):
                return False
            key = f"{key}/{holder}"
        return self._wanted(call)

    def _key(self, call: Call) -> str:
        return f"{self._name}/{call.key}"

    def _gone(self, holder: str) -> bool:
        if not _is_gone(holder, self._present):
            return False
        with self._learning:
            if holder not in self._known_gone:
                self._known_gone.add(holder)
                self._learn()
        return True

    def _replaced(self) -> bool:
        """Whether this rank was silent for so long that the others have given it up."""
        rank = self._ranks.rank
        if f"{rank}.{self._ranks.add(f'incarnation/{rank}', 0)}" == self._ranks.name:
            return False
        if not self._warned:
            log.warning("this rank was silent for too long: the others go on without it")
            self._warned = True
        return True


def last_out(ranks: Ranks, name: str) -> bool:
    """Say that this rank has finished ``name``; True for one rank alone, after all have.

    When that one dies before its own end and is replaced, there will be another.
    """
    ranks.add(f"{name}/out/{ranks.name}")
    present = _incarnations(ranks)
    for rank, incarnation in enumerate(present):
        who = f"{rank}.{incarnation}"
        if not ranks.add(f"{name}/out/{who}", 0) and not ranks.add(f"through/{who}", 0):
            return False
    return _claim(ranks, f"{name}/last", partial(_is_gone, present=present))


def leave(ranks: Ranks) -> bool:
    """Say that this rank is through with everything; False when there is more: a rank elsewhere has gone.

    The store is on one machine, and goes with torchrun when all processes there have ended. So on each
    machine the last rank to be through stays until those of the others are, asking every POLL_SECONDS;
    all others leave at once. Raises StoreError.
    """
    ranks.add(f"through/{ranks.name}")
    first = ranks.rank - ranks.local_rank
    heard: dict[str, tuple[int, float]] = {}
    while True:
        missing = [
            rank
            for rank, incarnation in enumerate(_incarnations(ranks))
            if not ranks.add(f"through/{rank}.{incarnation}", 0)
        ]
        if not missing or any(first <= rank < first + ranks.local_size for rank in missing):
            return True
        for rank in missing:
            if _silent(ranks, rank, heard) and _give_up(ranks, rank):
                return False
        time.sleep(POLL_SECONDS)


def _silent(ranks: Ranks, rank: int, heard: dict[str, tuple[int, float]]) -> bool:
    """Whether a rank has not been heard of for too long; ``heard``: its last beat and when it was new."""
    incarnation = ranks.add(f"incarnation/{rank}", 0)
    name = f"{rank}.{incarnation}"
    beat, now = ranks.add(f"beat/{name}", 0), time.monotonic()
    if name not in heard or heard[name][0] != beat:
        heard[name] = (beat, now)
    return now - heard[name][1] > (SILENT_SECONDS if incarnation else LATE_SECONDS)


def _give_up(ranks: Ranks, rank: int) -> bool:
    """Put nobody in the place of a rank that is gone; True for the one rank that did it, and goes on."""
    present = _incarnations(ranks)
    incarnation = present[rank]
    if not _claim(ranks, f"gone/{rank}.{incarnation}", partial(_is_gone, present=present)):
        return False
    log.warning("rank %d has been silent for too long: this rank takes over what it had in hand", rank)
    ranks.add(f"through/{ranks.name}", -1)
    ranks.add(f"through/{rank}.{incarnation + 1}")
    ranks.add(f"incarnation/{rank}")
    return True


def _incarnations(ranks: Ranks) -> list[int]:
    """How often a process has begun under each rank."""
    return [ranks.add(f"incarnation/{rank}", 0) for rank in range(ranks.size)]


def _claim(ranks: Ranks, key: str, gone: Callable[[str], bool]) -> bool:
    """Whether this rank is the first to claim ``key``, or the first after a holder that is gone."""
    while (holder := ranks.agree(key, ranks.name)) != ranks.name:
        if not gone(holder):
            return False
        key = f"{key}/{holder}"
    return True


def _is_gone(name: str, present: Sequence[int]) -> bool:
    rank, incarnation = map(int, name.split("."))
    return rank >= len(present) or incarnation < present[rank]
