"""A Qwen2.5-VL small enough to be built and trained in a test, and clips to show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from harness_plugins.models.tiny_qwen.build import Size, build

from harness import Clip, Prompt

SMALL = Size(
    vocabulary=300,
    pixels=56 * 56,
    vision_hidden=32,
    vision_layers=2,
    vision_heads=2,
    vision_mlp=48,
    text_hidden=32,
    text_layers=2,
    text_heads=2,
    text_kv_heads=1,
    text_mlp=48,
    mrope=(2, 3, 3),
    spread=0.3,  # wide enough for untrained weights to say different things
)


def build_small(folder: Path, size: Size = SMALL) -> Path:
    """Configuration, tokenizer and processor of a small untrained model."""
    return build(folder, ["What colour is it? red green blue yes no"], size)


def make_clip(
    frames: int = 4, height: int = 56, width: int = 56, seconds: float = 0.5, seed: int = 0
) -> Clip:
    """Random frames, ``seconds`` apart."""
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    return Clip(pixels, np.arange(frames) * seconds, np.arange(frames, dtype=np.int64), 24.0)


def mixed_prompts(height: int, width: int) -> list[Prompt]:
    """Unequal in every way: texts, numbers and sizes of frames, images, a system text, no picture.

    height, width: of a lone frame.
    """
    image = np.random.default_rng(9).integers(0, 256, (70, 31, 3), dtype=np.uint8)
    return [
        Prompt((make_clip(4, seed=1), "What colour is it?")),
        Prompt((make_clip(7, 61, 90, seed=2), "A much longer question " * 6)),
        Prompt(("First:", make_clip(1, height, width, seed=3), "second:", image, "which?"), "Be brief."),
        Prompt(("Just text, and a ☃.",)),
        Prompt((make_clip(2, 56, 56, 3.0, seed=4), make_clip(3, 40, 28, seed=5), "Compare.")),
    ]
