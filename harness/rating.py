"""From verdicts to the numbers a run is known by.

The four blocks are MMBench-Video's (VLMEvalKit, ``vlmeval/dataset/utils/mmbench_video.py``, restated):
means over questions on the 0-3 scale, each question once per group. ``*_all`` counts a failure as 0,
``*_valid`` leaves it out; how many failed, and why, stands beside them in ``meta``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.intervals import LEVEL, METHOD, mean_intervals
from harness.scores import (
    BEST,
    Scored,
    groups_of,
    mean,
    pack_scores,
    positions,
    score_of,
    sums_by_video,
    two_decimals,
)
from harness.types import Rating, Sample, SampleId, Status, Taxonomy, Verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MISSING = "missing"
"""How a question without any verdict is counted: the run was not complete."""


def rate(
    samples: Sequence[Sample], verdicts: Mapping[SampleId, Verdict], taxonomy: Taxonomy | None = None
) -> Rating:
    """The rating of ``samples``, with what it can say by itself in ``meta``.

    A failed prediction comes as a verdict with the prediction's status. Without a taxonomy every label
    is a group of its own, beside Overall. ``meta`` holds ``questions`` (their number), ``scale`` (``worst``
    and ``best``; where all questions offer choices also ``chance``, the mean score of blind guesses that
    count ``best`` when right), ``counts`` (status -> questions, ``missing`` where there is no verdict),
    ``intervals`` (95%, of each coarse group of both blocks, null where unknown), ``groups`` and
    ``scores`` (:func:`harness.scores.pack_scores`). Raises UsageError for a label outside the taxonomy.
    """
    groups = groups_of(taxonomy, samples)
    questions = [
        Scored(
            sample.id,
            sample.video.key,
            score_of(verdicts.get(sample.id)),
            tuple(dict.fromkeys(sample.labels)),
        )
        for sample in samples
    ]
    members = {name: groups.members(labels, questions) for name, labels in groups.coarse.items()}
    narrow = {label: groups.members((label,), questions) for label in groups.fine}
    return Rating(
        coarse_all=_block(members, valid=False),
        coarse_valid=_block(members, valid=True),
        fine_all=_block(narrow, valid=False),
        fine_valid=_block(narrow, valid=True),
        meta={
            "questions": len(questions),
            "scale": _scale(samples),
            "counts": _counts(samples, verdicts),
            "intervals": {
                "level": LEVEL,
                "method": METHOD,
                "coarse_all": _intervals(members, questions, valid=False),
                "coarse_valid": _intervals(members, questions, valid=True),
            },
            **pack_scores(questions, groups),
        },
    )


def _block(members: Mapping[str, Sequence[Scored]], *, valid: bool) -> dict[str, str]:
    return {name: two_decimals(mean(questions, valid=valid)) for name, questions in members.items()}


def _scale(samples: Sequence[Sample]) -> dict[str, float]:
    scale = {"worst": 0.0, "best": BEST}
    if samples and all(sample.choices for sample in samples):
        guesses = math.fsum(1 / len(sample.choices) for sample in samples)
        scale["chance"] = round(BEST * guesses / len(samples), 4)
    return scale


def _counts(samples: Sequence[Sample], verdicts: Mapping[SampleId, Verdict]) -> dict[str, int]:
    """How the questions fared, ``ok`` always among them."""
    found = Counter(_outcome(verdicts.get(sample.id)) for sample in samples)
    order = [*(status.value for status in Status), MISSING]
    return {name: found[name] for name in order if found[name] or name == Status.OK}


def _outcome(verdict: Verdict | None) -> str:
    if verdict is None:
        return MISSING
    if verdict.status is Status.OK and score_of(verdict) < 0:
        return Status.UNPARSED.value
    return verdict.status.value


def _intervals(
    members: Mapping[str, Sequence[Scored]], questions: Sequence[Scored], *, valid: bool
) -> dict[str, list[float] | None]:
    """Low and high of each group's mean, three decimals; None where unknown."""
    import numpy as np

    videos = positions(questions)
    if not videos or not members:
        return dict.fromkeys(members)
    columns = [sums_by_video(group, videos, valid=valid) for group in members.values()]
    sums, counts = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    found = mean_intervals(sums, counts)
    return {name: _rounded(pair) for name, pair in zip(members, found, strict=True)}


def _rounded(pair: npt.NDArray[np.float64]) -> list[float] | None:
    low, high = pair.tolist()
    return None if math.isnan(low) else [round(low, 3), round(high, 3)]
