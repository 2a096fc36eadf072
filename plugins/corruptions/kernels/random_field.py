"""Smooth random fields: white noise under a Gaussian, drawn no finer than the Gaussian lets one see.

Noise of every pixel smoothed over many is the same field, statistically, as noise of a coarse grid's
nodes smoothed over as wide an area. Here nodes every h pixels are drawn and convolved, and quadratic
B-splines carry them to the pixels. Variances add as in ``blur_wide``: h * h / 4 comes from the spline,
the Gaussian makes up the rest of sigma squared. Each node stands for h * h pixels, whose mean varies
h * h times less.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .borders import mirror
from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_NODES = 1.5
"""Nodes per sigma, at least."""


def spacing_for(sigma: float) -> int:
    """Pixels from node to node."""
    return max(1, int(sigma / _NODES))


def draw_nodes(
    size: tuple[int, int], sigmas: tuple[float, float], amplitude: float, key: np.uint64
) -> Floats:
    """float32 [m, n, 2]: the nodes of two independent fields over a picture of ``size`` (H, W).

    Each field is U(-amplitude, amplitude) of every pixel, smoothed with a Gaussian of standard
    deviations ``sigmas`` (down, across; pixels, above 0) cut at 4 sigma, mirrored at the borders. The
    nodes are spacing_for(sigma) apart, the second one at the first pixel.
    """
    spacings = [spacing_for(sigma) for sigma in sigmas]
    down, across = (
        _half_bell(sigma if h == 1 else math.sqrt(sigma**2 - h**2 / 4) / h)
        for sigma, h in zip(sigmas, spacings, strict=True)
    )
    # The nodes nearest to the first and to the last pixel, and one more on either side.
    rows, columns = ((length - 1 + h // 2) // h + 3 for length, h in zip(size, spacings, strict=True))
    drawn = np.empty((rows - 2, columns - 2, 2), np.float32)
    _draw(key, np.float32(amplitude / math.sqrt(spacings[0] * spacings[1])), drawn)
    nodes = np.empty((rows, columns, 2), np.float32)
    _smooth(drawn, down, across, nodes)
    return nodes


def spline(spacing: int) -> Floats:
    """float32 [h, 3]: weights of the nodes before, at and after a pixel's nearest one.

    Row i is for pixels i further than h // 2 before that node. With nodes at every pixel a pixel takes
    its own.
    """
    if spacing == 1:
        return np.array([[0, 1, 0]], np.float32)
    share = (np.arange(spacing) - spacing // 2) / spacing
    return np.stack([0.5 * (0.5 - share) ** 2, 0.75 - share**2, 0.5 * (0.5 + share) ** 2], axis=1).astype(
        np.float32
    )


def _half_bell(sigma: float) -> Floats:
    """float32 [r + 1], r = ceil(4 sigma): a Gaussian's weights at distances 0..r, both sides sum to 1."""
    shares = [math.exp(-0.5 * (d / sigma) * (d / sigma)) for d in range(math.ceil(4 * sigma) + 1)]
    return np.array(shares, np.float32) / np.float32(2 * math.fsum(shares) - 1)


@compiled
def _draw(key: np.uint64, amplitude: np.float32, out: Floats) -> None:
    """Uniform on (-amplitude, amplitude): value i from the 16-bit slice i % 4 of word i // 4."""
    values = out.reshape(-1)
    unit = amplitude / np.float32(32768.0)
    for i in range(values.size):
        drawn = np.int32((word(key, i >> 2) >> np.uint64(16 * (i & 3))) & np.uint64(65535))
        values[i] = (np.float32(drawn - np.int32(32768)) + np.float32(0.5)) * unit


@compiled
def _smooth(drawn: Floats, down: Floats, across: Floats, out: Floats) -> None:
    """Separable convolution; ``out`` reaches one node further than ``drawn`` on all sides."""
    height, width, fields = out.shape
    rows, columns = drawn.shape[0], drawn.shape[1]
    radius = across.size - 1
    size = fields * width
    line = np.empty(fields * columns, np.float32)
    padded = np.empty(fields * (width + 2 * radius), np.float32)
    inside = np.empty(width + 2 * radius, np.int64)
    for j in range(inside.size):
        inside[j] = mirror(j - radius - 1, columns)
    for y in range(height):
        line[:] = np.float32(0.0)
        for d in range(1 - down.size, down.size):
            row = drawn[mirror(y - 1 + d, rows)].reshape(-1)
            weight = down[abs(d)]
            for j in range(line.size):
                line[j] += weight * row[j]
        for j in range(inside.size):
            for k in range(fields):
                padded[fields * j + k] = line[fields * inside[j] + k]
        target = out[y].reshape(-1)
        target[:] = np.float32(0.0)
        for d in range(-radius, radius + 1):
            part = padded[fields * (radius + d) : fields * (radius + d) + size]
            weight = across[abs(d)]
            for j in range(size):
                target[j] += weight * part[j]
