"""Answers all samples of a cell: claims pieces of work, decodes ahead, asks, and stores at once.

Any number of ranks runs this at the same time on one cell. They share a counter and nothing else:
no rank waits for another.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from harness.asking import Asker, sentence
from harness.batch_size import BatchSize
from harness.batches import WINDOW, Shape
from harness.cache import Cache, Journal
from harness.claims import Claims
from harness.endpoint import server_of
from harness.errors import DecodeError, HarnessError
from harness.pipeline import clip_bytes, clip_of, prompt_of
from harness.plan import Call, Piece, Plan
from harness.prefetch import BUDGET, THREADS, Lack, Loan, Prefetch
from harness.progress import Progress
from harness.records import from_prediction
from harness.replies import predictions
from harness.stopping import Stop
from harness.storing import Storing
from harness.types import Answer, Clip, Prompt, SampleId, Status
from harness.video.by_pyav import threads
from harness.work import Ranks, StoreError


@dataclass(frozen=True, slots=True)
class Ready:
    """A call whose prompt is built, or that has none because its video could not be decoded."""

    call: Call
    loan: Loan
    clip: Clip | None = None
    prompt: Prompt | None = None


@dataclass(slots=True)
class ReadyPiece:
    """The open calls about one video; ``failure`` is their answer when they cannot be asked."""

    calls: deque[Ready]
    loan: Loan
    failure: Answer | None = None


@dataclass(slots=True)
class CellRun:
    """One rank's share of one cell. ``name`` is the cell's name among the ranks of this run.

    budget: bytes of frames that are being decoded, lie ready or are being answered, all together. The
    copies that decoders, noises, poolings and models make and drop are not counted. A video with more
    than that by itself is decoded and answered while no other is held.
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

        prefetch = Prefetch(
            self.claims.pieces(), self._prepare, self._foresee, parts, apart, self.budget, at_once
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

            asker = Asker[Ready, Prompt, Answer](
                ask=model.generate,
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
                    asker.in_batches(questions, size, _shape)

    def _questions(
        self,
        ahead: Prefetch[Piece, ReadyPiece],
        finished: list[Loan],
        fail: Callable[[Ready, Answer], None],
    ) -> Iterator[tuple[Ready, Prompt] | Lack]:
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
                yield _question(piece.calls.popleft())
            while finished:
                ahead.give_back(finished.pop())

    def _learn(self) -> None:
        """Count as answered what others have stored since."""
        self.answered |= self.plan.answered(self.cache.read())

    def _open(self, call: Call) -> bool:
        return any(sample.id not in self.answered for sample in call.group)

    def _foresee(self, piece: Piece) -> Loan:
        nbytes = clip_bytes(self.plan.cell, piece.video)
        # What might be of any size goes alone.
        return Loan(self.budget if nbytes is None else nbytes, len(piece.calls))

    def _prepare(self, piece: Piece) -> ReadyPiece:
        """Decode a piece's video once and build the prompts of its open calls."""
        calls = self.claims.open(piece)
        if not calls:
            return ReadyPiece(deque(), Loan(0, 0))
        cell = self.plan.cell
        try:
            clip = clip_of(cell, piece.video)
            loan = Loan(clip.frames.nbytes, len(calls))
            prompts = [prompt_of(cell, call.group, clip) for call in calls]
        except DecodeError as error:
            loan = Loan(0, len(calls))
            failure = Answer(status=Status.DECODE_ERROR, error=str(error))
            return ReadyPiece(deque(Ready(call, loan) for call in calls), loan, failure)
        except HarnessError:
            raise
        except Exception as error:
            # Neither decoding nor the model: a noise or a prompt broke, and would on other videos, too.
            raise HarnessError(
                f"preparing video {piece.video.key} for {cell.label} failed: {sentence(error)}; "
                "what is answered is kept: mend the plugin and run the same command again"
            ) from error
        asked = zip(calls, prompts, strict=True)
        return ReadyPiece(deque(Ready(call, loan, clip, prompt) for call, prompt in asked), loan)

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


def _question(ready: Ready) -> tuple[Ready, Prompt]:
    assert ready.prompt is not None
    return ready, ready.prompt


def _shape(prompt: Prompt) -> Shape:
    shown = (part for part in prompt.parts if not isinstance(part, str))
    return tuple(part.frames.shape if isinstance(part, Clip) else part.shape for part in shown)
