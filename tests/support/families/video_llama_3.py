"""A tiny VideoLLaMA 3, which vidharness has no file for: like patches of successive frames are dropped."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, LAYERS, write

_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|video_pad|>")
_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'text' -%}
{{- part['text'] -}}
{%- elif part['type'] == 'image' -%}
{{- '<|image_pad|>\\n' -}}
{%- elif part['type'] == 'video' -%}
{{- '<|video_pad|>\\n' -}}
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
    from transformers import (
        VideoLlama3Config,
        VideoLlama3ImageProcessor,
        VideoLlama3Processor,
        VideoLlama3VideoProcessor,
    )

    tokenizer = build_tokenizer(_SPECIAL, eos="<|im_end|>", pad="<|endoftext|>")
    least, most = 28 * 28, 56 * 56
    processor = VideoLlama3Processor(
        image_processor=VideoLlama3ImageProcessor(size={"shortest_edge": least, "longest_edge": most}),
        tokenizer=tokenizer,
        # The upper bound is on all frames of a video together.
        video_processor=VideoLlama3VideoProcessor(size={"shortest_edge": least, "longest_edge": 16 * most}),
        chat_template=_TEMPLATE,
    )
    config = VideoLlama3Config(
        vision_config={
            **LAYERS,
            "patch_size": 14,
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "bos_token_id": None,
            "eos_token_id": _SPECIAL.index("<|im_end|>"),
            "pad_token_id": 0,
        },
        image_token_id=_SPECIAL.index("<|image_pad|>"),
        video_token_id=_SPECIAL.index("<|video_pad|>"),
    )
    return write(folder, config, processor)
