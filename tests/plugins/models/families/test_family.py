"""The general family, on checkpoints that have no file of their own: images alone, and videos with times."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from families import gemma3, video_llama_3
from harness_plugins.models.families.family import Family, Settings, metadata
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt, UsageError


def load(build: Callable[[Path], Path], folder: Path) -> Family:
    return Local(str(build(folder)), device="cpu").family()


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return load(gemma3.build, tmp_path_factory.mktemp("gemma3"))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return load(video_llama_3.build, tmp_path_factory.mktemp("video_llama_3"))


def text(family: Family, prompt: Prompt) -> str:
    [found] = family.prepare([prompt])
    said: str = family.tokenizer.decode(found["input_ids"][0], clean_up_tokenization_spaces=False)
    return said


def test_both_have_no_file_of_their_own(gemma: Family, llama: Family) -> None:
    assert type(gemma) is type(llama) is Family
    assert not gemma.as_video and llama.as_video


def test_a_chat_begins_once(gemma: Family) -> None:
    assert text(gemma, Prompt(("Hi",))) == (
        "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"
    )


def test_frames_are_images_where_no_videos_are_known(gemma: Family) -> None:
    clip = make_clip(3)
    [found] = gemma.prepare([Prompt(("Look:", clip, "What?"))])
    assert found["pixel_values"].shape == (3, 3, 56, 56)
    pixels = (found["pixel_values"].permute(0, 2, 3, 1).numpy() * 0.5 + 0.5) * 255
    assert np.abs(pixels - clip.frames).max() < 0.01
    shown = text(gemma, Prompt(("Look:", clip, "What?")))
    assert shown.count("<start_of_image>") == 3
    assert shown.index("Look:") < shown.index("<start_of_image>") < shown.index("What?")


def test_the_times_of_frames_are_the_true_ones(llama: Family) -> None:
    clip = replace(make_clip(3), times=np.array([1.5, 2.5, 7.0]))
    shown = text(llama, Prompt((clip, "What?")))
    places = [shown.index(f"Time {seconds}s:") for seconds in ("1.5", "2.5", "7.0")]
    assert places == sorted(places)


@pytest.mark.parametrize("fps", [24.0, 0.0])
def test_the_rate_of_frames_follows_from_what_processors_are_told(fps: float) -> None:
    from transformers.video_utils import VideoMetadata

    clip = replace(make_clip(8, seconds=0.25), fps=fps)
    known = VideoMetadata(**metadata(clip))
    assert known.sampled_fps == 4.0 and known.duration == 2.0
    assert known.timestamps == clip.times.tolist()


def test_a_single_frame_lasts_as_long_as_the_processor_needs(llama: Family) -> None:
    settings = llama.processor.video_processor
    assert settings.temporal_patch_size == 1
    [one] = llama.prepare([Prompt((make_clip(1), "What?"))])
    settings.temporal_patch_size = 2
    try:
        [two] = llama.prepare([Prompt((make_clip(1), "What?"))])
    finally:
        settings.temporal_patch_size = 1
    first, second = two["pixel_values_videos"].unflatten(1, (3, 2, 14, 14)).unbind(2)
    assert (first == second).all()
    assert (first.flatten(1) == one["pixel_values_videos"]).all()


def test_a_system_text_stands_before_the_question_where_the_template_knows_none(gemma: Family) -> None:
    prompt = Prompt((make_clip(1), "What?"), system="Be brief.")
    before = "<bos><start_of_turn>user\n"
    assert text(gemma, prompt).startswith(f"{before}Be brief.")
    known = gemma.processor.chat_template
    deaf = known.replace("set first = messages[0]['content'][0]['text'] + '\\n\\n'", "set first = ''")
    refusing = "{%- if messages[0]['role'] == 'system' -%}{{- raise_exception('no') -}}{%- endif -%}" + known
    assert known != deaf
    try:
        for template in (deaf, refusing):
            gemma.processor.chat_template = template
            assert text(gemma, prompt).startswith(f"{before}Be brief.")
    finally:
        gemma.processor.chat_template = known


def test_tokens_that_were_added_later_are_text_in_a_question(gemma: Family) -> None:
    from tokenizers import AddedToken

    gemma.tokenizer.add_tokens(AddedToken("<place>", special=True), special_tokens=True)
    assert "<place>" not in gemma.tokenizer.all_special_tokens
    question = "<place> <bos> <start_of_image>"
    assert gemma.content(question)["text"] == "< place> < bos> < start_of_image>"


def test_a_tokenizer_without_padding_pads_all_the_same(tmp_path: Path) -> None:
    folder = gemma3.build(tmp_path)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    model = Local(str(folder), device="cpu", max_new_tokens=4)
    prompts = [Prompt((make_clip(1), "What?")), Prompt((make_clip(2), "What is it, and where?"))]
    together = list(model.generate(prompts))
    assert model.family().tokenizer.pad_token == "<eos>"
    assert together == [answer for prompt in prompts for answer in model.generate([prompt])]


def test_larger_frames_are_made_smaller_by_averaging(gemma: Family) -> None:
    small = Family(gemma.processor, gemma.config, Settings(max_pixels=28 * 28))
    frames = np.zeros((2, 56, 112, 3), np.uint8)
    frames[:, :, ::2] = 200
    fitted = small.fitted(frames)
    assert fitted.shape == (2, 19, 39, 3) and fitted.dtype == np.uint8
    assert 60 < fitted[0].mean() < 140
    assert small.fitted(frames[:, :20, :20]).shape == (2, 20, 20, 3)


def test_what_no_answer_could_come_from_is_said_at_once(gemma: Family) -> None:
    with pytest.raises(UsageError, match="frames=images"):
        Family(gemma.processor, gemma.config, Settings("video"))
    with pytest.raises(UsageError, match="has no min_pixels"):
        Family(gemma.processor, gemma.config, Settings(min_pixels=784))
    mute = SimpleNamespace(chat_template=None, tokenizer=SimpleNamespace(chat_template=None))
    with pytest.raises(UsageError, match="chat template"):
        Family(mute, gemma.config, Settings())
