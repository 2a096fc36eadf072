"""Random variates made from a generator's raw words.

NumPy promises the raw words of a bit generator for ever, but not the streams of ``Generator``'s
methods; a noise whose bytes are pinned draws through here.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def key(generator: np.random.Generator) -> np.uint64:
    """64 random bits: the key of a compiled kernel's own counter-based stream."""
    return np.uint64(generator.bit_generator.random_raw())


def uniforms(generator: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """float64 [count], uniform on the open interval (0, 1): the middles of 2**52 equal cells."""
    words = generator.bit_generator.random_raw(count)
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normals(generator: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """float64 [count], standard normal, by inversion (Wichura's AS 241 in the standard library)."""
    quantile = NormalDist().inv_cdf
    return np.array([quantile(share) for share in uniforms(generator, count).tolist()], np.float64)
