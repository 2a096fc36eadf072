"""GLM-4.1V, 4.5V and 4.6V: clips as videos, two frames a layer, each layer with its second as text.

Source: the model card of zai-org/GLM-4.1V-9B-Thinking and the GLM-V team, arXiv 2507.01006. Frames and images
share one token, so that transformers cannot tell them apart: beside images, clips go in as images, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness import Clip, Prompt

from .family import Family

if TYPE_CHECKING:
    from torch import Tensor


class Glm4v(Family):
    form = "video"

    def tensors(self, prompt: Prompt) -> dict[str, Tensor]:
        if any(not isinstance(part, str | Clip) for part in prompt.parts):
            frames = [tuple(part.frames) if isinstance(part, Clip) else (part,) for part in prompt.parts]
            prompt = replace(prompt, parts=tuple(shown for part in frames for shown in part))
        return super().tensors(prompt)
