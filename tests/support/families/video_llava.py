"""A tiny Video-LLaVA: CLIP with 2 x 2 patches and a class token before a Llama; no chat template."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, write

_SPECIAL = ("<unk>", "<s>", "</s>", "<image>", "<video>", "<pad>")
_SIDE = 28


def build(folder: Path) -> Path:
    from transformers import (
        VideoLlavaConfig,
        VideoLlavaImageProcessor,
        VideoLlavaProcessor,
        VideoLlavaVideoProcessor,
    )

    size = {"shortest_edge": _SIDE}
    crop = {"height": _SIDE, "width": _SIDE}
    tokenizer = build_tokenizer(_SPECIAL, bos="<s>", eos="</s>", pad="<pad>", begins=True)
    processor = VideoLlavaProcessor(
        image_processor=VideoLlavaImageProcessor(size=dict(size), crop_size=dict(crop)),
        video_processor=VideoLlavaVideoProcessor(size=dict(size), crop_size=dict(crop)),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
    )
    config = VideoLlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "image_size": _SIDE,
            "patch_size": 14,
            "projection_dim": 32,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "bos_token_id": _SPECIAL.index("<s>"),
            "eos_token_id": _SPECIAL.index("</s>"),
            "pad_token_id": _SPECIAL.index("<pad>"),
        },
        image_token_index=_SPECIAL.index("<image>"),
        video_token_index=_SPECIAL.index("<video>"),
    )
    return write(folder, config, processor)
