"""A tiny GLM-4.1V, 4.5V or 4.6V: a video's layers come with their times as text."""

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


_TEXT = {
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
}
_EXPERTS = {
    "head_dim": 16,
    "moe_intermediate_size": 24,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "first_k_dense_replace": 1,
}


def build(folder: Path, kind: str = "glm4v") -> Path:
    """kind: glm4v, glm4v_moe with its experts, or glm46v with its way of writing times."""
    import transformers

    family = "Glm46V" if kind == "glm46v" else "Glm4v"
    processors = {
        part: getattr(transformers, f"{family}{part}")
        for part in ("Processor", "ImageProcessor", "VideoProcessor")
    }
    tokenizer = build_tokenizer(_SPECIAL, eos="<|endoftext|>", pad="<|endoftext|>")
    least = 56 * 56
    processor = processors["Processor"](
        image_processor=processors["ImageProcessor"](
            size={"shortest_edge": least, "longest_edge": 2 * least}
        ),
        tokenizer=tokenizer,
        # The bounds are on all frames of a video together.
        video_processor=processors["VideoProcessor"](
            size={"shortest_edge": least, "longest_edge": 8 * least}
        ),
        chat_template=_TEMPLATE,
    )
    config = transformers.AutoConfig.for_model(
        kind,
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "out_hidden_size": 32,
            "num_heads": 2,
            "image_size": 56,
            "patch_size": 14,
        },
        text_config={**_TEXT, "vocab_size": len(tokenizer), **(_EXPERTS if kind == "glm4v_moe" else {})},
        image_token_id=_SPECIAL.index("<|image|>"),
        video_token_id=_SPECIAL.index("<|video|>"),
        image_start_token_id=_SPECIAL.index("<|begin_of_image|>"),
        image_end_token_id=_SPECIAL.index("<|end_of_image|>"),
        video_start_token_id=_SPECIAL.index("<|begin_of_video|>"),
        video_end_token_id=_SPECIAL.index("<|end_of_video|>"),
    )
    return write(folder, config, processor)
