"""A tiny InternVL3 in its transformers form: tiles of 4 x 4 patches, four tokens each, before a Qwen2."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, LAYERS, write

_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<img>",
    "</img>",
    "<IMG_CONTEXT>",
    "<video>",
)
_SIDE = 56
_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}
{{- '<IMG_CONTEXT>\\n' -}}
{%- elif part['type'] == 'video' -%}
{{- '<video>\\n' -}}
{%- elif part['type'] == 'text' -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def build(folder: Path) -> Path:
    from transformers import GotOcr2ImageProcessor, InternVLConfig, InternVLProcessor, InternVLVideoProcessor

    size = {"height": _SIDE, "width": _SIDE}
    colours = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    tokenizer = build_tokenizer(
        _SPECIAL,
        eos="<|im_end|>",
        pad="<|endoftext|>",
        named={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    )
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(
            size=dict(size), crop_to_patches=True, max_patches=4, **colours
        ),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=dict(size), **colours),
        image_seq_length=4,
        chat_template=_TEMPLATE,
    )
    config = InternVLConfig(
        vision_config={
            **LAYERS,
            "image_size": _SIDE,
            "patch_size": 14,
            "attention_bias": True,
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "bos_token_id": None,
            "eos_token_id": _SPECIAL.index("<|im_end|>"),
            "pad_token_id": _SPECIAL.index("<|endoftext|>"),
        },
        image_token_id=_SPECIAL.index("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    return write(folder, config, processor)
