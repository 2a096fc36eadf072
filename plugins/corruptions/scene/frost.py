"""Frost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import Clip, Draws

from ..frames import on_frames
from ..kernels.frost import freeze, pane
from ..severity import Severity, at_severity
from ..variates import key, uniforms
from .pictures import crop, digest, listed
from .ranges import within

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_FROST_SEVERITY = ((1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
"""ImageNet-C's shares of the picture and of the frost."""
_WHITE, _BLUE = (1.0, 1.0, 1.0), (0.82, 0.93, 1.0)
"""The tints between which that of a pane lies."""
_THINNEST, _THICKEST = 45.0, 125.0
"""Grey levels of thin ice all over the pane: as far apart as photographs of frost are."""


class Frost:
    """A frosted window before the camera.

    Definition: round(keep x + share F), clipped. F is one texture for the whole video: crystals of
    ice that grow as ferns from the edges inwards and from a few nuclei, with rime around them and
    clouds of thin ice between, white to slightly blue. Its mean is about 125 to 205 of 255, its standard
    deviation 33. The crystals grow on cells, 224 along the shorter side, but of 1.5 pixels at least.
    Options: keep and share, 0 to 1. severity 1..5 replaces them by ImageNet-C's: (1, .4), (.8, .6),
    (.7, .7), (.65, .7), (.6, .75). pictures, a folder: F is a part of one of its pictures instead, enlarged
    to 1.1 times the size at which it covers the frame if it is smaller; PNG, JPEG, BMP, WebP, TIFF.
    Draws: per video, the crystals, the tint and how thick the ice is, or the picture and the part.
    Source: NRVL (.6, .75), which takes six photographs, another one in every frame; severities
    ImageNet-C (arXiv 1903.12261). The generated texture is our own.
    """

    version = 1

    def __init__(
        self,
        keep: float = 0.6,
        share: float = 0.75,
        pictures: Path | None = None,
        severity: Severity | None = None,
    ) -> None:
        within("frost", "keep", keep, 0, 1)
        within("frost", "share", share, 0, 1)
        self.keep, self.share = at_severity(severity, _FROST_SEVERITY, (keep, share))
        self.pictures = pictures

    def check(self) -> None:
        """Raises UsageError where ``pictures`` is no folder with pictures."""
        if self.pictures is not None:
            listed(self.pictures)

    def identity(self) -> Mapping[str, Any]:
        """What the pictures are, if there are any. Raises UsageError like ``check``."""
        return {} if self.pictures is None else {"pictures": digest(self.pictures)}

    def texture(
        self, height: int, width: int, generator: np.random.Generator
    ) -> tuple[npt.NDArray[np.uint8], list[float]]:
        """uint8 [height, width] or [height, width, 3], and what each channel of it is multiplied by."""
        if self.pictures is not None:
            return crop(self.pictures, height, width, uniforms(generator, 3).tolist()), [1.0, 1.0, 1.0]
        crystals = key(generator)
        blue, thickness = uniforms(generator, 2).tolist()
        tint = [white + blue * (tinted - white) for white, tinted in zip(_WHITE, _BLUE, strict=True)]
        return pane(crystals, height, width, _THINNEST + thickness * (_THICKEST - _THINNEST)), tint

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]
        texture, tint = self.texture(height, width, draws.video())
        shares = [self.share * channel for channel in tint]

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            freeze(source, texture, self.keep, shares, out)

        return on_frames(clip, hit, corrupt)
