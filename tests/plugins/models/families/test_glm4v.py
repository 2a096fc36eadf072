"""GLM-4.1V and 4.6V: the times beside frames, and prompts that transformers could not answer as they are."""

from pathlib import Path

import numpy as np
import pytest
from families import glm4v
from harness_plugins.models.families.family import Family
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

IMAGE = np.random.default_rng(9).integers(0, 256, (60, 60, 3), dtype=np.uint8)


def text(family: Family, prompt: Prompt) -> str:
    [found] = family.prepare([prompt])
    said: str = family.tokenizer.decode(found["input_ids"][0], clean_up_tokenization_spaces=False)
    return said.replace("<|image|>", "")


@pytest.mark.parametrize(("kind", "times"), [("glm4v", ("1", "3", "5")), ("glm46v", ("1.5", "3.5", "5.5"))])
def test_each_pair_of_frames_has_its_time(kind: str, times: tuple[str, ...], tmp_path: Path) -> None:
    family = Local(str(glm4v.build(tmp_path, kind)), device="cpu").family()
    clip = make_clip(5, seconds=1.0)
    clip.times[:] += 1.5
    unit = " seconds" if kind == "glm46v" else ""
    layers = "".join(f"<|begin_of_image|><|end_of_image|>{time}{unit}" for time in times)
    assert f"<|begin_of_video|>{layers}<|end_of_video|>What?" in text(family, Prompt((clip, "What?")))


def test_beside_an_image_frames_are_images(tmp_path: Path) -> None:
    family = Local(str(glm4v.build(tmp_path)), device="cpu").family()
    prompt = Prompt((make_clip(2), "or", IMAGE, "?"))
    image = "<|begin_of_image|><|end_of_image|>"
    assert f"{image}{image}or{image}?" in text(family, prompt)
    [found] = family.prepare([prompt])
    assert found["image_grid_thw"].tolist() == [[1, 4, 4]] * 3 and "video_grid_thw" not in found
