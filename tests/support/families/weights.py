"""Random weights for a tiny checkpoint, spread so widely that different prompts get different answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any


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
