"""How far two judges agree on the same answers: Cohen's kappa with quadratic weights, and a confusion table.

Kappa (Cohen, 1968, Psychological Bulletin 70) is 1 where all scores are equal, 0 where they agree no more
than chance would have it. With quadratic weights it equals Lin's concordance coefficient of the scores
(1989, Biometrics 45), which is how it is computed: so it needs no whole scores, and no list of categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.intervals import multiplicities, percentiles

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVELS = 4
"""Scores 0, 1, 2 and 3."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two judges on ``count`` answers that both have scored.

    equal: share with the same score, 0 to 1. kappa: -1 to 1; None where there is no answer, or all scores
    are one. interval: of kappa, 95%, None where it is unknown. means: the two mean scores. confusion: counts,
    a row per score of the first judge, a column per score of the second, others rounded (halves up).
    """

    count: int
    equal: float | None
    kappa: float | None
    interval: tuple[float, float] | None
    means: tuple[float, float] | None
    confusion: tuple[tuple[int, ...], ...]


def agreement(scores: Sequence[tuple[float, float]], videos: Sequence[str] = ()) -> Agreement:
    """The agreement over pairs of scores from 0 to 3.

    videos: which video each pair is about; with them an interval is made, from whole videos drawn again as
    in :mod:`harness.intervals`.
    """
    import numpy as np

    confusion = np.zeros((LEVELS, LEVELS), dtype=np.int64)
    if not scores:
        return Agreement(0, None, None, None, None, _rows(confusion))
    first, second = np.array(scores, dtype=np.float64).T
    np.add.at(confusion, (_level(first), _level(second)), 1)
    terms = np.stack([np.ones_like(first), first, second, first**2, second**2, first * second], axis=1)
    kappa = float(_kappa(terms.sum(axis=0)))
    return Agreement(
        count=len(scores),
        equal=float(np.mean(np.isclose(first, second))),
        kappa=None if np.isnan(kappa) else kappa,
        interval=_interval(terms, videos) if len(videos) else None,
        means=(float(first.mean()), float(second.mean())),
        confusion=_rows(confusion),
    )


def _kappa(sums: Floats) -> Floats:
    """float64 [..., 6], sums of 1, a, b, a², b² and ab, to kappa [...]; NaN where it is undefined."""
    import numpy as np

    count, *moments = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b, aa, bb, ab = (moment / count for moment in moments)
        # The mean squared difference, over what it would be if the pairs were drawn apart.
        apart = aa + bb - 2 * a * b
        kappa: Floats = np.where(apart > 1e-12, 2 * (ab - a * b) / apart, np.nan)
    return kappa


def _interval(terms: Floats, videos: Sequence[str]) -> tuple[float, float] | None:
    import numpy as np

    names, place = np.unique(np.array(videos), return_inverse=True)
    sums = np.zeros((len(names), terms.shape[1]))
    np.add.at(sums, place, terms)
    if len(names) < 2:
        return None
    low, high = percentiles(_kappa(multiplicities(len(names)) @ sums)[:, None], np.array([True]))[0]
    return None if np.isnan(low) else (float(low), float(high))


def _level(scores: Floats) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.clip(np.floor(scores + 0.5), 0, LEVELS - 1).astype(np.int64)


def _rows(confusion: npt.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in confusion.tolist())
