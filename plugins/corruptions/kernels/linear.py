"""Each channel multiplied and shifted by numbers of its own, in one pass over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from harness.types import Frame

    Floats = npt.NDArray[np.float32]


def channel_means(source: Frame) -> tuple[float, float, float]:
    """The mean of each channel, 0..255."""
    red, green, blue, _ = cv2.mean(source)
    return red, green, blue


def scale_channels(source: Frame, gains: Sequence[float], offsets: Sequence[float], out: Frame) -> None:
    """out = round(gain * x + offset), clipped to 0..255, with a gain and an offset per channel.

    The arithmetic is in float32: before the rounding within 1e-3 grey levels for gains up to 10.
    """
    width = source.shape[1]
    _scale(
        source,
        np.tile(np.array(gains, np.float32), width),
        np.tile(np.array(offsets, np.float32), width),
        out,
    )


@compiled
def _scale(source: Frame, gains: Floats, offsets: Floats, out: Frame) -> None:
    """``gains`` and ``offsets``: float32 [W * 3], for the values of a row in memory order."""
    height, width, channels = source.shape
    rows = source.reshape(height, width * channels)
    result = out.reshape(height, width * channels)
    for y in range(height):
        row, target = rows[y], result[y]
        for j in range(row.size):
            value = gains[j] * np.float32(row[j]) + offsets[j]
            clipped = min(max(value, np.float32(0.0)), np.float32(255.0))
            target[j] = np.uint8(np.int32(clipped + np.float32(0.5)))
