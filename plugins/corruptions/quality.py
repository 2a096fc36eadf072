"""Noises of the category quality: what a poor sensor does to a picture."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from .frames import on_frames
from .kernels.impulse_noise import add_impulses
from .kernels.normal_noise import add_noise, normal_magnitudes
from .kernels.poisson_noise import draw_photons, photon_table
from .kernels.speckle_noise import multiply_grains, speckle_gains
from .severity import Severity, at_severity
from .variates import key

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_GAUSSIAN_SEVERITY = (0.08, 0.12, 0.18, 0.26, 0.38)
"""ImageNet-C's standard deviations, as shares of 255."""
_IMPULSE_SEVERITY = (0.03, 0.06, 0.09, 0.17, 0.27)
"""ImageNet-C's shares of values hit."""
_SPECKLE_SEVERITY = (0.15, 0.2, 0.35, 0.45, 0.6)
"""ImageNet-C's standard deviations of the gain."""
_POISSON_SEVERITY = (60, 25, 12, 5, 3)
"""ImageNet-C's photons for a grey level of 255."""
_GRAIN = 2
"""Side in pixels of the default speckles."""


class Gaussian:
    """Normal noise, drawn anew for every pixel, channel and frame.

    Definition: round(x + sigma * N(0, 1)), clipped to 0..255.
    Options: sigma, standard deviation in grey levels of 0..255, above 0. severity 1..5 replaces it by
    ImageNet-C's: .08, .12, .18, .26, .38 of 255.
    Draws: per frame. Quantiles are those of 65536 equally likely values of N, at most 4.17 sigma.
    Source: NRVL (sigma 100); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(self, sigma: float = 100.0, severity: Severity | None = None) -> None:
        if not (math.isfinite(sigma) and sigma > 0):
            raise UsageError(f"sigma of gaussian must be above 0, not {sigma:g}: try sigma=100")
        self.sigma = 255 * at_severity(severity, _GAUSSIAN_SEVERITY, sigma / 255)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        magnitudes = normal_magnitudes(self.sigma)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            add_noise(source, magnitudes, key(draws.frame(slot)), out)

        return on_frames(clip, hit, corrupt)


class Impulse:
    """Salt and pepper: pixels that have gone white or black.

    Definition: of the pixels a share p / 2 turns black and as many turn white, all channels together;
    which ones is drawn pixel by pixel.
    Options: p, share of the pixels hit, above 0 and at most 1, met to within 1/65536. shared, whether
    the three channels of a pixel are hit together, true unless given. severity 1..5 replaces p by
    ImageNet-C's .03, .06, .09, .17, .27 and makes false the usual for shared, as ImageNet-C hits every
    channel by itself.
    Draws: per frame, one for each pixel (each value where shared is false).
    Source: NRVL (p .7); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(self, p: float = 0.7, severity: Severity | None = None, shared: bool | None = None) -> None:
        if not 0 < p <= 1:
            raise UsageError(f"p of impulse must be above 0 and at most 1, not {p:g}: try p=0.7")
        self.p = at_severity(severity, _IMPULSE_SEVERITY, p)
        self.shared = severity is None if shared is None else shared

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        edge = round(32768 * self.p)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            add_impulses(sites(source, self.shared), edge, key(draws.frame(slot)), sites(out, self.shared))

        return on_frames(clip, hit, corrupt)


class Speckle:
    """Speckle: brightness that fluctuates from grain to grain.

    Definition: round(x * (1 + sigma * n)), clipped to 0..255, n ~ N(0, 1) drawn for each square of
    ``grain`` by ``grain`` pixels, the same for all channels.
    Options: sigma, standard deviation of the gain, above 0. grain, side of the squares in pixels of the
    frame, 1 or more, 2 unless given. shared, whether the channels have one gain, true unless given.
    severity 1..5 replaces sigma by ImageNet-C's .15, .2, .35, .45, .6 and makes 1 and false the usual
    for grain and shared, as ImageNet-C draws every channel of every pixel by itself.
    Draws: per frame. Quantiles are those of 65536 equally likely values of n, at most 4.17.
    Source: NRVL (sigma .7, grain 2); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self,
        sigma: float = 0.7,
        severity: Severity | None = None,
        grain: int | None = None,
        shared: bool | None = None,
    ) -> None:
        if not (math.isfinite(sigma) and sigma > 0):
            raise UsageError(f"sigma of speckle must be above 0, not {sigma:g}: try sigma=0.7")
        if grain is not None and grain < 1:
            raise UsageError(f"grain of speckle must be 1 or more, not {grain}: try grain={_GRAIN}")
        self.sigma = at_severity(severity, _SPECKLE_SEVERITY, sigma)
        self.grain = (_GRAIN if severity is None else 1) if grain is None else grain
        self.shared = severity is None if shared is None else shared

    @cached_property
    def gains(self) -> npt.NDArray[np.float32]:
        """The table of gains: some milliseconds of work, so done once."""
        return speckle_gains(self.sigma)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            stream = key(draws.frame(slot))
            multiply_grains(
                sites(source, self.shared), self.gains, self.grain, stream, sites(out, self.shared)
            )

        return on_frames(clip, hit, corrupt)


class Poisson:
    """Photon noise: so little light that single photons count.

    Definition: min(255, round(n / rate)), n ~ Poisson(rate * x), for each pixel and channel.
    Options: rate, photons per grey level, above 0 and at most 10. severity 1..5 replaces it by
    ImageNet-C's 60, 25, 12, 5, 3 photons per 255 grey levels.
    Draws: per frame. Probabilities are right to within 1/65536.
    Source: NRVL (rate .01), which wraps around above 255 instead of clipping; severities ImageNet-C
    (arXiv 1903.12261), where the noise is called shot noise.
    """

    version = 1

    def __init__(self, rate: float = 0.01, severity: Severity | None = None) -> None:
        if not 0 < rate <= 10:
            raise UsageError(f"rate of poisson must be above 0 and at most 10, not {rate:g}: try rate=0.01")
        self.rate = at_severity(severity, _POISSON_SEVERITY, 255 * rate) / 255

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        table = photon_table(self.rate)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            draw_photons(source, table, key(draws.frame(slot)), out)

        return on_frames(clip, hit, corrupt)


def sites(frame: Frame, shared: bool) -> Frame:
    """A frame [H, W, 3] as it is, or [H, 3 W, 1]: what kernels that draw once per pixel are given.

    The latter shares the frame's memory and makes them draw once per value.
    """
    return frame if shared else frame.reshape(frame.shape[0], -1, 1)
