"""Rows with room around them: what a kernel reads beyond the edge is laid out beforehand.

Inner loops then run over whole rows without asking where the picture ends, and become vector code.
Only the rows that are in use are kept, in a ring: fresh memory for a whole picture would cost more than
copying it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .borders import mirror
from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Places = npt.NDArray[np.int64]


@compiled
def mirrored(first: int, count: int, size: int) -> Places:
    """int64 [count]: where the positions first, first + 1, ... are found inside 0..size-1."""
    found = np.empty(count, np.int64)
    for i in range(count):
        found[i] = mirror(first + i, size)
    return found


@compiled
def row_ring(source: Frame, above: int, margin: int) -> npt.NDArray[np.uint8]:
    """uint8 [n, (W + 2 * margin) * 3]: room for the rows up to ``above`` above and below a row.

    Row y is kept in place y % n. Filled by ``load_rows``.
    """
    height, width, channels = source.shape
    return np.empty((min(height, 2 * above + 1), (width + 2 * margin) * channels), np.uint8)


@compiled
def load_rows(source: Frame, loaded: int, upto: int, sides: Places, ring: npt.NDArray[np.uint8]) -> int:
    """Put the rows loaded, loaded + 1, ... upto - 1 into the ring, mirrored beyond both ends.

    sides: ``mirrored(-margin, W + 2 * margin, W)``. Gives the number of rows loaded so far. For the rows
    up to a above and below row y, mirrored at the edges of the picture, all up to row y + a must be
    loaded, and no more.
    """
    height, width, channels = source.shape
    size = width * channels
    margin = (sides.size - width) // 2
    rows = source.reshape(height, size)
    upto = min(upto, height)
    for y in range(loaded, upto):
        row = rows[y]
        whole = ring[y % ring.shape[0]]
        inside = whole[margin * channels : margin * channels + size]
        for j in range(size):
            inside[j] = row[j]
        for i in range(margin):
            left = sides[i] * channels
            right = sides[margin + width + i] * channels
            for c in range(channels):
                whole[i * channels + c] = row[left + c]
                whole[(margin + width + i) * channels + c] = row[right + c]
    return max(loaded, upto)
