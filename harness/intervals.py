"""How sure a mean is: 95% intervals by a cluster bootstrap over videos.

Questions about one video share its frames, so they are not independent; whole videos are drawn with
replacement instead (percentile method: Davison and Hinkley, *Bootstrap Methods and their Application*,
1997, chapters 2 and 3.8). Two runs over the same videos are compared with the same draws, which takes
the difficulty of the videos out of the difference. With fewer than about twenty videos the intervals
are too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.seeds import generator

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 1000
METHOD = f"percentiles of {RESAMPLES} bootstrap samples of whole videos"


def multiplicities(videos: int, resamples: int = RESAMPLES) -> Floats:
    """How often each video is drawn: float64 [resamples, videos], each row adding up to ``videos``.

    The same for every call with the same numbers. Built from raw generator words, since NumPy may
    change the streams of its distributions.
    """
    import numpy as np

    words = generator("bootstrap", videos, resamples).bit_generator.random_raw(resamples * videos)
    drawn = ((words >> np.uint64(32)) * np.uint64(videos)) >> np.uint64(32)
    row = np.repeat(np.arange(resamples, dtype=np.int64), videos)
    counts = np.bincount(row * videos + drawn.astype(np.int64), minlength=resamples * videos)
    return counts.reshape(resamples, videos).astype(np.float64)


def mean_intervals(sums: Floats, counts: Floats) -> Floats:
    """Intervals of the means of some groups: float64 [groups, 2], low and high.

    sums, counts: float64 [videos, groups], the scores of a group added up within each video, and how
    many they are. A group that meets fewer than two videos gets NaN: nothing is known of its spread.
    """
    weights = multiplicities(len(counts))
    return percentiles(_ratio(weights @ sums, weights @ counts), (counts > 0).sum(axis=0) >= 2)


def drop_interval(
    sums: Floats, counts: Floats, other_sums: Floats, other_counts: Floats
) -> tuple[float, float] | None:
    """Interval of the first run's mean less the other's, paired by video; None below two videos.

    All float64 [videos], the same videos in the same order: scores added up, and how many they are.
    """
    import numpy as np

    weights = multiplicities(len(counts))
    drops = _ratio(weights @ sums, weights @ counts) - _ratio(weights @ other_sums, weights @ other_counts)
    enough = ((counts > 0) & (other_counts > 0)).sum() >= 2
    low, high = percentiles(drops[:, None], np.array([enough]))[0]
    return None if np.isnan(low) else (float(low), float(high))


def _ratio(sums: Floats, counts: Floats) -> Floats:
    """Their quotient, NaN where nothing was counted."""
    import numpy as np

    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def percentiles(values: Floats, enough: npt.NDArray[np.bool_]) -> Floats:
    """[resamples, groups] -> [groups, 2]; resamples that miss a group do not count for it."""
    import numpy as np

    found = np.full((values.shape[1], 2), np.nan)
    tail = 100 * (1 - LEVEL) / 2
    for group in np.flatnonzero(enough & ~np.isnan(values).all(axis=0)):
        column = values[:, group]
        found[group] = np.percentile(column[~np.isnan(column)], [tail, 100 - tail])
    return found
