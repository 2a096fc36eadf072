"""Frost on the pane before the camera: the texture, and how it is laid over a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .compiling import compiled
from .crystals import crystals
from .perlin import perlin
from .rough_blur import rough_blur

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    from .crystals import Grey

_CELLS = 224
"""Cells along the shorter side of the pane that the crystals grow on, where there are pixels enough."""
_SMALLEST = 1.5
"""The least size of a cell in pixels: smaller crystals would look like noise."""


def pane(key: np.uint64, height: int, width: int, rime: float) -> Grey:
    """uint8 [height, width]: a frosted pane.

    Crystals that catch the light from the upper left, a rime around them and towards the edges, and
    clouds of thin ice between. rime: grey levels of the thin ice that covers everything, 0..255.
    """
    cell = max(_SMALLEST, min(height, width) / _CELLS)
    rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
    ice = crystals(key, rows, columns)
    grey = np.empty((rows, columns), np.uint8)
    # What is soft is computed at half the resolution, and enlarged by the one interpolation that is the
    # same to the bit everywhere.
    soft = cv2.resize(
        _soft(~key, ice, round(256 * rime)), (columns, rows), interpolation=cv2.INTER_LINEAR_EXACT
    )
    _compose(ice, soft, grey)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)


def _soft(key: np.uint64, ice: Grey, base: int) -> Grey:
    """Everything but the crystals themselves, half as many rows and columns (rounded up)."""
    rows, columns = ((size + 1) // 2 for size in ice.shape)
    short = min(ice.shape)
    clouds = perlin(key, rows, columns, max(1.0, short / 6), 3)
    layers = np.empty((rows, columns, 3), np.uint8)
    _halve(ice, layers)
    glow, rime = np.empty_like(layers), np.empty_like(layers)
    rough_blur(layers, max(0.5, short / 180), glow)
    rough_blur(layers, max(0.5, short / 44), rime)
    out = np.empty((rows, columns), np.uint8)
    _cloud(glow, rime, clouds, base, out)
    return out


@compiled
def _halve(ice: Grey, layers: Frame) -> None:
    """Channel 0 is the mean of four cells of ice, channel 1 the share of them that hold any."""
    rows, columns = ice.shape
    for y in range(layers.shape[0]):
        upper, lower = ice[2 * y], ice[min(2 * y + 1, rows - 1)]
        for x in range(layers.shape[1]):
            left, right = 2 * x, min(2 * x + 1, columns - 1)
            light = (
                np.int32(upper[left])
                + np.int32(upper[right])
                + np.int32(lower[left])
                + np.int32(lower[right])
            )
            cells = (upper[left] > 0) + (upper[right] > 0) + (lower[left] > 0) + (lower[right] > 0)
            layers[y, x, 0] = light >> 2
            layers[y, x, 1] = (255 * cells) >> 2
            layers[y, x, 2] = 0


@compiled
def _cloud(glow: Frame, rime: Frame, clouds: npt.NDArray[np.uint16], base: int, out: Grey) -> None:
    rows, columns = out.shape
    short = min(rows, columns)
    edge = np.empty(short, np.int32)
    for depth in range(short):
        edge[depth] = 40 * short // (short + 12 * depth)
    for y in range(rows):
        for x in range(columns):
            depth = min(min(y, rows - 1 - y), min(x, columns - 1 - x))
            cloud = np.int32(clouds[y, x] >> 8)
            # In units of 1/256 grey level.
            light = np.int32(base) + 80 * cloud + edge[depth] * (96 + (cloud * 5 >> 3))
            light += 30 * np.int32(rime[y, x, 1]) + 90 * np.int32(glow[y, x, 0])
            out[y, x] = np.uint8(min(255, light >> 8))


@compiled
def _compose(ice: Grey, soft: Grey, out: Grey) -> None:
    """The crystals, raised a little, upon the rest."""
    rows, columns = ice.shape
    for y in range(rows):
        row, above, below, target = ice[y], ice[max(0, y - 1)], soft[y], out[y]
        for x in range(columns):
            here, behind = np.int32(row[x]), np.int32(above[max(0, x - 1)])
            light = np.int32(below[x]) + ((np.int32(260) * here - np.int32(110) * behind) >> np.int32(8))
            target[x] = np.uint8(min(max(light, np.int32(0)), np.int32(255)))


def freeze(source: Frame, texture: Grey | Frame, keep: float, shares: Sequence[float], out: Frame) -> None:
    """out = keep x + share texture, rounded, clipped; shares: one for each channel.

    texture: uint8 [H, W] or [H, W, 3]. keep, shares: 0..2. Exact to 1/128 grey level before the rounding.
    """
    units = np.array([round(65536 * share) for share in shares], np.uint32)
    _freeze(source, texture.reshape(len(texture), -1), round(65536 * keep), units, out)


@compiled
def _freeze(source: Frame, texture: Grey, keep: int, shares: npt.NDArray[np.uint32], out: Frame) -> None:
    height, width, channels = source.shape
    size = width * channels
    rows, result = source.reshape(height, size), out.reshape(height, size)
    laid, wide = np.empty(size, np.uint32), np.empty(size, np.uint8)
    for j in range(size):
        laid[j] = shares[j % channels]
    kept = np.uint32(keep)
    for y in range(height):
        row, frost, target = rows[y], texture[y], result[y]
        if frost.size == size:
            wide[:] = frost
        else:
            for x in range(width):
                wide[3 * x] = frost[x]
                wide[3 * x + 1] = frost[x]
                wide[3 * x + 2] = frost[x]
        for j in range(size):
            value = np.uint32(row[j]) * kept + np.uint32(wide[j]) * laid[j] + np.uint32(32768)
            target[j] = np.uint8(min(value >> np.uint32(16), np.uint32(255)))
