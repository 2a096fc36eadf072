"""Gaussian blur for narrow bells: direct, separable, in 16-bit whole numbers.

A product of two 16-bit numbers of which the upper half is kept is one vector instruction on every
current processor, for twice as many values at a time as in float32.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from .borders import mirror
from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame


def blur_narrow(source: Frame, sigma: float, out: Frame) -> None:
    """out = source blurred; sigma in pixels, above 0 and below 15."""
    _convolve(source, half_bell(sigma), out)


def half_bell(sigma: float) -> npt.NDArray[np.uint16]:
    """uint16 [r + 1], r = ceil(4 sigma): a Gaussian's weights at distances 0..r, in units of 2**-16.

    The one at 0 is halved, as it is applied to the pixel twice; the sum is 2**15 exactly.
    """
    radius = math.ceil(4 * sigma)
    shares = [math.exp(-0.5 * (d / sigma) * (d / sigma)) for d in range(radius + 1)]
    shares[0] /= 2
    # Rounding the running sum, outermost first, keeps the total exact.
    running = list(accumulate(reversed(shares)))
    steps = np.diff([0, *(round(2**15 * value / running[-1]) for value in running)])
    return steps[::-1].astype(np.uint16)


@compiled
def _convolve(source: Frame, bell: npt.NDArray[np.uint16], out: Frame) -> None:
    """Columns, then rows, a row of the result at a time; sums are in units of 1/128 grey level."""
    height, width, channels = source.shape
    radius = bell.size - 1
    size = width * channels
    rows = source.reshape(height, size)
    result = out.reshape(height, size)
    # Each product loses half a unit on average; every sum starts with what it is going to lose.
    loss = np.uint16(bell.size // 2)
    padded = np.empty(size + 2 * radius * channels, np.uint16)
    middle = padded[radius * channels : radius * channels + size]
    total = np.empty(size, np.uint16)
    for y in range(height):
        middle[:] = loss
        for d in range(bell.size):
            above = rows[mirror(y - d, height)]
            below = rows[mirror(y + d, height)]
            weight = np.uint32(bell[d])
            for j in range(size):
                pair = np.uint16((np.uint16(above[j]) + np.uint16(below[j])) << 7)
                middle[j] += np.uint16((np.uint32(pair) * weight) >> np.uint32(16))
        for d in range(1, radius + 1):
            for c in range(channels):
                padded[(radius - d) * channels + c] = middle[mirror(-d, width) * channels + c]
                far = mirror(width - 1 + d, width)
                padded[(radius + width - 1 + d) * channels + c] = middle[far * channels + c]
        total[:] = loss
        for d in range(bell.size):
            left = padded[(radius - d) * channels : (radius - d) * channels + size]
            right = padded[(radius + d) * channels : (radius + d) * channels + size]
            weight = np.uint32(bell[d])
            for j in range(size):
                pair = np.uint16(left[j] + right[j])
                total[j] += np.uint16((np.uint32(pair) * weight) >> np.uint32(16))
        target = result[y]
        for j in range(size):
            target[j] = np.uint8((total[j] + np.uint16(64)) >> np.uint16(7))
