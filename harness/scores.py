"""The scored questions of one run, the groups they count in, and how a rating file keeps both.

A rating file carries every question's score in a compact form, so that two runs can be compared
question by question, in any group, long after their caches are gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, UsageError
from harness.types import Sample, SampleId, Taxonomy, Verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

FAILED = -1.0
"""The score that stands for every failure in a rating, whatever its cause."""
BEST = 3.0


@dataclass(frozen=True, slots=True)
class Scored:
    """One question of a run: its id, its video's key, its score (0..3, or -1) and its labels."""

    id: SampleId
    video: str
    score: float
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a rating, in the order of its keys, each with the labels that count in it.

    None stands for all questions, those without a label too.
    """

    coarse: Mapping[str, tuple[str, ...] | None]
    fine: tuple[str, ...]

    @staticmethod
    def members(labels: Sequence[str] | None, questions: Sequence[Scored]) -> list[Scored]:
        """The questions that meet ``labels``, each once."""
        if labels is None:
            return list(questions)
        return [question for question in questions if not set(labels).isdisjoint(question.labels)]


def groups_of(taxonomy: Taxonomy | None, samples: Sequence[Sample]) -> Groups:
    """Groups by taxonomy, or one per label in the order they first appear, and Overall.

    Raises UsageError for a label that the taxonomy does not have.
    """
    if taxonomy is None:
        labels = tuple(dict.fromkeys(label for sample in samples for label in sample.labels))
        return Groups({**{label: (label,) for label in labels}, "Overall": None}, labels)
    fine = tuple(dict.fromkeys(label for labels in taxonomy.coarse.values() for label in labels))
    for sample in samples:
        unknown = [label for label in sample.labels if label not in fine]
        if unknown:
            raise UsageError(f"question {sample.id!r} has a label that its taxonomy lacks: {unknown[0]!r}")
    coarse: dict[str, tuple[str, ...] | None] = dict(taxonomy.coarse)
    for name, parts in taxonomy.rollups.items():
        whole = set(parts) == set(taxonomy.coarse)
        coarse[name] = None if whole else tuple(label for part in parts for label in taxonomy.coarse[part])
    return Groups(coarse, fine)


def score_of(verdict: Verdict | None) -> float:
    """0..3, or -1 for a failure, for no verdict, and for a number that is no score."""
    if verdict is None or not verdict.ok or verdict.score is None:
        return FAILED
    return float(verdict.score) if 0 <= verdict.score <= BEST else FAILED


def mean(questions: Iterable[Scored], *, valid: bool) -> float:
    """``valid``: the mean over those with a score; else over all, failures as 0. NaN over none."""
    scores = [question.score for question in questions if not valid or question.score >= 0]
    return math.fsum(max(score, 0.0) for score in scores) / len(scores) if scores else math.nan


def two_decimals(value: float) -> str:
    """A number as the blocks spell it; ``nan`` for an empty group."""
    return f"{value:.2f}" if not math.isnan(value) else "nan"


def sums_by_video(
    questions: Sequence[Scored], videos: Mapping[str, int], *, valid: bool
) -> tuple[Floats, Floats]:
    """Scores added up within each video, and how many they are: float64 [videos] each.

    ``videos`` says each video's position.
    """
    import numpy as np

    kept = [question for question in questions if not valid or question.score >= 0]
    where = np.array([videos[question.video] for question in kept], dtype=np.int64)
    scores = np.array([max(question.score, 0.0) for question in kept], dtype=np.float64)
    size = len(videos)
    sums = np.bincount(where, scores, size).astype(np.float64)
    return sums, np.bincount(where, minlength=size).astype(np.float64)


def positions(questions: Iterable[Scored]) -> dict[str, int]:
    """Each video's position, in the order of their keys."""
    return {video: place for place, video in enumerate(sorted({question.video for question in questions}))}


def pack_scores(questions: Iterable[Scored], groups: Groups) -> dict[str, Any]:
    """What a rating file keeps under ``meta``.

    ``groups``: coarse name -> its fine labels, null for all questions. ``scores``: video key -> one
    ``[id, score, label, ...]`` per question, a label being its position among the keys of ``fine_all``.
    """
    place = {label: position for position, label in enumerate(groups.fine)}
    scores: dict[str, list[list[SampleId | float]]] = {}
    for question in questions:
        score = int(question.score) if question.score == int(question.score) else question.score
        row = [question.id, score, *(place[label] for label in question.labels)]
        scores.setdefault(question.video, []).append(row)
    names = {name: None if labels is None else list(labels) for name, labels in groups.coarse.items()}
    return {"groups": names, "scores": scores}


def unpack_scores(meta: Mapping[str, Any], fine: Sequence[str]) -> tuple[list[Scored], Groups] | None:
    """The reverse of :func:`pack_scores`; None when ``meta`` has no scores (files made by others).

    Raises HarnessError when they are damaged.
    """
    if "scores" not in meta or "groups" not in meta:
        return None
    try:
        questions = [_scored(video, row, fine) for video, rows in meta["scores"].items() for row in rows]
        coarse = {
            str(name): None if labels is None else tuple(map(str, labels))
            for name, labels in meta["groups"].items()
        }
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise HarnessError(f"its scores are damaged ({error}): rate that run again") from error
    return questions, Groups(coarse, tuple(fine))


def _scored(video: str, row: Sequence[Any], fine: Sequence[str]) -> Scored:
    id_, score, *places = row
    if not isinstance(id_, int | str) or not (score == FAILED or 0 <= score <= BEST):
        raise ValueError(f"no id and score: {str(row)[:80]}")
    return Scored(id_, video, float(score), tuple(fine[place] for place in places))
