"""A tiny Gemma 3, which vidharness has no file for: images only, and a chat that begins itself."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, LAYERS, write

_SPECIAL = (
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
)
_TEMPLATE = """\
{{- bos_token -}}
{%- if messages[0]['role'] == 'system' -%}
{%- set first = messages[0]['content'][0]['text'] + '\\n\\n' -%}
{%- set turns = messages[1:] -%}
{%- else -%}
{%- set first = '' -%}
{%- set turns = messages -%}
{%- endif -%}
{%- for message in turns -%}
{{- '<start_of_turn>' + message['role'] + '\\n' + (first if loop.first else '') -}}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}
{{- '<start_of_image>' -}}
{%- elif part['type'] == 'text' -%}
{{- part['text'] | trim -}}
{%- endif -%}
{%- endfor -%}
{{- '<end_of_turn>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<start_of_turn>model\\n' -}}
{%- endif -%}
"""


def build(folder: Path) -> Path:
    from transformers import Gemma3Config, Gemma3ImageProcessor, Gemma3Processor

    tokenizer = build_tokenizer(
        _SPECIAL,
        bos="<bos>",
        eos="<eos>",
        pad="<pad>",
        begins=True,
        named={
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
        },
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 56, "width": 56}),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=_TEMPLATE,
    )
    config = Gemma3Config(
        vision_config={
            "model_type": "siglip_vision_model",
            **LAYERS,
            "image_size": 56,
            "patch_size": 14,
            "vision_use_head": False,
        },
        text_config={
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": 24,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        mm_tokens_per_image=4,
        boi_token_index=_SPECIAL.index("<start_of_image>"),
        eoi_token_index=_SPECIAL.index("<end_of_image>"),
        image_token_index=_SPECIAL.index("<image_soft_token>"),
        eos_token_id=[_SPECIAL.index("<eos>"), _SPECIAL.index("<end_of_turn>")],
        tie_word_embeddings=False,  # tied and untrained it would repeat the last token for ever
    )
    return write(folder, config, processor)
