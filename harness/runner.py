"""Answers all samples of a cell: claims pieces of work, decodes ahead, asks, and stores at once.

Any number of ranks runs this at the same time on one cell. They share a counter and nothing else:
no rank waits for another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.asking import Asker, sentence
from harness.cache import Journal
from harness.errors import DecodeError, HarnessError
from harness.interfaces import Packed
from harness.pipeline import clip_of, prompt_of
from harness.plan import Call, Piece, Plan
from harness.prefetch import ahead
from harness.progress import Progress
from harness.records import from_prediction
from harness.types import Answer, Clip, Prediction, Prompt, Sample, SampleId, Status
from harness.work import Ranks, claims

DEFAULT_BATCH = 8


@dataclass(frozen=True, slots=True)
class Ready:
    """A call whose prompt is built, or why it could not be."""

    call: Call
    clip: Clip | None = None
    prompt: Prompt | None = None
    failure: Answer | None = None


@dataclass(slots=True)
class CellRun:
    """One rank's share of one cell. ``name`` is the cell's name among the ranks of this run."""

    plan: Plan
    answered: set[SampleId]
    ranks: Ranks
    journal: Journal
    name: str
    progress: Progress
    stored: int = 0
    """Answers this rank has stored."""

    def answer(self, batch_size: int | None = None) -> None:
        """Ask whatever is not answered.

        The model is loaded at the first prompt, so a rank that finds nothing to do loads nothing.
        """
        model = self.plan.cell.model.plugin
        lock = threading.Lock()

        def store(ready: Ready, answer: Answer) -> None:
            with lock:
                self._store(ready, answer)

        asker = Asker[Ready, Prompt, Answer](
            ask=model.generate,
            failed=lambda error: Answer(status=Status.MODEL_ERROR, error=error),
            store=store,
        )
        concurrency = getattr(model, "concurrency", 1)
        if concurrency > 1:
            asker.concurrently(self._prompts(store), concurrency)
        else:
            size = min(batch_size or DEFAULT_BATCH, getattr(model, "max_batch", 1))
            asker.in_batches(self._prompts(store), size)

    def _prompts(self, store: Any) -> Iterator[tuple[Ready, Prompt]]:
        loaded = False
        for piece in ahead(self._claimed(), self._prepare, _weight):
            for ready in piece:
                if ready.prompt is None:
                    store(ready, ready.failure)
                    continue
                if not loaded:
                    load = getattr(self.plan.cell.model.plugin, "load", None)
                    if load is not None:
                        load()
                    loaded = True
                yield ready, ready.prompt

    def _claimed(self) -> Iterator[Piece]:
        for position in claims(self.ranks, self.name, len(self.plan.pieces)):
            piece = self.plan.pieces[position]
            if any(self._open(call) for call in piece.calls):
                yield piece

    def _open(self, call: Call) -> bool:
        return any(sample.id not in self.answered for sample in call.group)

    def _prepare(self, piece: Piece) -> list[Ready]:
        """Decode a piece's video once and build the prompts of its open calls."""
        calls = [call for call in piece.calls if self._open(call)]
        cell = self.plan.cell
        try:
            clip = clip_of(cell, piece.video)
            return [Ready(call, clip, prompt_of(cell, call.group, clip)) for call in calls]
        except DecodeError as error:
            failure = Answer(status=Status.DECODE_ERROR, error=str(error))
            return [Ready(call, failure=failure) for call in calls]
        except HarnessError:
            raise
        except Exception as error:
            # Neither decoding nor the model: a noise or a prompt broke, and would on other videos, too.
            raise HarnessError(
                f"preparing video {piece.video.key} for {cell.label} failed: {sentence(error)}; "
                "what is answered is kept: mend the plugin and run the same command again"
            ) from error

    def _store(self, ready: Ready, answer: Answer) -> None:
        for sample, share in _shares(self.plan, ready.call.group, answer):
            if sample.id not in self.answered:
                record = from_prediction(_prediction(sample, share, ready.clip), ready.call.key)
                self.journal.append(sample.id, record)
                self.stored += 1
        asked = sum(sample.id not in self.answered for sample in ready.call.group)
        self.progress.reach(self.ranks.add(f"{self.name}/done", asked))


def _weight(piece: list[Ready]) -> int:
    return max((ready.clip.frames.nbytes for ready in piece if ready.clip is not None), default=0)


def _prediction(sample: Sample, answer: Answer, clip: Clip | None) -> Prediction:
    frames: Mapping[str, Any] = {}
    if clip is not None:
        frames = {
            "indices": tuple(clip.indices.tolist()),
            "times": tuple(clip.times.tolist()),
            "notes": clip.notes,
        }
    return Prediction(id=sample.id, answer=_checked(answer), **frames)


def _checked(answer: Answer) -> Answer:
    """An answer without text is a failure, whatever the model calls it."""
    if answer.status is Status.OK and not answer.text.strip():
        return replace(answer, status=Status.MODEL_ERROR, error="the answer is empty")
    return answer


def _shares(plan: Plan, group: tuple[Sample, ...], answer: Answer) -> Iterator[tuple[Sample, Answer]]:
    """What each sample of a call gets of the reply; a pack is taken apart here."""
    dataset = plan.cell.dataset.plugin
    if not isinstance(dataset, Packed) or answer.status is not Status.OK:
        for sample in group:
            yield sample, answer
        return
    texts = dataset.unpack(group, answer.text)
    for sample in group:
        if texts.get(sample.id, "").strip():
            yield sample, replace(answer, text=texts[sample.id])
        else:
            error = f"the reply holds no answer to question {sample.id}: {answer.text[:200]}"
            yield sample, replace(answer, text="", status=Status.UNPARSED, error=error)
