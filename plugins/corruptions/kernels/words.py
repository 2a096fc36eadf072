"""The random words of the kernels: SplitMix64 read by counter.

Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with
Vigna's constants; it passes BigCrush. Word i is a function of the key and i alone, so any part of
a picture can be filled at any time.

Never change a function here: machine code that was kept for its callers would not notice. Add
another one beside it.
"""

from __future__ import annotations

import numpy as np

from .compiling import compiled

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@compiled
def word(key: np.uint64, counter: int) -> np.uint64:
    """64 random bits: output ``counter`` (from 0) of SplitMix64 seeded with ``key``."""
    mixed = np.uint64(key + (np.uint64(counter) + np.uint64(1)) * _STEP)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))
