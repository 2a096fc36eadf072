"""A soft elliptical shadow.

An edge blurred by a wide bell changes little from a pixel to the next, so the blurred ellipse is
computed on a grid several pixels wide. Its cells hold how much of them the ellipse covers; they are
convolved with a Gaussian, and straight lines join them. Variances add: a cell has h*h / 12, a straight
line (h*h - 1) / 6 on average over the pixels, the Gaussian makes up the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .stretching import NONE, UNIT, read_row

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    from .stretching import Map

    Floats = npt.NDArray[np.float32]

_CELLS = 2.5
"""Cells per standard deviation of the edge, at least."""
_LINES = 16
"""Lines on which the ellipse is measured, per row of cells."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Centre (from the middle of the upper left pixel) and half-axes in pixels, angle in radians.

    The first half-axis lies along x before the ellipse is turned by the angle, clockwise on the screen.
    """

    x: float
    y: float
    half_width: float
    half_height: float
    angle: float


def cast_shadow(source: Frame, ellipse: Ellipse, sigma: float, strength: float, out: Frame) -> None:
    """out = x * (1 - strength * M), M the ellipse (1 inside, 0 outside) blurred with a Gaussian.

    sigma: the Gaussian's standard deviation in pixels, at least .5. strength: 0..1. Within .8 grey levels
    of the exact value before the rounding.
    """
    height, width, _ = source.shape
    cell = max(1, int(sigma / _CELLS))
    bell = _half_bell(math.sqrt(sigma**2 - cell**2 / 12 - (cell**2 - 1) / 6) / cell)
    margin = bell.size
    # Cell ``margin`` is the first to hold pixels; a cell's node is its middle.
    rows, columns = -(-height // cell) + 2 * margin, -(-width // cell) + 2 * margin
    covered = np.zeros((rows, columns), np.float32)
    nodes = np.empty((rows, 1 << (columns - 1).bit_length()), np.uint16)
    cosine, sine = math.cos(ellipse.angle), math.sin(ellipse.angle)
    inverse = (ellipse.half_width**-2, ellipse.half_height**-2)
    _cover(
        (ellipse.x + 0.5) / cell + margin,
        (ellipse.y + 0.5) / cell + margin,
        cell**2 * (cosine**2 * inverse[0] + sine**2 * inverse[1]),
        cell**2 * (cosine * sine * (inverse[0] - inverse[1])),
        cell**2 * (sine**2 * inverse[0] + cosine**2 * inverse[1]),
        covered,
    )
    _soften(covered, bell, np.float32(strength), nodes)
    start = (2 * margin - 1) * UNIT // 2 + UNIT // (2 * cell)
    _darken(source, nodes, start, round(UNIT / cell), out)


def _half_bell(sigma: float) -> Floats:
    """float32 [r + 1], r = ceil(4 sigma): a Gaussian's weights at distances 0..r, both sides sum to 1."""
    shares = [math.exp(-0.5 * (d / sigma) * (d / sigma)) for d in range(math.ceil(4 * sigma) + 1)]
    return np.array(shares, np.float32) / np.float32(2 * math.fsum(shares) - 1)


@compiled
def _cover(x: float, y: float, across: float, mixed: float, down: float, cells: Floats) -> None:
    """cells (zeros before) = the share of each that lies in the ellipse.

    The ellipse is where across dx dx + 2 mixed dx dy + down dy dy < 1, dx and dy counted from (x, y);
    cell [r, c] is the square from (c, r) to (c + 1, r + 1).
    """
    rows, columns = cells.shape
    for r in range(rows):
        row = cells[r]
        for i in range(_LINES):
            dy = r + (i + 0.5) / _LINES - y
            root = mixed * mixed * dy * dy - across * (down * dy * dy - 1)
            if root <= 0:
                continue
            middle, reach = x - mixed * dy / across, math.sqrt(root) / across
            left = min(max(middle - reach, 0.0), columns - 1.0)
            right = min(max(middle + reach, 0.0), columns - 1.0)
            # What is right of a point, as differences between neighbours; they are summed up below.
            for point, sign in ((left, 1.0), (right, -1.0)):
                at = int(point)
                row[at] += np.float32(sign / _LINES * (at + 1 - point))
                row[at + 1] += np.float32(sign / _LINES * (point - at))
        total = np.float32(0)
        for c in range(columns):
            total += row[c]
            row[c] = total


@compiled
def _soften(cells: Floats, bell: Floats, strength: np.float32, nodes: Map) -> None:
    """nodes = 65535 * (1 - strength * cells convolved with the bell); meaningless less than a bell from
    the edges."""
    rows, columns = cells.shape
    radius = bell.size - 1
    column = np.empty(columns, np.float32)
    total = np.empty(columns, np.float32)
    nodes[:] = 65535
    for r in range(radius, rows - radius):
        column[:] = bell[0] * cells[r]
        for d in range(1, radius + 1):
            above, below, weight = cells[r - d], cells[r + d], bell[d]
            for c in range(columns):
                column[c] += weight * (above[c] + below[c])
        size = columns - 2 * radius
        middle = column[radius : radius + size]
        sums = total[:size]
        sums[:] = bell[0] * middle
        for d in range(1, radius + 1):
            left, right = column[radius - d : radius - d + size], column[radius + d : radius + d + size]
            weight = bell[d]
            for c in range(size):
                sums[c] += weight * (left[c] + right[c])
        for c in range(size):
            shade = min(max(strength * sums[c], np.float32(0)), np.float32(1))
            nodes[r, radius + c] = np.uint16(np.float32(65535) * (np.float32(1) - shade) + np.float32(0.5))


@compiled
def _darken(source: Frame, nodes: Map, start: int, step: int, out: Frame) -> None:
    height, width, channels = source.shape
    size = width * channels
    rows = source.reshape(height, size)
    result = out.reshape(height, size)
    kept = np.empty((3, width), np.uint16)
    held = np.full(2, NONE, np.int64)
    light = np.empty(size, np.uint16)
    for y in range(height):
        read_row(nodes, start + y * step, start, step, 65536, kept, held, light)
        row, target = rows[y], result[y]
        for j in range(size):
            target[j] = np.uint8(
                (np.uint32(row[j]) * np.uint32(light[j]) + np.uint32(32768)) >> np.uint32(16)
            )
