"""What a run would do, cell by cell, counted without a model: samples, calls, videos, frames, verdicts.

The counts are taken from what the run itself goes by, its plan and its caches, so they are what it then
does as long as nothing fails. Only the judges' share is a bound: an answer that is not there yet may turn
out to be one that was judged before. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from harness.cache import Cache
from harness.cell import Cell
from harness.config import RunConfig
from harness.interfaces import Judge, Panel
from harness.judging import seats, unjudged, verdict_path
from harness.plan import Call, Plan, is_current, make_plan
from harness.prepare import Prepared
from harness.records import to_prediction
from harness.registry import Built
from harness.types import Case, Sample, Status, Video

_VIDEOS_PER_THREAD = 64
"""For fewer, one more decoding process takes longer to start than it saves."""
_THREADS = 8

Size = tuple[int, int, int]
"""Frames, height and width of a clip as it is decoded, uint8 RGB; zeros where the video cannot be opened."""
_Foresee = Callable[..., Size | None]


@dataclass(frozen=True, slots=True)
class Work:
    """The model's part of what is left of a cell.

    samples: to be asked about, in ``calls``. shown: the size of the clip of each call, None where only
    decoding tells it. decoded: the same of each video to decode, those that the noise takes frames from
    included. unreadable: videos that cannot be opened; their samples fail without a call.
    """

    samples: int = 0
    calls: tuple[Call, ...] = ()
    shown: tuple[Size | None, ...] = ()
    decoded: tuple[Size | None, ...] = ()
    unreadable: int = 0

    @property
    def frames(self) -> int:
        """To decode; without those of unknown number."""
        return sum(size[0] for size in self.decoded if size)

    @property
    def nbytes(self) -> int:
        """Of these frames."""
        return sum(count * height * width * 3 for count, height, width in filter(None, self.decoded))

    @property
    def unsized(self) -> int:
        """Videos whose size only decoding tells."""
        return self.decoded.count(None)


@dataclass(frozen=True, slots=True)
class Judging:
    """One judge's part of what is left of a cell: cases at most, and the characters in them.

    Of an answer that is not there yet, the characters are not counted.
    """

    judge: Built[Judge]
    cases: int
    characters: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is left to do of one cell. samples, videos: of the data set, as chosen.

    answered: samples whose stored answers are used. lacking: samples without which --mode eval ends.
    """

    cell: Cell
    samples: int
    videos: int
    answered: int
    lacking: int = 0
    work: Work = field(default_factory=Work)
    judging: tuple[Judging, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def to_judge(self) -> int:
        """Answers to put to judges, at most; a panel's members and repeats each count."""
        return sum(part.cases for part in self.judging)


def estimate(config: RunConfig, prepared: Prepared) -> list[Estimate]:
    """An estimate of each cell, in the order they are run. Raises CacheError and HarnessError."""
    opinions = _Opinions(config.work_dir, prepared.judge)
    foresee: _Foresee = cache(prepared.decoding.foresee)
    found = []
    for cell in prepared.cells:
        plan = make_plan(cell, prepared.samples[cell.dataset.name])
        stored = Cache(cell.folder(config.work_dir) / f"{cell.stem()}.pkl")
        records = stored.read()
        answered = plan.answered(records)
        known = [sample for sample in plan.samples if sample.id in answered]
        work = Work() if config.mode == "eval" else _work(plan, answered, foresee)
        coming = [sample for call in work.calls for sample in call.group if sample.id not in answered]
        found.append(
            Estimate(
                cell,
                len(plan.samples),
                len({sample.video.key for sample in plan.samples}),
                len(known),
                _without_answer(plan, records) if config.mode == "eval" else 0,
                work,
                opinions.left(known, records, coming),
                tuple(stored.damage),
            )
        )
    return found


def _work(plan: Plan, answered: set[Any], foresee: _Foresee) -> Work:
    """The calls that are open, and what has to be decoded for them."""
    cell, sampling = plan.cell, plan.cell.dataset.plugin.sampling
    pieces = {
        piece.video: [call for call in piece.calls if any(one.id not in answered for one in call.group)]
        for piece in plan.pieces
    }
    pieces = {video: calls for video, calls in pieces.items() if calls}

    def sizes(videos: Collection[Video], *window: float) -> dict[Video, Size | None]:
        with ThreadPoolExecutor(min(_THREADS, 1 + len(videos) // _VIDEOS_PER_THREAD)) as pool:
            found = pool.map(lambda video: foresee(video, sampling, *window), videos)
            return dict(zip(videos, found, strict=True))

    shown = sizes(pieces)
    readable = {video: calls for video, calls in pieces.items() if shown[video] != (0, 0, 0)}
    hit = cell.noise is not None and cell.noise.ratio > 0
    donors = [other for video in readable for other in cell.donors(video)[:1] if hit]
    decoded = sizes(readable, cell.pooling.plugin.window) if cell.pooling else shown
    taken = sizes(set(donors))
    return Work(
        samples=len(plan.samples) - len(answered),
        calls=tuple(call for calls in readable.values() for call in calls),
        shown=tuple(shown[video] for video, calls in readable.items() for _ in calls),
        decoded=(*(decoded[video] for video in readable), *(taken[video] for video in donors)),
        unreadable=len(pieces) - len(readable),
    )


def _without_answer(plan: Plan, records: Mapping[Any, Mapping[str, Any]]) -> int:
    calls = (call for piece in plan.pieces for call in piece.calls)
    return sum(not is_current(records.get(sample.id), call.key) for call in calls for sample in call.group)


class _Opinions:
    """What the judges of a run have said, and what they will have said after the cells so far."""

    def __init__(self, work_dir: Path, judge: Built[Judge] | None) -> None:
        self._said = [(seat, Cache(verdict_path(work_dir, seat)).read()) for seat in seats(judge)]
        self._repeats = judge.plugin.repeats if judge and isinstance(judge.plugin, Panel) else 1

    def left(
        self, known: Sequence[Sample], records: Mapping[Any, Mapping[str, Any]], coming: Sequence[Sample]
    ) -> tuple[Judging, ...]:
        """What is to be judged of samples with stored answers, and of those that will be answered."""
        predictions = {sample.id: to_prediction(sample.id, records[sample.id]) for sample in known}
        blank = [Case(sample.question, sample.answer, "", sample.choices) for sample in coming]
        found = []
        for seat, said in self._said:
            cases = blank * self._repeats
            for repeat in range(self._repeats):
                fresh = unjudged(known, predictions, said, repeat)
                said.update({key: {"status": Status.OK.value} for key in fresh})
                cases += fresh.values()
            found.append(Judging(seat, len(cases), sum(map(_characters, cases))))
        return tuple(found)


def _characters(case: Case) -> int:
    return sum(map(len, (case.question, case.reference, case.prediction, *case.choices)))
