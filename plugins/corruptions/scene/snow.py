"""Snow."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from ..frames import on_frames, scale
from ..kernels.flakes import Flakes
from ..kernels.snow import snow
from ..severity import IMAGENET_SIDE, NRVL_SIDE, Severity, at_severity
from ..variates import key, uniforms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_SNOW_SEVERITY = (
    Flakes(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    Flakes(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    Flakes(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    Flakes(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    Flakes(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
"""ImageNet-C's parameters, lengths in pixels of an image of 224."""
_SMALLEST = 2.0
"""The least distance of the nodes in pixels: nearer ones, smoothed less, pass the threshold more often."""


class Snow:
    """Driving snow over a whitened picture, other flakes in every frame.

    Definition: with x on a scale of 0..1 and grey = .299 R + .587 G + .114 B, round(keep x + (1 - keep)
    max(x, 1.5 grey + .5) + S + S turned by 180 degrees), clipped. S: normal noise, mean .55, standard
    deviation .3, on nodes 2.5 pixels apart, joined by straight lines; 0 where it is below .85, at most
    1; smeared with one half of a Gaussian of sigma 12 pixels over 2 radius + 1 = 25 pixels, in a
    direction between -135 and -45 degrees. keep is .55. The noise goes on beyond the frame's borders.
    Options: radius and sigma are stated for a short side of ``reference`` pixels and grow with the
    frame's; 0 takes them as pixels of the frame, whatever its size. severity 1..5 replaces (mean,
    deviation, distance, threshold, radius, sigma, keep) by ImageNet-C's (.1, .3, 3, .5, 10, 4, .8),
    (.2, .3, 2, .5, 12, 4, .7), (.55, .3, 4, .9, 12, 8, .7), (.55, .3, 4.5, .85, 12, 8, .65), (.55, .3, 2.5,
    .85, 12, 12, .55) and makes 224 the usual reference, the size they are stated for; then the distance
    of the nodes, which is the size of the flakes, grows with the frame, too, and is at least 2.
    Draws: per frame, noise and direction. Noise is drawn in steps of 1/60 standard deviation.
    Source: NRVL (ImageNet-C's severity 5); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(self, severity: Severity | None = None, reference: int | None = None) -> None:
        self.flakes = at_severity(severity, _SNOW_SEVERITY, _SNOW_SEVERITY[-1])
        self.flakes_grow = severity is not None
        usual = NRVL_SIDE if severity is None else IMAGENET_SIDE
        self.reference = usual if reference is None else reference
        if self.reference < 0:
            raise UsageError(f"reference of snow must be 0 or more, not {reference}: try 720")

    def scaled(self, factor: float) -> Flakes:
        """The flakes where lengths are multiplied by ``factor``."""
        return replace(
            self.flakes,
            zoom=max(_SMALLEST, self.flakes.zoom * (factor if self.flakes_grow else 1.0)),
            radius=max(1, round(self.flakes.radius * factor)),
            sigma=self.flakes.sigma * factor,
        )

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        flakes = self.scaled(scale(clip.frames, self.reference))

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            generator = draws.frame(slot)
            (turn,) = uniforms(generator, 1).tolist()
            snow(source, key(generator), flakes, math.radians(90 * turn - 135), out)

        return on_frames(clip, hit, corrupt)
