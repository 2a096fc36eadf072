"""LLaVA-OneVision, LLaVA-NeXT-Video and Video-LLaVA: what each makes of clips and images."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.families.family import Family
from harness_plugins.models.joining import kinds, prepared
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

FRAMEWISE = ("llava_next_video", "video_llava")
ALL = (*FRAMEWISE, "llava_onevision")
IMAGE = np.random.default_rng(9).integers(0, 256, (70, 31, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: BUILDERS[kind](tmp_path_factory.mktemp(kind)) for kind in ALL}


@pytest.fixture(scope="module")
def families(folders: dict[str, Path]) -> dict[str, Family]:
    return {kind: Local(str(folder), device="cpu").family() for kind, folder in folders.items()}


def counted(family: Family, prompt: Prompt) -> tuple[int, int]:
    """The tokens that stand for videos, and for images."""
    [found] = family.prepare([prompt])
    video, image = family.config.video_token_id, family.config.image_token_id
    return int((found["input_ids"] == video).sum()), int((found["input_ids"] == image).sum())


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_clip_has_as_many_tokens_as_its_frames(families: dict[str, Family], frames: int) -> None:
    prompt = Prompt((make_clip(frames, 61, 90), "What?"))
    assert counted(families["video_llava"], prompt) == (frames * (2 * 2 + 1), 0)
    assert counted(families["llava_next_video"], prompt) == (frames * 2 * 2, 0)
    assert counted(families["llava_onevision"], prompt) == (frames * 2 * 2 + 1, 0)


def test_one_image_is_tiled_where_the_authors_do(families: dict[str, Family]) -> None:
    one, two = Prompt((IMAGE, "What?")), Prompt((IMAGE, IMAGE, "What?"))
    assert counted(families["llava_onevision"], one)[1] > 2 * (3 * 3)
    assert counted(families["llava_onevision"], two)[1] == 2 * (3 * 3 + 1)
    assert counted(families["llava_next_video"], two)[1] == 2 * counted(families["llava_next_video"], one)[1]
    assert counted(families["video_llava"], two)[1] == 2 * (2 * 2)


@pytest.mark.parametrize("kind", FRAMEWISE)
def test_clips_of_any_lengths_are_one_batch(families: dict[str, Family], kind: str) -> None:
    prompts = [
        Prompt((make_clip(2), "What?")),
        Prompt((make_clip(5), make_clip(1, 40, 28), "Which?")),
        Prompt((make_clip(3), IMAGE, "Both?")),
        Prompt(("No picture.",)),
    ]
    family = families[kind]
    assert kinds(prepared(family.prepare(prompts)), family.flat) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("kind", FRAMEWISE)
def test_a_clip_as_frames_is_what_it_is_as_one(folders: dict[str, Path], kind: str) -> None:
    import torch

    model = Local(str(folders[kind]), device="cpu")
    inputs = model.inputs([Prompt((make_clip(5), "What?"))])
    assert inputs["pixel_values_videos"].shape[:2] == (5, 1)
    whole = {**inputs, "pixel_values_videos": inputs["pixel_values_videos"].transpose(0, 1)}
    with torch.inference_mode():
        apart, together = (model.module()(**one).logits for one in (inputs, whole))
    assert torch.allclose(apart, together, atol=1e-5)


def test_the_shorter_of_two_clips_ends_in_a_still(families: dict[str, Family]) -> None:
    [found] = families["llava_onevision"].prepare([Prompt((make_clip(2), make_clip(4, seed=1), "What?"))])
    short, long = found["pixel_values_videos"]
    assert (short[2:] == short[1]).all() and not (short[0] == short[1]).all()
    assert not (long[3] == long[2]).all()


def test_the_words_of_vicuna(families: dict[str, Family]) -> None:
    clip = make_clip(1)
    for kind, frame in (("video_llava", 5), ("llava_next_video", 4)):
        family = families[kind]
        [found] = family.prepare([Prompt((clip, "Why?"), system="Be brief.")])
        words = family.tokenizer.decode(found["input_ids"][0], clean_up_tokenization_spaces=False)
        assert words == f"<s>Be brief. USER: {'<video>' * frame}\nWhy? ASSISTANT:"


def test_a_template_of_the_checkpoint_comes_before_ours(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(copytree(folders["video_llava"], tmp_path / "own"))
    (folder / "chat_template.jinja").write_text("My own: <video>")
    family = Local(str(folder), device="cpu").family()
    assert family.chat([make_clip(2), "What?"], "") == "My own: <video><video>"


def test_a_processor_from_before_tokens_were_counted(
    folders: dict[str, Path], families: dict[str, Family], tmp_path: Path
) -> None:
    file = Path(copytree(folders["llava_next_video"], tmp_path / "old")) / "processor_config.json"
    settings = json.loads(file.read_text())
    for name in ("patch_size", "vision_feature_select_strategy", "num_additional_image_tokens"):
        del settings[name]
    file.write_text(json.dumps(settings))
    old = Local(str(file.parent), device="cpu").family()
    for prompt in (Prompt((make_clip(3), "What?")), Prompt((IMAGE, "What?"))):
        assert counted(old, prompt) == counted(families["llava_next_video"], prompt)


def test_a_template_that_leaves_out_videos_shows_them_like_images(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(copytree(folders["llava_next_video"], tmp_path / "first"))
    (folder / "chat_template.jinja").write_text(
        "{% for message in messages %}[INST] "
        "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}"
        "{{ '<image>\\n' }}{% endfor %}"
        "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
        "{{ content['text'] }}{% endfor %} [/INST]{% endfor %}"
    )
    family = Local(str(folder), device="cpu").family()
    assert family.chat([make_clip(2), IMAGE, "What?"], "") == "[INST] <image>\n<video><video>\nWhat? [/INST]"
    assert family.as_video
