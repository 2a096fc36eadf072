"""Fog as measured on the E6 in winter, and a judge who looks for the answer in what was said."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness import Case, Clip, Draws, Spec, Verdict, hookimpl


class RoadFog:
    """A grey veil that is thickest at the top of the picture, where the road is farthest away.

    density: share of the picture that the fog takes over, 0 to 1.
    """

    version = 1

    def __init__(self, density: float = 0.4) -> None:
        if not 0 <= density <= 1:
            raise ValueError("density lies between 0 and 1")
        self.density = density

    def apply(self, clip: Clip, hit: np.ndarray, draws: Draws) -> Clip:
        grey = draws.video().uniform(170, 220)
        distance = np.linspace(1.0, 0.3, clip.frames.shape[1])[:, None, None]
        frames = clip.frames.copy()
        for index in hit:
            share = self.density * distance * draws.frame(index).uniform(0.8, 1.0)
            frames[index] = np.rint(frames[index] * (1 - share) + grey * share)
        return replace(clip, frames=frames)


class Mentions:
    """3 where the reference answer occurs in the reply as whole words, 0 where it does not."""

    version = 1

    def judge(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        for case in cases:
            words = rf"(?<!\w){re.escape(case.reference)}(?!\w)"
            found = re.search(words, case.prediction, re.IGNORECASE)
            yield Verdict(3.0 if found else 0.0)


@hookimpl
def harness_corruptions() -> list[Spec]:
    return [Spec("road-fog", "road_fog:RoadFog", "fog from the E6, thickest far away")]


@hookimpl
def harness_judges() -> list[Spec]:
    return [Spec("mentions", "road_fog:Mentions", "3 if the reference answer occurs in the reply, else 0")]
