"""Speckle: every grain of the picture takes a gain of its own, drawn from a table of quantiles."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Floats = npt.NDArray[np.float32]

_HALF = 1 << 15


def speckle_gains(sigma: float) -> Floats:
    """float32 [65536], ascending: max(0, 1 + sigma * N) for equally likely N ~ N(0, 1).

    The N are the middle quantiles of 65536 cells, at most 4.17 from 0. Takes some milliseconds.
    """
    quantile = NormalDist().inv_cdf
    above = np.array([quantile(0.5 + (i + 0.5) / (2 * _HALF)) for i in range(_HALF)])
    return np.maximum(0, 1 + sigma * np.concatenate((-above[::-1], above))).astype(np.float32)


@compiled
def _draw(gains: Floats, key: np.uint64, first: int, words: npt.NDArray[np.uint64], drawn: Floats) -> None:
    """A gain for each grain of a row, by 16-bit slices of the words from number ``first`` on."""
    for i in range(words.size):
        words[i] = word(key, first + i)
    slices = words.view(np.uint16)
    for i in range(drawn.size):
        drawn[i] = gains[slices[i]]


@compiled
def _multiply(row: npt.NDArray[np.uint8], gains: Floats, target: npt.NDArray[np.uint8]) -> None:
    """Rounded half up, cut at 255; gains are 0 or more."""
    for j in range(target.size):
        value = np.float32(row[j]) * gains[j] + np.float32(0.5)
        target[j] = np.uint8(np.int32(min(np.float32(255), value)))


@compiled
def multiply_grains(source: Frame, gains: Floats, grain: int, key: np.uint64, out: Frame) -> None:
    """out = source times a gain drawn for each grain, rounded and clipped.

    source, out: uint8 [H, W, 3], the gain shared by the channels, or [H, W, 1]. gains: those of
    ``speckle_gains``. grain: side in pixels of the squares that share a gain, 1 or more, the first of
    them in the upper left corner. A row of n grains uses (n + 3) // 4 words.
    """
    height, width, channels = source.shape
    size = width * channels
    rows = source.reshape(height, size)
    result = out.reshape(height, size)
    count = (width + grain - 1) // grain
    words = np.empty((count + 3) // 4, np.uint64)
    drawn = np.empty(count, np.float32)
    columns = np.empty(count * grain, np.float32)
    values = np.empty(count * grain * channels, np.float32)
    for k in range((height + grain - 1) // grain):
        _draw(gains, key, k * words.size, words, drawn)
        wide = drawn
        if grain > 1:
            for shift in range(grain):
                for i in range(count):
                    columns[grain * i + shift] = drawn[i]
            wide = columns
        if channels == 3:
            for x in range(wide.size):
                for c in range(3):
                    values[3 * x + c] = wide[x]
            wide = values
        for y in range(k * grain, min(height, (k + 1) * grain)):
            _multiply(rows[y], wide, result[y])
