"""Fields that change slowly: kept as coarse grids of nodes, read between them by straight lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    Map = npt.NDArray[np.uint16]
    Row = npt.NDArray[np.uint16]

UNIT = 1 << 16
"""The distance of two neighbouring nodes in the units in which positions are given."""
NONE = -(1 << 62)
"""A row of nodes that no picture needs."""


@compiled
def read_row(
    nodes: Map, down: int, start: int, step: int, gain: int, rows: Map, held: npt.NDArray[np.int64], out: Row
) -> None:
    """out[3 x + c] = the field at (down, start + x * step), times gain / 65536, for c = 0, 1, 2.

    nodes: uint16 [m, n], read cyclically, n a power of two; down, start, step: positions in the grid,
    in units of 1/65536 of the distance of its nodes, any whole numbers. gain: 0..65536. out: uint16
    [3 W], the values of W pixels; up to 3 units below the exact ones. rows: uint16 [3, W], and held:
    int64 [2], first filled with NONE, keep what the next call with the same nodes, start, step and
    gain may need again.
    """
    node = down >> 16
    for i in range(node, node + 2):
        if held[i & 1] != i:
            _stretch(nodes[i % nodes.shape[0]], start, step, gain, rows[i & 1])
            held[i & 1] = i
    above, below, mixed = rows[node & 1], rows[(node + 1) & 1], rows[2]
    lower = np.uint32(down & 65535)
    upper = np.uint32(65536) - lower
    for x in range(mixed.size):
        mixed[x] = np.uint16((np.uint32(above[x]) * upper + np.uint32(below[x]) * lower) >> np.uint32(16))
    for x in range(mixed.size):
        out[3 * x] = mixed[x]
        out[3 * x + 1] = mixed[x]
        out[3 * x + 2] = mixed[x]


@compiled
def _stretch(nodes: Row, start: int, step: int, gain: int, out: Row) -> None:
    last = nodes.size - 1
    position = start
    for x in range(out.size):
        left = (position >> 16) & last
        share = position & 65535
        mixed = np.int64(nodes[left]) * (65536 - share) + np.int64(nodes[(left + 1) & last]) * share
        out[x] = np.uint16(((mixed >> 16) * gain) >> 16)
        position += step
