"""The value of HSV raised, without a detour through HSV.

Hue and saturation stay the same exactly if all three channels are multiplied by one factor; the value
is the largest of them. A black pixel has no saturation and becomes grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    from harness.types import Frame


@compiled
def raise_value(source: Frame, shift: np.float32, out: Frame) -> None:
    """out = source with min(255, max(R, G, B) + shift) as its largest channel, rounded.

    shift: grey levels, 0 to 255. Before the rounding within 1e-3 grey levels.
    """
    height, width, channels = source.shape
    rows = source.reshape(height, width * channels)
    result = out.reshape(height, width * channels)
    gain = np.empty(width, np.float32)
    level = np.empty(width, np.float32)
    gains = np.empty(width * channels, np.float32)
    levels = np.empty(width * channels, np.float32)
    for y in range(height):
        row, target = rows[y], result[y]
        # Three short loops rather than one: each becomes vector code.
        for x in range(width):
            value = np.float32(max(row[3 * x], max(row[3 * x + 1], row[3 * x + 2])))
            gain[x] = min(value + shift, np.float32(255.0)) / max(value, np.float32(1.0))
            # What is added to the product: one half, to round, and all of a black pixel's grey.
            level[x] = np.float32(0.5) + (shift if value == np.float32(0.0) else np.float32(0.0))
        for x in range(width):
            gains[3 * x] = gain[x]
            gains[3 * x + 1] = gain[x]
            gains[3 * x + 2] = gain[x]
            levels[3 * x] = level[x]
            levels[3 * x + 1] = level[x]
            levels[3 * x + 2] = level[x]
        for j in range(row.size):
            target[j] = np.uint8(np.int32(gains[j] * np.float32(row[j]) + levels[j]))
