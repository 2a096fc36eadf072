"""A tiny PerceptionLM: timm's perception encoder with 4 x 4 patches, pooled to four tokens, and a Llama."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, write

_SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|image|>",
    "<|video|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
)
_SIDE = 56
_SYSTEM = "You are a helpful language and vision assistant."
_TEMPLATE = (
    """\
{{- bos_token -}}
{%- if messages[0]['role'] == 'system' -%}
{%- set system_message = messages[0]['content'] | trim -%}
{%- set messages = messages[1:] -%}
{%- else -%}
{%- set system_message = '"""
    + _SYSTEM
    + """' -%}
{%- endif -%}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' + system_message + '<|eot_id|>' -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' -}}
{%- for kind in ('image', 'video') -%}
{%- for part in message['content'] | selectattr('type', 'equalto', kind) -%}
{{- '<|' + kind + '|>' -}}
{%- endfor -%}
{%- endfor -%}
{%- for part in message['content'] | selectattr('type', 'equalto', 'text') -%}
{{- part['text'] | trim -}}
{%- endfor -%}
{{- '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
{%- endif -%}
"""
)
"""As published: pictures come first, texts follow with nothing between them, a system text is a string."""


def build(folder: Path) -> Path:
    from transformers import (
        PerceptionLMConfig,
        PerceptionLMImageProcessor,
        PerceptionLMProcessor,
        PerceptionLMVideoProcessor,
    )

    size = {"height": _SIDE, "width": _SIDE}
    tokenizer = build_tokenizer(
        _SPECIAL,
        bos="<|begin_of_text|>",
        eos="<|eot_id|>",
        pad="<|end_of_text|>",
        named={"image_token": "<|image|>", "video_token": "<|video|>"},
        begins=True,
    )
    processor = PerceptionLMProcessor(
        video_processor=PerceptionLMVideoProcessor(size=dict(size)),
        image_processor=PerceptionLMImageProcessor(size=dict(size), tile_size=_SIDE, max_num_tiles=4),
        tokenizer=tokenizer,
        patch_size=14,
        pooling_ratio=2,
        chat_template=_TEMPLATE,
    )
    config = PerceptionLMConfig(
        vision_config={
            "model_type": "timm_wrapper",
            "architecture": "vit_pe_core_large_patch14_336",
            "do_pooling": True,
            "num_classes": 0,
            "label_names": [],
            "model_args": {
                "embed_dim": 32,
                "depth": 2,
                "num_heads": 2,
                "mlp_ratio": 1.5,
                "img_size": [_SIDE, _SIDE],
                "ref_feat_shape": [_SIDE // 14, _SIDE // 14],
                "global_pool": "",
                "use_post_transformer_norm": False,
                "init_values": 0.1,
            },
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "bos_token_id": _SPECIAL.index("<|begin_of_text|>"),
            "eos_token_id": [_SPECIAL.index("<|end_of_text|>"), _SPECIAL.index("<|eot_id|>")],
            "tie_word_embeddings": True,
        },
        vision_use_cls_token=True,
        projector_pooling_ratio=2,
        image_token_id=_SPECIAL.index("<|image|>"),
        video_token_id=_SPECIAL.index("<|video|>"),
    )
    return write(folder, config, processor)
