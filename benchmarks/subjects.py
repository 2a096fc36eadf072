"""What is measured: the noises of the catalogue, called as the harness calls them, on real frames."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from harness_plugins.corruptions import harness_corruptions

from harness import Clip, Draws
from harness.options import accepts
from harness.seeds import hit_frames

if TYPE_CHECKING:
    from harness.types import Frames

COUNT, HEIGHT, WIDTH = 8, 720, 1280
SEED = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """A noise that an average may include, and where its class is: "module:Class"."""

    name: str
    target: str

    @property
    def category(self) -> str:
        return self.target.partition(":")[0].rpartition(".")[2]

    def load(self) -> type:
        """Its class; imports whatever it is made of."""
        module, _, attribute = self.target.partition(":")
        found: type = getattr(import_module(module), attribute)
        return found

    def build(self, severity: int | None = None, in_pixels: bool = False) -> Any:
        """The noise with its defaults, or at a severity; None where it has no severities.

        in_pixels: lengths are pixels of the frame (reference=0), as imagecorruptions means them.
        """
        cls = self.load()
        if severity is None:
            return cls()
        if not accepts(cls, "severity"):
            return None
        return cls(severity=severity, **({"reference": 0} if in_pixels and accepts(cls, "reference") else {}))


@dataclass(frozen=True, slots=True)
class Film:
    """A clip, and a clip of another video for the noise that asks for one."""

    clip: Clip
    donor: Clip

    def through(self, subject: Subject, plugin: Any) -> Clip:
        """What a run with ratio 1 makes of it: all frames hit, in the order of the permutation."""
        key, count = str(self.clip.notes["video"]), len(self.clip.frames)
        arguments = (self.clip, hit_frames(SEED, key, count, 1.0))
        draws = Draws(SEED, key, subject.name, plugin.version)
        if getattr(plugin, "needs_donor", False):
            result: Clip = plugin.apply(*arguments, draws, self.donor)
        else:
            result = plugin.apply(*arguments, draws)
        return result


def subjects() -> list[Subject]:
    """The noises in the order of the catalogue, without the extended ones."""
    found = [Subject(spec.name, spec.target) for spec in harness_corruptions()]
    return [subject for subject in found if subject.category != "extended"]


def pan() -> Frames:
    """uint8 [8, 720, 1280, 3]: a camera passes over scikit-image's photograph of a motorcycle, enlarged."""
    import skimage.data

    photograph = skimage.data.stereo_motorcycle()[0]
    width = WIDTH + 8 * COUNT
    size = (width, round(photograph.shape[0] * width / photograph.shape[1]))
    large = cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC)
    return np.stack([large[12 * i : 12 * i + HEIGHT, 8 * i : 8 * i + WIDTH] for i in range(COUNT)])


def film(frames: Frames, name: str) -> Film:
    """A film of its own name; the other video is upside down and three quarters of the size."""
    count = np.arange(len(frames))
    other = np.stack([cv2.resize(frame[::-1], (3 * WIDTH // 4, 3 * HEIGHT // 4)) for frame in frames])
    return Film(
        Clip(frames, count.astype(np.float64), 25 * count, 25.0, {"video": name}),
        Clip(other, count.astype(np.float64), 25 * count, 25.0, {"donor": f"not {name}"}),
    )
