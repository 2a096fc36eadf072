"""Families are asked as their model cards ask them: what the code of each card answers, beside ours."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Clip, Prompt

pytestmark = pytest.mark.slow

QUESTION = "What moves?"
Card = Callable[[Any, Clip], Any]
"""A processor and a clip -> what a card gives to ``generate`` for QUESTION."""


def chat(processor: Any, shown: Sequence[dict[str, Any]], **settings: Any) -> Any:
    turn = {"role": "user", "content": [*shown, {"type": "text", "text": QUESTION}]}
    return processor.apply_chat_template([turn], add_generation_prompt=True, **settings)


def one_video(processor: Any, clip: Clip) -> Any:
    text = chat(processor, [{"type": "video"}])
    return processor(text=text, videos=clip.frames, return_tensors="pt")


def video_llava(processor: Any, clip: Clip) -> Any:
    text = f"USER: <video>\n{QUESTION} ASSISTANT:"
    return processor(text=text, videos=clip.frames, return_tensors="pt")


def sampled() -> dict[str, Any]:
    """Made anew for each call: some processors change it."""
    when = {"fps": 24.0, "total_num_frames": 54, "frames_indices": [6, 18, 30, 42], "duration": 2.25}
    return {"do_sample_frames": False, "video_metadata": [when]}


def timed_video(processor: Any, clip: Clip) -> Any:
    video = {"type": "video", "video": clip.frames}
    return chat(
        processor, [video], tokenize=True, return_dict=True, return_tensors="pt", processor_kwargs=sampled()
    )


def qwen3_vl(processor: Any, clip: Clip) -> Any:
    # Later transformers fill the place between the clip's own start and end, those of the card all three.
    text = chat(processor, [{"type": "video"}])
    text = text.replace("<|vision_start|><|video_pad|><|vision_end|>", "<|video_pad|>")
    return processor(text=text, videos=clip.frames, return_tensors="pt", videos_kwargs=sampled())


def images(processor: Any, clip: Clip) -> Any:
    from PIL import Image

    shown = [{"type": "image", "image": Image.fromarray(frame)} for frame in clip.frames]
    return chat(processor, shown, tokenize=True, return_dict=True, return_tensors="pt")


def whole_images(processor: Any, clip: Clip) -> Any:
    from PIL import Image

    processor.image_processor.do_image_splitting = False  # as Mantis has it
    text = chat(processor, [{"type": "image"}] * len(clip.frames))
    return processor(text=text, images=[Image.fromarray(frame) for frame in clip.frames], return_tensors="pt")


CARDS: dict[str, Card] = {
    "gemma3": images,
    "glm46v": timed_video,
    "glm4v": timed_video,
    "glm4v_moe": timed_video,
    "idefics2": whole_images,
    "internvl": timed_video,
    "llava_next_video": one_video,
    "llava_onevision": one_video,
    "perception_lm": timed_video,
    "qwen2_vl": one_video,
    "qwen3_vl": qwen3_vl,
    "qwen3_vl_moe": qwen3_vl,
    "smolvlm": timed_video,
    "video_llama_3": timed_video,
    "video_llava": video_llava,
}


@pytest.mark.parametrize("kind", sorted(CARDS))
def test_an_answer_is_the_one_that_the_card_would_get(kind: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = BUILDERS[kind](tmp_path)
    clip = make_clip(4, 61, 90, 0.5)
    clip.times[:] += 0.25
    [answer] = Local(str(folder), device="cpu", max_new_tokens=8).generate([Prompt((clip, QUESTION))])

    processor = AutoProcessor.from_pretrained(folder)
    module = AutoModelForImageTextToText.from_pretrained(folder).eval()
    inputs = CARDS[kind](processor, clip)
    with torch.inference_mode():
        ids = module.generate(**inputs, max_new_tokens=8, min_new_tokens=1, do_sample=False)
    length = inputs["input_ids"].shape[1]
    assert answer.meta["prompt_tokens"] == length
    said = processor.tokenizer.decode(ids[0, length:], skip_special_tokens=True)
    assert answer.text == said.strip() and len(answer.text) > 3


@pytest.mark.parametrize("kind", ["llava_next_video", "llava_onevision", "video_llava"])
def test_frames_of_their_own_size_reach_a_llava_as_they_are(kind: str, tmp_path: Path) -> None:
    family = Local(str(BUILDERS[kind](tmp_path)), device="cpu").family()
    settings = family.processor.video_processor
    side = settings.size["height"] if "height" in settings.size else settings.size["shortest_edge"]
    clip = make_clip(3, side, side)
    [found] = family.prepare([Prompt((clip, QUESTION))])
    pixels = found["pixel_values_videos"].reshape(3, 3, side, side).permute(0, 2, 3, 1).numpy()
    frames = (pixels * settings.image_std + settings.image_mean) * 255
    assert np.abs(frames - clip.frames).max() < 0.01


def test_frames_of_their_own_size_reach_idefics2_as_they_are(tmp_path: Path) -> None:
    family = Local(str(BUILDERS["idefics2"](tmp_path)), device="cpu").family()
    clip = make_clip(3, 42, 70)
    [found] = family.prepare([Prompt((clip, QUESTION))])
    assert found["pixel_attention_mask"].all()
    pixels = found["pixel_values"].reshape(3, 3, 42, 70).permute(0, 2, 3, 1).numpy()
    assert np.abs((pixels * 0.5 + 0.5) * 255 - clip.frames).max() < 0.01
