"""What a cell asks: its calls, those about one video together, in the order they are handed out.

The plan is the same on every rank, whatever is answered already and however many ranks there are, so
that a position in it means the same piece of work to all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell, input_key
from harness.errors import UsageError
from harness.types import Sample, SampleId, Status, Video
from harness.video import content_digest


@dataclass(frozen=True, slots=True)
class Call:
    """One question to the model: the samples it asks about and the digest of its inputs.

    own_key: the same without the videos that a noise takes frames from: equal with and without noise.
    """

    group: tuple[Sample, ...]
    key: str
    own_key: str


@dataclass(frozen=True, slots=True)
class Piece:
    """All calls about one video: what a rank begins at once, so that the video is decoded once."""

    video: Video
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A cell's samples in the data set's order and its pieces, those that take longest first."""

    cell: Cell
    samples: tuple[Sample, ...]
    pieces: tuple[Piece, ...]

    def answered(self, records: Mapping[Any, Mapping[str, Any]]) -> set[SampleId]:
        """The samples that ``records`` answer: without failure, from the same inputs as now."""
        return {
            sample.id
            for piece in self.pieces
            for call in piece.calls
            for sample in call.group
            if is_current(records.get(sample.id), call.key) and records[sample.id]["status"] == Status.OK
        }


def is_current(record: Mapping[str, Any] | None, key: str) -> bool:
    """Whether a stored record was made from the inputs that ``key`` stands for."""
    return record is not None and record.get("key") == key


def make_plan(cell: Cell, samples: Sequence[Sample]) -> Plan:
    """Read a digest of each video and lay out the calls."""
    groups = cell.groups(samples)
    sources = {video: [video, *cell.donors(video)] for video in {group[0].video for group in groups}}
    paths = {source.path for videos in sources.values() for source in videos}
    with ThreadPoolExecutor(8) as pool:
        digests = dict(zip(paths, pool.map(content_digest, paths), strict=True))
    calls: dict[Video, list[Call]] = {}
    for group in groups:
        video = group[0].video
        own, *taken = (digests[source.path] for source in sources[video])
        call = Call(group, input_key(group, [own, *taken]), input_key(group, [own]))
        calls.setdefault(video, []).append(call)
    pieces = [Piece(video, tuple(asked)) for video, asked in calls.items()]
    pieces = _longest_first(pieces)
    return Plan(cell, tuple(samples), tuple(pieces))


def choose_samples(
    samples: Sequence[Sample], ids: Sequence[str] = (), limit: int | None = None
) -> list[Sample]:
    """The samples named by ``ids`` (all when empty), the first ``limit`` of them.

    Raises UsageError for an id that the data set does not have, and when two samples share one.
    """
    repeated = [id_ for id_, count in Counter(sample.id for sample in samples).items() if count > 1]
    if repeated:
        raise UsageError(f"the data set has more than one sample with id {repeated[0]!r}")
    chosen = list(samples)
    if ids:
        known = {str(sample.id) for sample in samples}
        unknown = [id_ for id_ in ids if id_ not in known]
        if unknown:
            first, last = samples[0].id, samples[-1].id
            raise UsageError(f"--ids: no sample {unknown[0]!r}; the data set's run from {first} to {last}")
        chosen = [sample for sample in samples if str(sample.id) in set(ids)]
    return chosen[:limit]


def _longest_first(pieces: Sequence[Piece]) -> list[Piece]:
    """By the share of all bytes to decode plus the share of all calls: no other estimate is at hand."""
    sizes = [_bytes(piece.video) for piece in pieces]
    calls = sum(len(piece.calls) for piece in pieces)

    def place(number: int) -> tuple[int, str, float]:
        piece = pieces[number]
        # Integers: all ranks have to find the same order.
        cost = sizes[number] * calls + len(piece.calls) * sum(sizes)
        return -cost, piece.video.key, piece.video.start or 0

    return [pieces[number] for number in sorted(range(len(pieces)), key=place)]


def _bytes(video: Video) -> int:
    try:
        return video.path.stat().st_size
    except OSError:
        return 0
