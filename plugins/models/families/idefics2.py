"""Idefics2 and Mantis: clips as images, 64 tokens each, none cut in pieces.

Source: the model cards of HuggingFaceM4/idefics2-8b and TIGER-Lab/Mantis-8B-Idefics2 (Jiang et al., arXiv
2405.01483). Where a checkpoint cuts single images in four, frames are left whole: a piece of an image costs
as many tokens as the whole, and Mantis, which was trained on several images, cuts none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Clip, Prompt

from .family import Family

if TYPE_CHECKING:
    from harness.types import Frame
    from torch import Tensor


class Idefics2(Family):
    form = "images"
    flat = True

    def tensors(self, prompt: Prompt) -> dict[str, Tensor]:
        """Pixels [n, 1, 3, H, W] and their mask [n, 1, H, W]: as if each image were a prompt's only one.

        The model makes no difference, and so prompts with other numbers of images can be joined.
        """
        found = super().tensors(prompt)
        pixels = ("pixel_values", "pixel_attention_mask")
        return {name: one.transpose(0, 1) if name in pixels else one for name, one in found.items()}

    def picture(self, frame: Frame) -> Any:
        """The processor takes no arrays."""
        from PIL import Image

        return Image.fromarray(self.fitted(frame))

    def image_settings(self, prompt: Prompt) -> dict[str, Any]:
        return {"do_image_splitting": False} if any(isinstance(part, Clip) for part in prompt.parts) else {}
