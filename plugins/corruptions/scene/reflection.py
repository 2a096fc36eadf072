"""Reflections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from ..frames import on_frames, scale
from ..kernels.perlin import perlin
from ..kernels.reflection import Glare, reflect, spread
from ..severity import NRVL_SIDE
from ..variates import key
from .ranges import within

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_PERIOD = 100.0
"""Distance of the film's first lattice, in pixels at a short side of 720."""
_OCTAVES = 6


class Reflect:
    """Reflections: bright places glare, and a cloudy film, like that of a pane, lies over the picture.

    Definition: where the mean of a pixel's channels is above the threshold, it becomes gain x + glow
    Gaussian(x, sigma), clipped to 0..255; then round((1 - film) that + film P). P is Perlin noise from 0
    to 255: six octaves, the first with a period of 100 pixels, each with half the period and half the
    height of the one before; it stays for the video. Before the rounding within 1 grey level: the glow
    is that of a fast blur, and P is computed at every second pixel of 720.
    Options: threshold, 0 to 255. gain and glow, 0 to 64. film, its share of the result, 0 to 1. sigma
    in pixels, above 0 and at most 720. sigma and the period are stated for a short side of ``reference``
    pixels and grow with the frame's, the period from 1 pixel on; 0 takes them as pixels of the frame,
    whatever its size.
    Draws: per video, the film.
    Source: NRVL, whose film is the same for all videos. Noise: Perlin, "Improving Noise" (2002).
    """

    version = 1

    def __init__(
        self,
        threshold: float = 100.0,
        gain: float = 1.5,
        glow: float = 0.5,
        film: float = 0.1,
        sigma: float = 5.0,
        reference: int = NRVL_SIDE,
    ) -> None:
        within("reflect", "threshold", threshold, 0, 255)
        within("reflect", "gain", gain, 0, 64)
        within("reflect", "glow", glow, 0, 64)
        within("reflect", "film", film, 0, 1)
        if not 0 < sigma <= NRVL_SIDE:
            raise UsageError(f"sigma of reflect must be above 0 and at most {NRVL_SIDE}, not {sigma:g}")
        if reference < 0:
            raise UsageError(f"reference of reflect must be 0 or more, not {reference}: try 720")
        self.glare = Glare(threshold, gain, glow, film)
        self.sigma = sigma
        self.reference = reference

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]
        factor = scale(clip.frames, self.reference)
        period = max(1.0, _PERIOD * factor)
        step = max(1, int(period / (_PERIOD / 2)))
        nodes = (-(-(height - 1) // step) + 1, -(-(width - 1) // step) + 1)
        film = spread(perlin(key(draws.video()), *nodes, period / step, _OCTAVES), step, height, width)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            reflect(source, self.sigma * factor, film, self.glare, out)

        return on_frames(clip, hit, corrupt)
