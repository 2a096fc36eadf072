"""A tiny Qwen2-VL, whose frames and images all become 2 x 2 tokens where they are square."""

from __future__ import annotations

from pathlib import Path

from .qwen import NUMBERS, TEMPLATE_WITH_SYSTEM, TEXT, tokenizer
from .weights import write

_AREA = {"shortest_edge": 56 * 56, "longest_edge": 56 * 56}


def build(folder: Path) -> Path:
    from transformers import Qwen2VLConfig, Qwen2VLProcessor, Qwen2VLVideoProcessor
    from transformers.models.qwen2_vl import Qwen2VLImageProcessor

    tokens = tokenizer()
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=dict(_AREA)),
        video_processor=Qwen2VLVideoProcessor(size=dict(_AREA)),
        tokenizer=tokens,
        chat_template=TEMPLATE_WITH_SYSTEM,
    )
    config = Qwen2VLConfig(
        text_config={**TEXT, "vocab_size": len(tokens)},
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2},
        tie_word_embeddings=True,
        **NUMBERS,
    )
    return write(folder, config, processor)
