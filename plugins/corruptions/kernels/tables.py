"""Whatever maps a value to a value: computed once for 256 values, then looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Table = npt.NDArray[np.uint8]


def gain_table(gain: float) -> Table:
    """uint8 [256]: round(gain * x) clipped to 0..255, for x = 0..255."""
    return np.clip(np.rint(gain * np.arange(256.0)), 0, 255).astype(np.uint8)


def look_up(source: Frame, table: Table, out: Frame) -> None:
    """out = table[source]."""
    cv2.LUT(source, table, dst=out)
