"""PerceptionLM: clips as videos, each frame one tile; images as a thumbnail and up to 36 tiles.

Source: the PerceptionLM report (arXiv 2504.13180) and the model card of facebook/Perception-LM-8B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness import Clip

from .piecewise import Piecewise

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame


class PerceptionLM(Piecewise):
    """Its template puts pictures first and texts after them with nothing in between."""

    whole: Mapping[str, Any] = {"vision_input_type": "vanilla"}

    def chat(self, parts: Sequence[str | Clip | Frame], system: str) -> str:
        texts = [self.content(part)["text"] for part in parts if isinstance(part, str)]
        pictures = [self.content(part) for part in parts if not isinstance(part, str)]
        user = {"role": "user", "content": [*pictures, {"type": "text", "text": "\n".join(texts)}]}
        if not system:
            return self.rendered([user])
        return self.rendered([{"role": "system", "content": self.content(system)["text"]}, user])

    def laid(self, pixels: Tensor) -> Tensor:
        return pixels.transpose(0, 1)  # from one picture of many tiles to as many of one
