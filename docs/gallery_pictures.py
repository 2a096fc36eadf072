"""The noises of the catalogue, and their pictures: a frame of each, and a strip where time matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gallery_clips import ASTRONAUT, COFFEE, ROCKET, Move, Size

from harness import Clip
from harness.cell import Noise as Applied
from harness.pipeline import corrupt
from harness.registry import Built, Registry

if TYPE_CHECKING:
    from harness.types import Frame

SIZE: Size = (480, 270)
"""Of the pictures, and of the clips that the noise falls on."""
STRIP: Size = (160, 90)
"""Of each frame of a strip."""
RATIO, RATIO_IN_TIME = 1.0, 0.6
CLEAN = "clean"
QUALITY = 82
"""Of the JPEG files; colours are stored at full resolution, since many noises are in them."""

_MOVING = ("occlusion", "temporal", "lighting", "scene", "extended")
_BY_NIGHT = ("rainy", "snow")
"""Shown over a dark picture: over a bright wall there is little to see of them."""
_MARK = (214, 39, 40)
_BAR = 4
"""Height in pixels of the bar that marks a hit frame."""


@dataclass(frozen=True, slots=True)
class Noise:
    """One noise of the catalogue, made with its defaults. category: the last part of its module's name."""

    name: str
    category: str
    summary: str
    built: Built[Any]

    @property
    def version(self) -> int:
        return int(self.built.plugin.version)

    def on(self, clip: Clip, key: str, ratio: float, donor: Clip) -> Clip:
        """The clip as a run with seed 0 would show it; ``donor`` is the other video, where one is needed."""
        applied = Applied(self.built, ratio, seed=0)
        if not getattr(self.built.plugin, "needs_donor", False):
            return corrupt(clip, key, applied)
        return corrupt(clip, key, applied, lambda: replace(donor, notes={"donor": "another clip"}))


def catalogue() -> list[Noise]:
    """All noises that come with vidharness, in their own order."""
    registry = Registry.discover()
    noises = []
    for entry in registry.entries("corruption"):
        if entry.dist == "vidharness":
            category = entry.spec.target.partition(":")[0].rpartition(".")[2]
            built = registry.find("corruption", f"{entry.dist}:{entry.spec.name}").build({})
            noises.append(Noise(entry.spec.name, category, entry.spec.summary, built))
    return noises


def has_strip(noise: Noise) -> bool:
    """Whether what it does to a frame depends on which frame it is."""
    return noise.category in _MOVING


def has_still(noise: Noise) -> bool:
    """Whether one frame shows what it does: not if only the order of frames does."""
    return noise.category != "temporal"


def strip_name(name: str) -> str:
    return f"{name}-strip"


def pictures(noises: Sequence[Noise]) -> Iterator[tuple[str, Frame]]:
    """Names (without ending) and pictures, uint8 [H, W, 3] RGB: those without noise, then each noise's."""
    clip = ASTRONAUT.clip(SIZE)
    yield CLEAN, clip.frames[len(clip.frames) // 2]
    yield strip_name(CLEAN), strip(clip)
    for noise in noises:
        noisy = _shown(noise, ROCKET if noise.name in _BY_NIGHT else ASTRONAUT)
        if has_still(noise):
            yield noise.name, noisy.frames[len(noisy.frames) // 2]
        if has_strip(noise):
            yield strip_name(noise.name), strip(noisy)


def strip(clip: Clip) -> Frame:
    """The frames side by side, small, with a bar under those that are hit, if not all are."""
    import cv2

    row = np.hstack([cv2.resize(frame, STRIP, interpolation=cv2.INTER_AREA) for frame in clip.frames])
    hit = clip.notes.get("hit", ())
    if len(hit) in (0, len(clip.frames)):
        return row
    bars = np.full((_BAR, row.shape[1], 3), 255, np.uint8)
    for slot in hit:
        bars[:, slot * STRIP[0] + 1 : (slot + 1) * STRIP[0] - 1] = _MARK
    return np.vstack([row, bars])


def write(picture: Frame, path: Path) -> None:
    """Store a picture as a JPEG file."""
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    cv2.imwrite(str(path), picture[..., ::-1], options)


def _shown(noise: Noise, move: Move) -> Clip:
    donor = COFFEE.clip(SIZE)
    if has_still(noise):
        return noise.on(move.clip(SIZE), move.name, RATIO, donor)
    return noise.on(_numbered(move.clip(SIZE)), move.name, RATIO_IN_TIME, donor)


def _numbered(clip: Clip) -> Clip:
    """Each frame with its place, counted from 1, in a corner."""
    import cv2

    frames = clip.frames.copy()
    for place, frame in enumerate(frames, 1):
        cv2.rectangle(frame, (0, 0), (54, 66), (255, 255, 255), cv2.FILLED)
        cv2.putText(frame, str(place), (5, 55), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (0, 0, 0), 5, cv2.LINE_AA)
    return replace(clip, frames=frames)
