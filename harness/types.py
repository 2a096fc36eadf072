"""The data that flows through a run, from a video file to a rating: frozen, plain, picklable.

Nothing here imports NumPy: listing plugins and printing help must stay instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]
    """One image, uint8 [H, W, 3], RGB, 0..255."""
    Frames = npt.NDArray[np.uint8]
    """Some images of one size, uint8 [T, H, W, 3], RGB, 0..255."""

SampleId = int | str


class Status(StrEnum):
    """How one sample fared. Everything but ``OK`` is a failure: never a score, never hidden."""

    OK = "ok"
    DECODE_ERROR = "decode_error"
    MODEL_ERROR = "model_error"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    JUDGE_ERROR = "judge_error"
    UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True)
class Video:
    """A reference to (a part of) a video file; never pixels.

    ``key`` names the video within its data set, independent of where the file lies: it seeds the
    noise, so it must be the same on every machine. ``start`` and ``end`` are seconds. ``fps``, frames a
    second, is for a folder of numbered pictures that stands for a video: ``path`` is then the folder.
    """

    path: Path
    key: str
    start: float | None = None
    end: float | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """Sampled frames of one video at their native resolution.

    frames: uint8 [T, H, W, 3] RGB. times: float64 [T], seconds from the start of the file.
    indices: int64 [T], positions among the file's frames in display order. fps: frames per second
    of the source. notes: what a corruption or the decoder wants recorded beside the answer
    (JSON values).
    """

    frames: Frames
    times: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    fps: float
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One question about one video.

    ``id`` is unique in its data set and the key of the prediction cache. ``labels`` are the
    dimensions the question counts in; ``choices`` are the options of a multiple-choice question.
    """

    id: SampleId
    video: Video
    question: str
    answer: str
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: text, clips and images (uint8 [H, W, 3] RGB) in the order shown."""

    parts: tuple[str | Clip | Frame, ...]
    system: str = ""

    @property
    def text(self) -> str:
        """All text parts, a line each."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model gives back for one prompt. ``meta``: token usage, the server's model id, ..."""

    text: str = ""
    status: Status = Status.OK
    error: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One sample's stored answer with the frames it was given on."""

    id: SampleId
    answer: Answer
    indices: tuple[int, ...] = ()
    times: tuple[float, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.answer.status is Status.OK


@dataclass(frozen=True, slots=True)
class Case:
    """What a judge sees of one sample: text only."""

    question: str
    reference: str
    prediction: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's score on the 0..3 scale, or the status that stands where a score is missing."""

    score: float | None = None
    status: Status = Status.OK
    reply: str = ""
    error: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status is Status.OK and self.score is not None


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """How fine dimensions roll up: coarse name -> fine names, and roll-up name -> coarse names.

    The order is the order of the keys in the rating.
    """

    coarse: Mapping[str, tuple[str, ...]]
    rollups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rating:
    """The four blocks of a rating file, values as two-decimal strings or ``"nan"``, and ``meta``."""

    coarse_all: Mapping[str, str]
    coarse_valid: Mapping[str, str]
    fine_all: Mapping[str, str]
    fine_valid: Mapping[str, str]
    meta: Mapping[str, Any] = field(default_factory=dict)
