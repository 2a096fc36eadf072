"""How much of a clip is left under each noise: PSNR and SSIM over a small set of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from gallery_clips import PHOTOGRAPHS, SCENES, Size, shapes
from gallery_pictures import Noise

from harness import Clip

SIDES: Size = (320, 180)
"""Of the camera moves that are measured."""
RATIOS = (0.3, 0.6, 0.9)


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the clips, one number per ratio; ``version`` is that of the noise they belong to."""

    version: int
    psnr: tuple[float, ...]
    ssim: tuple[float, ...]


def clips() -> dict[str, Clip]:
    """The clips that are measured, by key."""
    moves = {move.name: move.clip(SIDES) for move in PHOTOGRAPHS}
    return moves | {f"shapes-{number}": shapes(number) for number in SCENES}


def measure(noise: Noise, taken: Mapping[str, Clip]) -> Figures:
    """Apply a noise at each ratio to each clip; where it needs a donor, that is the next clip."""
    keys = list(taken)
    found: list[list[tuple[float, float]]] = [[] for _ in RATIOS]
    for place, key in enumerate(keys):
        donor = taken[keys[(place + 1) % len(keys)]]
        # Frames that are hit at a lower ratio are mostly the same at a higher one.
        seen: dict[bytes, float] = {}
        for ratio, results in zip(RATIOS, found, strict=True):
            results.append(_compared(taken[key], noise.on(taken[key], key, ratio, donor), seen))
    return Figures(
        noise.version,
        tuple(round(fmean(psnr for psnr, _ in results), 2) for results in found),
        tuple(round(fmean(ssim for _, ssim in results), 4) for results in found),
    )


def _compared(clean: Clip, noisy: Clip, seen: dict[bytes, float]) -> tuple[float, float]:
    """PSNR over the clip and the mean SSIM of its frames; ``seen`` keeps that of frames met before."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    likeness = []
    for slot, (before, after) in enumerate(zip(clean.frames, noisy.frames, strict=True)):
        content = bytes([slot]) + after.tobytes()
        if content not in seen:
            seen[content] = float(structural_similarity(before, after, channel_axis=2, data_range=255))
        likeness.append(seen[content])
    return float(peak_signal_noise_ratio(clean.frames, noisy.frames, data_range=255)), fmean(likeness)


def to_json(figures: Mapping[str, Figures]) -> dict[str, Any]:
    return {name: asdict(one) for name, one in figures.items()}


def from_json(data: Mapping[str, Any]) -> dict[str, Figures]:
    return {
        name: Figures(one["version"], tuple(one["psnr"]), tuple(one["ssim"])) for name, one in data.items()
    }


def stale(noises: Sequence[Noise], figures: Mapping[str, Figures]) -> list[str]:
    """The noises that were not measured, or in another version; and those measured that are no more."""
    current = {noise.name: noise.version for noise in noises}
    changed = [name for name, version in current.items() if figures.get(name, _NONE).version != version]
    return [*changed, *(name for name in figures if name not in current)]


_NONE = Figures(0, (), ())
