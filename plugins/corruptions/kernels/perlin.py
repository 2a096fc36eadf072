"""Perlin noise: gradients drawn on a lattice, joined smoothly, several octaves of it.

Source: Perlin, "Improving Noise", SIGGRAPH 2002, in two dimensions with eight gradients; each octave
has half the period and half the height of the one before. Every octave's lattice is shifted by a draw
of its own, since noise is 0 at the nodes of a lattice and octaves that share them show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from .stretching import Map

    Floats = npt.NDArray[np.float32]

_ACROSS = np.array([1, 1, 1, 0, 0, -1, -1, -1], np.float32)
_DOWN = np.array([1, 0, -1, 1, -1, 1, 0, -1], np.float32)
"""The eight gradients."""


def perlin(key: np.uint64, height: int, width: int, period: float, octaves: int) -> Map:
    """uint16 [height, n], n the next power of two >= width: from 0 (the least value) to 65535.

    period: distance of the first lattice's nodes in elements of the map, above 0. What lies right of
    ``width`` is 0, as is a map all of whose values are equal.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        _add(key, octave, 2.0**octave / period, np.float32(0.5**octave), total)
    out = np.zeros((height, 1 << (width - 1).bit_length()), np.uint16)
    _level(total, out)
    return out


@compiled
def _add(key: np.uint64, octave: int, frequency: float, amplitude: np.float32, total: Floats) -> None:
    """total += amplitude times noise with ``frequency`` nodes per element, each octave with its own."""
    height, width = total.shape
    begin, stream = word(key, 2 * octave), word(key, 2 * octave + 1)
    left = np.float64(begin >> np.uint64(32)) * 2.0**-32
    top = np.float64(begin & np.uint64(0xFFFFFFFF)) * 2.0**-32
    # Along a row: the node left of each element, how far behind it lies, and the weight of the next.
    node = np.empty(width, np.int64)
    behind = np.empty(width, np.float32)
    weight = np.empty(width, np.float32)
    for x in range(width):
        place = left + x * frequency
        node[x] = np.int64(place)
        behind[x] = np.float32(place - node[x])
        weight[x] = _fade(behind[x])
    count = node[width - 1] + 2
    gradients = np.empty((2, 2, count), np.float32)
    drawn = np.full(2, -1, np.int64)
    slope = np.empty(count, np.float32)
    level = np.empty(count, np.float32)
    one = np.float32(1)
    for y in range(height):
        place = top + y * frequency
        line = np.int64(place)
        below = np.float32(place - line)
        share = _fade(below)
        for n in range(line, line + 2):
            if drawn[n & 1] != n:
                _draw(stream ^ word(stream, n), gradients[n & 1])
                drawn[n & 1] = n
        upper, lower = gradients[line & 1], gradients[(line + 1) & 1]
        for i in range(count):
            slope[i] = (one - share) * upper[0, i] + share * lower[0, i]
            level[i] = (one - share) * upper[1, i] * below + share * lower[1, i] * (below - one)
        row = total[y]
        for x in range(width):
            i = node[x]
            here = slope[i] * behind[x] + level[i]
            there = slope[i + 1] * (behind[x] - one) + level[i + 1]
            row[x] += amplitude * (here + weight[x] * (there - here))


@compiled
def _draw(key: np.uint64, gradients: Floats) -> None:
    """gradients[:, i] = (across, down), one of eight directions for every node of a line."""
    for i in range(gradients.shape[1]):
        choice = np.int64(word(key, i) >> np.uint64(61))
        gradients[0, i] = _ACROSS[choice]
        gradients[1, i] = _DOWN[choice]


@compiled
def _fade(t: np.float32) -> np.float32:
    return t * t * t * (t * (t * np.float32(6) - np.float32(15)) + np.float32(10))


@compiled
def _level(total: Floats, out: Map) -> None:
    least, most = total[0, 0], total[0, 0]
    for y in range(total.shape[0]):
        row = total[y]
        for x in range(row.size):
            least = min(least, row[x])
            most = max(most, row[x])
    share = np.float32(65535) / (most - least) if most > least else np.float32(0)
    for y in range(total.shape[0]):
        row, target = total[y], out[y]
        for x in range(row.size):
            target[x] = np.uint16((row[x] - least) * share + np.float32(0.5))
