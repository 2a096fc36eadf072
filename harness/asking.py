"""Putting questions to a model or a judge: in batches, or many single calls at once.

Each answer is stored the moment it is known, in the thread that got it, so that neither an error nor
Ctrl-C loses what was paid for. A batch that raises is asked again one by one: a bad question costs
itself alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from harness.errors import HarnessError

Tag = TypeVar("Tag")
Question = TypeVar("Question")
Reply = TypeVar("Reply")

HOPELESS = 8
"""Exceptions of the plugin one after another, with no reply between, that end the run."""


class Asker(Generic[Tag, Question, Reply]):
    """Asks ``ask``, turns what it raises into ``failed(sentence)``, and hands replies to ``store``.

    ask: takes questions, gives one reply each, in order, as they come.
    store: called with the question's tag; must be safe to call from several threads.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Question]], Iterable[Reply]],
        failed: Callable[[str], Reply],
        store: Callable[[Tag, Reply], None],
    ) -> None:
        self._ask, self._failed, self._store = ask, failed, store
        self._raised = 0
        self._lock = threading.Lock()

    def in_batches(self, questions: Iterable[tuple[Tag, Question]], size: int) -> None:
        """Ask ``size`` questions a call."""
        batch: list[tuple[Tag, Question]] = []
        for question in questions:
            batch.append(question)
            if len(batch) >= size:
                self._batch(batch)
                batch = []
        if batch:
            self._batch(batch)

    def concurrently(self, questions: Iterable[tuple[Tag, Question]], calls: int) -> None:
        """Ask one question a call, ``calls`` of them under way at once.

        When one raises HarnessError no more are begun; those under way are waited for and stored.
        """
        under_way: set[Future[None]] = set()
        with ThreadPoolExecutor(calls, thread_name_prefix="call") as pool:
            for tag, question in questions:
                under_way.add(pool.submit(self._single, tag, question))
                if len(under_way) >= calls:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
            for future in under_way:
                future.result()

    def _batch(self, batch: list[tuple[Tag, Question]]) -> None:
        given = 0
        if len(batch) > 1:
            for reply in self._replies([question for _, question in batch]):
                self._store(batch[given][0], reply)
                given += 1
        for tag, question in batch[given:]:
            self._single(tag, question)

    def _replies(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Replies to a batch until it raises; never more than there are questions."""
        try:
            for _, reply in zip(questions, self._ask(questions), strict=False):
                self._raised = 0
                yield reply
        except HarnessError:
            raise
        except Exception:
            return

    def _single(self, tag: Tag, question: Question) -> None:
        try:
            reply = next(iter(self._ask([question])), None)
        except HarnessError:
            raise
        except Exception as error:
            self._store(tag, self._failed(sentence(error)))
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


def sentence(error: BaseException) -> str:
    """An exception in one line."""
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0][:300]}"
