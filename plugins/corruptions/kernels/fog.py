"""Fog: a plasma that brightens the picture, and the picture dimmed until both fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .plasma import SIDE
from .stretching import NONE, UNIT, read_row

if TYPE_CHECKING:
    from harness.types import Frame

    from .stretching import Map


def add_fog(source: Frame, fog: Map, side: int, start: tuple[int, int], strength: float, out: Frame) -> None:
    """out = (x + strength * P) * m / (m + strength) on a scale of 0..1, m the largest x of the frame.

    fog: the map P as ``plasma`` makes it; it spans ``side`` pixels, a power of two, and repeats.
    start: the place in the map that lies under the upper left pixel, down and across, in units of
    1/65536 of the distance of its nodes. strength: 0 or more. Within .05 grey levels of the exact
    value before the rounding.
    """
    most = int(source.max()) / 255
    dimming = most / (most + strength) if most else 0.0
    # In units of 1/128 grey level both parts, and their sum, fit 16 bits.
    gain = round(128 * 255 * strength * dimming)
    _mix(source, fog, start[0], start[1], SIDE * UNIT // side, round(65536 * dimming), gain, out)


@compiled
def _mix(
    source: Frame, fog: Map, top: int, left: int, step: int, dimming: int, gain: int, out: Frame
) -> None:
    height, width, channels = source.shape
    size = width * channels
    rows = source.reshape(height, size)
    result = out.reshape(height, size)
    kept = np.empty((3, width), np.uint16)
    held = np.full(2, NONE, np.int64)
    veil = np.empty(size, np.uint16)
    share = np.uint32(dimming)
    for y in range(height):
        read_row(fog, top + y * step, left, step, gain, kept, held, veil)
        row, target = rows[y], result[y]
        for j in range(size):
            dimmed = np.uint16((np.uint32(row[j]) * share) >> np.uint32(9))
            # Three roundings downwards cost half a unit each on average.
            target[j] = np.uint8(np.uint16(dimmed + veil[j] + np.uint16(65)) >> np.uint16(7))
