"""A tiny Qwen3-VL, and the same with a mixture of experts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .qwen import NUMBERS, TEMPLATE, TEXT, tokenizer
from .weights import write

_IMAGE = {"shortest_edge": 64 * 64, "longest_edge": 64 * 64}
_VIDEO = {"shortest_edge": 64 * 64, "longest_edge": 64 * 64 * 16}  # all frames together
_TEXT = {
    **TEXT,
    "head_dim": 16,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 5.0,
        "mrope_section": [4, 2, 2],
        "mrope_interleaved": True,
    },
}
_VISION = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "out_hidden_size": 32,
    "num_position_embeddings": 16,
    "deepstack_visual_indexes": [0],
}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}


def build(folder: Path) -> Path:
    from transformers import Qwen3VLConfig

    return _build(folder, Qwen3VLConfig, _TEXT)


def build_moe(folder: Path) -> Path:
    from transformers import Qwen3VLMoeConfig

    return _build(folder, Qwen3VLMoeConfig, {**_TEXT, **_EXPERTS})


def _build(folder: Path, config: Any, text: dict[str, Any]) -> Path:
    from transformers import Qwen3VLProcessor, Qwen3VLVideoProcessor
    from transformers.models.qwen2_vl import Qwen2VLImageProcessor

    tokens = tokenizer()
    half = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=dict(_IMAGE), patch_size=16, **half),
        video_processor=Qwen3VLVideoProcessor(size=dict(_VIDEO)),
        tokenizer=tokens,
        chat_template=TEMPLATE,
    )
    made = config(
        text_config={**text, "vocab_size": len(tokens)},
        vision_config=dict(_VISION),
        tie_word_embeddings=True,
        **NUMBERS,
    )
    return write(folder, made, processor)
