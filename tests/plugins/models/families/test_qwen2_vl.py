"""Qwen2-VL, and what Qwen3-VL has of it: where tokens stand, and the vision tower."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt, UsageError

pytestmark = pytest.mark.slow

IMAGE = np.random.default_rng(9).integers(0, 256, (56, 56, 3), dtype=np.uint8)
PROMPT = Prompt((make_clip(3), "and", IMAGE, "What moves?"))


def positions(model: Local, inputs: Mapping[str, Any]) -> Any:
    """As transformers works them out; [3, B, L]."""
    import torch

    config, ids = model.module().config, inputs["input_ids"]
    kinds = torch.zeros_like(ids)
    kinds[ids == config.image_token_id] = 1
    kinds[ids == config.video_token_id] = 2
    grids = {name: inputs.get(name) for name in ("image_grid_thw", "video_grid_thw")}
    found, _ = model.module().model.get_rope_index(
        input_ids=ids, mm_token_type_ids=kinds, attention_mask=inputs["attention_mask"], **grids
    )
    return found


@pytest.mark.parametrize("kind", ["qwen2_vl", "qwen3_vl", "qwen3_vl_moe"])
def test_tokens_stand_where_transformers_puts_them(kind: str, tmp_path: Path) -> None:
    import torch

    model = Local(str(BUILDERS[kind](tmp_path)), device="cpu")
    inputs = model.inputs([PROMPT, Prompt(("A longer one. " * 20, make_clip(2), "?"))])
    assert torch.equal(inputs["position_ids"] * inputs["attention_mask"], positions(model, inputs))


@pytest.mark.parametrize("kind", ["qwen2_vl", "qwen3_vl"])
def test_the_fast_vision_tower_computes_what_transformers_computes(kind: str, tmp_path: Path) -> None:
    import torch

    folder = BUILDERS[kind](tmp_path)
    fast, slow = (Local(str(folder), device="cpu", attn=attn) for attn in ("sdpa", "eager"))
    inputs = fast.inputs([PROMPT, Prompt((make_clip(4, 56, 112), make_clip(2), "?")), Prompt((IMAGE, "?"))])
    with torch.inference_mode():
        one, two = (model.module()(**inputs).logits for model in (fast, slow))
    rows = inputs["attention_mask"].bool()
    assert torch.allclose(one[rows], two[rows], atol=1e-4)


def test_frames_count_up_whatever_the_time_between_them(tmp_path: Path) -> None:
    import torch

    family = Local(str(BUILDERS["qwen2_vl"](tmp_path)), device="cpu").family()
    clip = make_clip(6)
    one, two = family.prepare(
        [Prompt((shown, "?")) for shown in (clip, replace(clip, times=np.arange(6) * 9.0))]
    )
    assert torch.equal(one["position_ids"], two["position_ids"])
    time = one["position_ids"][0, 0, (one["input_ids"] == family.config.video_token_id)[0]]
    assert (time - time[0]).tolist() == [layer for layer in range(3) for _ in range(4)]


def test_each_beam_sees_the_pictures_of_its_prompt(tmp_path: Path) -> None:
    folder = str(BUILDERS["qwen2_vl"](tmp_path))
    prompts = [Prompt((make_clip(4, seed=seed), IMAGE, "What moves? " * seed)) for seed in range(1, 6)]
    # One token is the likeliest one, by however many beams.
    greedy, beams = (
        list(Local(folder, device="cpu", max_new_tokens=1, num_beams=count).generate(prompts))
        for count in (1, 3)
    )
    assert beams == greedy and len({answer.text for answer in greedy}) > 1


def test_others_are_not_answered_by_beams(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="num_beams"):
        Local(str(BUILDERS["internvl"](tmp_path)), device="cpu", num_beams=2).load()
