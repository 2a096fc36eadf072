"""Pixels replaced by random colours: anywhere with a fixed probability, or where a mask wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

_CHUNK = 1024
"""Pixels handled at a time, a multiple of 8: small enough to stay in the first-level cache."""

CERTAIN = 1 << 16
"""The probability 1, in the units in which probabilities are given here."""


@compiled
def replace_pixels(source: Frame, chance: int, choice: np.uint64, colour: np.uint64, out: Frame) -> None:
    """out = source with random RGB, all 2**24 equally likely, in a share of the pixels.

    chance: probability that a pixel is replaced, in units of 1 / CERTAIN. choice, colour: keys. Pixel
    i (in memory order) is replaced if the 16-bit slice i % 4, lowest first, of word i // 4 of
    ``choice`` is below ``chance``; value j takes byte j % 8 of word j // 8 of ``colour``.
    """
    pixels = source.reshape(-1)
    result = out.reshape(-1)
    count = pixels.size // 3
    limit = np.uint32(chance)
    choices = np.empty(_CHUNK // 4, np.uint64)
    slices = choices.view(np.uint16)
    colours = np.empty(3 * _CHUNK // 8, np.uint64)
    drawn = colours.view(np.uint8)
    mask = np.empty(3 * _CHUNK, np.uint8)
    # Short loops rather than one: each becomes vector code.
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        for i in range((size + 3) // 4):
            choices[i] = word(choice, start // 4 + i)
        for i in range((3 * size + 7) // 8):
            colours[i] = word(colour, 3 * (start // 8) + i)
        for i in range(size):
            chosen = np.uint8(255) if np.uint32(slices[i]) < limit else np.uint8(0)
            mask[3 * i] = chosen
            mask[3 * i + 1] = chosen
            mask[3 * i + 2] = chosen
        part = pixels[3 * start : 3 * (start + size)]
        target = result[3 * start : 3 * (start + size)]
        for j in range(part.size):
            target[j] = part[j] ^ ((part[j] ^ drawn[j]) & mask[j])


@compiled
def roughen(source: Frame, edges: npt.NDArray[np.uint8], chance: int, key: np.uint64, out: Frame) -> None:
    """out = source with random RGB on widened edges and on some of the pixels around them.

    edges: uint8 [H, W], C-contiguous, 0 or 255. Each edge pixel is widened to the square of 2 x 2 of
    which it is the upper left; those all become random. Of the pixels that touch them, also at a
    corner, each does with probability chance / CERTAIN. Pixel i takes word i: 24 bits of colour, then,
    at the top, 16 of choice.
    """
    height, width = edges.shape
    limit = np.uint64(chance)
    # Columns -2 to width: what lies outside is no edge.
    wide = np.zeros(width + 3, np.uint8)
    tall = np.zeros(width + 3, np.uint8)
    words = np.empty(width, np.uint64)
    mask = np.empty(3 * width, np.uint8)
    for y in range(height):
        row = edges[y]
        above, far, below = edges[max(y - 1, 0)], edges[max(y - 2, 0)], edges[min(y + 1, height - 1)]
        found = np.uint8(0)
        for x in range(width):
            wide[x + 2] = row[x] | above[x]
            tall[x + 2] = row[x] | above[x] | far[x] | below[x]
            found |= tall[x + 2]
        part = source[y].reshape(-1)
        target = out[y].reshape(-1)
        if found == 0:
            for j in range(part.size):
                target[j] = part[j]
            continue
        for x in range(width):
            words[x] = word(key, y * width + x)
        for x in range(width):
            some = np.uint8(255) if words[x] >> np.uint64(48) < limit else np.uint8(0)
            near = tall[x] | tall[x + 1] | tall[x + 2] | tall[x + 3]
            chosen = wide[x + 1] | wide[x + 2] | (near & some)
            mask[3 * x] = chosen
            mask[3 * x + 1] = chosen
            mask[3 * x + 2] = chosen
        drawn = words.view(np.uint8)
        for x in range(width):
            for c in range(3):
                j = 3 * x + c
                target[j] = part[j] ^ ((part[j] ^ drawn[8 * x + c]) & mask[j])
