"""What a noise does to pictures, in numbers that two makers of one noise can be compared by.

A noise is run over photographs and seeds; what it did is summed up in a ``Portrait``, and ``differences``
says how far two portraits are apart. Nothing here knows who made the noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Noise = Callable[[np.ndarray, int], np.ndarray]
"""(uint8 [H, W, 3], seed) -> the same with the noise, any real type, values 0..255."""

LEVEL_BANDS = 8
"""Parts of 0..255 in each of which the change of grey levels is looked at by itself."""
OCTAVES = 5
"""Rings of the spectrum, each from half of a frequency to that frequency, 1/2 per pixel downwards."""
FLOOR = 0.1
"""Variance per pixel that no spectrum falls below: what rounding to whole levels leaves, about."""


@dataclass(frozen=True)
class Portrait:
    """What a noise did, over all pictures and seeds.

    change: [LEVEL_BANDS, 511], how often a pixel of that band changed by -255..255, all cells sum to 1.
    spectrum: [2, OCTAVES], power of the change per pixel and octave: of its mean over the channels, and
    of red minus green. similarity: mean SSIM of before and after. pictures: what came out, seed by seed.
    """

    change: Floats = field(repr=False)
    spectrum: Floats
    similarity: float
    pictures: Sequence[np.ndarray] = field(repr=False)

    @property
    def spread(self) -> float:
        """Standard deviation of the change, in grey levels."""
        steps, share = np.arange(-255, 256), self.change.sum(axis=0)
        return float(np.sqrt(share @ steps**2 - (share @ steps) ** 2))

    @property
    def mean(self) -> float:
        """Mean change in grey levels."""
        return float(self.change.sum(axis=0) @ np.arange(-255, 256))


def portray(noise: Noise, photographs: Sequence[np.ndarray], seeds: Sequence[int]) -> Portrait:
    """Run the noise on every photograph, each with as many seeds of its own."""
    change = np.zeros((LEVEL_BANDS, 511))
    spectra, similarities, pictures = [], [], []
    for number, photograph in enumerate(photographs):
        for seed in seeds:
            after = np.rint(noise(photograph, len(photographs) * seed + number)).clip(0, 255).astype(np.uint8)
            moved = after.astype(np.int64) - photograph
            cells = 511 * (photograph.astype(np.int64) * LEVEL_BANDS // 256) + moved + 255
            change += np.bincount(cells.ravel(), minlength=change.size).reshape(change.shape)
            spectra.append([octave_powers(moved.mean(axis=2)), octave_powers(moved[..., 0] - moved[..., 1])])
            similarities.append(similarity(photograph, after))
            pictures.append(after)
    return Portrait(change / change.sum(), np.mean(spectra, axis=0), float(np.mean(similarities)), pictures)


def similarity(before: np.ndarray, after: np.ndarray) -> float:
    """Mean SSIM of the greys of two pictures, in squares of 7x7 (Wang et al., 2004)."""
    one, other = before.mean(axis=2), after.mean(axis=2)
    mean_one, mean_other = (cv2.blur(grey, (7, 7)) for grey in (one, other))
    variances = cv2.blur(one**2 + other**2, (7, 7)) - mean_one**2 - mean_other**2
    covariance = cv2.blur(one * other, (7, 7)) - mean_one * mean_other
    light = (2 * mean_one * mean_other + 2.55**2) / (mean_one**2 + mean_other**2 + 2.55**2)
    shape = (2 * covariance + 7.65**2) / (variances + 7.65**2)
    return float((light * shape).mean())


def octave_powers(plane: Floats) -> Floats:
    """[OCTAVES], the power per pixel of each octave of frequencies, the lowest first; the mean left out."""
    height, width = plane.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    power = np.abs(np.fft.rfft2((plane - plane.mean()) * window)) ** 2 / (window**2).sum()
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    ring = np.floor(-np.log2(np.maximum(np.hypot(down, across), 2.0**-30))).astype(int)
    return np.array([power[ring == octave].mean() for octave in range(OCTAVES, 0, -1)])


def differences(ours: Portrait, theirs: Portrait) -> Mapping[str, float]:
    """How far apart two portraits of the same photographs and numbers of seeds are.

    levels: Wasserstein distance of the changes of grey levels, averaged over the bands of levels, as a
    share of their standard deviation. spectrum: the largest gap of an octave, in decibels. similarity: gap
    of the SSIMs. pixels: mean absolute difference picture by picture, in grey levels (for what nothing is
    drawn for).
    """
    gaps = np.abs(np.cumsum(ours.change - theirs.change, axis=1)).sum()
    decibels = 10 * np.log10((ours.spectrum + FLOOR) / (theirs.spectrum + FLOOR))
    pairs = zip(ours.pictures, theirs.pictures, strict=True)
    return {
        "levels": float(gaps / theirs.spread),
        "spectrum": float(np.abs(decibels).max()),
        "similarity": abs(ours.similarity - theirs.similarity),
        "pixels": float(np.mean([np.abs(a.astype(np.int64) - b).mean() for a, b in pairs])),
    }
