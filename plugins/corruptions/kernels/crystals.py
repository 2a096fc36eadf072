"""Ice crystals that grow over a pane: from its edges inwards, and from a few nuclei on it.

Every crystal is a stem with barbs, and the barbs have barblets. All tips grow at the same time, a cell
a round, along gentle curves; a tip that runs into ice stops there. So crystals fill the space they
find and never cross each other, which is what makes ferns of frost look as they do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    Grey = npt.NDArray[np.uint8]
    Numbers = npt.NDArray[np.float32]
    Counts = npt.NDArray[np.int32]

_TURN = 128
"""Directions are counted in units of 1/128 turn, 0 to the right, clockwise on the screen."""
_COSINE = np.array([math.cos(2 * math.pi * i / _TURN) for i in range(_TURN)], np.float32)
_SINE = np.array([math.sin(2 * math.pi * i / _TURN) for i in range(_TURN)], np.float32)
_SPREAD = 0.15 * _TURN
"""Angle between a stem and its barbs."""
_DEEPEST = 2
"""Stems are of depth 0, barbs of depth 1, barblets of depth 2."""

# Columns of a tip's numbers ...
_X, _Y, _HEADING, _BEND, _LENGTH = range(5)
# ... and of its counts. A negative age is the number of rounds that it waits.
_AGE, _DEPTH, _CRYSTAL, _PHASE = range(4)


def crystals(key: np.uint64, height: int, width: int) -> Grey:
    """uint8 [height, width]: how bright the ice is in each cell, 0 where there is none.

    Lengths are relative to the shorter side, the distances of barbs (3 and 4 cells) are not. Any size.
    """
    # A row and a column more than asked for: light is spread over four cells.
    ice = np.zeros((height + 1, width + 1), np.uint8)
    most = height * width // 4 + 2 * (height + width) + 64
    numbers, counts = np.empty((most, 5), np.float32), np.empty((most, 4), np.int32)
    used = _sow(key, height, width, numbers, counts)
    _grow(np.uint64(word(key, -1)), numbers, counts, used, ice)
    return np.ascontiguousarray(ice[:height, :width])


@compiled
def _sow(key: np.uint64, height: int, width: int, numbers: Numbers, counts: Counts) -> int:
    """The tips that all begins with; how many there are."""
    short = np.float32(min(height, width))
    rim = 2 * (height + width)
    seeds, nuclei = rim // 8 + 1, height * width // 2600
    used = 0
    for i in range(seeds + nuclei):
        bits = word(key, i)
        share = _uniform(bits, 0)
        if i < seeds:
            place = np.float32(rim) * _uniform(bits, 12)
            if place < width:
                x, y, inwards = place, np.float32(0), 32
            elif place < 2 * width:
                x, y, inwards = place - width, np.float32(height - 1), 96
            elif place < 2 * width + height:
                x, y, inwards = np.float32(0), place - 2 * width, 0
            else:
                x, y, inwards = np.float32(width - 1), place - 2 * width - height, 64
            heading = np.float32(inwards) + np.float32(0.36 * _TURN) * (_uniform(bits, 24) - np.float32(0.5))
            length = short * (np.float32(0.05) + np.float32(0.6) * share * share)
            wait = np.float32(0.1) * short * _uniform(bits, 36)
            arms = 1
        else:
            x, y = np.float32(width) * _uniform(bits, 12), np.float32(height) * _uniform(bits, 24)
            heading = np.float32(_TURN) * _uniform(bits, 36)
            length = short * (np.float32(0.04) + np.float32(0.28) * share * share)
            wait = short * (np.float32(0.1) + np.float32(0.2) * _uniform(bits, 48))
            arms = 6
        for arm in range(arms):
            more = word(bits, arm)
            if arm and more & np.uint64(1):
                continue  # stars are seldom whole
            numbers[used, _X] = x
            numbers[used, _Y] = y
            numbers[used, _HEADING] = heading + np.float32(arm * _TURN / 6)
            numbers[used, _BEND] = np.float32(0.5) * (_uniform(more, 8) - np.float32(0.5))
            numbers[used, _LENGTH] = length
            counts[used, _AGE] = -int(wait)
            counts[used, _DEPTH] = 0
            counts[used, _CRYSTAL] = i + 1
            counts[used, _PHASE] = int(more >> np.uint64(62))
            used += 1
    return used


@compiled
def _grow(key: np.uint64, numbers: Numbers, counts: Counts, used: int, ice: Grey) -> None:
    """Let the first ``used`` tips grow, and all that branch off; ice: zeros before.

    One long function: handing arrays to another at every step would take as long as the rest.
    """
    height, width = ice.shape[0] - 1, ice.shape[1] - 1
    short = np.float32(min(height, width))
    owner = np.zeros((height, width), np.int32)
    growing = np.arange(len(numbers))
    alive, drawn = used, 0
    one = np.float32(1)
    while alive:
        known, kept = used, 0
        for i in range(alive):
            tip = growing[i]
            age, depth = counts[tip, _AGE], counts[tip, _DEPTH]
            counts[tip, _AGE] = age + 1
            growing[kept] = tip
            if age < 0:
                kept += 1
                continue
            heading = math.floor(numbers[tip, _HEADING]) & (_TURN - 1)
            x, y = numbers[tip, _X] + _COSINE[heading], numbers[tip, _Y] + _SINE[heading]
            column, row = math.floor(x), math.floor(y)
            if column < 0 or row < 0 or column >= width or row >= height:
                continue
            there, crystal = owner[row, column], counts[tip, _CRYSTAL]
            # A stem may cross its own barbs; a young tip is still inside its parent.
            if age > 2 and there and (depth or there != crystal):
                continue
            owner[row, column] = crystal
            numbers[tip, _X], numbers[tip, _Y] = x, y
            numbers[tip, _HEADING] += numbers[tip, _BEND]

            bits = word(key, drawn)
            drawn += 1
            # Facets that face the light are brighter, barbs are thinner than stems; at most 255 in all.
            light = np.float32(0.62) + np.float32(0.38) * _COSINE[(2 * heading + 20) & (_TURN - 1)]
            light *= np.float32(204) * (one - np.float32(0.27) * np.float32(depth))
            light *= np.float32(0.75) + np.float32(0.5) * _uniform(bits, 0)
            right, low = x - np.float32(column), y - np.float32(row)
            upper, lower = light * (one - low), light * low
            ice[row, column] = max(ice[row, column], np.uint8(upper * (one - right)))
            ice[row, column + 1] = max(ice[row, column + 1], np.uint8(upper * right))
            ice[row + 1, column] = max(ice[row + 1, column], np.uint8(lower * (one - right)))
            ice[row + 1, column + 1] = max(ice[row + 1, column + 1], np.uint8(lower * right))

            left = numbers[tip, _LENGTH] - np.float32(age)
            if left < 0:
                continue
            kept += 1
            # Every few cells a pair of barbs, shorter towards the end of the stem.
            distance = 3 if depth else 4
            if (
                depth == _DEEPEST
                or age < 1
                or (age + counts[tip, _PHASE]) % distance
                or used + 2 > len(numbers)
            ):
                continue
            longest = min(
                left * np.float32(0.5 if depth else 0.6), short * np.float32(0.05 if depth else 0.15)
            )
            length = longest * (np.float32(0.6) + np.float32(0.7) * _uniform(bits, 12))
            for side in range(2 if length >= 2 else 0):
                if (bits >> np.uint64(24 + 3 * side)) & np.uint64(7) == 0:
                    continue
                sign = np.float32(2 * side - 1)
                numbers[used, _X], numbers[used, _Y] = x, y
                numbers[used, _HEADING] = numbers[tip, _HEADING] + sign * np.float32(_SPREAD)
                numbers[used, _BEND] = numbers[tip, _BEND] - sign * np.float32(0.25)
                numbers[used, _LENGTH] = length
                counts[used, _AGE] = 0
                counts[used, _DEPTH] = depth + 1
                counts[used, _CRYSTAL] = crystal
                counts[used, _PHASE] = int(bits >> np.uint64(62))
                used += 1
        for tip in range(known, used):
            growing[kept] = tip
            kept += 1
        alive = kept


@compiled
def _uniform(bits: np.uint64, at: int) -> np.float32:
    """Twelve of the bits as a number in 0..1, 1 excluded."""
    return np.float32((bits >> np.uint64(at)) & np.uint64(4095)) * np.float32(1 / 4096)
