"""Poolings that mix all frames of a window, each by its own weights, into one blurred image.

Source: POVQA (arXiv 2510.01009), whose code, not its README, the weights follow. Unlike that code,
results are rounded, once at the end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import UsageError

from . import weights
from .mixing import mix

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame, Frames

    Times = npt.NDArray[np.float64]


class Mean:
    """The plain mean.

    Definition: round(sum of x_i / n) over the n frames of the window.
    Options: window, its length in seconds, above 0. linear_light: mix light (by sRGB's transfer
    function) rather than levels, as a longer exposure would.
    """

    version = 1

    def __init__(self, window: float = 1.0, linear_light: bool = False) -> None:
        self.window = _seconds(window)
        self.linear_light = linear_light

    def weights(self, count: int) -> npt.NDArray[np.float64]:
        """float64 [count], sum 1: how much each of ``count`` frames counts, oldest first."""
        return weights.equal(count)

    def pool(self, frames: Frames, times: Times) -> Frame:  # noqa: ARG002
        """uint8 [n, H, W, 3], oldest first -> uint8 [H, W, 3]; the order counts, times do not."""
        return mix(frames, self.weights(len(frames)), self.linear_light)


class WeightedAverage(Mean):
    """Newer frames count more, in equal steps.

    Definition: round(sum of w_i x_i), w from .1 for the oldest frame to 1 for the newest in equal
    steps, divided by their sum.
    Options: window, its length in seconds, above 0. linear_light: mix light (by sRGB's transfer
    function) rather than levels.
    Source: POVQA's ``weighted_average``.
    """

    def weights(self, count: int) -> npt.NDArray[np.float64]:
        return weights.rising(count)


class WeightedAverageExponential(Mean):
    """Newer frames count more, each by the same factor.

    Definition: round(sum of w_i x_i), w_i = gamma ** (n - 1 - i) for i = 0..n-1, divided by their sum.
    Options: gamma, above 0 and at most 1 (the plain mean). window, its length in seconds, above 0.
    linear_light: mix light (by sRGB's transfer function) rather than levels.
    Source: POVQA's ``weighted_average_exponential`` (gamma .85).
    """

    def __init__(self, gamma: float = 0.85, window: float = 1.0, linear_light: bool = False) -> None:
        super().__init__(window, linear_light)
        if not 0 < gamma <= 1:
            raise UsageError(f"gamma must be above 0 and at most 1, not {gamma:g}: try gamma=.85")
        self.gamma = gamma

    def weights(self, count: int) -> npt.NDArray[np.float64]:
        return weights.exponential(count, self.gamma)


class WeightedAverageRamp(Mean):
    """Newer frames count more, by a power of their number.

    Definition: round(sum of w_i x_i), w_i = (i + 1) ** power for i = 0..n-1, divided by their sum.
    Options: power, 0 (the plain mean) or more. window, its length in seconds, above 0. linear_light:
    mix light (by sRGB's transfer function) rather than levels.
    Source: POVQA's ``weighted_average_ramp`` (power 2).
    """

    def __init__(self, power: float = 2.0, window: float = 1.0, linear_light: bool = False) -> None:
        super().__init__(window, linear_light)
        if not (math.isfinite(power) and power >= 0):
            raise UsageError(f"power must be 0 or more, not {power:g}: try power=2")
        self.power = power

    def weights(self, count: int) -> npt.NDArray[np.float64]:
        return weights.ramp(count, self.power)


class BlendBlurWithLastFrame(WeightedAverageExponential):
    """A blur of the past under the sharp present.

    Definition: round(alpha * blur + (1 - alpha) * last frame), where blur is the sum of w_i x_i of
    weighted_average_exponential, not rounded.
    Options: alpha, the share of the blur, 0 to 1. gamma, above 0 and at most 1. window, its length in
    seconds, above 0. linear_light: mix light (by sRGB's transfer function) rather than levels.
    Source: POVQA's ``blend_blur_with_last_frame`` (alpha .7, gamma .85).
    """

    def __init__(
        self, alpha: float = 0.7, gamma: float = 0.85, window: float = 1.0, linear_light: bool = False
    ) -> None:
        super().__init__(gamma, window, linear_light)
        if not 0 <= alpha <= 1:
            raise UsageError(f"alpha must be 0 to 1, not {alpha:g}: try alpha=.7")
        self.alpha = alpha

    def weights(self, count: int) -> npt.NDArray[np.float64]:
        return self.alpha * super().weights(count) + (1 - self.alpha) * weights.last(count)


class Last:
    """The newest frame alone: what the other poolings are compared with.

    Definition: a copy of the last frame. As the window's frames are decoded and noise falls on them all
    the same, it differs from another pooling in the mixing and in nothing else.
    Options: window, its length in seconds, above 0.
    """

    version = 1

    def __init__(self, window: float = 1.0) -> None:
        self.window = _seconds(window)

    def pool(self, frames: Frames, times: Times) -> Frame:  # noqa: ARG002
        """uint8 [n, H, W, 3], oldest first -> uint8 [H, W, 3]."""
        return frames[-1].copy()


def _seconds(window: float) -> float:
    """The length of a window, if it is one."""
    if not (math.isfinite(window) and window > 0):
        raise UsageError(f"window of a pooling must be above 0 seconds, not {window:g}: try window=1")
    return window
