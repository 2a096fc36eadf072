"""Impulse noise: sites that have gone black or white, whatever they showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    from harness.types import Frame

_CHUNK = 1024
"""Sites handled at a time: small enough for words and masks to stay in the first-level cache."""


@compiled
def add_impulses(source: Frame, edge: int, key: np.uint64, out: Frame) -> None:
    """out = source with ``edge`` of 65536 sites black and as many white.

    source, out: uint8 [H, W, 3], a site being a pixel, or [H, W, 1], a site being a value. edge: 0 to
    32768. Site j (in memory order) takes the 16-bit slice j % 4 of word j // 4, lowest first: below
    ``edge`` it turns black, from 65536 - ``edge`` on white.
    """
    channels = source.shape[2]
    values = source.reshape(-1)
    result = out.reshape(-1)
    sites = values.size // channels
    words = np.empty(_CHUNK // 4, np.uint64)
    slices = words.view(np.uint16)
    keep = np.empty(3 * _CHUNK, np.uint8)
    white = np.empty(3 * _CHUNK, np.uint8)
    for start in range(0, sites, _CHUNK):
        count = min(_CHUNK, sites - start)
        for i in range((count + 3) // 4):
            words[i] = word(key, start // 4 + i)
        # Masks of all ones or zeros; the two cases differ in a constant that vector code needs to know.
        if channels == 3:
            for i in range(count):
                drawn = np.int32(slices[i])
                for c in range(3):
                    keep[3 * i + c] = np.uint8(-(drawn >= edge))
                    white[3 * i + c] = np.uint8(-(drawn >= 65536 - edge))
        else:
            for i in range(count):
                drawn = np.int32(slices[i])
                keep[i] = np.uint8(-(drawn >= edge))
                white[i] = np.uint8(-(drawn >= 65536 - edge))
        part = values[start * channels : (start + count) * channels]
        target = result[start * channels : (start + count) * channels]
        for j in range(count * channels):
            target[j] = (part[j] & keep[j]) | white[j]
