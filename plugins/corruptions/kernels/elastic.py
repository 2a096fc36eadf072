"""A picture pulled about like rubber: every pixel fetched from a place a little off its own.

Positions are in whole 1/64 of a pixel, so interpolating takes 12 bits above a grey level's 8, and the
three channels of a pixel lie side by side in one 64-bit word: 21 bits each, no carry between them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .borders import mirror
from .compiling import compiled
from .random_field import draw_nodes, spacing_for, spline

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    from .random_field import Floats

    Bytes = npt.NDArray[np.uint8]
    Words = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.uint32]

_BAND = 32
"""Rows of the result made at a time: few enough for their sources to stay in the second-level cache."""


def pull_about(
    source: Frame, sigmas: tuple[float, float], amplitude: float, key: np.uint64, out: Frame
) -> None:
    """out[y, x] = source at (y + dy, x + dx), bilinear, borders mirrored, rounded.

    dy, dx: U(-amplitude, amplitude) of every pixel, smoothed with a Gaussian of standard deviations
    ``sigmas`` (down, across), all in pixels. Positions are rounded to 1/64 of a pixel.
    """
    height, width, _ = source.shape
    nodes = draw_nodes((height, width), sigmas, amplitude, key)
    # Between nodes a spline is a mean of theirs, so nothing is fetched from further away.
    reach = math.ceil(float(np.abs(nodes).max(initial=0.0))) + 1
    _fetch(source, nodes, spline(spacing_for(sigmas[0])), spline(spacing_for(sigmas[1])), reach, out)


@compiled
def _fetch(source: Frame, nodes: Floats, down: Floats, across: Floats, reach: int, out: Frame) -> None:
    """``down``, ``across``: the splines between the nodes' rows and columns; reach: no pull is longer."""
    height, width, _ = source.shape
    result = out.reshape(height, 3 * width)
    spacing = down.shape[0]
    wide = width + 2 * reach + 1
    band = np.empty((_BAND + 2 * reach + 1) * wide, np.uint64)
    left = across.shape[0] // 2
    length = (nodes.shape[1] - 2) * across.shape[0]
    lines = np.empty((3, 2 * length), np.float32)
    held = np.full(3, -1, np.int64)
    at = np.empty(width, np.uint32)
    shares = np.empty(width, np.uint32)
    for top in range(0, height, _BAND):
        rows = min(_BAND, height - top)
        for i in range(rows + 2 * reach + 1):
            row = source[mirror(top + i - reach, height)].reshape(-1)
            _pack(row, reach, band[i * wide : (i + 1) * wide])
        for y in range(top, top + rows):
            node = (y + spacing // 2) // spacing + 1
            for k in range(node - 1, node + 2):
                if held[k % 3] != k:
                    _stretch(nodes[k], across, lines[k % 3])
                    held[k % 3] = k
            weights = down[(y + spacing // 2) % spacing]
            _places(
                lines[(node - 1) % 3],
                lines[node % 3],
                lines[(node + 1) % 3],
                weights,
                left,
                (y - top) * wide,
                reach,
                wide,
                at,
                shares,
            )
            _blend(band, wide, at, shares, result[y])


@compiled
def _pack(row: Bytes, reach: int, out: Words) -> None:
    """A row of RGB, mirrored beyond its ends by ``reach`` pixels and one more on the right.

    A pixel's red is in the lowest 21 bits of its word, then green, then blue.
    """
    width = row.size // 3
    middle = out[reach : reach + width]
    for x in range(width):
        red, green, blue = np.uint64(row[3 * x]), np.uint64(row[3 * x + 1]), np.uint64(row[3 * x + 2])
        middle[x] = red | (green << np.uint64(21)) | (blue << np.uint64(42))
    for d in range(1, reach + 1):
        out[reach - d] = middle[mirror(-d, width)]
        out[reach + width - 1 + d] = middle[mirror(width - 1 + d, width)]
    out[out.size - 1] = middle[mirror(width + reach, width)]


@compiled
def _stretch(nodes: Floats, weights: Floats, out: Floats) -> None:
    """A row of nodes [n, 2] -> float32 [2 * h * (n - 2)]: one field, then the other.

    Each is read at every pixel from -(h // 2) on.
    """
    spacing = weights.shape[0]
    count = nodes.shape[0] - 2
    values = nodes.reshape(-1)
    half = out.size // 2
    line = np.empty(2 * count, np.float32)
    # All pixels that lie alike between their nodes at once: that is a vector.
    for i in range(spacing):
        before, at, after = weights[i, 0], weights[i, 1], weights[i, 2]
        for j in range(line.size):
            line[j] = before * values[j] + at * values[j + 2] + after * values[j + 4]
        for n in range(count):
            out[n * spacing + i] = line[2 * n]
            out[half + n * spacing + i] = line[2 * n + 1]


@compiled
def _places(
    above: Floats,
    middle: Floats,
    below: Floats,
    weights: Floats,
    left: int,
    start: int,
    reach: int,
    wide: int,
    at: Places,
    shares: Places,
) -> None:
    """Where a row's pixels come from: the upper left of four in the band, and 64ths from there on."""
    width = at.size
    a, b, c = weights[0], weights[1], weights[2]
    right = above.size // 2 + left
    high_y, mid_y, low_y = above[left:], middle[left:], below[left:]
    high_x, mid_x, low_x = above[right:], middle[right:], below[right:]
    unit, half = np.float32(64.0), np.float32(64 * reach + 0.5)
    row = np.uint32(wide)
    for x in range(width):
        dy = a * high_y[x] + b * mid_y[x] + c * low_y[x]
        dx = a * high_x[x] + b * mid_x[x] + c * low_x[x]
        # Shifted by ``reach`` positions are above 0, so cutting the fraction rounds down.
        y = np.uint32(np.int32(dy * unit + half))
        z = np.uint32(np.int32(dx * unit + half))
        at[x] = np.uint32(start) + (y >> np.uint32(6)) * row + (z >> np.uint32(6)) + np.uint32(x)
        shares[x] = ((y & np.uint32(63)) << np.uint32(6)) | (z & np.uint32(63))


@compiled
def _blend(band: Words, wide: int, at: Places, shares: Places, out: Bytes) -> None:
    """out = a row of RGB, each pixel from four of the band."""
    mixed = np.empty(at.size, np.uint64)
    right, lower, across = band[1:], band[wide:], band[wide + 1 :]
    half = np.uint64((1 << 11) | (1 << 32) | (1 << 53))
    unit = np.uint64(64)
    for x in range(at.size):
        i = at[x]
        rest = np.uint64(shares[x] & np.uint32(63))
        down = np.uint64(shares[x] >> np.uint32(6))
        upper_row = band[i] * (unit - rest) + right[i] * rest
        lower_row = lower[i] * (unit - rest) + across[i] * rest
        mixed[x] = upper_row * (unit - down) + lower_row * down + half
    for x in range(at.size):
        out[3 * x] = np.uint8((mixed[x] >> np.uint64(12)) & np.uint64(255))
        out[3 * x + 1] = np.uint8((mixed[x] >> np.uint64(33)) & np.uint64(255))
        out[3 * x + 2] = np.uint8((mixed[x] >> np.uint64(54)) & np.uint64(255))
