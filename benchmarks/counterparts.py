"""The noises that imagecorruptions has too: under which name, and whether they are the same noise.

Same means that ours at a severity, in the pixels of the frame (reference=0), does to a picture what theirs
does: tests/plugins/corruptions/test_equivalence.py holds every entry to what it says here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A noise of imagecorruptions. differs: why ours is another noise, or None where it is the same."""

    name: str
    differs: str | None = None

    @property
    def equivalent(self) -> bool:
        return self.differs is None


COUNTERPARTS: Mapping[str, Counterpart] = {
    "gaussian": Counterpart("gaussian_noise"),
    "impulse": Counterpart("impulse_noise"),
    "speckle": Counterpart("speckle_noise"),
    "poisson": Counterpart("shot_noise"),
    "gaussian_blur": Counterpart("gaussian_blur"),
    "motion_blur": Counterpart("motion_blur"),
    "defocus_blur": Counterpart("defocus_blur"),
    "glass_blur": Counterpart("glass_blur", "theirs copies pixel after pixel and drags colours along"),
    "zoom_blur": Counterpart("zoom_blur"),
    "jpeg_artifact": Counterpart("jpeg_compression"),
    "bright_transform": Counterpart("brightness"),
    "contrast": Counterpart("contrast"),
    "foggy": Counterpart("fog"),
    "snow": Counterpart("snow"),
    "frost": Counterpart("frost", "theirs shows one of five photographs, ours a generated texture"),
    "elastic": Counterpart("elastic_transform"),
}
"""By our names, in the order of the catalogue."""
