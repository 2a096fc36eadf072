"""Noises of the category blur: what lens, focus, motion and glass do to a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from .frames import on_frames, scale
from .kernels.blur_disk import blur_disk
from .kernels.blur_glass import blur_glass, roam_within
from .kernels.blur_line import blur_diagonal, blur_line, trail
from .kernels.blur_zoom import MOST_ZOOMS, blur_zoom, enlargements
from .kernels.gaussian_blur import gaussian_blur
from .lengths import check_length, reference_side
from .severity import NRVL_SIDE, Severity, at_severity
from .variates import key, uniforms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_GAUSSIAN_SEVERITY = (1.0, 2.0, 3.0, 4.0, 6.0)
"""ImageNet-C's standard deviations, in pixels of an image of 224."""
_MOTION_SEVERITY = ((10, 3.0), (15, 5.0), (15, 8.0), (15, 12.0), (20, 15.0))
"""ImageNet-C's radii and standard deviations, in pixels of an image of 224."""
_MOTION_ANGLE = 45.0
"""ImageNet-C draws angles up to so many degrees to either side of the horizontal."""
_DEFOCUS_SEVERITY = ((3.0, 0.1), (4.0, 0.5), (6.0, 0.5), (8.0, 0.5), (10.0, 0.5))
"""ImageNet-C's radii, in pixels of an image of 224, and smoothings of the edge, in pixels of any."""
_DEFOCUS_EDGE = 0.5
"""The default disk's smoothing of the edge, in pixels of any frame."""
_GLASS_SEVERITY = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
"""ImageNet-C's standard deviations and displacements, in pixels of an image of 224, and passes."""
_ZOOM_SEVERITY = ((1.11, 0.01), (1.15, 0.01), (1.20, 0.02), (1.24, 0.02), (1.30, 0.03))
"""ImageNet-C's largest zooms and steps."""


class GaussianBlur:
    """Blur with a round Gaussian.

    Definition: convolution with a Gaussian of standard deviation sigma, each channel by itself,
    borders reflected about the outermost pixels; rounded. Before the rounding within .2 grey levels of
    the exact convolution on edges and textures, within .7 on the worst gratings.
    Options: sigma in pixels at a short side of ``reference`` pixels, above 0 and at most that: a frame
    whose short side is k times as long is blurred k times as wide. reference is 720 unless given; 0
    takes sigma as pixels of the frame, whatever its size. severity 1..5 replaces sigma by ImageNet-C's
    1, 2, 3, 4, 6 and makes 224 the usual reference, the size they are stated for.
    Draws: nothing.
    Source: NRVL (sigma 20, without its treatment of borders); severities ImageNet-C
    (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self, sigma: float = 20.0, severity: Severity | None = None, reference: int | None = None
    ) -> None:
        self.reference = reference_side("gaussian_blur", reference, severity)
        self.sigma = at_severity(severity, _GAUSSIAN_SEVERITY, sigma)
        widest = self.reference or NRVL_SIDE
        check_length("gaussian_blur", "sigma", self.sigma, widest, widest / 36)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        sigma = self.sigma * scale(clip.frames, self.reference)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            gaussian_blur(source, sigma, out)

        return on_frames(clip, hit, corrupt)


class MotionBlur:
    """A camera that moved while the shutter was open.

    Definition: the mean over a straight line at 45 degrees, from up left to down right, of ``taps``
    pixels in whole diagonal steps about the pixel, borders reflected; rounded.
    Options: taps at a short side of ``reference`` pixels, above 0 and at most that: a frame whose short
    side is k times as long is blurred over k times as many, rounded, at least 1. reference is 720
    unless given; 0 takes taps as they are, whatever the frame's size. severity 1..5 replaces all this
    by ImageNet-C's blur, at an angle drawn from -45..45 degrees off the horizontal: 2 radius + 1 taps
    that start at the pixel itself, at points rounded to whole pixels, and weigh like a Gaussian around
    it; radius 10, 15, 15, 15, 20 and sigma 3, 5, 8, 12, 15 pixels, 224 being the usual reference.
    Before the rounding it is within .2 grey levels of the exact sum.
    Draws: nothing; with severity, per frame, the angle.
    Source: NRVL (72 taps, without its treatment of borders); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self, taps: float = 72.0, severity: Severity | None = None, reference: int | None = None
    ) -> None:
        self.reference = reference_side("motion_blur", reference, severity)
        self.taps = taps
        self.trail = at_severity(severity, _MOTION_SEVERITY, None)
        widest = self.reference or NRVL_SIDE
        if severity is None:
            check_length("motion_blur", "taps", taps, widest, widest / 10)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        times = scale(clip.frames, self.reference)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            if self.trail is None:
                blur_diagonal(source, max(1, round(self.taps * times)), out)
                return
            radius, sigma = self.trail
            (share,) = uniforms(draws.frame(slot), 1).tolist()
            angle = _MOTION_ANGLE * (2 * share - 1)
            blur_line(source, trail(max(1, round(radius * times)), sigma * times, angle), out)

        return on_frames(clip, hit, corrupt)


class DefocusBlur:
    """A lens out of focus: every point becomes a disk.

    Definition: convolution with a disk, all pixels (y, x) with y**2 + x**2 <= radius**2, whose edge is
    smoothed by a Gaussian of .5 pixels cut after one pixel; each channel by itself, borders reflected;
    rounded. Before the rounding within .03 grey levels of the exact convolution.
    Options: radius in pixels at a short side of ``reference`` pixels, above 0 and at most a quarter of
    that: a frame whose short side is k times as long is blurred k times as wide, by 1 pixel at least.
    reference is 720 unless given; 0 takes radius as pixels of the frame, whatever its size. severity
    1..5 replaces radius by ImageNet-C's 3, 4, 6, 8, 10, the smoothing of the first by .1 pixels, and
    makes 224 the usual reference.
    Draws: nothing.
    Source: NRVL (radius 10); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self, radius: float = 10.0, severity: Severity | None = None, reference: int | None = None
    ) -> None:
        self.reference = reference_side("defocus_blur", reference, severity)
        self.radius, self.edge = at_severity(severity, _DEFOCUS_SEVERITY, (radius, _DEFOCUS_EDGE))
        widest = (self.reference or NRVL_SIDE) / 4
        check_length("defocus_blur", "radius", self.radius, widest, widest / 18)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        radius = max(1.0, self.radius * scale(clip.frames, self.reference))

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            blur_disk(source, radius, self.edge, out)

        return on_frames(clip, hit, corrupt)


class GlassBlur:
    """Frosted glass: soft, and mixed up from pixel to pixel.

    Definition: a Gaussian blur; ``passes`` times every pixel takes the colour of one drawn from the
    (2 delta + 1)**2 pixels around it, all at once; the Gaussian blur again. Borders reflected, each
    of the two blurs rounded. Pixels are thus copied, not exchanged in turn: it can be done in any order,
    and colours wander as far.
    Options: sigma of the blurs and delta, pixels at a short side of ``reference`` pixels, above 0 and at
    most a tenth of that: a frame whose short side is k times as long has a sigma and displacements
    (their standard deviation) k times as large, the outermost pixels being drawn less often as needed.
    passes, 1 to 10. reference is 720 unless given; 0 takes pixels of the frame, whatever its size.
    severity 1..5 replaces sigma, delta, passes by ImageNet-C's (.7, 1, 2), (.9, 2, 1), (1, 2, 3),
    (1.1, 3, 2), (1.5, 4, 2) and makes 224 the usual reference.
    Draws: per frame, a displacement for each pixel and pass.
    Source: NRVL (sigma 1.5, delta 4, 2 passes); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self,
        sigma: float = 1.5,
        delta: float = 4.0,
        passes: int = 2,
        severity: Severity | None = None,
        reference: int | None = None,
    ) -> None:
        self.reference = reference_side("glass_blur", reference, severity)
        self.sigma, self.delta, self.passes = at_severity(severity, _GLASS_SEVERITY, (sigma, delta, passes))
        widest = (self.reference or NRVL_SIDE) / 10
        check_length("glass_blur", "sigma", self.sigma, widest, widest / 48)
        check_length("glass_blur", "delta", self.delta, widest, widest / 18)
        if not 1 <= self.passes <= 10:
            raise UsageError(f"passes of glass_blur must be 1 to 10, not {passes}: try passes=2")

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        times = scale(clip.frames, self.reference)
        roam = roam_within(self.delta, times)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            blur_glass(source, self.sigma * times, roam, self.passes, key(draws.frame(slot)), out)

        return on_frames(clip, hit, corrupt)


class ZoomBlur:
    """A camera that zoomed in while the shutter was open.

    Definition: the mean of the frame and of its enlargements about its centre by 1, 1 + step,
    1 + 2 step, ... up to ``zoom`` (so the frame counts twice), interpolated bilinearly; rounded. Before
    the rounding within .5 grey levels of the exact mean, within .15 on photographs.
    Options: zoom, the largest factor, above 1 and at most 4; step, above 0, such that there are at most
    32 enlargements. severity 1..5 replaces them by ImageNet-C's (1.11, .01), (1.15, .01), (1.2, .02),
    (1.24, .02), (1.3, .03).
    Draws: nothing.
    Source: NRVL (zoom 1.3, step .03); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 1

    def __init__(self, zoom: float = 1.3, step: float = 0.03, severity: Severity | None = None) -> None:
        largest, apart = at_severity(severity, _ZOOM_SEVERITY, (zoom, step))
        if not 1 < largest <= 4:
            raise UsageError(f"zoom of zoom_blur must be above 1 and at most 4, not {zoom:g}: try zoom=1.3")
        if not (largest - 1) / MOST_ZOOMS < apart <= largest - 1:
            raise UsageError(
                f"step of zoom_blur must be between {(largest - 1) / (MOST_ZOOMS - 1):.4g} and "
                f"{largest - 1:.4g}, not {step:g}: try step={(largest - 1) / 10:.4g}"
            )
        count = math.floor((largest - 1) / apart + 1e-6)
        self.zooms = tuple(1 + k * apart for k in range(count + 1))

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        enlarged = enlargements(*clip.frames.shape[1:3], self.zooms)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            blur_zoom(source, enlarged, out)

        return on_frames(clip, hit, corrupt)
