"""All randomness of a run: a function of (seed, video, noise, version, frame), and of nothing else.

A hash of those parts keys a counter-based generator (Philox 4x64), so any number of ranks, threads
or restarts draws the same bytes, and no noise disturbs another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def generator(*parts: int | str) -> np.random.Generator:
    """A fresh generator for these parts; equal parts give equal streams."""
    import numpy as np

    digest = blake2b(json.dumps(parts).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers one corruption may use on one video."""

    seed: int
    video_key: str
    noise: str
    version: int

    def video(self) -> np.random.Generator:
        """A generator for what is drawn once per video; each call starts the same stream again."""
        return generator(self.seed, self.video_key, self.noise, self.version, "video")

    def frame(self, slot: int) -> np.random.Generator:
        """A generator for what is drawn anew for frame ``slot`` (its position in the clip)."""
        return generator(self.seed, self.video_key, self.noise, self.version, int(slot))


def hit_count(total: int, ratio: float) -> int:
    """How many of ``total`` frames a share ``ratio`` in [0, 1] hits: floor, but at least one above 0."""
    if ratio <= 0 or total < 1:
        return 0
    return min(total, max(1, int(ratio * total + 1e-9)))


def hit_frames(seed: int, video_key: str, total: int, ratio: float) -> npt.NDArray[np.int64]:
    """The frames that are hit: int64 [n], the first n of one permutation of range(total).

    The permutation belongs to (seed, video, total), not to the noise or the ratio: .3 is inside .6
    is inside .9, and all noises hit the same frames. It is the order of raw generator words rather
    than ``Generator.permutation``, whose stream NumPy may change.
    """
    import numpy as np

    words = generator(seed, video_key, "frames", total).bit_generator.random_raw(total)
    order = np.argsort(words, kind="stable")
    return order[: hit_count(total, ratio)].astype(np.int64)
