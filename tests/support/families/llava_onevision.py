"""A tiny LLaVA-OneVision: SigLIP with 3 x 3 patches, of which a video keeps 2 x 2, before a Qwen2."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, LAYERS, write

_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>")
_SIDE = 44  # like the large models' 384 no multiple of the patch
_GRID = [[_SIDE * rows, _SIDE * columns] for rows in (1, 2) for columns in (1, 2)]
_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + ' ' -}}
{%- for kind in ('image', 'video') -%}
{%- for part in message['content'] | selectattr('type', 'equalto', kind) -%}
{{- '<' + kind + '>' -}}
{%- endfor -%}
{%- endfor -%}
{%- for part in message['content'] | selectattr('type', 'equalto', 'text') -%}
{{- '\\n' + part['text'] -}}
{%- endfor -%}
{{- '<|im_end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""
"""As published: a turn's pictures come first, whatever their place among the texts."""


def build(folder: Path) -> Path:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
    )

    size = {"height": _SIDE, "width": _SIDE}
    tokenizer = build_tokenizer(_SPECIAL, eos="<|im_end|>", pad="<|endoftext|>")
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=dict(size), image_grid_pinpoints=_GRID),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(size=dict(size)),
        num_image_tokens=9,
        vision_feature_select_strategy="full",
        chat_template=_TEMPLATE,
    )
    config = LlavaOnevisionConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            **LAYERS,
            "image_size": _SIDE,
            "patch_size": 14,
            "vision_use_head": False,
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "bos_token_id": None,
            "eos_token_id": _SPECIAL.index("<|im_end|>"),
            "pad_token_id": 0,
        },
        image_token_index=_SPECIAL.index("<image>"),
        video_token_index=_SPECIAL.index("<video>"),
        image_grid_pinpoints=_GRID,
    )
    return write(folder, config, processor)
