"""What holds for every family of local models, on small checkpoints with random weights."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.families import FAMILIES
from harness_plugins.models.families.piecewise import Piecewise
from harness_plugins.models.families.qwen2_5_vl import Qwen25VL
from harness_plugins.models.joining import IGNORED
from harness_plugins.models.local import Local
from small_qwen import SMALL, build_small, make_clip, mixed_prompts

from harness import Prompt, Status, UsageError
from harness.interfaces import Trainable
from harness.testing import check_model, check_options

pytestmark = pytest.mark.slow


def build_qwen(folder: Path) -> Path:
    Local(str(build_small(folder / "untrained")), init="random", device="cpu").save(folder)
    return folder


ALL: dict[str, Callable[[Path], Path]] = {**BUILDERS, "qwen2_5_vl": build_qwen}
NO_VIDEOS = ("gemma3", "idefics2")


@pytest.fixture(scope="module")
def device(request: pytest.FixtureRequest) -> str:
    found: str = request.config.getoption("--device")
    return found


@pytest.fixture(scope="module", params=sorted(ALL))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ALL[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def model(folder: Path, device: str) -> Local:
    loaded = Local(str(folder), device=device, max_new_tokens=6)
    loaded.check()
    loaded.load()
    return loaded


@pytest.fixture(scope="module")
def mixed() -> list[Prompt]:
    return mixed_prompts(13, 15)


def forward(model: Local, inputs: Mapping[str, Any]) -> Any:
    """What the module computes, in its own precision."""
    import torch

    module = model.module()
    with torch.inference_mode():
        return module(
            **{
                name: one.to(module.device, module.dtype if one.is_floating_point() else None)
                for name, one in inputs.items()
            }
        )


def logits(model: Local, prompts: list[Prompt]) -> Any:
    return forward(model, model.inputs(prompts)).logits.float().cpu()


def test_every_family_has_a_small_checkpoint() -> None:
    assert set(FAMILIES) <= set(ALL)


def test_the_options_are_sound() -> None:
    check_options(Local)


def test_the_contract_of_models_holds(model: Local) -> None:
    check_model(model)


def test_a_batch_answers_what_each_prompt_is_answered_alone(model: Local, mixed: list[Prompt]) -> None:
    together = list(model.generate(mixed))
    assert [answer.status for answer in together] == [Status.OK] * len(mixed)
    assert len({answer.text for answer in together}) > 2
    assert together == [answer for prompt in mixed for answer in model.generate([prompt])]
    assert together == list(model.generate(mixed[::-1]))[::-1]


@pytest.mark.parametrize("frames", ["video", "images"])
def test_every_frame_reaches_the_numbers(folder: Path, device: str, frames: Any) -> None:
    import torch

    model = Local(str(folder), device=device, frames=frames)
    if frames == "video" and json.loads((folder / "config.json").read_text())["model_type"] in NO_VIDEOS:
        with pytest.raises(UsageError, match="frames=images"):
            model.load()
        return
    clips = [make_clip(4, 64, 64, seed=1) for _ in range(5)]
    for changed, clip in enumerate(clips[1:]):
        clip.frames[changed, 8:40, 16:48] = 255 - clip.frames[changed, 8:40, 16:48]
    first, *others = (logits(model, [Prompt((clip, "What is this?"))])[0, -1] for clip in clips)
    assert all(not torch.allclose(first, other, atol=1e-4) for other in others)


def test_odd_sizes_are_answered_or_told(model: Local) -> None:
    for height, width in ((1, 1), (3, 5), (2, 90)):
        [answer] = model.generate([Prompt((make_clip(1, height, width), "What?"))])
        assert answer.status in (Status.OK, Status.MODEL_ERROR)
        assert answer.text if answer.status is Status.OK else answer.error


def test_smaller_frames_reach_the_numbers(folder: Path, device: str) -> None:
    clip = make_clip(2, 200, 200)
    small, own = (
        Local(str(folder), device=device, max_pixels=most).inputs([Prompt((clip, "?"))])
        for most in (40 * 40, None)
    )
    assert small["input_ids"].shape[1] <= own["input_ids"].shape[1]
    assert any(not small[name].equal(own[name]) for name in own if name.startswith("pixel"))


def test_half_precision_is_taken(folder: Path, device: str, mixed: list[Prompt]) -> None:
    model = Local(str(folder), device=device, torch_dtype="bfloat16", max_new_tokens=3)
    assert str(model.module().dtype) == "torch.bfloat16"
    prepared = model.prepare(mixed[:2])
    assert {str(one.dtype) for one in prepared[0].tensors.values() if one.is_floating_point()} == {
        "torch.bfloat16"
    }
    assert [answer.status for answer in model.generate(prepared)] == [Status.OK] * 2


def test_what_is_prepared_before_loading_is_answered_like_what_comes_after(
    folder: Path, device: str, model: Local, mixed: list[Prompt]
) -> None:
    other = Local(str(folder), device=device, max_new_tokens=6)
    early = other.prepare(mixed[:2])
    assert all(one.nbytes > 0 for one in early)
    assert list(other.generate([*early, mixed[2]])) == list(model.generate(mixed[:3]))


def test_questions_about_one_clip_share_its_pixels(folder: Path, device: str) -> None:
    model = Local(str(folder), device=device, torch_dtype="bfloat16")
    model.load()
    clip = make_clip(4, 64, 64)
    first, second = model.prepare([Prompt((clip, "a")), Prompt((clip, "what else?"))])
    largest = max(first.tensors, key=lambda name: first.tensors[name].nbytes)
    shared = first.tensors[largest].data_ptr() == second.tensors[largest].data_ptr()
    assert shared or not isinstance(model.family(), Piecewise | Qwen25VL)


def test_saved_and_loaded_it_answers_the_same(
    model: Local, device: str, mixed: list[Prompt], tmp_path: Path
) -> None:
    model.save(tmp_path)
    again = Local(str(tmp_path), device=device, max_new_tokens=6)
    again.check()
    assert list(again.generate(mixed[:3])) == list(model.generate(mixed[:3]))


def test_it_can_be_trained(model: Local, mixed: list[Prompt]) -> None:
    import torch

    assert isinstance(model, Trainable)
    batch = model.encode(mixed[:1], ["red, a ☃"])
    labels = batch["labels"][0]
    learnt = labels[labels != IGNORED]
    tokenizer = model.family().tokenizer
    assert tokenizer.decode(learnt, clean_up_tokenization_spaces=False) == "red, a ☃" + tokenizer.eos_token
    out = forward(model, batch)
    places = torch.nonzero(labels != IGNORED).flatten()
    wanted = torch.log_softmax(out.logits[0, places - 1].float(), -1)[range(len(places)), learnt]
    assert torch.isclose(out.loss, -wanted.mean(), atol=1e-4)


@pytest.mark.parametrize(("quantize", "kind"), [("4bit", "Linear4bit"), ("8bit", "Linear8bitLt")])
def test_fewer_bits_are_loaded(
    folder: Path, device: str, mixed: list[Prompt], quantize: Any, kind: str
) -> None:
    model = Local(str(folder), device=device, quantize=quantize, max_new_tokens=3)
    model.check()
    layers = [type(module).__name__ for module in model.module().modules()]
    assert layers.count(kind) >= 8 and "Linear" not in layers[layers.index(kind) : len(layers) // 2]
    if device != "cpu":  # where bitsandbytes computes with larger matrices only
        assert [answer.status for answer in model.generate(mixed[:2])] == [Status.OK] * 2


@pytest.mark.parametrize("quantize", ["4bit", "8bit"])
def test_fewer_bits_answer(tmp_path: Path, device: str, mixed: list[Prompt], quantize: Any) -> None:
    wide = replace(SMALL, text_hidden=64, text_mlp=128, vision_hidden=64, vision_mlp=128, mrope=(4, 6, 6))
    Local(str(build_small(tmp_path / "untrained", wide)), init="random", device="cpu").save(tmp_path)
    exact, coarse = (
        logits(Local(str(tmp_path), device=device, quantize=how), mixed[:1])[0, -1]
        for how in ("none", quantize)
    )
    assert not exact.equal(coarse)
    assert np.corrcoef(exact, coarse)[0, 1] > 0.8


def test_an_adapter_changes_the_answers_and_the_identity(
    folder: Path, device: str, model: Local, mixed: list[Prompt], tmp_path: Path
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    fresh = Local(str(folder), device=device).module()
    config = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    torch.manual_seed(0)
    get_peft_model(fresh, config).save_pretrained(tmp_path)
    adapted = Local(str(folder), device=device, adapter=str(tmp_path), max_new_tokens=6)
    adapted.check()
    assert adapted.identity() != model.identity()
    assert not torch.allclose(logits(adapted, mixed[:1]), logits(model, mixed[:1]), atol=1e-3)
    assert "lora" not in "".join(type(module).__name__.lower() for module in adapted.module().modules())
