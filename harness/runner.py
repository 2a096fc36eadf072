"""Answers all samples of a cell: claims pieces of work, decodes ahead, asks, and stores at once.

Any number of ranks runs this at the same time on one cell. They share a counter and nothing else:
no rank waits for another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from harness.asking import Asker
from harness.batch_size import BatchSize
from harness.batches import WINDOW
from harness.cache import Cache, Journal
from harness.claims import Claims
from harness.endpoint import server_of
from harness.plan import Call, Piece, Plan
from harness.prefetch import BUDGET, THREADS, Lack, Loan, Prefetch
from harness.progress import Progress
from harness.ready import Groundwork, Question, Ready, ReadyPiece
from harness.records import from_prediction
from harness.replies import predictions
from harness.stopping import Stop
from harness.storing import Storing
from harness.types import Answer, SampleId, Status
from harness.video.by_pyav import threads
from harness.work import Ranks, StoreError


@dataclass(slots=True)
class CellRun:
    """One rank's share of one cell. ``name`` is the cell's name among the ranks of this run.

    budget: bytes of frames, or of what the model made of them ahead, that are being decoded, lie ready or
    are being answered, all together. The copies that decoders, noises, poolings and models make and drop
    are not counted. A video with more than that by itself is decoded and answered while no other is held.
    """

    plan: Plan
    answered: set[SampleId]
    ranks: Ranks
    cache: Cache
    journal: Journal
    name: str
    progress: Progress
    budget: int = BUDGET
    stop: Stop = field(default_factory=Stop)
    stored: int = 0
    """Answers this rank has stored."""
    claims: Claims = field(init=False)
    open: int = field(init=False)
    """Samples that were not answered when this rank began."""
    before: int = field(init=False)
    """What all ranks had stored by then; done: by now."""
    done: int = field(init=False)

    def __post_init__(self) -> None:
        self.open = len(self.plan.samples) - len(self.answered)
        self.before = self.done = self.ranks.add(f"{self.name}/done", 0)
        self.claims = Claims(self.ranks, self.name, self.plan.pieces, self._open, self._learn)

    def answer(self, size: BatchSize) -> None:
        """Ask whatever is not answered, ``size`` prompts a call if the model takes several.

        Each video is decoded once, for all its questions. The model is loaded at the first prompt,
        while others are being prepared, so a rank that finds nothing to do loads nothing.
        """
        model = self.plan.cell.model.plugin
        concurrency, server = getattr(model, "concurrency", 1), server_of(model)
        apart = concurrency > 1 or server is not None
        lock = threading.Lock()
        finished: list[Loan] = []
        # Decoding shares its threads well; most noises have one.
        at_once = max(THREADS, threads() // 2)

        def parts() -> int:
            # As many again as are asked at once, and those that wait for others of their shape.
            return at_once + (2 * concurrency if apart else (WINDOW + 2) * size.of())

        prepare = None if apart else getattr(model, "prepare", None)
        ground = Groundwork(self.plan.cell, self.claims.open, prepare, self.budget)
        prefetch = Prefetch(
            self.claims.pieces(), ground.make, ground.foresee, parts, apart, self.budget, at_once
        )
        with Storing(self.journal) as storing, prefetch as ahead:
            # A batch is held by whoever asks it until it is answered as a whole and the next is wanted.
            done = ahead.give_back if apart else finished.append

            def store(ready: Ready, answer: Answer) -> None:
                with lock:
                    storing.put(self._records(ready, answer))
                    self._count(ready)
                done(ready.loan)

            def take(ready: Ready) -> bool:
                storing.wait()  # nothing is asked while an answer could still be lost
                taken = self.claims.take(ready.call)
                if not taken:
                    done(ready.loan)
                return taken

            asker = Asker[Ready, Question, Answer](
                ask=lambda questions: model.generate([question.given for question in questions]),
                failed=lambda error: Answer(status=Status.MODEL_ERROR, error=error),
                store=store,
                take=take,
                share=self._share,
            )

            def fail(ready: Ready, answer: Answer) -> None:
                if take(ready):
                    store(ready, answer)

            questions = self.stop.interruptible(self._questions(ahead, finished, fail))
            if apart:
                wanted = (one for one in questions if not isinstance(one, Lack))
                asker.concurrently(wanted, concurrency, server.gate if server else None)
            else:
                with self.stop.finishing():
                    asker.in_batches(questions, size, lambda question: question.shape)

    def _questions(
        self,
        ahead: Prefetch[Piece, ReadyPiece],
        finished: list[Loan],
        fail: Callable[[Ready, Answer], None],
    ) -> Iterator[tuple[Ready, Question] | Lack]:
        """Each call that is to be asked, and what is lacking where none can come just now.

        Refers to none that it has given out.
        """
        load = getattr(self.plan.cell.model.plugin, "load", None)
        for piece in ahead:
            if isinstance(piece, Lack):
                yield piece
            while isinstance(piece, ReadyPiece) and piece.calls:
                if piece.failure is not None:
                    fail(piece.calls.popleft(), piece.failure)
                    continue
                if load is not None:
                    load()
                    load = None
                yield _asked(piece.calls.popleft())
            while finished:
                ahead.give_back(finished.pop())

    def _learn(self) -> None:
        """Count as answered what others have stored since."""
        self.answered |= self.plan.answered(self.cache.read())

    def _open(self, call: Call) -> bool:
        return any(sample.id not in self.answered for sample in call.group)

    def _records(self, ready: Ready, answer: Answer) -> Iterator[tuple[SampleId, dict[str, Any]]]:
        dataset = self.plan.cell.dataset.plugin
        for prediction in predictions(dataset, ready.call.group, answer, ready.clip):
            if prediction.id not in self.answered:
                self.stored += 1
                yield prediction.id, from_prediction(prediction, ready.call.key)

    def _count(self, ready: Ready) -> None:
        asked = sum(sample.id not in self.answered for sample in ready.call.group)
        with suppress(StoreError):  # the next claim says so: first the rest of the batch is stored
            self.done = self.ranks.add(f"{self.name}/done", asked)
            self.progress.reach(self.done)

    def _share(self) -> int:
        """Of what is left as much as this rank had of what is done: so at the end none has a batch alone."""
        done = self.done - self.before
        left = max(1, self.open - done)
        return ceil(left * self.stored / done) if self.stored and done else ceil(left / self.ranks.size)


def _asked(ready: Ready) -> tuple[Ready, Question]:
    assert ready.question is not None
    return ready, ready.question
