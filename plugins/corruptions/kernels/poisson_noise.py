"""Photon noise by table: for each grey level, which values it may turn into and how often.

There are only 256 Poisson distributions, one per grey level. Each is rounded to 65536 equally likely
cells, and the cells are laid out by Walker's alias method: some bits of a 16-bit draw choose a slot
that holds at most two values, the others choose between the two. The tables stay so small that they
fit in the first two levels of cache, and a value costs one look-up.

Source: A. J. Walker, "An efficient method for generating discrete random variables with general
distributions", ACM Transactions on Mathematical Software 3, 1977.
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

_CELLS = 1 << 16
_CHUNK = 1024
"""Values handled at a time: small enough for words and entries to stay in the first-level cache."""
_NEGLIGIBLE = 1e-30
"""A probability, relative to the largest, from which on a tail is left out."""


def photon_table(rate: float) -> npt.NDArray[np.uint32]:
    """uint32 [256, slots]: how min(255, round(n / rate)), n ~ Poisson(rate * x), is drawn for level x.

    rate: photons per grey level, above 0 and at most 10. slots: a power of two, 2 to 256. An entry
    holds, from its lowest bit on, a threshold of 16 bits and two values of 8: draws whose low bits are
    below the threshold mean the first value. Each value's share is right to within 1/65536.
    """
    photons = np.arange(math.ceil(254.5 * rate) + 1)
    values, group = np.unique(np.minimum(255, np.floor(photons / rate + 0.5)), return_inverse=True)
    slots = 1 << max(1, (len(values) - 1).bit_length())
    counts = np.zeros((256, slots), np.int64)
    _count_cells(rate, group.astype(np.int64), counts)
    table = np.empty((256, slots), np.uint32)
    _lay_out(counts, np.resize(values, slots).astype(np.uint32), table)
    return table


@compiled
def _count_cells(rate: float, group: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
    """counts[x, g] = cells of 65536 for Poisson(rate * x) in group g; more photons are in the last."""
    most = group.size - 1
    shares = np.empty(counts.shape[1], np.float64)
    for x in range(256):
        mean = rate * x
        mode = int(mean)
        shares[:] = 0
        # Probabilities relative to that of the mode, by recurrence, down and up from there.
        share = 1.0
        photons = mode
        while photons >= 0 and share > _NEGLIGIBLE:
            shares[group[min(photons, most)]] += share
            share *= photons / mean if photons else 0.0
            photons -= 1
        photons = mode + 1
        share = mean / photons
        while share > _NEGLIGIBLE:
            shares[group[min(photons, most)]] += share
            photons += 1
            share *= mean / photons
        whole = shares.sum()
        running = 0.0
        before = 0
        for g in range(counts.shape[1]):
            running += shares[g]
            upto = int(_CELLS * (running / whole) + 0.5)
            counts[x, g] = upto - before
            before = upto


@compiled
def _lay_out(
    counts: npt.NDArray[np.int64], values: npt.NDArray[np.uint32], table: npt.NDArray[np.uint32]
) -> None:
    """Walker's alias method in whole numbers; every slot holds as many cells as the others."""
    slots = counts.shape[1]
    room = _CELLS // slots
    short = np.empty(slots, np.int64)
    rich = np.empty(slots, np.int64)
    for x in range(256):
        left = counts[x].copy()
        shorts = 0
        riches = 0
        for g in range(slots):
            if left[g] < room:
                short[shorts] = g
                shorts += 1
            else:
                rich[riches] = g
                riches += 1
        while shorts:
            shorts -= 1
            poor = short[shorts]
            giver = rich[riches - 1]
            table[x, poor] = np.uint32(left[poor]) | (values[poor] << 16) | (values[giver] << 24)
            left[giver] -= room - left[poor]
            if left[giver] < room:
                riches -= 1
                short[shorts] = giver
                shorts += 1
        for i in range(riches):
            g = rich[i]
            table[x, g] = np.uint32(room) | (values[g] << 16) | (values[g] << 24)


@compiled
def draw_photons(source: Frame, table: npt.NDArray[np.uint32], key: np.uint64, out: Frame) -> None:
    """out = for each value one drawn from its level's row of ``table`` (see ``photon_table``).

    Value j of the picture (in memory order) takes the 16-bit slice j % 4 of word j // 4, lowest
    first; the slice's highest bits choose the slot.
    """
    pixels = source.reshape(-1)
    result = out.reshape(-1)
    entries = table.reshape(-1)
    slots = np.uint32(table.shape[1])
    room = np.uint32(_CELLS) // slots
    words = np.empty(_CHUNK // 4, np.uint64)
    slices = words.view(np.uint16)
    chosen = np.empty(_CHUNK, np.uint32)
    shift = np.uint32(0)
    while (np.uint32(1) << shift) < room:
        shift += np.uint32(1)
    # Three short loops rather than one: the first and the last become vector code.
    for start in range(0, pixels.size, _CHUNK):
        size = min(_CHUNK, pixels.size - start)
        for i in range((size + 3) // 4):
            words[i] = word(key, start // 4 + i)
        part = pixels[start : start + size]
        target = result[start : start + size]
        for i in range(size):
            chosen[i] = entries[np.uint32(part[i]) * slots + (np.uint32(slices[i]) >> shift)]
        for i in range(size):
            entry = chosen[i]
            first = (np.uint32(slices[i]) & np.uint32(room - 1)) < (entry & np.uint32(0xFFFF))
            target[i] = np.uint8((entry >> np.uint32(16 if first else 24)) & np.uint32(0xFF))
