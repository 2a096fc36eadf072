"""Noises of the category extended: further ones, which no average over the 35 includes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harness import Clip, Draws, UsageError

from .frames import on_frames, scale
from .kernels import hevc
from .severity import NRVL_SIDE
from .variates import uniforms

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from harness.types import Frame


class RollingShutter:
    """A sensor that is read line by line, far too slowly.

    Definition: line i of n (i = 0..n-1, from the side where reading begins) of hit frame t is that of
    frame t - min(reach, floor(factor * reach * i / (n - 1))), reach = min(t, lag): with factor 2 the
    lag grows over the first half of the lines and is full on the second. Lags count the sampled frames,
    and are shorter at the beginning of a clip; its first frame has none and stays as it is.
    Options: lag, in frames, 1 or more. factor, how fast the lag grows, above 0.
    Draws: per frame, the side where reading begins: top, bottom, left or right.
    Source: NRVL (10 frames, factor 2).
    """

    version = 1

    def __init__(self, lag: int = 10, factor: float = 2.0) -> None:
        if lag < 1:
            raise UsageError(f"lag of rolling_shutter must be 1 frame or more, not {lag}: try lag=10")
        if not (math.isfinite(factor) and factor > 0):
            raise UsageError(f"factor of rolling_shutter must be above 0, not {factor:g}: try factor=2")
        self.lag = lag
        self.factor = factor

    def lags(self, lines: int, slot: int) -> npt.NDArray[np.int64]:
        """int64 [lines], ascending: how many frames each line of frame ``slot`` is late."""
        reach = min(slot, self.lag)
        late = np.floor(self.factor * reach * np.arange(lines) / max(1, lines - 1))
        return np.minimum(late, reach).astype(np.int64)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            (uniform,) = uniforms(draws.frame(slot), 1).tolist()
            sideways, backwards = divmod(int(4 * uniform), 2)
            lags = self.lags(out.shape[sideways], slot)
            edges = np.searchsorted(lags, np.arange(lags[-1] + 2)).tolist()
            for late, (first, last) in enumerate(pairwise(edges)):
                lines = slice(len(lags) - last, len(lags) - first) if backwards else slice(first, last)
                part = (slice(None), lines) if sideways else (lines,)
                out[part] = clip.frames[slot - late][part]

        return on_frames(clip, hit, corrupt)


class BitError:
    """A stream with flipped bits: part of the picture decodes to stripes.

    Definition: a block of U(.25, .5) of the height by U(.25, .5) of the width lies anywhere inside the
    frame with equal probability. From left to right it is cut into stripes ``width`` pixels wide, the
    last perhaps narrower, and each is filled with one column of the block, any with equal probability.
    Options: width in pixels at a short side of ``reference`` pixels, 1 or more; reference is 720 unless
    given, and 0 takes width as pixels of the frame. A stripe is at least 1 pixel wide.
    Draws: per frame, the block and the columns.
    Source: NRVL (stripes of 10 pixels; 15 and 5 are its milder and its stronger ones), which takes
    columns from among stripes already filled.
    """

    version = 1

    def __init__(self, width: int = 10, reference: int = NRVL_SIDE) -> None:
        if width < 1:
            raise UsageError(f"width of bit_error must be 1 pixel or more, not {width}: try width=10")
        if reference < 0:
            raise UsageError(f"reference of bit_error must be 0 or more, not {reference}: try 720")
        self.width = width
        self.reference = reference

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        stripe = max(1, round(self.width * scale(clip.frames, self.reference)))

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            generator = draws.frame(slot)
            shares = uniforms(generator, 4)
            sizes = np.array(source.shape[:2])
            height, width = np.maximum(1, np.rint(sizes * (0.25 + 0.25 * shares[:2]))).astype(int).tolist()
            top, left = np.floor(shares[2:] * (sizes - (height, width) + 1)).astype(int).tolist()
            block = source[top : top + height, left : left + width]
            chosen = np.floor(uniforms(generator, -(-width // stripe)) * width).astype(int)
            out[:] = source
            target = out[top : top + height, left : left + width]
            for first, column in zip(range(0, width, stripe), chosen.tolist(), strict=True):
                target[:, first : first + stripe] = block[:, column : column + 1]

        return on_frames(clip, hit, corrupt)


class H265Artifacts:
    """HEVC at a rate nobody would choose.

    Definition: all frames of the clip, hit or not, encoded in their order as one HEVC stream of one key
    frame (libx265, preset ultrafast, 8 bits, 4:2:0, constant rate factor) and decoded; the hit frames
    are those of the result. Where FFmpeg lacks libx265 the noise is unavailable; no other encoder
    stands in for it.
    Options: crf, the encoder's scale of 0 (best) to 51 (worst).
    Draws: nothing.
    Source: NRVL (51, and 32, 38, 45 as its milder ones), which also encodes at a quarter of the size
    and turns to H.264 where libx265 is missing.
    """

    version = 1

    def __init__(self, crf: int = 51) -> None:
        if not 0 <= crf <= 51:
            raise UsageError(f"crf of h265_artifacts must be 0 to 51, not {crf}: try 32, 38, 45 or 51")
        self.crf = crf

    def identity(self) -> Mapping[str, str]:
        """The build of the encoder: others make other pictures."""
        return {"encoder": hevc.encoder_name()} if hevc.available() else {}

    def check(self) -> None:
        """Raises UsageError where the encoder is missing."""
        if not hevc.available():
            raise UsageError(
                f"h265_artifacts is unavailable, as the FFmpeg behind PyAV has no {hevc.ENCODER}: install "
                "PyAV as a wheel, which has it (pip install --force-reinstall --only-binary av av), or "
                "choose another noise"
            )

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        self.check()
        decoded = hevc.recompress(clip.frames, self.crf)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            out[:] = decoded[slot]

        return on_frames(clip, hit, corrupt)
