"""Frames mixed by weights into one, in one pass over the pixels, in float32.

Compiled by numba, without the GIL, the machine code kept on disk. Floating-point arithmetic stays as
written (no fastmath): the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame, Frames

    Floats = npt.NDArray[np.float32]

Function = TypeVar("Function", bound=Callable[..., Any])

_CHUNK = 4096
"""Values handled at a time: small enough for their sums to stay in the first-level cache."""
_CELLS = 1 << 14
"""Equal parts of the scale of light that the way back to levels is tabulated for; none holds two steps."""


def _compiled(function: Function) -> Function:
    try:
        return cast(Function, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # numba found no place for its cache
        return cast(Function, numba.njit(nogil=True)(function))


def mix(frames: Frames, weights: npt.NDArray[np.float64], linear_light: bool = False) -> Frame:
    """The weighted mean of frames, rounded: uint8 [n, H, W, 3], float64 [n] of sum 1 -> uint8 [H, W, 3].

    linear_light: means of light rather than of levels, by sRGB's transfer function. Sums are of
    float32, in the order of the frames.
    """
    # One type of array whatever comes in, so that the code is compiled once.
    values = np.ascontiguousarray(frames).reshape(len(frames), -1)
    values.flags.writeable = False
    out = np.empty(frames.shape[1:], np.uint8)
    shares = weights.astype(np.float32)
    if linear_light:
        light = srgb_light(np.arange(256)).astype(np.float32)
        _mix_light(values, shares, light, *_steps(), out.reshape(-1))
    else:
        _mix_levels(values, shares, out.reshape(-1))
    return out


def srgb_light(levels: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The light, 0 to 1, that sRGB levels on the scale 0 to 255 stand for (IEC 61966-2-1)."""
    share = np.asarray(levels, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _steps() -> tuple[Floats, npt.NDArray[np.uint8]]:
    """The light from which on a level is the nearest one, float32 [257]; each cell's first level, uint8."""
    starts = srgb_light(np.arange(257) - 0.5).astype(np.float32)
    starts[0], starts[256] = -np.inf, np.inf
    cells = np.arange(_CELLS + 1, dtype=np.float32) / np.float32(_CELLS)
    return starts, (np.searchsorted(starts, cells, side="right") - 1).astype(np.uint8)


@_compiled
def _mix_levels(values: npt.NDArray[np.uint8], shares: Floats, out: npt.NDArray[np.uint8]) -> None:
    """out = round(shares @ values); values: uint8 [n, size]."""
    count, size = values.shape
    sums = np.empty(_CHUNK, np.float32)
    for start in range(0, size, _CHUNK):
        length = min(_CHUNK, size - start)
        for j in range(length):
            sums[j] = np.float32(0.5)
        i = 0
        # Four frames at a time: the sums are loaded and stored a quarter as often.
        while i + 4 <= count:
            one = values[i, start : start + length]
            two = values[i + 1, start : start + length]
            three = values[i + 2, start : start + length]
            four = values[i + 3, start : start + length]
            a, b, c, d = shares[i], shares[i + 1], shares[i + 2], shares[i + 3]
            for j in range(length):
                sums[j] += (a * np.float32(one[j]) + b * np.float32(two[j])) + (
                    c * np.float32(three[j]) + d * np.float32(four[j])
                )
            i += 4
        while i < count:
            one = values[i, start : start + length]
            a = shares[i]
            for j in range(length):
                sums[j] += a * np.float32(one[j])
            i += 1
        target = out[start : start + length]
        for j in range(length):
            target[j] = np.uint8(np.int32(sums[j]))


@_compiled
def _mix_light(
    values: npt.NDArray[np.uint8],
    shares: Floats,
    light: Floats,
    starts: Floats,
    cells: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint8],
) -> None:
    """out = the level nearest to shares @ light[values]; values: uint8 [n, size]."""
    count, size = values.shape
    sums = np.empty(_CHUNK, np.float32)
    scaled = np.empty((count, 256), np.float32)
    for i in range(count):
        scaled[i] = shares[i] * light
    for start in range(0, size, _CHUNK):
        length = min(_CHUNK, size - start)
        sums[:length] = np.float32(0)
        i = 0
        while i + 4 <= count:
            one = values[i, start : start + length]
            two = values[i + 1, start : start + length]
            three = values[i + 2, start : start + length]
            four = values[i + 3, start : start + length]
            a, b, c, d = scaled[i], scaled[i + 1], scaled[i + 2], scaled[i + 3]
            for j in range(length):
                sums[j] += (a[one[j]] + b[two[j]]) + (c[three[j]] + d[four[j]])
            i += 4
        while i < count:
            one = values[i, start : start + length]
            a = scaled[i]
            for j in range(length):
                sums[j] += a[one[j]]
            i += 1
        target = out[start : start + length]
        for j in range(length):
            level = cells[np.int32(min(sums[j], np.float32(1)) * np.float32(_CELLS))]
            if sums[j] >= starts[level + 1]:
                level += np.uint8(1)
            target[j] = level
