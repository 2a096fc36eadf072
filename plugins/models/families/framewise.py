"""Families to whom a clip is the visual tokens of its frames, one after the other and nothing between.

For them a clip of T frames and T clips of one frame in its place are the same numbers. As the latter,
clips of any lengths can be in one prompt and in one batch, where their processors take equal ones only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness import Clip

from .family import Family

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame


class Framewise(Family):
    form = "video"
    flat = True

    def chat(self, parts: Sequence[str | Clip | Frame], system: str) -> str:
        lengths = iter([len(part.frames) for part in parts if isinstance(part, Clip)])
        token: str = self.processor.video_token
        return re.sub(re.escape(token), lambda _: token * next(lengths), super().chat(parts, system))

    def videos(self, clips: Sequence[Clip]) -> list[Tensor]:
        return [frame for clip in super().videos(clips) for frame in clip.split(1)]

    def video_settings(self, clips: Sequence[Clip]) -> dict[str, Any]:
        """Without times, which they do not read, and of which there would be fewer than videos."""
        settings = super().video_settings(clips)
        del settings["video_metadata"]
        return settings
