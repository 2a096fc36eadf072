"""SmolVLM2: clips as videos, each frame one tile under its time; images cut into tiles.

Source: the SmolVLM report (arXiv 2504.05299) and the model card of HuggingFaceTB/SmolVLM2-2.2B-Instruct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness import Clip

from .piecewise import Piecewise

if TYPE_CHECKING:
    from torch import Tensor


class SmolVLM(Piecewise):
    """The processor writes how long the video is and the minute and second of each frame."""

    whole: Mapping[str, Any] = {"do_image_splitting": False}

    def rendered(self, messages: Sequence[Mapping[str, Any]]) -> str:
        # Where nothing is set, some versions set what they then warn of, each time.
        unused = {"num_frames": None}
        text: str = self.processor.apply_chat_template(
            list(messages), add_generation_prompt=True, tokenize=False, processor_kwargs=unused
        )
        return text

    def videos(self, clips: Sequence[Clip]) -> list[Any]:
        return [super().videos(clips)]  # a list for each prompt, which some versions count

    def laid(self, pixels: Tensor) -> Tensor:
        return pixels.transpose(0, 1)  # from one prompt of many tiles to as many of one
