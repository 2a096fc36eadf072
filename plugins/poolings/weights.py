"""How much each frame of a window counts: float64 [n], oldest frame first, sum 1.

The shapes and their constants are those of POVQA's code (arXiv 2510.01009), which differ from its
README's. They go by the order of the frames, not by their times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Weights = npt.NDArray[np.float64]


def equal(count: int) -> Weights:
    return np.full(count, 1 / count)


def rising(count: int) -> Weights:
    """In equal steps from .1 for the oldest to 1 for the newest; a lone frame has all."""
    return _normalised(np.linspace(0.1, 1.0, count))


def exponential(count: int, gamma: float) -> Weights:
    """Each frame gamma times the one after it; gamma above 0, at most 1."""
    return _normalised(gamma ** np.arange(count - 1.0, -1.0, -1.0))


def ramp(count: int, power: float) -> Weights:
    """1, 2, 3, ... to the power; power 0 or more."""
    # As shares of the largest, which no power takes beyond what a float holds.
    return _normalised((np.arange(1.0, count + 1.0) / count) ** power)


def last(count: int) -> Weights:
    result = np.zeros(count)
    result[-1] = 1
    return result


def _normalised(values: Weights) -> Weights:
    return values / values.sum()
