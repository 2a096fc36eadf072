"""A picture made small and large again with bicubic interpolation.

Cubic convolution with a = -3/4, pixels taken as squares, the edge repeated beyond the border, and no
averaging where a picture shrinks: four taps whatever the scale, as PyTorch and OpenCV define "bicubic".
Everything between the first pixel read and the last one written is float32, neither rounded nor cut.
Source: Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 29 (1981).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Floats = npt.NDArray[np.float32]
    Taps = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]

_SHARPNESS = -0.75
_BLOCK = 32
"""Rows handled together where a row must be stretched: a vector runs across them."""
_PART = 256
"""Pixels of those rows stretched at a time: few enough to stay in the first-level cache."""


def through_small(source: Frame, height: int, width: int, out: Frame) -> None:
    """out = source as height x width pixels and back; 1 <= height <= H, 1 <= width <= W."""
    full_height, full_width, _ = source.shape
    rows = source.reshape(full_height, -1)
    result = out.reshape(full_height, -1)
    if height < full_height:
        low = np.empty((height, rows.shape[1]), np.float32)
        _rows(rows, *taps(full_height, height), low)
        if width < full_width:
            small = np.empty((height, 3 * width), np.float32)
            _shrink_across(low, *taps(full_width, width), small)
            _stretch_across(small, *taps(width, full_width), low)
        _rows_rounded(low, *taps(height, full_height), result)
    elif width < full_width:
        small = np.empty((height, 3 * width), np.float32)
        _shrink_across(rows, *taps(full_width, width), small)
        _stretch_across_rounded(small, *taps(width, full_width), result)
    else:
        out[:] = source


def taps(before: int, after: int) -> Taps:
    """Which of ``before`` samples make each of ``after``, and their weights: int64 and float32 [after, 4]."""
    position = (np.arange(after) + 0.5) * (before / after) - 0.5
    first = np.floor(position)
    share = position - first
    weights = np.stack([_far(1 + share), _near(share), _near(1 - share), _far(2 - share)], axis=1)
    chosen = first.astype(np.int64)[:, None] + np.arange(-1, 3)
    return np.clip(chosen, 0, before - 1), weights.astype(np.float32)


def _near(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The weight at distances of 0 to 1."""
    return ((_SHARPNESS + 2) * distance - (_SHARPNESS + 3)) * distance**2 + 1


def _far(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The weight at distances of 1 to 2."""
    return _SHARPNESS * (((distance - 5) * distance + 8) * distance - 4)


@compiled
def _level(value: np.float32) -> np.uint8:
    """Rounded, clipped to 0..255."""
    clipped = min(max(value, np.float32(0.0)), np.float32(255.0))
    return np.uint8(np.int32(clipped + np.float32(0.5)))


@compiled
def _rows(rows: npt.NDArray[np.uint8], chosen: npt.NDArray[np.int64], weights: Floats, out: Floats) -> None:
    """out[y] = the four chosen rows, weighted."""
    for y in range(out.shape[0]):
        first, second, third, fourth = (
            rows[chosen[y, 0]],
            rows[chosen[y, 1]],
            rows[chosen[y, 2]],
            rows[chosen[y, 3]],
        )
        a, b, c, d = weights[y, 0], weights[y, 1], weights[y, 2], weights[y, 3]
        target = out[y]
        for j in range(target.size):
            target[j] = (
                a * np.float32(first[j])
                + b * np.float32(second[j])
                + c * np.float32(third[j])
                + d * np.float32(fourth[j])
            )


@compiled
def _rows_rounded(
    rows: Floats, chosen: npt.NDArray[np.int64], weights: Floats, out: npt.NDArray[np.uint8]
) -> None:
    for y in range(out.shape[0]):
        first, second, third, fourth = (
            rows[chosen[y, 0]],
            rows[chosen[y, 1]],
            rows[chosen[y, 2]],
            rows[chosen[y, 3]],
        )
        a, b, c, d = weights[y, 0], weights[y, 1], weights[y, 2], weights[y, 3]
        target = out[y]
        for j in range(target.size):
            target[j] = _level(a * first[j] + b * second[j] + c * third[j] + d * fourth[j])


@compiled
def _shrink_across(
    rows: npt.NDArray[np.generic], chosen: npt.NDArray[np.int64], weights: Floats, out: Floats
) -> None:
    """out[y, x] = the four chosen pixels of row y, weighted; rows hold RGB after RGB."""
    for y in range(out.shape[0]):
        row, target = rows[y], out[y]
        for x in range(chosen.shape[0]):
            for c in range(3):
                value = np.float32(0.0)
                for k in range(4):
                    value += weights[x, k] * np.float32(row[3 * chosen[x, k] + c])
                target[3 * x + c] = value


@compiled
def _stretch_across(rows: Floats, chosen: npt.NDArray[np.int64], weights: Floats, out: Floats) -> None:
    """Like ``_shrink_across``, for few rows."""
    for y in range(out.shape[0]):
        row, target = rows[y], out[y]
        for x in range(chosen.shape[0]):
            first, second, third, fourth = (
                3 * chosen[x, 0],
                3 * chosen[x, 1],
                3 * chosen[x, 2],
                3 * chosen[x, 3],
            )
            a, b, c, d = weights[x, 0], weights[x, 1], weights[x, 2], weights[x, 3]
            for k in range(3):
                target[3 * x + k] = (
                    a * row[first + k] + b * row[second + k] + c * row[third + k] + d * row[fourth + k]
                )


@compiled
def _stretch_across_rounded(
    rows: Floats, chosen: npt.NDArray[np.int64], weights: Floats, out: npt.NDArray[np.uint8]
) -> None:
    """Like ``_stretch_across``, rounded and for many rows: 32 of them side by side fill the vectors."""
    height = out.shape[0]
    width = chosen.shape[0]
    columns = np.empty((rows.shape[1], _BLOCK), np.float32)
    stretched = np.empty((3 * _PART, _BLOCK), np.uint8)
    for top in range(0, height, _BLOCK):
        count = min(_BLOCK, height - top)
        for i in range(count):
            for j in range(rows.shape[1]):
                columns[j, i] = rows[top + i, j]
        for left in range(0, width, _PART):
            size = min(_PART, width - left)
            for x in range(size):
                taken = chosen[left + x]
                a, b, c, d = (
                    weights[left + x, 0],
                    weights[left + x, 1],
                    weights[left + x, 2],
                    weights[left + x, 3],
                )
                for k in range(3):
                    first, second = columns[3 * taken[0] + k], columns[3 * taken[1] + k]
                    third, fourth = columns[3 * taken[2] + k], columns[3 * taken[3] + k]
                    target = stretched[3 * x + k]
                    for i in range(_BLOCK):
                        target[i] = _level(a * first[i] + b * second[i] + c * third[i] + d * fourth[i])
            for i in range(count):
                target = out[top + i, 3 * left : 3 * (left + size)]
                for j in range(target.size):
                    target[j] = stretched[j, i]
