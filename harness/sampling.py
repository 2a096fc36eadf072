"""Which frames of a video are shown to the model.

The rule is MMBench-Video's (VLMEvalKit, ``vlmeval/dataset/mmbench_video.py``, restated): N interior
frames, or a fixed rate from the first frame on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.errors import UsageError

_LABEL = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>frame|fps)")


@dataclass(frozen=True, slots=True)
class Sampling:
    """Either ``nframe`` frames spread over the video or ``fps`` frames a second.

    ``max_frames`` caps the number of frames; where the cap bites, frames are dropped evenly.
    Raises UsageError unless exactly one of ``nframe`` and ``fps`` is given and all are positive.
    """

    nframe: int | None = None
    fps: float | None = None
    max_frames: int | None = None

    def __post_init__(self) -> None:
        if (self.nframe is None) == (self.fps is None):
            raise UsageError("give either a number of frames (--nframe) or a rate (--fps), not both")
        for flag, value in (("nframe", self.nframe), ("fps", self.fps), ("max_frames", self.max_frames)):
            if value is not None and not value > 0:
                raise UsageError(f"--{flag} must be above 0, not {value}")

    @classmethod
    def parse(cls, label: str) -> Sampling:
        """``8frame`` or ``0.5fps``, as data set names spell it."""
        match = _LABEL.fullmatch(label)
        if match is None or (match["unit"] == "frame" and "." in match["number"]):
            raise UsageError(f"cannot read {label!r} as a frame setting: write e.g. 8frame or 1fps")
        if match["unit"] == "frame":
            return cls(nframe=int(match["number"]))
        return cls(fps=float(match["number"]))

    def __str__(self) -> str:
        return f"{self.nframe}frame" if self.nframe is not None else f"{self.fps:g}fps"

    def indices(self, total: int, video_fps: float) -> list[int]:
        """Frame positions in a video of ``total`` frames, ascending.

        ``nframe``: ``int(i * total / (nframe + 1))`` for i = 1..nframe; a video with fewer frames
        repeats some. ``fps``: ``int(i * video_fps / fps)``, ``int(total / video_fps * fps)`` of
        them, at least one.
        """
        if total < 1:
            return []
        if self.nframe is not None:
            count = min(self.nframe, self.max_frames or self.nframe)
            return [int(i * total / (count + 1)) for i in range(1, count + 1)]
        assert self.fps is not None
        count = max(1, int(total / video_fps * self.fps))
        chosen = [min(int(i * video_fps / self.fps), total - 1) for i in range(count)]
        if self.max_frames is not None and count > self.max_frames:
            chosen = [chosen[int(i * count / self.max_frames)] for i in range(self.max_frames)]
        return chosen
