"""What the tiny Qwen-VL models have in common: special tokens, chat template, tokenizer."""

from __future__ import annotations

from typing import Any

from .tokens import build_tokenizer
from .weights import LANGUAGE

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
NUMBERS = {
    "image_token_id": SPECIAL.index("<|image_pad|>"),
    "video_token_id": SPECIAL.index("<|video_pad|>"),
    "vision_start_token_id": SPECIAL.index("<|vision_start|>"),
    "vision_end_token_id": SPECIAL.index("<|vision_end|>"),
}
"""What their configurations say of those tokens."""
TEXT = {
    **LANGUAGE,
    "bos_token_id": None,
    "eos_token_id": SPECIAL.index("<|im_end|>"),
    "pad_token_id": SPECIAL.index("<|endoftext|>"),
    "rope_parameters": {"rope_type": "default", "rope_theta": 5.0, "mrope_section": [2, 3, 3]},
}
"""Their text configurations; tokens, and positions that differ by one, make a difference to them."""
TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}
{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif 'text' in part -%}
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
"""Qwen3-VL's."""
TEMPLATE_WITH_SYSTEM = (
    "{%- if messages[0]['role'] != 'system' -%}"
    "{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}"
    "{%- endif -%}\n" + TEMPLATE
)
"""Qwen2-VL's and Qwen2.5-VL's."""


def tokenizer() -> Any:
    return build_tokenizer(SPECIAL, eos="<|im_end|>", pad="<|endoftext|>")
