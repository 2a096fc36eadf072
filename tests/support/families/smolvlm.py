"""A tiny SmolVLM2: tiles of 4 x 4 patches, shuffled into four tokens, before a Llama."""

from __future__ import annotations

from pathlib import Path

from .tokens import build_tokenizer
from .weights import LANGUAGE, LAYERS, write

_SIDE = 56
_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
    "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)),
)
"""``<video>`` is no token: only the processor knows it."""
_TEMPLATE = """\
<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}\
{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}\
{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}\
{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>
{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"""
"""The published one knows no videos: with one the processor takes another of its own."""


def build(folder: Path) -> Path:
    from transformers import (
        SmolVLMConfig,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    largest = {"longest_edge": _SIDE}
    tokenizer = build_tokenizer(
        _SPECIAL,
        bos="<|im_start|>",
        eos="<end_of_utterance>",
        pad="<|im_end|>",
        named={
            "fake_image_token": "<fake_token_around_image>",
            "image_token": "<image>",
            "end_of_utterance_token": "<end_of_utterance>",
            "global_image_token": "<global-img>",
        },
    )
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(size={"longest_edge": 2 * _SIDE}, max_image_size=dict(largest)),
        tokenizer=tokenizer,
        video_processor=SmolVLMVideoProcessor(
            size=dict(largest),
            max_image_size=dict(largest),
            video_sampling={"fps": 1, "max_frames": 64, "video_size": dict(largest)},
        ),
        image_seq_len=4,
        chat_template=_TEMPLATE,
    )
    config = SmolVLMConfig(
        vision_config={
            **LAYERS,
            "image_size": _SIDE,
            "patch_size": 14,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            **LANGUAGE,
            "bos_token_id": _SPECIAL.index("<|im_start|>"),
            "eos_token_id": _SPECIAL.index("<end_of_utterance>"),
            "pad_token_id": _SPECIAL.index("<|im_end|>"),
        },
        scale_factor=2,
        image_token_id=_SPECIAL.index("<image>"),
    )
    return write(folder, config, processor)
