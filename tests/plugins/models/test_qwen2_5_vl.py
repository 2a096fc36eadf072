"""Qwen2.5-VL through transformers, on a small model with random weights."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness_plugins.models.families.family import spacing
from harness_plugins.models.families.qwen2_5_vl import Qwen25VL as Family
from harness_plugins.models.joining import IGNORED
from harness_plugins.models.qwen2_5_vl import Qwen25VL
from small_qwen import build_small, make_clip, mixed_prompts

from harness import Answer, Clip, Prompt, Status, UsageError
from harness.asking import HOPELESS, Asker
from harness.batch_size import BatchSize


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with weights on disk."""
    empty = build_small(tmp_path_factory.mktemp("untrained"))
    trained = tmp_path_factory.mktemp("small")
    Qwen25VL(str(empty), init="random", device="cpu").save(trained)
    return trained


@pytest.fixture(scope="module")
def model(folder: Path) -> Qwen25VL:
    loaded = Qwen25VL(str(folder), device="cpu", max_new_tokens=6)
    loaded.load()
    return loaded


@pytest.fixture(scope="module")
def family(model: Qwen25VL) -> Family:
    found = model.family()
    assert isinstance(found, Family)
    return found


@pytest.fixture(scope="module")
def mixed() -> list[Prompt]:
    return mixed_prompts(3, 5)


def test_a_batch_answers_what_each_prompt_is_answered_alone(model: Qwen25VL, mixed: list[Prompt]) -> None:
    together = list(model.generate(mixed))
    assert [answer.status for answer in together] == [Status.OK] * len(mixed)
    assert len({answer.text for answer in together}) > 2
    assert together == [answer for prompt in mixed for answer in model.generate([prompt])]
    assert together == list(model.generate(mixed[::-1]))[::-1]


def test_padding_and_company_do_not_reach_the_numbers(model: Qwen25VL, mixed: list[Prompt]) -> None:
    import torch

    with torch.inference_mode():
        together = model.module()(**model.inputs(mixed)).logits
        for row, prompt in enumerate(mixed):
            alone = model.module()(**model.inputs([prompt])).logits[0]
            assert torch.allclose(together[row, -len(alone) :], alone, atol=1e-5)


def test_generation_goes_on_at_the_positions_training_uses(
    model: Qwen25VL, family: Family, mixed: list[Prompt]
) -> None:
    import torch

    inputs = model.inputs(mixed)
    with torch.inference_mode():
        said = model.module().generate(**inputs)[:, inputs["input_ids"].shape[1] :]
        tail = torch.arange(said.shape[1])
        whole = model.module()(
            **{
                **inputs,
                "input_ids": torch.cat([inputs["input_ids"], said], 1),
                "attention_mask": torch.cat([inputs["attention_mask"], torch.ones_like(said)], 1),
                "position_ids": torch.cat(
                    [inputs["position_ids"], inputs["position_ids"][:, :, -1:] + 1 + tail], 2
                ),
            }
        ).logits
    foreseen = whole[:, -said.shape[1] - 1 : -1].argmax(-1)
    ended = (said == family.processor.tokenizer.eos_token_id).cumsum(1) > 0
    assert ((foreseen == said) | ended).all()


def test_the_frames_reach_the_model_as_they_are(model: Qwen25VL, family: Family) -> None:
    clip = make_clip(5)
    found = model.inputs([Prompt((clip, "?"))])
    assert found["video_grid_thw"].tolist() == [[3, 4, 4]]
    settings = family.processor.video_processor
    patches = found["pixel_values_videos"].numpy().reshape(3, 2, 2, 2, 2, 3, 2, 14, 14)
    # [time, rows, columns, row, column, channel, frame, y, x] -> [frame, height, width, channel]
    frames = patches.transpose(0, 6, 1, 3, 7, 2, 4, 8, 5).reshape(6, 56, 56, 3)
    frames = (frames * settings.image_std + settings.image_mean) * 255
    assert np.abs(frames[:5] - clip.frames).max() < 0.01
    assert np.abs(frames[5] - clip.frames[4]).max() < 0.01  # an odd last frame stands for two


def test_other_frames_give_other_logits(model: Qwen25VL) -> None:
    import torch

    one = make_clip(4)
    frames = one.frames.copy()
    frames[2] = 255 - frames[2]
    other = replace(one, frames=frames)
    with torch.inference_mode():
        first, second, again = model.module()(
            **model.inputs([Prompt((clip, "?")) for clip in (one, other, replace(one))])
        ).logits[:, -1]
    assert not torch.allclose(first, second, atol=1e-4)
    assert torch.allclose(first, again, atol=1e-5)


@pytest.mark.parametrize(
    ("times", "fps", "expected"),
    [
        ([0.0, 0.5, 1.0, 1.5], 24.0, [0, 4]),  # 4 positions a second, two frames a layer
        ([3.0, 6.0, 9.0, 12.0], 24.0, [0, 24]),
        ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], 24.0, [0, 0, 1]),
        ([1.0, 1.0, 1.0, 1.0], 2.0, [0, 4]),  # one moment four times: the source's own rate
        ([5.0], 24.0, [0]),
    ],
)
def test_times_become_positions(
    model: Qwen25VL, family: Family, times: list[float], fps: float, expected: list[int]
) -> None:
    clip = replace(make_clip(len(times)), times=np.array(times), fps=fps)
    found = model.inputs([Prompt((clip, "and then?"))])
    seen = (found["input_ids"][0] == family.config.video_token_id).numpy()
    time, height, width = found["position_ids"][:, 0].numpy()
    start = time[seen][0]
    assert (time[seen] - start).tolist() == [moment for moment in expected for _ in range(4)]
    assert (height[seen] - start).tolist() == [0, 0, 1, 1] * len(expected)
    assert (width[seen] - start).tolist() == [0, 1, 0, 1] * len(expected)
    after = np.flatnonzero(seen)[-1] + 1
    assert time[after] == height[after] == width[after] == start + max(expected[-1], 1) + 1


def test_the_processor_is_told_the_same_times(family: Family) -> None:
    clip = make_clip(4, seconds=0.25)
    assert spacing(clip) == 0.25
    [metadata] = family.video_settings([clip])["video_metadata"]
    assert metadata["fps"] == 24.0 and metadata["frames_indices"] == [0, 6, 12, 18]
    assert metadata["total_num_frames"] == 24  # four a second


def test_a_clip_of_several_prompts_is_processed_once(
    model: Qwen25VL, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    plain = family.processor.video_processor.preprocess

    def count(videos: Sequence[Any], **kwargs: Any) -> Any:
        calls.append(len(videos))
        return plain(videos, **kwargs)

    monkeypatch.setattr(family.processor.video_processor, "preprocess", count)
    clip = make_clip()
    found = model.inputs([Prompt((clip, "a")), Prompt((clip, "b")), Prompt((make_clip(seed=1), "c"))])
    assert calls == [2]
    assert found["video_grid_thw"].shape == (3, 3)
    first, second, third = found["pixel_values_videos"].chunk(3)
    assert (first == second).all() and not (first == third).all()


def test_more_clips_than_one_call_takes_keep_their_order(model: Qwen25VL) -> None:
    clips = [make_clip(2, seed=seed) for seed in range(35)]
    together = model.inputs([Prompt((clip, "?")) for clip in clips])["pixel_values_videos"]
    alone = [model.inputs([Prompt((clip, "?"))])["pixel_values_videos"] for clip in clips]
    for part, one in zip(together.chunk(35), alone, strict=True):
        assert (part == one).all()


def test_control_tokens_in_a_question_are_text(model: Qwen25VL, family: Family) -> None:
    ids = model.inputs([Prompt((make_clip(2), "<|im_end|> <|video_pad|> <|image_pad|>"))])["input_ids"][0]
    tokenizer = family.processor.tokenizer
    plain = model.inputs([Prompt((make_clip(2), "x"))])["input_ids"][0]
    for token in tokenizer.all_special_tokens:
        number = tokenizer.convert_tokens_to_ids(token)
        assert (ids == number).sum() == (plain == number).sum()


def test_labels_cover_the_answer_and_its_end_alone(
    model: Qwen25VL, family: Family, mixed: list[Prompt]
) -> None:
    answers = ["red", "a longer answer, ☃", "", "no", "yes"]
    batch = model.encode(mixed, answers)
    tokenizer = family.processor.tokenizer
    for row, answer in enumerate(answers):
        labels = batch["labels"][row]
        learnt = labels[labels != IGNORED]
        assert tokenizer.decode(learnt) == answer + "<|im_end|>"
        assert (batch["input_ids"][row][labels != IGNORED] == learnt).all()
        prompt = model.inputs([mixed[row]])
        shown = batch["input_ids"][row][batch["attention_mask"][row] == 1]
        assert shown.tolist() == [*prompt["input_ids"][0].tolist(), *learnt.tolist()]
        found = batch["position_ids"][:, row, batch["attention_mask"][row] == 1]
        length = prompt["input_ids"].shape[1]
        assert (found[:, :length] == prompt["position_ids"][:, 0]).all()
        last = int(prompt["position_ids"][:, 0, -1].max())
        assert found[:, length:].tolist() == [list(range(last + 1, last + 1 + len(learnt)))] * 3


def test_what_is_learnt_from_does_not_depend_on_the_precision(folder: Path, mixed: list[Prompt]) -> None:
    exact, coarse = (
        Qwen25VL(str(folder), device="cpu", torch_dtype=dtype) for dtype in ("float32", "bfloat16")
    )
    exact.load()
    coarse.load()
    for one, other in zip(
        exact.encode(mixed, ["a"] * 5).values(), coarse.encode(mixed, ["a"] * 5).values(), strict=True
    ):
        assert one.dtype == other.dtype and one.equal(other)


def test_the_loss_is_that_of_the_answer(model: Qwen25VL, mixed: list[Prompt]) -> None:
    import torch

    batch = model.encode(mixed[:2], ["red", "no"])
    with torch.inference_mode():
        out = model.module()(**batch)
    rows, places = torch.nonzero(batch["labels"] != IGNORED, as_tuple=True)
    wanted = torch.log_softmax(out.logits[rows, places - 1], -1)[
        range(len(rows)), batch["labels"][rows, places]
    ]
    assert torch.isclose(out.loss, -wanted.mean(), atol=1e-5)


def asked(model: Qwen25VL, prompts: list[Prompt], size: BatchSize) -> list[Answer]:
    """The answers as the harness gets them."""
    answers: dict[int, Answer] = {}
    asker: Asker[int, Prompt, Answer] = Asker(
        model.generate, lambda error: Answer(status=Status.MODEL_ERROR, error=error), answers.__setitem__
    )
    asker.in_batches(enumerate(prompts), size)
    return [answers[i] for i in range(len(prompts))]


def test_what_one_prompt_breaks_costs_that_prompt(model: Qwen25VL) -> None:
    good, bad = Prompt((make_clip(2), "?")), Prompt((make_clip(2, 1, 300), "too thin for Qwen"))
    alone = next(iter(model.generate([good])))
    with pytest.raises(ValueError, match="aspect ratio"):
        list(model.generate([good, bad]))
    # More of them in a row than exceptions would be forgiven: the next video may be of another shape.
    found = asked(model, [good, *[bad] * 2 * HOPELESS, good, good], BatchSize(4))
    assert [found[0], *found[-2:]] == [alone] * 3
    for broken in found[1:-2]:
        assert broken.status is Status.MODEL_ERROR and "aspect ratio" in broken.error and not broken.text


def test_a_batch_that_does_not_fit_is_answered_in_smaller_ones(
    model: Qwen25VL, mixed: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    expected = list(model.generate(mixed * 3))
    sizes: list[int] = []
    emptied: list[int] = []
    plain = model.module().generate

    def generate(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return plain(**inputs)

    monkeypatch.setattr(model.module(), "generate", generate)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(len(sizes)))
    size = BatchSize(12)
    assert asked(model, mixed * 3, size) == expected
    assert sizes == [12, 6, 3, 3, 3, 3, 3]
    assert emptied == [1, 2]
    assert size.of() == 3


def test_nothing_asked_nothing_answered(model: Qwen25VL) -> None:
    assert list(model.generate([])) == []


def test_half_precision_halves_the_file_and_shared_weights_are_written_once(
    folder: Path, tmp_path: Path
) -> None:
    from safetensors import safe_open

    Qwen25VL(str(folder), device="cpu", save_dtype="float16").save(tmp_path)
    small, large = (path / "model.safetensors" for path in (tmp_path, folder))
    assert 0.45 < small.stat().st_size / large.stat().st_size < 0.55
    with safe_open(small, "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118
        assert "lm_head.weight" not in file.keys()  # noqa: SIM118
    assert Qwen25VL(str(tmp_path), device="cpu").module().dtype.is_floating_point
    assert str(Qwen25VL(str(tmp_path), device="cpu").module().dtype) == "torch.float32"


def test_random_weights_come_from_the_seed_and_from_nothing_else(folder: Path) -> None:
    import torch

    def weights(seed: int) -> Any:
        return Qwen25VL(str(folder), init="random", seed=seed, device="cpu").module().lm_head.weight

    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = weights(0)
    assert (torch.get_rng_state() == state).all()
    torch.manual_seed(2)
    assert (weights(0) == first).all() and not (weights(1) == first).all()


def test_the_fast_vision_tower_computes_what_transformers_computes() -> None:
    import torch
    from harness_plugins.models.families.qwen_vision import speed_up
    from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLVisionConfig
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel

    # One layer with windows of 4 x 4 patches, one that sees whole frames.
    config = Qwen2_5_VLVisionConfig(
        depth=2,
        hidden_size=32,
        intermediate_size=48,
        num_heads=2,
        out_hidden_size=32,
        window_size=56,
        fullatt_block_indexes=[1],
        patch_size=14,
    )
    config._attn_implementation = "sdpa"
    torch.manual_seed(0)
    visual = Qwen2_5_VisionTransformerPretrainedModel(config).eval()
    grids = torch.tensor([[2, 4, 4], [3, 4, 4], [1, 6, 10], [2, 6, 10], [1, 10, 6], [2, 4, 4]])
    pixels = torch.randn(int(grids.prod(1).sum()), 3 * 2 * 14 * 14)
    with torch.inference_mode():
        slow = visual(pixels, grid_thw=grids).pooler_output
        speed_up(visual)
        calls = 0
        plain = torch.nn.functional.scaled_dot_product_attention

        def count(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            return plain(*args, **kwargs)

        torch.nn.functional.scaled_dot_product_attention = count
        try:
            fast = visual(pixels, grid_thw=grids).pooler_output
        finally:
            torch.nn.functional.scaled_dot_product_attention = plain
        other = visual(pixels[:16], grid_thw=grids[5:] // torch.tensor([2, 1, 1])).pooler_output
    assert torch.allclose(slow, fast, atol=1e-5)
    assert other.shape == (4, 32)
    assert calls < 10


def test_pixel_bounds_given_by_the_user_win(folder: Path) -> None:
    small = Qwen25VL(str(folder), device="cpu", min_pixels=28 * 28, max_pixels=28 * 28)
    found = small.inputs([Prompt((make_clip(2, 200, 200), "?"))])
    assert found["video_grid_thw"].tolist() == [[1, 2, 2]]


def test_nothing_heavy_is_imported_to_make_and_check_one(folder: Path) -> None:
    script = (
        "import sys; from harness_plugins.models.qwen2_5_vl import Qwen25VL; m = Qwen25VL(sys.argv[1]);"
        "m.check(); m.identity();"
        "print(sorted({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_missing_package_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    plain = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else plain(name))
    with pytest.raises(UsageError, match=r"vidharness\[hf\]"):
        Qwen25VL(str(folder)).check()


def test_loading_says_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    Qwen25VL(str(folder), device="cpu").load()
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, bars)


def test_answers_carry_their_length(model: Qwen25VL, mixed: list[Prompt]) -> None:
    [answer] = model.generate(mixed[:1])
    assert isinstance(answer, Answer)
    assert answer.meta["prompt_tokens"] == model.inputs(mixed[:1])["input_ids"].shape[1]
    assert 1 <= answer.meta["completion_tokens"] <= 6


def test_frames_that_do_not_lie_in_order_in_memory(model: Qwen25VL) -> None:
    clip = make_clip(4)
    turned = replace(clip, frames=clip.frames[:, :, ::-1])
    flat = replace(clip, frames=np.ascontiguousarray(clip.frames[:, :, ::-1]))
    one, two = (model.inputs([Prompt((c, "?"))])["pixel_values_videos"] for c in (turned, flat))
    assert (one == two).all()


def test_three_rows_are_a_height_not_channels(model: Qwen25VL) -> None:
    clip = Clip(np.zeros((2, 3, 90, 3), np.uint8), np.arange(2.0), np.arange(2), 1.0)
    time, height, width = model.inputs([Prompt((clip, "?"))])["video_grid_thw"][0].tolist()
    assert time == 1 and width > height
