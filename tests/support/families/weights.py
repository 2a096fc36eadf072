"""Tiny sizes, and random weights spread so widely that different prompts get different answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LAYERS = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
LANGUAGE = {**LAYERS, "num_key_value_heads": 1}
"""Sizes of most vision towers and language models here."""


def write(folder: Path, config: Any, processor: Any, spread: float = 0.3, **generation: Any) -> Path:
    """Save processor, configuration and weights to ``folder``, and return it; equal calls, equal bytes.

    spread: standard deviation of every matrix, whatever the family's own initialisation would be.
    generation: what the checkpoint's generation_config.json holds besides.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = AutoModelForImageTextToText.from_config(config)
        for weights in model.parameters():
            if weights.dim() > 1:
                weights.normal_(std=spread)
    model.generation_config.update(**generation)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
