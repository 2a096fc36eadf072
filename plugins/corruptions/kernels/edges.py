"""Where a picture has edges: Canny's detector, pixel for pixel what OpenCV makes of the same grey levels.

Row by row and without branches, so that it becomes vector code, up to the last step: following weak edges
from where they touch strong ones.

Source: Canny, "A computational approach to edge detection", IEEE TPAMI 8 (1986).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Map = npt.NDArray[np.uint8]
    Slopes = npt.NDArray[np.int16]

_TANGENT = round(math.tan(math.pi / 8) * (1 << 15))
"""Tangent of 22.5 degrees, in units of 2**-15."""
_WEAK, _STRONG = 1, 2
"""Bits of the map: a ridge between the thresholds, and an edge."""
_STEEPEST = 2040
"""No |d/dx| + |d/dy| is larger: each is at most 4 * 255."""


def find_edges(source: Frame, low: float, high: float) -> Map:
    """uint8 [H, W]: 255 on edges, 0 elsewhere.

    low, high: 0 or more, low at most high. An edge is a ridge of |d/dx| + |d/dy| of the luminance (by
    Sobel's 3 x 3 masks, the border repeated) above ``high``, or one above ``low`` that is connected to
    such, also over corners, through its like.
    """
    height, width, _ = source.shape
    ridges = np.zeros((height + 2, width + 2), np.uint8)
    limits = [min(math.floor(limit), _STEEPEST) for limit in (low, high)]
    _mark_ridges(source, limits[0], limits[1], ridges)
    edges = np.empty((height, width), np.uint8)
    _follow(ridges, edges)
    return edges


@compiled
def _mark_ridges(source: Frame, low: int, high: int, ridges: Map) -> None:
    """ridges: uint8 [H + 2, W + 2] of zeros; those of pixel (y, x) are marked at (y + 1, x + 1)."""
    height, width, _ = source.shape
    grey = np.empty((3, width + 2), np.int16)
    across = np.empty((2, width), np.int16)
    down = np.empty((2, width), np.int16)
    # Beyond the picture nothing is steep.
    steep = np.zeros((3, width + 2), np.int16)
    _luminance(source[0].reshape(-1), grey[0])
    _luminance(source[0].reshape(-1), grey[1])
    # Slopes of a row need the luminance of the next one, ridges the slopes of the next one.
    for y in range(height + 1):
        if y < height:
            _luminance(source[min(y + 1, height - 1)].reshape(-1), grey[(y + 2) % 3])
            rows = grey[y % 3], grey[(y + 1) % 3], grey[(y + 2) % 3]
            _slopes(*rows, across[y % 2], down[y % 2], steep[(y + 1) % 3])
        else:
            steep[(y + 1) % 3] = 0
        if y > 0:
            above, middle, below = steep[(y - 1) % 3], steep[y % 3], steep[(y + 1) % 3]
            _ridges(across[(y - 1) % 2], down[(y - 1) % 2], above, middle, below, low, high, ridges[y])


@compiled
def _luminance(row: Map, grey: Slopes) -> None:
    """grey[x + 1] = round(.299 R + .587 G + .114 B), in units of 1 / 256; the ends are repeated."""
    width = grey.size - 2
    inner = grey[1:]
    for x in range(width):
        # The weights sum to 256, so the total fits 16 bits.
        warm = np.uint16(row[3 * x]) * np.uint16(77) + np.uint16(row[3 * x + 1]) * np.uint16(150)
        total = np.uint16(warm + np.uint16(row[3 * x + 2]) * np.uint16(29) + np.uint16(128))
        inner[x] = np.int16(total >> np.uint16(8))
    grey[0] = grey[1]
    grey[width + 1] = grey[width]


@compiled
def _slopes(
    above: Slopes, middle: Slopes, below: Slopes, across: Slopes, down: Slopes, steep: Slopes
) -> None:
    """Sobel's derivatives of a row, and the sum of their amounts at steep[x + 1]."""
    inner = steep[1:]
    for x in range(across.size):
        left = above[x] + np.int16(2) * middle[x] + below[x]
        right = above[x + 2] + np.int16(2) * middle[x + 2] + below[x + 2]
        upper = above[x] + np.int16(2) * above[x + 1] + above[x + 2]
        lower = below[x] + np.int16(2) * below[x + 1] + below[x + 2]
        across[x] = np.int16(right - left)
        down[x] = np.int16(lower - upper)
        inner[x] = np.int16(abs(across[x]) + abs(down[x]))


@compiled
def _ridges(
    across: Slopes,
    down: Slopes,
    above: Slopes,
    middle: Slopes,
    below: Slopes,
    low: int,
    high: int,
    out: Map,
) -> None:
    """out[x + 1] = _WEAK or _STRONG where a row is steeper than its neighbours along the slope.

    Of two that are equally steep the left or upper one counts; on a diagonal neither does.
    """
    inner = out[1:]
    weak, strong = np.int16(low), np.int16(high)
    for x in range(across.size):
        here = middle[x + 1]
        dx, dy = np.int32(across[x]), np.int32(down[x])
        wide, tall = abs(dx), abs(dy) << np.int32(15)
        least = wide * np.int32(_TANGENT)
        flat = tall < least
        upright = tall > least + (wide << np.int32(16))
        falling = (dx ^ dy) >= 0
        on_flat = (here > middle[x]) & (here >= middle[x + 2])
        on_upright = (here > above[x + 1]) & (here >= below[x + 1])
        on_falling = (here > above[x]) & (here > below[x + 2])
        on_rising = (here > above[x + 2]) & (here > below[x])
        diagonal = (falling & on_falling) | (~falling & on_rising)
        top = (flat & on_flat) | (~flat & ((upright & on_upright) | (~upright & diagonal)))
        level = np.uint8(here > weak) + np.uint8(here > strong)
        inner[x] = level if top else np.uint8(0)


@compiled
def _follow(ridges: Map, edges: Map) -> None:
    """edges = 255 where a ridge is strong or connected to a strong one; ``ridges`` is used up."""
    height, width = edges.shape
    size = width + 2
    marks = ridges.reshape(-1)
    groups = (width + 7) // 8
    words = np.zeros(groups, np.uint64)
    touching = words.view(np.uint8)
    column = np.empty(size, np.uint8)
    waiting = np.empty(1024, np.int64)
    for y in range(1, height + 1):
        upper, row, lower = ridges[y - 1], ridges[y], ridges[y + 1]
        for x in range(size):
            column[x] = upper[x] | row[x] | lower[x]
        for x in range(width):
            near = (column[x] | column[x + 1] | column[x + 2]) & np.uint8(_STRONG)
            touching[x] = near & (row[x + 1] << np.uint8(1))
        for group in range(groups):
            if words[group] == np.uint64(0):
                continue
            for x in range(8 * group, min(8 * group + 8, width)):
                if touching[x] == 0 or row[x + 1] != _WEAK:
                    continue
                row[x + 1] = _STRONG
                waiting[0] = y * size + x + 1
                count = 1
                while count > 0:
                    count -= 1
                    at = waiting[count]
                    if count + 8 > waiting.size:
                        longer = np.empty(2 * waiting.size, np.int64)
                        longer[:count] = waiting[:count]
                        waiting = longer
                    for start in (at - size - 1, at - 1, at + size - 1):
                        for other in range(start, start + 3):
                            if marks[other] == _WEAK:
                                marks[other] = _STRONG
                                waiting[count] = other
                                count += 1
    for y in range(height):
        row, target = ridges[y + 1], edges[y]
        for x in range(width):
            target[x] = np.uint8(255) if row[x + 1] == np.uint8(_STRONG) else np.uint8(0)
