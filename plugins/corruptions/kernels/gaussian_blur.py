"""Gaussian blur: one function, two ways, by the width of the bell.

Narrow bells are convolved directly in whole numbers. Wide ones at full resolution would cost
hundreds of taps a pixel, though their result hardly changes from a pixel to the next: they are
computed on a coarse grid and interpolated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .blur_narrow import blur_narrow
from .blur_wide import blur_wide

if TYPE_CHECKING:
    from harness.types import Frame

_WIDE = 7.5
"""Standard deviation in pixels from which the coarse grid is used: it is the faster way from here on."""


def gaussian_blur(source: Frame, sigma: float, out: Frame) -> None:
    """out = source convolved with a round Gaussian, borders reflected, rounded.

    sigma: standard deviation in pixels, above 0; the bell is cut at 4 sigma. Any H, W >= 1. Before
    the rounding the result is within .2 grey levels of the exact convolution on edges and textures, and
    within .7 on any picture.
    """
    if sigma < _WIDE:
        blur_narrow(source, sigma, out)
    else:
        blur_wide(source, sigma, out)
