"""Idefics2 and Mantis: clips as images, 64 tokens each, none cut in pieces.

Source: the model cards of HuggingFaceM4/idefics2-8b and TIGER-Lab/Mantis-8B-Idefics2 (Jiang et al., arXiv
2405.01483). The former cuts each image in four besides; frames are left whole even there, as Mantis leaves
all images: a quarter costs as many tokens as the whole.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from harness import Clip, Prompt

from .family import Family, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame


class Idefics2(Family):
    form = "images"
    flat = True

    def __init__(self, processor: Any, config: Any, settings: Settings) -> None:
        super().__init__(processor, config, settings)
        self._uncut = copy(self)
        self._uncut.processor = copy(processor)
        self._uncut.processor.image_processor = copy(processor.image_processor)
        self._uncut.processor.image_processor.do_image_splitting = False

    def tensors(self, prompt: Prompt) -> dict[str, Tensor]:
        """Pixels [n, 1, 3, H, W] and their mask [n, 1, H, W]: as if each image were a prompt's only one.

        The model makes no difference, and so prompts with other numbers of images can be joined.
        """
        shows_clip = any(isinstance(part, Clip) for part in prompt.parts)
        found = Family.tensors(self._uncut if shows_clip else self, prompt)
        pixels = ("pixel_values", "pixel_attention_mask")
        return {name: one.transpose(0, 1) if name in pixels else one for name, one in found.items()}

    def picture(self, frame: Frame) -> Any:
        """The processor takes no arrays."""
        from PIL import Image

        return Image.fromarray(self.fitted(frame))

    def image_settings(self) -> dict[str, Any]:
        return {}
