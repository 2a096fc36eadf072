"""Gaussian blur for wide bells: gather onto a coarse grid, blur there, interpolate.

The picture is averaged around every h-th pixel with a tent 2h wide, the coarse picture is convolved
with a Gaussian, and quadratic B-splines carry it back. Variances add: the tent has (h*h - 1) / 6, the
spline h*h / 4 wherever a pixel lies between the nodes, the Gaussian makes up the rest of sigma squared.

With h = sigma / 2.5 edges and textures come out within .2 grey levels of the exact convolution. The
worst picture is a black and white grating whose period is nearly that of the nodes: the tent leaves
.6 grey levels of its beat.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .borders import mirror
from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Floats = npt.NDArray[np.float32]

_NODES = 2.5
"""Nodes per sigma, at least, unless told otherwise."""
_WIDEST = 16
"""The largest spacing: a tent of 16 over a column of 255s still fits 16 bits."""


def blur_wide(source: Frame, sigma: float, out: Frame, nodes: float = _NODES) -> None:
    """out = source blurred; sigma in pixels, at least ``nodes``: how many of them one sigma spans at least.

    With 1.25 nodes edges and textures are up to 1.3 grey levels off, in less than half the time.
    """
    spacing = min(_WIDEST, int(sigma / nodes))
    rest = sigma**2 - (spacing**2 - 1) / 6 - spacing**2 / 4
    bell = _half_bell(math.sqrt(rest) / spacing)
    height, width, channels = source.shape
    # The nodes nearest to the first and to the last pixel, and one more on either side.
    rows = (height - 1 + spacing // 2) // spacing + 3
    columns = (width - 1 + spacing // 2) // spacing + 3
    margin = bell.size - 1
    gathered = np.empty((rows + 2 * margin, columns + 2 * margin, channels), np.float32)
    blurred = np.empty((rows, columns, channels), np.float32)
    _gather(source, spacing, margin + 1, gathered)
    _convolve(gathered, bell, blurred)
    _interpolate(blurred, spacing, out)


def _half_bell(sigma: float) -> Floats:
    """float32 [r + 1], r = ceil(4 sigma): a Gaussian's weights at distances 0..r, both sides sum to 1."""
    shares = [math.exp(-0.5 * (d / sigma) * (d / sigma)) for d in range(math.ceil(4 * sigma) + 1)]
    return np.array(shares, np.float32) / np.float32(2 * math.fsum(shares) - 1)


@compiled
def _gather(source: Frame, spacing: int, margin: int, nodes: Floats) -> None:
    """nodes[k, c] = the tent-weighted mean around pixel ((k - margin), (c - margin)) * spacing."""
    height, width, channels = source.shape
    rows = source.reshape(height, width * channels)
    reach = spacing - 1
    column = np.empty(width * channels, np.uint16)
    inside = np.empty((nodes.shape[1] - 1) * spacing + 2 * reach + 1, np.int64)
    for j in range(inside.size):
        inside[j] = mirror(j - margin * spacing - reach, width) * channels
    share = np.float32(1.0 / spacing**4)
    for k in range(nodes.shape[0]):
        column[:] = 0
        for d in range(-reach, reach + 1):
            row = rows[mirror((k - margin) * spacing + d, height)]
            weight = np.uint16(spacing - abs(d))
            for j in range(column.size):
                column[j] += weight * np.uint16(row[j])
        for n in range(nodes.shape[1]):
            # Whole numbers up to 255 * 16**4 are exact in float32.
            red, green, blue = np.int64(0), np.int64(0), np.int64(0)
            for d in range(-reach, reach + 1):
                times = spacing - abs(d)
                at = inside[n * spacing + reach + d]
                red += times * column[at]
                green += times * column[at + 1]
                blue += times * column[at + 2]
            nodes[k, n, 0] = np.float32(red) * share
            nodes[k, n, 1] = np.float32(green) * share
            nodes[k, n, 2] = np.float32(blue) * share


@compiled
def _convolve(nodes: Floats, bell: Floats, out: Floats) -> None:
    """Separable convolution; ``nodes`` reach beyond ``out`` by the radius of the bell on all sides."""
    radius = bell.size - 1
    height, width, channels = out.shape
    size = width * channels
    rows = nodes.reshape(nodes.shape[0], nodes.shape[1] * channels)
    result = out.reshape(height, size)
    column = np.empty(rows.shape[1], np.float32)
    for y in range(height):
        row = rows[y + radius]
        for j in range(column.size):
            column[j] = bell[0] * row[j]
        for d in range(1, radius + 1):
            above, below, weight = rows[y + radius - d], rows[y + radius + d], bell[d]
            for j in range(column.size):
                column[j] += weight * (above[j] + below[j])
        target = result[y]
        middle = column[radius * channels : radius * channels + size]
        for j in range(size):
            target[j] = bell[0] * middle[j]
        for d in range(1, radius + 1):
            left = column[(radius - d) * channels : (radius - d) * channels + size]
            right = column[(radius + d) * channels : (radius + d) * channels + size]
            weight = bell[d]
            for j in range(size):
                target[j] += weight * (left[j] + right[j])


@compiled
def _splines(spacing: int) -> Floats:
    """float32 [h, 3]: weights of the nodes before, at and after a pixel's nearest one.

    Row i is for pixels i further than h // 2 before that node.
    """
    weights = np.empty((spacing, 3), np.float32)
    for i in range(spacing):
        t = (i - spacing // 2) / spacing
        weights[i, 0] = 0.5 * (0.5 - t) ** 2
        weights[i, 1] = 0.75 - t * t
        weights[i, 2] = 0.5 * (0.5 + t) ** 2
    return weights


@compiled
def _stretch(nodes: Floats, weights: Floats, out: Floats) -> None:
    """A row of nodes [n, 3], the first at pixel -h -> float32 [W * 3]."""
    spacing = weights.shape[0]
    width = out.size // 3
    for n in range(1, nodes.shape[0] - 1):
        first = (n - 1) * spacing - spacing // 2
        for x in range(max(0, first), min(width, first + spacing)):
            before, at, after = weights[x - first, 0], weights[x - first, 1], weights[x - first, 2]
            for c in range(3):
                out[3 * x + c] = before * nodes[n - 1, c] + at * nodes[n, c] + after * nodes[n + 1, c]


@compiled
def _interpolate(nodes: Floats, spacing: int, out: Frame) -> None:
    """out = the picture whose pixel (k, c) * h has node [k + 1, c + 1], rounded."""
    height, width, channels = out.shape
    size = width * channels
    result = out.reshape(height, size)
    weights = _splines(spacing)
    above = np.empty(size, np.float32)
    middle = np.empty(size, np.float32)
    below = np.empty(size, np.float32)
    _stretch(nodes[0], weights, middle)
    _stretch(nodes[1], weights, below)
    for k in range(1, nodes.shape[0] - 1):
        above, middle, below = middle, below, above
        _stretch(nodes[k + 1], weights, below)
        first = (k - 1) * spacing - spacing // 2
        for y in range(max(0, first), min(height, first + spacing)):
            upper, at, lower = weights[y - first, 0], weights[y - first, 1], weights[y - first, 2]
            target = result[y]
            for j in range(size):
                value = upper * above[j] + at * middle[j] + lower * below[j]
                target[j] = np.uint8(np.int32(value + np.float32(0.5)))
