"""Rain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from ..frames import on_frames, scale
from ..kernels.rain import Streaks, rain
from ..severity import NRVL_SIDE
from ..variates import key
from .ranges import within

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_LENGTHS = (11.0, 44.0)
"""The shortest and the longest streak, in pixels at a short side of 720."""
_HEAD, _TAIL = 0.7, 0.2
"""Brightness of a streak at its two ends."""
_LIGHT = 200 * 0.4
"""Grey levels that a brightness of 1 adds."""
_VEIL = 120.0
"""Grey level of the haze."""


class Rainy:
    """Rain: thin bright slanted streaks in front of a slight haze, others in every frame.

    Definition: round((1 - haze) x + haze 120 + 80 R), clipped. R is 0 but for streaks, one pixel wide,
    that lie on a share of the pixels, at random places; all whole lengths from 11 to 44 pixels are
    equally likely. From its upper to its lower end a streak fades from .7 to .2 in a straight line;
    where two meet the brighter one counts. R is then softened with a Gaussian of sigma .5 pixels.
    Options: share of the pixels that lie under streaks, 0 or more and below 1. slant, pixels that a
    streak goes to the right per pixel down, -1 to 1. haze, share of the picture that it takes away, 0
    to 1. Lengths are stated for a short side of ``reference`` pixels and grow with the frame's, but
    are never less than 1; 0 takes them as pixels of the frame, whatever its size.
    Draws: per frame, where the streaks are and how long. All lines get equally many.
    Source: NRVL (its heaviest rain), whose streaks stand still; there a streak starts on every
    twentieth pixel, so that three quarters of them lie under streaks: share=.75.
    """

    version = 1

    def __init__(
        self, share: float = 0.05, slant: float = 0.13, haze: float = 0.15, reference: int = NRVL_SIDE
    ) -> None:
        if not 0 <= share < 1:
            raise UsageError(f"share of rainy must be 0 or more and below 1, not {share:g}")
        self.share = share
        self.slant = within("rainy", "slant", slant, -1, 1)
        self.haze = within("rainy", "haze", haze, 0, 1)
        if reference < 0:
            raise UsageError(f"reference of rainy must be 0 or more, not {reference}: try 720")
        self.reference = reference

    def streaks(self, factor: float) -> Streaks:
        """The rain where all lengths are multiplied by ``factor``."""
        shortest, longest = (max(1, round(length * factor)) for length in _LENGTHS)
        # So many start per pixel that chance leaves 1 - share of the pixels without any.
        density = -math.log1p(-self.share) / ((shortest + longest) / 2)
        return Streaks(density, self.slant, shortest, longest, _LIGHT * _HEAD, _LIGHT * _TAIL)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        streaks = self.streaks(scale(clip.frames, self.reference))

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            rain(source, key(draws.frame(slot)), streaks, self.haze, _VEIL, out)

        return on_frames(clip, hit, corrupt)
