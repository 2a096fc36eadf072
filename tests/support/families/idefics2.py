"""A tiny Idefics2: frames of any size up to 5 x 5 patches, four latents each, before a Mistral."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, LAYERS, write

_SPECIAL = (
    "<unk>",
    "<s>",
    "</s>",
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
)
_LATENTS = 4
_TEMPLATE = """\
{%- for message in messages -%}
{{- message['role'].capitalize() -}}
{{- ':' if message['content'][0]['type'] == 'image' else ': ' -}}
{%- for part in message['content'] -%}
{%- if part['type'] == 'text' -%}
{{- part['text'] -}}
{%- elif part['type'] == 'image' -%}
{{- '<image>' -}}
{%- endif -%}
{%- endfor -%}
{{- '<end_of_utterance>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'Assistant:' -}}
{%- endif -%}
"""


def build(folder: Path, *, splits: bool = True) -> Path:
    """splits: cut images in four besides, as HuggingFaceM4's checkpoints do and Mantis does not."""
    from transformers import Idefics2Config, Idefics2ImageProcessor, Idefics2Processor

    tokenizer = build_tokenizer(_SPECIAL, bos="<s>", eos="</s>", pad="<unk>", begins=True)
    processor = Idefics2Processor(
        image_processor=Idefics2ImageProcessor(
            size={"shortest_edge": 28, "longest_edge": 70}, do_image_splitting=splits
        ),
        tokenizer=tokenizer,
        image_seq_len=_LATENTS,
        chat_template=_TEMPLATE,
    )
    config = Idefics2Config(
        vision_config={
            **LAYERS,
            "image_size": 70,
            "patch_size": 14,
        },
        perceiver_config={
            "hidden_size": 32,
            "resampler_n_latents": _LATENTS,
            "resampler_depth": 1,
            "resampler_n_heads": 2,
            "resampler_head_dim": 16,
            "num_key_value_heads": 1,
        },
        text_config={
            "model_type": "mistral",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "head_dim": 16,
            "bos_token_id": _SPECIAL.index("<s>"),
            "eos_token_id": _SPECIAL.index("</s>"),
            "pad_token_id": 0,
        },
        image_token_id=_SPECIAL.index("<image>"),
    )
    return write(
        folder,
        config,
        processor,
        eos_token_id=[_SPECIAL.index("</s>"), _SPECIAL.index("<end_of_utterance>")],
        bad_words_ids=[[_SPECIAL.index("<fake_token_around_image>")], [_SPECIAL.index("<image>")]],
    )
