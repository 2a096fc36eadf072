"""Normal noise added to a picture in one pass, in whole numbers.

A pixel x is whole, so round(x + sigma * N) = x + round(sigma * N): the noise can be drawn as the
whole number it ends as. Sixteen random bits choose a sign and one of 32768 magnitudes out of a
table in which each appears as often as the normal distribution has it. Magnitudes above 255 end at
0 or 255 just as 255 does, so the table fits in bytes, and thereby in the first-level cache.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

_ENTRIES = 1 << 15
_CHUNK = 1024
"""Values handled at a time: small enough for the words to stay in the first-level cache."""


def normal_magnitudes(sigma: float) -> npt.NDArray[np.uint8]:
    """uint8 [32768], ascending: min(255, round(abs(sigma * N))) for equally likely N ~ N(0, 1).

    sigma: standard deviation in grey levels, above 0. The share of entries up to m is
    erf((m + 1/2) / (sigma * sqrt 2)) to within 1/65536.
    """
    upto = [round(_ENTRIES * math.erf((m + 0.5) / (sigma * math.sqrt(2)))) for m in range(255)]
    return np.repeat(np.arange(256, dtype=np.uint8), np.diff([0, *upto, _ENTRIES]))


@compiled
def add_noise(source: Frame, magnitudes: npt.NDArray[np.uint8], key: np.uint64, out: Frame) -> None:
    """out = source plus or minus a magnitude drawn for each pixel and channel, clipped to 0..255.

    Value j of the picture (in memory order) takes the 16-bit slice j % 4 of word j // 4, lowest
    first; its lowest bit is the sign.
    """
    pixels = source.reshape(-1)
    result = out.reshape(-1)
    count = pixels.size
    words = np.empty(_CHUNK // 4, np.uint64)
    slices = words.view(np.uint16)
    drawn = np.empty(_CHUNK, np.uint8)
    # Three short loops rather than one: the first and the last become vector code.
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        for i in range((size + 3) // 4):
            words[i] = word(key, start // 4 + i)
        for i in range(size):
            drawn[i] = magnitudes[slices[i] >> 1]
        part = pixels[start : start + size]
        target = result[start : start + size]
        for i in range(size):
            # 255 - min(255, 255 - x + m) is max(0, x - m): one saturating sum serves both signs.
            flip = np.uint8(-(slices[i] & np.uint16(1)))
            target[i] = np.uint8(min(np.uint16(part[i] ^ flip) + np.uint16(drawn[i]), np.uint16(255))) ^ flip
