"""Noises of the category compression: what a miserly encoder does to a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from .frames import on_frames
from .kernels.jpeg import recompress
from .severity import Severity, at_severity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_JPEG_SEVERITY = (25, 18, 15, 10, 7)
"""ImageNet-C's qualities."""


class JpegArtifact:
    """JPEG at a quality nobody would choose.

    Definition: the frame encoded as baseline JPEG, colour at half resolution in both directions
    (4:2:0), and decoded, by libjpeg-turbo with its fast DCT (on average at most .5 grey levels from
    what its exact one gives).
    Options: quality, libjpeg's scale of 1 (worst) to 100. severity 1..5 replaces it by ImageNet-C's
    25, 18, 15, 10, 7.
    Draws: nothing.
    Source: NRVL (quality 1); severities ImageNet-C (arXiv 1903.12261).
    """

    version = 2

    def __init__(self, quality: int = 1, severity: Severity | None = None) -> None:
        if not 1 <= quality <= 100:
            raise UsageError(f"quality of jpeg_artifact must be 1 to 100, not {quality}")
        self.quality = at_severity(severity, _JPEG_SEVERITY, quality)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            recompress(source, self.quality, out)

        return on_frames(clip, hit, corrupt)
