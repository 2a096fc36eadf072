"""Motion blur: the mean of a picture over a line of shifts.

An even 45 degree line is a running sum along diagonals, whatever its length. Any other line is summed tap
by tap, a row at a time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .margins import load_rows, mirrored, row_ring

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Line = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint16]]

_NARROW_TAPS = 100
"""Up to so many taps their losses in 16-bit arithmetic stay below .2 grey levels in all."""
_NARROW_SUM = 65535 // 255
"""Up to so many values of 8 bits add up to less than 2**16."""


def blur_diagonal(source: Frame, taps: int, out: Frame) -> None:
    """out(y, x) = mean of source(y + i, x + i) over ``taps`` steps around i = 0, borders reflected.

    taps: 1 or more; i runs from -(taps // 2), an even line thus reaches one step further up and left.
    Rounded to the nearest, but for ties and float32.
    """
    kind = np.uint16 if taps <= _NARROW_SUM else np.int32
    _run_along(source, taps, np.zeros((2, source.shape[1] * source.shape[2]), kind), out)


def trail(radius: int, sigma: float, angle: float) -> Line:
    """Rows, columns and weights of a line that starts at the pixel itself and fades like a Gaussian.

    int64 [n], int64 [n], uint16 [n], n = 2 radius + 1. Step i lies at (i sin a, i cos a), rounded, and
    weighs exp(-i**2 / (2 sigma**2)), in units that sum to 65535. angle: degrees, clockwise from the
    right as rows count downwards.
    """
    steps = range(2 * radius + 1)
    turn = math.radians(angle)
    rows = [math.ceil(i * math.sin(turn) - 0.5) for i in steps]
    columns = [math.ceil(i * math.cos(turn) - 0.5) for i in steps]
    upto = np.cumsum([math.exp(-0.5 * (i / sigma) * (i / sigma)) for i in steps])
    # Rounding the running sum keeps the total exact.
    weights = np.diff(np.rint(65535 * upto / upto[-1]), prepend=0)
    return np.array(rows, np.int64), np.array(columns, np.int64), weights.astype(np.uint16)


def blur_line(source: Frame, line: Line, out: Frame) -> None:
    """out(y, x) = weighted sum of source(y + row, x + column) over a ``trail``, borders reflected.

    Before the rounding within .2 grey levels of the exact sum, usually within .03.
    """
    rows, columns, weights = line
    reach = int(np.abs(rows).max()), int(np.abs(columns).max())
    if weights.size <= _NARROW_TAPS:
        _sum_narrow(source, rows, columns, weights, reach, out)
    else:
        _sum_wide(source, rows, columns, weights, reach, out)


@compiled
def _run_along(source: Frame, taps: int, sums: npt.NDArray[np.uint16 | np.int32], out: Frame) -> None:
    """``sums`` are two rows of zeros, of a type that holds 255 * taps."""
    height, width, channels = source.shape
    size = width * channels
    margin = taps // 2 + 1
    ring = row_ring(source, margin, margin)
    # Row y + d is ring[lines[y + d + margin]].
    lines = mirrored(-margin, height + 2 * margin, height) % ring.shape[0]
    sides = mirrored(-margin, width + 2 * margin, width)
    loaded = load_rows(source, 0, margin, sides, ring)
    result = out.reshape(height, size)
    share = np.float32(1.0 / taps)
    total = sums[0]
    following = sums[1]
    # Tap i of row y is in row y + i - taps // 2, as many pixels aside.
    for i in range(taps):
        row = ring[lines[1 + i]][(1 + i) * channels : (1 + i) * channels + size]
        for j in range(size):
            total[j] += row[j]
    for y in range(height):
        target = result[y]
        for j in range(size):
            target[j] = np.uint8(np.int32(np.float32(total[j]) * share + np.float32(0.5)))
        if y == height - 1:
            break
        # The next row's sum is this one's, a pixel further on, less the first tap, plus a new last one.
        loaded = load_rows(source, loaded, y + 1 + margin, sides, ring)
        leaving = ring[lines[y + 1]][channels:size]
        entering = ring[lines[y + 1 + taps]][(taps + 1) * channels : taps * channels + size]
        before_it = total[: size - channels]
        after_it = following[channels:]
        for j in range(after_it.size):
            after_it[j] = before_it[j] + entering[j] - leaving[j]
        following[:channels] = 0
        for i in range(taps):
            row = ring[lines[y + 2 + i]]
            for c in range(channels):
                following[c] += row[(1 + i) * channels + c]
        total, following = following, total


@compiled
def _sum_narrow(
    source: Frame,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    weights: npt.NDArray[np.uint16],
    reach: tuple[int, int],
    out: Frame,
) -> None:
    """In units of 1/256 grey level; a product of two 16-bit numbers of which the upper half is kept."""
    height, width, channels = source.shape
    size = width * channels
    above, margin = reach
    ring = row_ring(source, above, margin)
    # Row y + d is ring[lines[y + d + above]].
    lines = mirrored(-above, height + 2 * above, height) % ring.shape[0]
    sides = mirrored(-margin, width + 2 * margin, width)
    loaded = load_rows(source, 0, above, sides, ring)
    result = out.reshape(height, size)
    total = np.empty(size, np.uint16)
    # Each product loses half a unit on average.
    loss = np.uint16(weights.size // 2)
    for y in range(height):
        loaded = load_rows(source, loaded, y + above + 1, sides, ring)
        total[:] = loss
        for i in range(weights.size):
            start = (margin + columns[i]) * channels
            row = ring[lines[y + rows[i] + above]][start : start + size]
            weight = np.uint32(weights[i])
            for j in range(size):
                value = np.uint16(np.uint16(row[j]) << np.uint16(8))
                total[j] += np.uint16((np.uint32(value) * weight) >> np.uint32(16))
        target = result[y]
        for j in range(size):
            target[j] = np.uint8(np.uint16(total[j] + np.uint16(128)) >> np.uint16(8))


@compiled
def _sum_wide(
    source: Frame,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    weights: npt.NDArray[np.uint16],
    reach: tuple[int, int],
    out: Frame,
) -> None:
    """Exact sums of 32 bits, for lines of so many taps that 16 would not do."""
    height, width, channels = source.shape
    size = width * channels
    above, margin = reach
    ring = row_ring(source, above, margin)
    # Row y + d is ring[lines[y + d + above]].
    lines = mirrored(-above, height + 2 * above, height) % ring.shape[0]
    sides = mirrored(-margin, width + 2 * margin, width)
    loaded = load_rows(source, 0, above, sides, ring)
    result = out.reshape(height, size)
    total = np.empty(size, np.uint32)
    for y in range(height):
        loaded = load_rows(source, loaded, y + above + 1, sides, ring)
        total[:] = np.uint32(1 << 15)
        for i in range(weights.size):
            start = (margin + columns[i]) * channels
            row = ring[lines[y + rows[i] + above]][start : start + size]
            weight = np.uint32(weights[i])
            for j in range(size):
                total[j] += np.uint32(row[j]) * weight
        target = result[y]
        for j in range(size):
            target[j] = np.uint8(total[j] >> np.uint32(16))
