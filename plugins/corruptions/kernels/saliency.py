"""The box around what stands out of a picture, found without learned weights.

The picture is reduced to a grid whose long side has 64 cells and faded out towards its borders, which a
spectrum would take for edges. Where the spectrum departs from a smooth one, back in the picture,
something stands out (the spectral residual). Of all boxes of 20 to 50% of the grid's area, neither side
more than twice as large a share of the grid's as the other, the one is taken in which the saliency
exceeds its mean by most in total.

Source: Hou and Zhang, "Saliency detection: a spectral residual approach", CVPR 2007; fading and box are
ours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Box = tuple[int, int, int, int]

_CELLS = 64
"""Cells along the long side: the size at which the source computes its spectra."""
_BLUR = 2.5
"""Standard deviation, in cells, of the Gaussian that joins what is salient."""
_LEAST, _MOST = 0.2, 0.5
"""Shares of the picture's area that a box may take."""
_ASPECT = 2.0
"""How many times larger the one side's share of the picture may be than the other's."""
_FADING = 0.25
"""Share of a side over which the picture fades out, at either end."""
_CONTRAST = 2.0
"""Grey levels between the darkest and the brightest cell below which there is nothing to find."""
_UNITS = 1 << 20
"""What the largest saliency is rounded to: sums are whole numbers, ties the same everywhere."""


def salient_box(source: Frame) -> Box | None:
    """Left, top, right, bottom in pixels (right and bottom exclusive); None on a picture of one colour."""
    height, width, _ = source.shape
    rows, columns = (max(1, round(_CELLS * side / max(height, width))) for side in (height, width))
    rows, columns = min(rows, height), min(columns, width)
    cells = np.empty((rows, columns), np.float64)
    _means(source, cells)
    if cells.max() - cells.min() < _CONTRAST:
        return None
    saliency = spectral_residual(cells)
    found = _best_box(np.rint(saliency * (_UNITS / saliency.max())).astype(np.int64))
    if found is None:
        return None
    left, top, right, bottom = found
    return left * width // columns, top * height // rows, right * width // columns, bottom * height // rows


def spectral_residual(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """float64 [m, n], 0 or more: the saliency of a grid of grey levels that are not all alike."""
    mean = cells.mean()
    spectrum = np.fft.fft2((cells - mean) * np.outer(_fading(cells.shape[0]), _fading(cells.shape[1])) + mean)
    amplitude = np.abs(spectrum)
    # Frequencies that are absent have no logarithm; far below the rounding of a grey level is low enough.
    logarithm = np.log(np.maximum(amplitude, 1e-3))
    turns = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    smooth = sum(np.roll(logarithm, turn, (0, 1)) for turn in turns) / len(turns)
    phase = np.where(amplitude > 1e-3, spectrum / np.maximum(amplitude, 1e-3), 0)
    standing_out = np.abs(np.fft.ifft2(np.exp(logarithm - smooth) * phase)) ** 2
    result: npt.NDArray[np.float64] = _blur(cells.shape[0]) @ standing_out @ _blur(cells.shape[1]).T
    return result


def _fading(size: int) -> npt.NDArray[np.float64]:
    """float64 [n], above 0 and at most 1: a plateau between two halves of a cosine."""
    at = (np.arange(size) + 0.5) / size
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(1.0, np.minimum(at, 1 - at) / _FADING))


def _blur(size: int) -> npt.NDArray[np.float64]:
    """float64 [n, n]: what smooths a column of n cells with a Gaussian, mirrored at the borders."""
    at = np.arange(size)
    weights = np.zeros((size, size))
    for copy in range(-math.ceil(4 * _BLUR / size) - 1, math.ceil(4 * _BLUR / size) + 2):
        images = at if copy % 2 == 0 else size - 1 - at
        weights += np.exp(-0.5 * ((at[:, None] - images - copy * size) / _BLUR) ** 2)
    result: npt.NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return result


@compiled
def _means(source: Frame, cells: npt.NDArray[np.float64]) -> None:
    """cells = the mean over pixels and channels of each field; every field holds a pixel at least."""
    height, width, channels = source.shape
    rows, columns = cells.shape
    pixels = source.reshape(height, width * channels)
    sums = np.empty(width * channels, np.uint32)
    for row in range(rows):
        first, last = row * height // rows, (row + 1) * height // rows
        for j in range(sums.size):
            sums[j] = 0
        for y in range(first, last):
            line = pixels[y]
            for j in range(sums.size):
                sums[j] += np.uint32(line[j])
        for column in range(columns):
            left, right = channels * (column * width // columns), channels * ((column + 1) * width // columns)
            total = np.uint64(0)
            for j in range(left, right):
                total += np.uint64(sums[j])
            cells[row, column] = np.float64(total) / ((last - first) * (right - left))


@compiled
def _best_box(saliency: npt.NDArray[np.int64]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom in cells; None if no box has a permitted area."""
    rows, columns = saliency.shape
    area = rows * columns
    mean = np.int64(saliency.sum() // area)
    # below[y, x]: what exceeds the mean in the columns left of x, down to row y.
    below = np.zeros((rows + 1, columns + 1), np.int64)
    for y in range(rows):
        line = np.int64(0)
        for x in range(columns):
            line += saliency[y, x] - mean
            below[y + 1, x + 1] = below[y, x + 1] + line
    best = np.int64(-(1 << 62))
    found = (0, 0, 0, 0)
    strip = np.empty(columns + 1, np.int64)
    for top in range(rows):
        for bottom in range(top + 1, rows + 1):
            tall = bottom - top
            alike = tall * columns / rows
            least = max(1, math.ceil(max(_LEAST * area / tall, alike / _ASPECT)))
            most = min(columns, math.floor(min(_MOST * area / tall, alike * _ASPECT)))
            if least > most:
                continue
            for x in range(columns + 1):
                strip[x] = below[bottom, x] - below[top, x]
            for wide in range(least, most + 1):
                for left in range(columns + 1 - wide):
                    gain = strip[left + wide] - strip[left]
                    if gain > best:
                        best = gain
                        found = (left, top, left + wide, bottom)
    if best == np.int64(-(1 << 62)):
        return None
    return found
