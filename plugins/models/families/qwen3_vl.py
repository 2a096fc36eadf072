"""Qwen3-VL and its mixture of experts: clips as videos, each pair of frames under its time as text.

Source: the Qwen3-VL report (arXiv 2511.21631), the model card of Qwen/Qwen3-VL-8B-Instruct and its
qwen-vl-utils. The times are written here: later versions of transformers than the card's leave the clip's
own start and end token around those of its pairs of frames.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness import Clip

from .qwen2_5_vl import Pixels, Qwen25VL
from .qwen_positions import Grid

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame

FRAME_PIXELS = 768 * 32 * 32
"""Qwen's own bound on the area of one frame of a video (qwen-vl-utils)."""


class Qwen3VL(Qwen25VL):
    """min_pixels, max_pixels bound each frame. When not given: ``FRAME_PIXELS``, and within the bounds that
    the checkpoint has for all frames of a clip together.
    """

    pace = 0.0

    def videos(self, clips: Sequence[Clip]) -> list[Tensor]:
        """Of an even number of frames: the processor takes no fewer than two and rounds odd numbers."""
        import torch

        found = super().videos(clips)
        return [torch.cat([clip, clip[-1:]]) if len(clip) % 2 else clip for clip in found]

    def video_settings(self, clips: Sequence[Clip]) -> dict[str, Any]:
        """For clips of one length: the processor's bounds are for all frames together."""
        own = self.processor.video_processor.size
        count = len(clips[0].frames) + len(clips[0].frames) % 2
        most = count * (self.settings.max_pixels or min(FRAME_PIXELS, own["longest_edge"] // count))
        least = count * self.settings.min_pixels if self.settings.min_pixels else own["shortest_edge"]
        size = {"shortest_edge": min(least, most), "longest_edge": most}
        return {**super().video_settings(clips), "size": size}

    def _see(self, parts: Sequence[Clip | Frame]) -> dict[int, Pixels]:
        by_length: dict[int, list[Clip | Frame]] = {}
        for part in parts:
            by_length.setdefault(len(part.frames) if isinstance(part, Clip) else 0, []).append(part)
        seen: dict[int, Pixels] = {}
        for same in by_length.values():
            seen |= super()._see(same)
        return seen

    def _grids(self, part: Clip | Frame, seen: Mapping[int, Pixels]) -> Sequence[Grid]:
        whole = self._grid(part, seen)
        return [Grid(1, whole.height, whole.width)] * whole.time

    def _with_room(self, text: str, shown: Sequence[Clip | Frame], seen: Mapping[int, Pixels]) -> str:
        """The chat with as many placeholders as there are visual tokens, and times between them."""
        left = iter(shown)
        start, end, video, image = (
            getattr(self.processor, name)
            for name in ("vision_start_token", "vision_end_token", "video_token", "image_token")
        )

        def room(_: re.Match[str]) -> str:
            part = next(left)
            grids = self._grids(part, seen)
            if not isinstance(part, Clip):
                return image * grids[0].size
            return "".join(
                f"<{time:.1f} seconds>{start}{video * grid.size}{end}"
                for time, grid in zip(_times(part), grids, strict=True)
            )

        return re.sub(f"{re.escape(start + video + end)}|{re.escape(image)}", room, text)


def _times(clip: Clip) -> list[float]:
    """Seconds, the mean of each pair of frames; a last odd frame stands for two."""
    firsts, seconds = clip.times[::2].tolist(), clip.times[1::2].tolist()
    return [(one + (one if two is None else two)) / 2 for one, two in zip_longest(firsts, seconds)]
