"""Noises of the category lighting: brightness and colour gone wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness import Clip, Draws, UsageError

from .frames import on_frames
from .kernels.curves import power_table
from .kernels.hsv_value import raise_value
from .kernels.linear import channel_means, scale_channels
from .kernels.tables import gain_table, look_up
from .severity import Severity, at_severity
from .variates import normals, uniforms

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

_BRIGHTNESS_SEVERITY = (0.1, 0.2, 0.3, 0.4, 0.5)
"""ImageNet-C's shifts of the HSV value, as shares of its range."""
_CONTRAST_SEVERITY = (0.4, 0.3, 0.2, 0.1, 0.05)
"""ImageNet-C's gains about the mean."""


class BrightTransform:
    """Too much light: the value of HSV is raised.

    Definition: with V = max(R, G, B), each channel times min(255, V + 255 * shift) / V, rounded: hue
    and saturation stay. A black pixel becomes grey of 255 * shift.
    Options: shift, as a share of the range of V, 0 to 1. severity 1..5 replaces it by ImageNet-C's
    .1, .2, .3, .4, .5 ("brightness").
    Draws: nothing.
    Source: NRVL (shift .5); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(self, shift: float = 0.5, severity: Severity | None = None) -> None:
        if not 0 <= shift <= 1:
            raise UsageError(f"shift of bright_transform must be from 0 to 1, not {shift:g}: try shift=0.5")
        self.shift = at_severity(severity, _BRIGHTNESS_SEVERITY, shift)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        shift = np.float32(255 * self.shift)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            raise_value(source, shift, out)

        return on_frames(clip, hit, corrupt)


class Contrast:
    """Flat or harsh: differences from the mean colour shrink or grow.

    Definition: round(mean + gain * (x - mean)), clipped to 0..255, where mean is that of the channel
    over the frame. A coin chooses flat or harsh; the logarithm of the gain is uniform over that range.
    Options: flat and harsh, the two ranges of gains (least,most), 0 < least <= most <= 100. severity
    1..5 makes the gain ImageNet-C's .4, .3, .2, .1, .05 and then nothing is drawn.
    Draws: per frame, coin and gain.
    Source: NRVL, whose gain may also be nearly 0, nearly 1 or as large as it happens to be; severities
    ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self,
        flat: tuple[float, float] = (0.2, 0.6),
        harsh: tuple[float, float] = (1.7, 5.0),
        severity: Severity | None = None,
    ) -> None:
        for option, (least, most) in (("flat", flat), ("harsh", harsh)):
            if not 0 < least <= most <= 100:
                raise UsageError(
                    f"{option} of contrast must be two numbers, least and most, above 0 and at most 100, "
                    f"not {least:g},{most:g}: try flat=0.2,0.6 harsh=1.7,5"
                )
        self.flat = flat
        self.harsh = harsh
        self.fixed: float | None = at_severity(severity, _CONTRAST_SEVERITY, None)

    def gain(self, coin: float, share: float) -> float:
        """The gain that two draws from U(0, 1) stand for."""
        least, most = self.flat if coin < 0.5 else self.harsh
        return least * math.pow(most / least, share)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            gain = self.fixed
            if gain is None:
                coin, share = uniforms(draws.frame(slot), 2).tolist()
                gain = self.gain(coin, share)
            offsets = [(1 - gain) * mean for mean in channel_means(source)]
            scale_channels(source, [gain] * 3, offsets, out)

        return on_frames(clip, hit, corrupt)


class ColorShift:
    """A wrong white balance: each channel brighter or darker by itself.

    Definition: round(gain * x), clipped to 0..255, with a gain per channel, U(1 - spread, 1 + spread).
    Options: spread, above 0 and at most 1.
    Draws: per frame, three gains.
    Source: NRVL (spread 1).
    """

    version = 1

    def __init__(self, spread: float = 1.0) -> None:
        if not 0 < spread <= 1:
            raise UsageError(
                f"spread of color_shift must be above 0 and at most 1, not {spread:g}: try spread=1"
            )
        self.spread = spread

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            shares = uniforms(draws.frame(slot), 3).tolist()
            gains = [1 + self.spread * (2 * share - 1) for share in shares]
            scale_channels(source, gains, [0.0] * 3, out)

        return on_frames(clip, hit, corrupt)


class Flicker:
    """Unsteady light: every hit frame has its own brightness.

    Definition: round(gain * x), clipped to 0..255, with gain = max(0, 1 + change). The change is
    sigma * N(0, 1); one nearer to 0 than ``least`` becomes least, with its sign.
    Options: sigma, standard deviation of the change, and least, both shares of the brightness, 0 or
    more.
    Draws: per frame, one gain.
    Source: NRVL (sigma .5), which changes all frames and ties sigma to their ratio; here only the
    hit ones change.
    """

    version = 1

    def __init__(self, sigma: float = 0.5, least: float = 0.1) -> None:
        for option, value in (("sigma", sigma), ("least", least)):
            if not (math.isfinite(value) and value >= 0):
                raise UsageError(f"{option} of flicker must be 0 or more, not {value:g}")
        self.sigma = sigma
        self.least = least

    def gain(self, normal: float) -> float:
        """The factor, 0 or more, that a draw from N(0, 1) stands for."""
        change = self.sigma * normal
        return max(0.0, 1.0 + math.copysign(max(abs(change), self.least), change))

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            (normal,) = normals(draws.frame(slot), 1).tolist()
            look_up(source, gain_table(self.gain(normal)), out)

        return on_frames(clip, hit, corrupt)


class Overexposure:
    """Exposed too long: grey levels raised to a power above 1.

    Definition: round(x ** g) of x = 0..255, clipped to 255, g ~ U(least, most): from about 154
    (g = 1.1) or 52 (g = 1.4) on everything is white, and black stays black.
    Options: least and most, 1 <= least <= most <= 10.
    Draws: per frame, g.
    Source: NRVL (1.1 to 1.4).
    """

    version = 1

    def __init__(self, least: float = 1.1, most: float = 1.4) -> None:
        if not 1 <= least <= most <= 10:
            raise UsageError(
                f"least and most of overexposure must be 1 <= least <= most <= 10, not {least:g} and "
                f"{most:g}: try least=1.1 most=1.4"
            )
        self.least = least
        self.most = most

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        return _to_a_power(clip, hit, draws, self.least, self.most)


class Underexposure:
    """Exposed too briefly: grey levels raised to a power below 1.

    Definition: round(x ** g) of x = 0..255, g ~ U(least, most): white becomes 28 (g = .6) to 147
    (g = .9).
    Options: least and most, 0 < least <= most <= 1.
    Draws: per frame, g.
    Source: NRVL (.6 to .9).
    """

    version = 1

    def __init__(self, least: float = 0.6, most: float = 0.9) -> None:
        if not 0 < least <= most <= 1:
            raise UsageError(
                f"least and most of underexposure must be 0 < least <= most <= 1, not {least:g} and "
                f"{most:g}: try least=0.6 most=0.9"
            )
        self.least = least
        self.most = most

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        return _to_a_power(clip, hit, draws, self.least, self.most)


def _to_a_power(clip: Clip, hit: npt.NDArray[np.int64], draws: Draws, least: float, most: float) -> Clip:
    """Each hit frame's levels raised to a power drawn from U(least, most) for it."""

    def corrupt(source: Frame, out: Frame, slot: int) -> None:
        (share,) = uniforms(draws.frame(slot), 1).tolist()
        look_up(source, power_table(least + (most - least) * share), out)

    return on_frames(clip, hit, corrupt)
