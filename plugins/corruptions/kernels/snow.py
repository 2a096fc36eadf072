"""Snow: flakes, and the same turned by half, over a picture that is whitened by its own brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .compiling import compiled
from .flakes import WHITE, Flakes, falling

if TYPE_CHECKING:
    from harness.types import Frame

    from .flakes import Layer


def snow(source: Frame, key: np.uint64, flakes: Flakes, angle: float, out: Frame) -> None:
    """out = keep x + (1 - keep) max(x, 1.5 grey + .5) + S + S turned by 180 degrees, on a scale of 0..1.

    grey = .299 R + .587 G + .114 B; S as ``falling`` says. Within .5 grey levels before the rounding.
    """
    layer = falling(key, flakes, angle, source.shape[0], source.shape[1])
    _cover(source, layer, cv2.flip(layer, -1), round(65535 * flakes.keep), out)


@compiled
def _cover(source: Frame, snow: Layer, turned: Layer, keep: int, out: Frame) -> None:
    """keep: of 65535. All sums fit 16 bits, for which processors have twice as many lanes as for 32."""
    height, width, channels = source.shape
    size = width * channels
    rows, result = source.reshape(height, size), out.reshape(height, size)
    grey, falling = np.empty(width, np.uint16), np.empty(width, np.uint16)
    whitened, flakes = np.empty(size, np.uint16), np.empty(size, np.uint16)
    share, rest = np.uint32(keep), np.uint32(65535 - keep)
    white = np.uint16(WHITE)
    for y in range(height):
        row, target = rows[y], result[y]
        for x in range(width):
            light = np.uint16(row[3 * x]) * np.uint16(77) + np.uint16(row[3 * x + 1]) * np.uint16(150)
            grey[x] = (light + np.uint16(row[3 * x + 2]) * np.uint16(29)) >> 1
        near, far = snow[y], turned[y]
        for x in range(width):
            # At most WHITE and a half, and another half of it: below 65536.
            whiter = np.uint16(np.uint16(grey[x] + (grey[x] >> np.uint16(1))) + np.uint16(WHITE // 2))
            grey[x] = np.uint16((np.uint32(whiter) * rest) >> np.uint32(16))
            falling[x] = min(np.uint16(min(near[x], white) + min(far[x], white)), white)
        for x in range(width):
            whitened[3 * x] = grey[x]
            whitened[3 * x + 1] = grey[x]
            whitened[3 * x + 2] = grey[x]
        for x in range(width):
            flakes[3 * x] = falling[x]
            flakes[3 * x + 1] = falling[x]
            flakes[3 * x + 2] = falling[x]
        for j in range(size):
            plain = np.uint16(np.uint16(row[j]) << np.uint16(7))
            lighter = np.uint16((np.uint32(plain) * share) >> np.uint32(16)) + whitened[j]
            value = np.uint16(min(max(plain, np.uint16(lighter)), white)) + flakes[j]
            target[j] = np.uint8(np.uint16(min(np.uint16(value), white) + np.uint16(64)) >> np.uint16(7))
