"""A tiny GLM-4.1V, which vidharness has no file for: a video's layers come with their times as text."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import write

_SPECIAL = (
    "<|endoftext|>",
    "[gMASK]",
    "<sop>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|begin_of_image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|end_of_video|>",
    "<|image|>",
    "<|video|>",
)
_TEMPLATE = """\
{{- '[gMASK]<sop>' -}}
{%- for message in messages -%}
{{- '<|' + message['role'] + '|>\\n' -}}
{%- for part in message['content'] -%}
{%- if part['type'] == 'text' -%}
{{- part['text'] -}}
{%- else -%}
{{- '<|begin_of_' + part['type'] + '|><|' + part['type'] + '|><|end_of_' + part['type'] + '|>' -}}
{%- endif -%}
{%- endfor -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>\\n' -}}
{%- endif -%}
"""


def build(folder: Path) -> Path:
    from transformers import Glm4vConfig, Glm4vImageProcessor, Glm4vProcessor, Glm4vVideoProcessor

    tokenizer = build_tokenizer(_SPECIAL, eos="<|endoftext|>", pad="<|endoftext|>")
    # A video's bounds are on all its frames together.
    processor = Glm4vProcessor(
        image_processor=Glm4vImageProcessor(size={"shortest_edge": 56 * 56, "longest_edge": 2 * 56 * 56}),
        tokenizer=tokenizer,
        video_processor=Glm4vVideoProcessor(size={"shortest_edge": 56 * 56, "longest_edge": 8 * 56 * 56}),
        chat_template=_TEMPLATE,
    )
    config = Glm4vConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "out_hidden_size": 32,
            "num_heads": 2,
            "image_size": 56,
            "patch_size": 14,
        },
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 1.0,
                "mrope_section": [2, 3, 3],
            },
            "eos_token_id": [0, _SPECIAL.index("<|user|>")],
            "pad_token_id": 0,
        },
        image_token_id=_SPECIAL.index("<|image|>"),
        video_token_id=_SPECIAL.index("<|video|>"),
        image_start_token_id=_SPECIAL.index("<|begin_of_image|>"),
        image_end_token_id=_SPECIAL.index("<|end_of_image|>"),
        video_start_token_id=_SPECIAL.index("<|begin_of_video|>"),
        video_end_token_id=_SPECIAL.index("<|end_of_video|>"),
    )
    return write(folder, config, processor)
