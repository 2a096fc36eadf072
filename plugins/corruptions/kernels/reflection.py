"""Reflections: bright places glare, and a cloudy film lies over everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .rough_blur import rough_blur
from .stretching import NONE, UNIT, read_row

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    from .stretching import Map

    Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Glare:
    """Where the mean of a pixel's channels is above ``threshold`` (0..255), it becomes ``gain`` times
    itself plus ``glow`` times the blurred picture; then the film takes its ``share`` (0..1)."""

    threshold: float
    gain: float
    glow: float
    share: float


@compiled
def spread(nodes: Map, step: int, height: int, width: int) -> Grey:
    """uint8 [height, width]: nodes (0..65535 for 0..255), ``step`` pixels apart, joined by straight lines.

    The first node lies on the first pixel; there must be enough for the last pixel to lie on or before
    the last one.
    """
    out = np.empty((height, width), np.uint8)
    kept = np.empty((3, width), np.uint16)
    held = np.full(2, NONE, np.int64)
    row = np.empty(3 * width, np.uint16)
    for y in range(height):
        read_row(nodes, y * UNIT // step, 0, UNIT // step, UNIT, kept, held, row)
        for x in range(width):
            out[y, x] = (np.uint32(row[3 * x]) * np.uint32(255) + np.uint32(33000)) >> np.uint32(16)
    return out


def reflect(source: Frame, sigma: float, film: Grey, glare: Glare, out: Frame) -> None:
    """out = (1 - share) * clip(glaring picture) + share * film, as ``Glare`` says.

    sigma: standard deviation of the blur in pixels, above 0. film: uint8 [H, W]. Before the rounding
    within .7 grey levels at the usual glow and share.
    """
    rough_blur(source, sigma, out)  # it is added at half its strength
    # Whole numbers in units of 1/128 grey level; a gain or a glow above 64 saturates whatever is lit.
    gain, glow = (round(128 * min(factor, 64.0)) for factor in (glare.gain, glare.glow))
    _mix(source, film, int(3 * glare.threshold), gain, glow, round(65536 * glare.share), out)


@compiled
def _mix(source: Frame, film: Grey, threshold: int, gain: int, glow: int, share: int, out: Frame) -> None:
    """``out`` holds the blurred picture at first. threshold: of the sum of three channels."""
    height, width, channels = source.shape
    size = width * channels
    rows, result = source.reshape(height, size), out.reshape(height, size)
    cloud, lit = np.empty(size, np.uint8), np.empty(size, np.uint8)
    chosen, total = np.empty(width, np.uint8), np.empty(width, np.uint16)
    limit = np.uint16(min(threshold, 765))
    rest, veil = np.uint32(65536 - share), np.uint32(share)
    for y in range(height):
        row, target, thin = rows[y], result[y], film[y]
        for x in range(width):
            total[x] = np.uint16(row[3 * x]) + np.uint16(row[3 * x + 1]) + np.uint16(row[3 * x + 2])
        for x in range(width):
            chosen[x] = np.uint8(total[x] > limit)
        for x in range(width):
            lit[3 * x] = chosen[x]
            lit[3 * x + 1] = chosen[x]
            lit[3 * x + 2] = chosen[x]
        for x in range(width):
            cloud[3 * x] = thin[x]
            cloud[3 * x + 1] = thin[x]
            cloud[3 * x + 2] = thin[x]
        for j in range(size):
            bright = np.uint32(row[j]) * np.uint32(gain) + np.uint32(target[j]) * np.uint32(glow)
            plain = np.uint32(row[j]) << np.uint32(7)
            value = min(bright, np.uint32(255 << 7)) if lit[j] else plain
            mixed = value * rest + ((np.uint32(cloud[j]) * veil) << np.uint32(7))
            target[j] = np.uint8((mixed + np.uint32(1 << 22)) >> np.uint32(23))
