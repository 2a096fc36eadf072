"""Plasma: clouds by midpoint displacement, the fog of ImageNet-C.

The diamond-square algorithm (Fournier, Fussell and Carpenter, 1982) on a torus: a square's middle
becomes the mean of its corners plus noise, then the middle of each edge the mean of its four
neighbours plus noise, then the squares are halved and the noise divided by the square of ``decay``
(ImageNet-C's code applies its decay twice). The finest levels of a large map add next to nothing to
it, so that a map of any size is computed with ``SIDE`` nodes a side and interpolated between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from .stretching import Map

SIDE = 512
"""Nodes along each side of a map, a power of two: 9 levels of noise."""


@compiled
def plasma(key: np.uint64, decay: float) -> Map:
    """uint16 [SIDE, SIDE], from 0 (its least value) to 65535 (its greatest); opposite edges join.

    decay: by whose square the noise shrinks from a level to the next, above 0. Levels left out below
    the distance of two nodes would add at most the 1 / decay**18 th part of what the first one adds.
    """
    field = np.empty((SIDE, SIDE), np.float32)
    _displace(key, np.float32(1 / decay**2), field)
    least, most = field[0, 0], field[0, 0]
    for y in range(SIDE):
        for x in range(SIDE):
            least = min(least, field[y, x])
            most = max(most, field[y, x])
    share = np.float32(65535) / (most - least)
    out = np.empty((SIDE, SIDE), np.uint16)
    for y in range(SIDE):
        for x in range(SIDE):
            out[y, x] = np.uint16((field[y, x] - least) * share + np.float32(0.5))
    return out


@compiled
def _displace(key: np.uint64, shrink: np.float32, field: npt.NDArray[np.float32]) -> None:
    """Fill the field: float32 [n, n], n a power of two; the noise of the first level is U(-1, 1)."""
    side = field.shape[0]
    quarter = np.float32(0.25)
    amplitude = np.float32(1)
    field[0, 0] = 0
    step = side
    while step >= 2:
        half = step // 2
        for y in range(0, side, step):
            row, low, middle = field[y], field[(y + step) % side], field[y + half]
            for x in range(0, side, step):
                right = (x + step) % side
                mean = quarter * (row[x] + row[right] + low[x] + low[right])
                middle[x + half] = mean + amplitude * _signed(key, (y + half) * side + x + half)
        for y in range(0, side, step):
            row, low = field[y], field[(y + step) % side]
            middle, above = field[y + half], field[(y - half) % side]
            for x in range(0, side, step):
                right, left = (x + step) % side, (x - half) % side
                mean = quarter * (row[x] + row[right] + middle[x + half] + above[x + half])
                row[x + half] = mean + amplitude * _signed(key, y * side + x + half)
                mean = quarter * (row[x] + low[x] + middle[x + half] + middle[left])
                middle[x] = mean + amplitude * _signed(key, (y + half) * side + x)
        amplitude *= shrink
        step = half


@compiled
def _signed(key: np.uint64, counter: int) -> np.float32:
    """Uniform on -1..1, in steps of 2**-23."""
    return np.float32(np.int64(word(key, counter) >> np.uint64(40)) - 8388608) * np.float32(2.0**-23)
