"""What comes before the model: a video is decoded, prompts are built and, where the model can, prepared."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from harness.asking import sentence
from harness.batches import Shape
from harness.cell import Cell
from harness.errors import DecodeError, HarnessError
from harness.pipeline import clip_bytes, clip_of, prompt_of
from harness.plan import Call, Piece
from harness.prefetch import Loan
from harness.runlog import log
from harness.types import Answer, Clip, Prompt, Status


@dataclass(frozen=True, slots=True)
class Question:
    """What ``generate`` gets: a prompt, or what the model's ``prepare`` made of it.

    shape: of the frames and images of the prompt.
    """

    given: Any
    shape: Shape


@dataclass(frozen=True, slots=True)
class Ready:
    """A call whose question is ready, or that has none because its video could not be decoded.

    clip: what was shown; without frames where the question is prepared.
    """

    call: Call
    loan: Loan
    clip: Clip | None = None
    question: Question | None = None


@dataclass(slots=True)
class ReadyPiece:
    """The open calls about one video; ``failure`` is their answer when they cannot be asked."""

    calls: deque[Ready]
    loan: Loan
    failure: Answer | None = None


class Groundwork:
    """Gets pieces of work ready. Safe to use from several threads.

    still_open: the calls of a piece that are to be asked. prepare: the model's, if it has one. budget:
    the bytes that a video takes up when its file does not say how large its frames are.
    """

    def __init__(
        self,
        cell: Cell,
        still_open: Callable[[Piece], Sequence[Call]],
        prepare: Callable[[Sequence[Prompt]], Sequence[Any]] | None,
        budget: int,
    ) -> None:
        self._cell, self._still_open, self._prepare, self._budget = cell, still_open, prepare, budget
        self._growth = 1.0
        """The most bytes that a byte of frames has come to by being prepared."""
        self._largest = 0
        """The most bytes that a piece has come to."""

    def foresee(self, piece: Piece) -> Loan:
        """What the piece will take up, by its file and by what others came to."""
        nbytes = clip_bytes(self._cell, piece.video)
        if nbytes is None:
            # What might be of any size goes alone.
            return Loan(self._budget, len(piece.calls))
        return Loan(max(nbytes, min(ceil(nbytes * self._growth), self._largest)), len(piece.calls))

    def make(self, piece: Piece) -> ReadyPiece:
        """Decode a piece's video once and get the questions of its open calls ready."""
        calls = self._still_open(piece)
        if not calls:
            return ReadyPiece(deque(), Loan(0, 0))
        cell = self._cell
        try:
            clip = clip_of(cell, piece.video)
            prompts = [prompt_of(cell, call.group, clip) for call in calls]
            shapes = [_shape(prompt) for prompt in prompts]
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
        given: Sequence[Any] = prompts
        loan = Loan(clip.frames.nbytes, len(calls))
        prepared = self._prepared(prompts, clip.frames.nbytes, piece)
        if prepared is not None:
            given, loan.nbytes = prepared
            clip = _without_frames(clip)
        asked = zip(calls, map(Question, given, shapes), strict=True)
        return ReadyPiece(deque(Ready(call, loan, clip, question) for call, question in asked), loan)

    def _prepared(
        self, prompts: Sequence[Prompt], nbytes: int, piece: Piece
    ) -> tuple[Sequence[Any], int] | None:
        """What the model made of the prompts, and its bytes; None where it has to take them as they are.

        nbytes: of the frames, which values that do not say their own may still refer to.
        """
        if self._prepare is None:
            return None
        try:
            values = list(self._prepare(prompts))
            if len(values) != len(prompts):
                raise ValueError(f"{len(values)} values for {len(prompts)} prompts")
            sizes = {id(value): getattr(value, "nbytes", None) for value in values}
            held = sum(int(size) for size in sizes.values() if size is not None)
        except HarnessError:
            raise
        except Exception as error:
            # Whatever it is, generate meets it again, as a failure of the answers that it concerns.
            log.warning("video %s is left to generate: prepare raised %s", piece.video.key, sentence(error))
            return None
        if None in sizes.values():
            held += nbytes
        self._growth = max(self._growth, held / max(nbytes, 1))
        self._largest = max(self._largest, held)
        return values, held


def _without_frames(clip: Clip) -> Clip:
    import numpy as np

    # A new array: an empty view would keep all of them.
    return replace(clip, frames=np.empty((0, *clip.frames.shape[1:]), np.uint8))


def _shape(prompt: Prompt) -> Shape:
    shown = (part for part in prompt.parts if not isinstance(part, str))
    return tuple(part.frames.shape if isinstance(part, Clip) else part.shape for part in shown)
