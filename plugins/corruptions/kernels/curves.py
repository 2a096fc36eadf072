"""Tables of 256 grey levels, for ``tables.look_up``: curves other than straight lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .tables import Table


def power_table(exponent: float) -> Table:
    """uint8 [256]: round(x ** exponent) clipped to 0..255, for x = 0..255; exponent above 0."""
    return np.clip(np.rint(np.arange(256.0) ** exponent), 0, 255).astype(np.uint8)


def quantizing_table(levels: int) -> Table:
    """uint8 [256]: the nearest of ``levels`` grey levels spread evenly over 0..255, both ends included.

    levels: 2 to 256. The grey levels are rounded to whole numbers themselves.
    """
    step = 255 / (levels - 1)
    return np.rint(np.rint(np.arange(256.0) / step) * step).astype(np.uint8)
