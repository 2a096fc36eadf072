"""Putting questions to a model or a judge: in batches, or many single calls at once.

Each answer is stored the moment it is known, in the thread that got it, so that neither an error nor
Ctrl-C loses what was paid for. What a batch that raises leaves unanswered is asked again in halves: a bad
question costs itself alone, and where memory ran out, batches stay smaller.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Generic, TypeVar

from harness.batch_size import BatchSize, out_of_memory
from harness.batches import Shape, grouped, volume
from harness.errors import HarnessError
from harness.gate import Gate
from harness.prefetch import Lack

Tag = TypeVar("Tag")
Question = TypeVar("Question")
Reply = TypeVar("Reply")

HOPELESS = 8
"""Exceptions of the plugin one after another, with no reply between, that end the run."""
GRACE = 20.0
"""Seconds that calls under way have left when the run is interrupted; torchrun and Slurm give 30."""


class Asker(Generic[Tag, Question, Reply]):
    """Asks ``ask``, turns what it raises into ``failed(sentence)``, and hands replies to ``store``.

    ask: takes questions, gives one reply each, in order, as they come.
    store: called with the question's tag; must be safe to call from several threads.
    take: called with the tag just before the question is asked; one that it refuses is left out.
    share: how many questions a call may have at this moment, beside what its size allows.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Question]], Iterable[Reply]],
        failed: Callable[[str], Reply],
        store: Callable[[Tag, Reply], None],
        take: Callable[[Tag], bool] = lambda _: True,
        share: Callable[[], int] = lambda: sys.maxsize,
    ) -> None:
        self._ask, self._failed, self._store, self._take, self._share = ask, failed, store, take, share
        self._raised = 0
        self._lock = threading.Lock()

    def in_batches(
        self,
        questions: Iterable[tuple[Tag, Question] | Lack],
        size: BatchSize,
        shape: Callable[[Question], Shape] = lambda _: (),
    ) -> None:
        """Ask as many questions a call as ``size`` has it, those of one shape together.

        A lack among the questions has some of those that wait for company answered now.
        """
        for batch in grouped(questions, lambda tagged: shape(tagged[1]), size):
            self._batch(batch, size, shape)

    def concurrently(
        self, questions: Iterable[tuple[Tag, Question]], calls: int, gate: Gate | None = None
    ) -> None:
        """Ask one question a call, ``calls`` of them under way at once; with a gate as many as it allows.

        When one raises HarnessError no more are begun; those under way are waited for and stored. After
        Ctrl-C they are waited for ``GRACE`` seconds. Those that wait at the gate are not asked.
        """
        under_way: set[Future[None]] = set()
        if gate is not None:
            gate.open()
        try:
            for tag, question in questions:
                under_way.add(_started(partial(self._taken, tag, question)))
                # One more than may be called: its prompt is got ready meanwhile.
                full = True
                while full:
                    full = len(under_way) >= (calls if gate is None else gate.limit + 1)
                    under_way = _reaped(under_way, None if full else 0)
            while under_way:
                under_way = _reaped(under_way, None)
        except BaseException as error:
            if gate is not None:
                gate.close()
            wait(under_way, None if isinstance(error, HarnessError) else GRACE)
            raise

    def _batch(
        self, batch: list[tuple[Tag, Question]], size: BatchSize, shape: Callable[[Question], Shape]
    ) -> None:
        """Answer a batch, in pieces if need be. Empties it, so that nothing holds on to its questions."""
        pieces = [batch[:]]
        batch.clear()
        while pieces:
            piece = pieces.pop()
            heaviest = max(volume(shape(question)) for _, question in piece)
            most = min(size.of(heaviest), self._share())
            if len(piece) > most:
                pieces += [piece[most:], piece[:most]]
                continue
            piece = [tagged for tagged in piece if self._take(tagged[0])]
            if not piece:
                continue
            began = time.monotonic()
            given = self._several(piece, partial(size.refuse, heaviest, len(piece)))
            if given < len(piece):
                middle = (given + len(piece) + 1) // 2
                pieces += [half for half in (piece[middle:], piece[given:middle]) if half]
            elif not self._raised:
                size.took(given, time.monotonic() - began)

    def _several(self, batch: Sequence[tuple[Tag, Question]], crowded: Callable[[], None]) -> int:
        """Ask a batch, store the replies until it raises, and say how many there were."""
        if len(batch) == 1:
            self._single(*batch[0])
            return 1
        given = 0
        for reply in self._replies([question for _, question in batch], crowded):
            self._store(batch[given][0], reply)
            given += 1
        return given

    def _replies(self, questions: Sequence[Question], crowded: Callable[[], None]) -> Iterator[Reply]:
        """Replies to a batch until it raises; never more than there are questions.

        The exception is dropped: what it refers to would be the memory that is lacking.
        """
        try:
            for _, reply in zip(questions, self._ask(questions), strict=False):
                self._raised = 0
                yield reply
        except HarnessError:
            raise
        except Exception as error:
            if out_of_memory(error):
                crowded()

    def _taken(self, tag: Tag, question: Question) -> None:
        if self._take(tag):
            self._single(tag, question)

    def _single(self, tag: Tag, question: Question) -> None:
        try:
            reply = next(iter(self._ask([question])), None)
        except HarnessError:
            raise
        except Exception as error:
            self._store(tag, self._failed(sentence(error)))
            if not out_of_memory(error):  # which says nothing about the next question
                self._count(error)
            return
        self._store(tag, self._failed("no answer was given") if reply is None else reply)
        self._raised = 0

    def _count(self, error: Exception) -> None:
        with self._lock:
            self._raised += 1
        if self._raised >= HOPELESS:
            raise HarnessError(
                f"{self._raised} failures in a row, the last one {sentence(error)}; "
                "what is answered is kept: mend the cause and run the same command again"
            ) from error


def _started(work: Callable[[], None]) -> Future[None]:
    """``work`` in a thread of its own, which the end of the process does not wait for."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, name="call", daemon=True).start()
    return future


def _reaped(under_way: set[Future[None]], seconds: float | None) -> set[Future[None]]:
    """Those still under way when one has ended or ``seconds`` are over; raises what one has raised."""
    done, rest = wait(under_way, seconds, FIRST_COMPLETED)
    for future in done:
        future.result()
    return rest


def sentence(error: BaseException) -> str:
    """An exception in one line."""
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0][:300]}"
