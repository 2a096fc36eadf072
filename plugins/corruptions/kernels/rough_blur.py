"""A Gaussian blur for what is only a part of a picture: up to 1.3 grey levels off, twice as fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .blur_wide import blur_wide
from .gaussian_blur import gaussian_blur

if TYPE_CHECKING:
    from harness.types import Frame

_NODES = 1.25
"""Nodes per sigma."""
_NARROW = 2.5
"""Standard deviation in pixels up to which the blur is the exact one."""


def rough_blur(source: Frame, sigma: float, out: Frame) -> None:
    """out = source convolved with a round Gaussian, borders reflected, rounded. sigma: above 0."""
    if sigma <= _NARROW:
        gaussian_blur(source, sigma, out)
    else:
        blur_wide(source, sigma, out, _NODES)
