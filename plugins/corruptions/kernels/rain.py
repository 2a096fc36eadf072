"""Rain: bright slanted streaks in front of a slight haze.

One pass from top to bottom. A streak is drawn from where it starts; a line of the picture is finished
as soon as all streaks that start on it or above have been drawn, so that only as many lines as the
longest streak has are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Lines = npt.NDArray[np.uint16]

_SIGMA = 0.5
"""Standard deviation of the bell that softens the streaks, in pixels."""
_LEVEL = 128
"""Brightness is counted in units of 1/128 grey level: what is added to a pixel fits 16 bits."""


@dataclass(frozen=True, slots=True)
class Streaks:
    """density: streaks that start per pixel, 0..1. slant: pixels to the right per pixel down, -1..1.
    shortest, longest: length in pixels, 1 <= shortest <= longest, all whole lengths equally likely.
    head, tail: grey levels that the upper and the lower end add, each at most 255."""

    density: float
    slant: float
    shortest: int
    longest: int
    head: float
    tail: float


def rain(source: Frame, key: np.uint64, streaks: Streaks, haze: float, veil: float, out: Frame) -> None:
    """out = (1 - haze) x + haze veil + streaks.

    Streaks are one pixel wide; where several meet the brightest counts; they are softened with a
    Gaussian of sigma .5 before they are added. Some start above the picture or beside it, so that all
    parts of it get as much rain. haze: 0..1. veil: 0..255. Within .05 grey levels before the rounding.
    """
    side = math.exp(-0.5 / _SIGMA**2)
    _draw(
        source,
        key,
        streaks.density,
        round(65536 * streaks.slant),
        streaks.shortest,
        streaks.longest,
        round(_LEVEL * streaks.head),
        round(_LEVEL * streaks.tail),
        round(65536 * side / (1 + 2 * side)),
        round(65536 * (1 - haze)),
        round(_LEVEL * haze * veil),
        out,
    )


@compiled
def _draw(
    source: Frame,
    key: np.uint64,
    density: float,
    slant: int,
    shortest: int,
    longest: int,
    head: int,
    tail: int,
    side: int,
    rest: int,
    veil: int,
    out: Frame,
) -> None:
    height, width, _ = source.shape
    mask = 1
    while mask < longest + 2:
        mask *= 2
    lines = np.zeros((mask, width), np.uint16)  # line y of the picture is row y & (mask - 1)
    mask -= 1
    beside = (abs(slant) * longest >> 16) + 1
    origin = -(beside << 16) if slant > 0 else 0
    span = width + beside
    drawn = 0
    for i in range(height + longest + 1):
        y = i - longest
        until = int((i + 1) * density * span)
        for n in range(drawn, until):
            bits = word(key, n)
            length = shortest + ((np.int64(bits & np.uint64(0xFFFF)) * (longest - shortest + 1)) >> 16)
            across = origin + ((np.int64(bits >> np.uint64(32)) * span) >> 16)
            step = ((head - tail) << 16) // max(1, length - 1)
            # Lines above the picture need not be drawn.
            first = max(0, -y)
            across += first * slant
            light = (head << 16) - first * step
            for k in range(first, length):
                x = across >> 16
                if 0 <= x < width:
                    value = np.uint16(light >> 16)
                    if lines[(y + k) & mask, x] < value:
                        lines[(y + k) & mask, x] = value
                across += slant
                light -= step
        drawn = until
        # The line above this one is complete, and so are its neighbours.
        if y >= 1:
            _add(source, lines, y - 1, mask, side, rest, veil, out)
            if y >= 2:
                lines[(y - 2) & mask] = 0


@compiled
def _add(source: Frame, lines: Lines, y: int, mask: int, side: int, rest: int, veil: int, out: Frame) -> None:
    """One line of the picture. Streaks go on below it; above it they are mirrored."""
    _, width, channels = source.shape
    size = width * channels
    row, target = source[y].reshape(size), out[y].reshape(size)
    near, far = np.uint32(65536 - 2 * side), np.uint32(side)
    soft = np.zeros(width + 2, np.uint32)
    wide = np.empty(size, np.uint16)
    above, middle, below = lines[abs(y - 1) & mask], lines[y & mask], lines[(y + 1) & mask]
    for x in range(width):
        soft[x + 1] = (near * middle[x] + far * (np.uint32(above[x]) + np.uint32(below[x]))) >> np.uint32(16)
    soft[0], soft[width + 1] = soft[min(2, width)], soft[max(1, width - 1)]
    for x in range(width):
        value = np.uint16((near * soft[x + 1] + far * (soft[x] + soft[x + 2])) >> np.uint32(16))
        wide[3 * x] = value
        wide[3 * x + 1] = value
        wide[3 * x + 2] = value
    share = np.uint32(rest)
    offset = np.uint32(veil + 64)
    for j in range(size):
        value = ((np.uint32(row[j]) * share) >> np.uint32(9)) + offset + np.uint32(wide[j])
        target[j] = np.uint8(min(value >> np.uint32(7), np.uint32(255)))
