"""How answers are drawn: by chance they come from the seed and the prompt, whatever is asked beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness_plugins.models.qwen2_5_vl import Qwen25VL
from small_qwen import build_small, make_clip

from harness import Prompt, UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    return [Prompt((make_clip(4, seed=seed), "What " * (seed + 1))) for seed in range(3)]


def said(folder: Path, prompts: list[Prompt], **options: Any) -> list[str]:
    model = Qwen25VL(str(folder), init="random", device="cpu", max_new_tokens=8, **options)
    model.check()
    return [answer.text for answer in model.generate(prompts)]


@pytest.mark.slow
def test_what_is_drawn_depends_on_seed_and_prompt_alone(folder: Path, prompts: list[Prompt]) -> None:
    import torch

    # The seed of random weights is the same option: weights that answer alike under each come from a folder.
    trained = folder.parent / "trained"
    Qwen25VL(str(folder), init="random", device="cpu").save(trained)

    def drawn(asked: list[Prompt], seed: int) -> list[str]:
        model = Qwen25VL(str(trained), device="cpu", max_new_tokens=8, temperature=1.5, seed=seed)
        return [answer.text for answer in model.generate(asked)]

    state = torch.get_rng_state()
    together = drawn(prompts, 0)
    assert (torch.get_rng_state() == state).all()
    torch.manual_seed(5)
    assert drawn(prompts[::-1], 0) == together[::-1]
    assert [drawn([prompt], 0)[0] for prompt in prompts] == together
    assert drawn(prompts, 1) != together


@pytest.mark.slow
def test_beams_and_penalties_reach_transformers(folder: Path, prompts: list[Prompt]) -> None:
    greedy = said(folder, prompts)
    assert said(folder, prompts, repetition_penalty=5.0) != greedy
    beams = said(folder, prompts, num_beams=3)
    assert beams == [said(folder, [prompt], num_beams=3)[0] for prompt in prompts]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"num_beams": 0}, "num_beams must be at least 1"),
        ({"temperature": -1.0}, "temperature must be at least 0"),
        ({"repetition_penalty": 0.0}, "repetition_penalty above 0"),
        ({"top_p": 1.5}, "top_p is a share"),
        ({"temperature": 1.0, "num_beams": 2}, "by beams or by chance"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_loaded(
    folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Qwen25VL(str(folder), init="random", **options).check()
