"""LLaVA-OneVision: clips as videos of 384 x 384 pixels, 196 tokens a frame and one after the last.

Source: the model card of llava-hf/llava-onevision-qwen2-7b-ov-hf, whose example shows a clip as a video, and
Li et al., arXiv 2408.03326. A single image is tiled; of several in one prompt none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness import Clip

from .family import Family

if TYPE_CHECKING:
    from torch import Tensor


class LlavaOnevision(Family):
    form = "video"
    flat = True

    def videos(self, clips: Sequence[Clip]) -> list[Tensor]:
        """Of one length, which is all that the model takes in one prompt: shorter ones end in a still."""
        import torch

        found = super().videos(clips)
        longest = max(map(len, found))
        return [torch.cat([clip, clip[-1:].expand(longest - len(clip), -1, -1, -1)]) for clip in found]
