"""LLaVA-NeXT-Video: clips as videos of 336 x 336 pixels, cut out of the middle, 144 tokens a frame.

Source: the model card of llava-hf/LLaVA-NeXT-Video-7B-hf, whose example shows a clip as a video, and Zhang et
al., "LLaVA-NeXT: A Strong Zero-shot Video Understanding Model" (2024). Images are tiled, as LLaVA-NeXT's are.
"""

from __future__ import annotations

import re
from typing import Any

from .family import Settings
from .framewise import Framewise

_IMAGES = re.compile(r"{%-? for [^%]*'image'.*?endfor -?%}", re.DOTALL)
"""Where a template shows the images of a turn."""


class LlavaNextVideo(Framewise):
    def __init__(self, processor: Any, config: Any, settings: Settings) -> None:
        super().__init__(processor, config, settings)
        if processor.patch_size is None:  # a checkpoint written before processors counted visual tokens
            processor.patch_size = config.vision_config.patch_size
            processor.vision_feature_select_strategy = config.vision_feature_select_strategy
            processor.num_additional_image_tokens = 1  # CLIP's class token
        if "video" not in processor.chat_template:  # the first conversions leave videos out without a word
            processor.chat_template = _IMAGES.sub(
                lambda images: images[0] + images[0].replace("image", "video"), processor.chat_template
            )
