"""A tiny LLaVA-NeXT-Video: CLIP with 4 x 4 patches, of which a video keeps 2 x 2, before a Llama."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, write

_SPECIAL = ("<unk>", "<s>", "</s>", "<video>", "<image>", "<pad>")
_SIDE = 56
_GRID = [[_SIDE, 2 * _SIDE], [2 * _SIDE, _SIDE], [2 * _SIDE, 2 * _SIDE]]
_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}
{{- message['content'][0]['text'] + ' ' -}}
{%- else -%}
{{- message['role'].upper() + ': ' -}}
{%- for kind in ('image', 'video') -%}
{%- for part in message['content'] | selectattr('type', 'equalto', kind) -%}
{{- '<' + kind + '>\\n' -}}
{%- endfor -%}
{%- endfor -%}
{%- for part in message['content'] | selectattr('type', 'equalto', 'text') -%}
{{- part['text'] + ' ' -}}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'ASSISTANT:' -}}
{%- endif -%}
"""
"""That of the 7B, which is Vicuna's; a turn's pictures come first."""


def build(folder: Path) -> Path:
    from transformers import (
        LlavaNextImageProcessor,
        LlavaNextVideoConfig,
        LlavaNextVideoProcessor,
        LlavaNextVideoVideoProcessor,
    )

    size = {"shortest_edge": _SIDE}
    crop = {"height": _SIDE, "width": _SIDE}
    tokenizer = build_tokenizer(_SPECIAL, bos="<s>", eos="</s>", pad="<pad>", begins=True)
    processor = LlavaNextVideoProcessor(
        video_processor=LlavaNextVideoVideoProcessor(size=dict(size), crop_size=dict(crop)),
        image_processor=LlavaNextImageProcessor(
            size=dict(size), crop_size=dict(crop), image_grid_pinpoints=_GRID
        ),
        tokenizer=tokenizer,
        chat_template=_TEMPLATE,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    config = LlavaNextVideoConfig(
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
        image_grid_pinpoints=_GRID,
    )
    return write(folder, config, processor)
