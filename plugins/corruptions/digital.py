"""Noises of the category digital: what goes wrong between a sensor and a screen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from .frames import on_frames, scale
from .kernels.cubic import through_small
from .kernels.curves import quantizing_table
from .kernels.edges import find_edges
from .kernels.elastic import pull_about
from .kernels.random_pixels import CERTAIN, replace_pixels, roughen
from .kernels.tables import look_up
from .severity import IMAGENET_SIDE, NRVL_SIDE, Severity, at_severity
from .variates import key, uniforms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_ELASTIC_SEVERITY = (12.5, 16.25, 21.25, 25.0, 30.0)
"""ImageNet-C's alpha, for an image of 224 pixels."""


class RandomPixel:
    """Pixels lost and found: most of them have any colour.

    Definition: with probability p a pixel becomes random RGB, all 2**24 colours equally likely.
    Options: p, 0 to 1, rounded to 1/65536.
    Draws: per frame, every pixel by itself.
    Source: NRVL (p .8).
    """

    version = 1

    def __init__(self, p: float = 0.8) -> None:
        _check_share("p of random_pixel", p, 0.8)
        self.p = p

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        chance = round(CERTAIN * self.p)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            generator = draws.frame(slot)
            replace_pixels(source, chance, key(generator), key(generator), out)

        return on_frames(clip, hit, corrupt)


class ResolutionDegrade:
    """Fewer pixels than the frame pretends to have.

    Definition: the frame made smaller, to floor(share * side) pixels (at least 1) each way, and large
    again, both bicubic (a = -.75, four taps whatever the scale, edges repeated), rounded at the end.
    Options: share of each side that is left, above 0 and below 1.
    Draws: nothing.
    Source: NRVL (share .1).
    """

    version = 1

    def __init__(self, share: float = 0.1) -> None:
        _check_side("share of resolution_degrade", share, 0.1)
        self.share = share

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        height, width = (_shrunk(side, self.share) for side in clip.frames.shape[1:3])

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            through_small(source, height, width, out)

        return on_frames(clip, hit, corrupt)


class StretchSquish:
    """Squashed along one axis and pulled out again.

    Definition: one axis made smaller, to floor(share * side) pixels (at least 1), and large again, both
    bicubic as in resolution_degrade; the other axis stays. A coin chooses the axis.
    Options: share of the axis that is left, above 0 and below 1.
    Draws: per video, the axis.
    Source: NRVL (share 1/30).
    """

    version = 1

    def __init__(self, share: float = 1 / 30) -> None:
        _check_side("share of stretch_squish", share, 1 / 30)
        self.share = share

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]
        (coin,) = uniforms(draws.video(), 1).tolist()
        if coin < 0.5:
            height = _shrunk(height, self.share)
        else:
            width = _shrunk(width, self.share)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            through_small(source, height, width, out)

        return on_frames(clip, hit, corrupt)


class EdgeSawtooth:
    """Frayed edges.

    Definition: Canny's edges of the luminance (thresholds low and high), widened to 2 x 2 pixels each,
    become random RGB, and so does each of the pixels around them (8-neighbours) with probability p.
    A frame without edges stays as it is.
    Options: low and high, 0 <= low <= high, on the sum of the absolute Sobel derivatives in grey levels.
    p, 0 to 1, rounded to 1/65536.
    Draws: per frame, every pixel by itself.
    Source: NRVL (50, 150, p .3), which weighs red as blue in the luminance.
    """

    version = 1

    def __init__(self, low: float = 50.0, high: float = 150.0, p: float = 0.3) -> None:
        if not (0 <= low <= high < math.inf):
            raise UsageError(
                f"low and high of edge_sawtooth must be 0 <= low <= high, not {low:g} and {high:g}: "
                "try low=50 high=150"
            )
        _check_share("p of edge_sawtooth", p, 0.3)
        self.low = low
        self.high = high
        self.p = p

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        chance = round(CERTAIN * self.p)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            edges = find_edges(source, self.low, self.high)
            roughen(source, edges, chance, key(draws.frame(slot)), out)

        return on_frames(clip, hit, corrupt)


class ColorQuantized:
    """Too few colours: each channel at a handful of levels.

    Definition: each value becomes the nearest of ``levels`` grey levels spread evenly over 0..255, both
    ends included, rounded to whole numbers: 0, 36, 73, 109, 146, 182, 219, 255 for 8.
    Options: levels, 2 to 256.
    Draws: nothing.
    Source: NRVL (3 bits, 8 levels).
    """

    version = 1

    def __init__(self, levels: int = 8) -> None:
        if not 2 <= levels <= 256:
            raise UsageError(f"levels of color_quantized must be 2 to 256, not {levels}: try levels=8")
        self.levels = levels

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        table = quantizing_table(self.levels)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            look_up(source, table, out)

        return on_frames(clip, hit, corrupt)


class Elastic:
    """The picture pulled about like rubber.

    Definition: out(y, x) = frame(y + dy, x + dx), bilinear, borders mirrored, rounded. dy and dx:
    U(-.005 H, .005 H) of every pixel, smoothed with a Gaussian of standard deviations .01 H (down) and
    .01 W (across), times alpha. The smoothing leaves sqrt(H / W) * .0814 alpha pixels of standard
    deviation at any size; for a frame whose short side is k times ``reference`` alpha is multiplied by
    k, so that the picture bends alike. Positions are rounded to 1/64 of a pixel.
    Options: alpha, above 0 and at most 100. reference: short side in pixels at which alpha is meant, 720
    unless given, at least 32; 0 takes alpha as it is whatever the size. severity 1..5 replaces alpha by
    ImageNet-C's 12.5, 16.25, 21.25, 25, 30 and makes 224 the usual reference.
    Draws: per frame, the field.
    Source: NRVL (alpha 30); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self, alpha: float = 30.0, severity: Severity | None = None, reference: int | None = None
    ) -> None:
        if not 0 < alpha <= 100:
            raise UsageError(f"alpha of elastic must be above 0 and at most 100, not {alpha:g}: try alpha=30")
        usual = NRVL_SIDE if severity is None else IMAGENET_SIDE
        self.alpha = at_severity(severity, _ELASTIC_SEVERITY, alpha)
        self.reference = usual if reference is None else reference
        if self.reference != 0 and self.reference < 32:
            raise UsageError(
                f"reference of elastic must be 0 or at least 32, not {reference}: try reference={usual}"
            )

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]
        amplitude = 0.005 * height * self.alpha * scale(clip.frames, self.reference)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            pull_about(source, (0.01 * height, 0.01 * width), amplitude, key(draws.frame(slot)), out)

        return on_frames(clip, hit, corrupt)


def _shrunk(side: int, share: float) -> int:
    """How many of ``side`` pixels are left."""
    return max(1, math.floor(side * share + 1e-9))


def _check_share(what: str, share: float, usual: float) -> None:
    if not 0 <= share <= 1:
        raise UsageError(f"{what} must be from 0 to 1, not {share:g}: try {what.split()[0]}={usual:g}")


def _check_side(what: str, share: float, usual: float) -> None:
    if not 0 < share < 1:
        raise UsageError(
            f"{what} must be above 0 and below 1, not {share:g}: try {what.split()[0]}={usual:.3g}"
        )
