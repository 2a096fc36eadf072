"""Idefics2 and Mantis: which images are cut, and which tokens no answer holds."""

from pathlib import Path

import numpy as np
import pytest
from families import idefics2
from harness_plugins.models.families.family import Family
from harness_plugins.models.joining import kinds, prepared
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

IMAGE = np.random.default_rng(9).integers(0, 256, (70, 30, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return idefics2.build(tmp_path_factory.mktemp("idefics2"))


@pytest.fixture(scope="module")
def family(folder: Path) -> Family:
    return Local(str(folder), device="cpu").family()


def shown(family: Family, prompt: Prompt) -> tuple[int, int]:
    """The pictures that the model gets, and the tokens for them."""
    [found] = family.prepare([prompt])
    return len(found["pixel_values"]), int((found["input_ids"] == family.config.image_token_id).sum())


def test_frames_stay_whole_where_images_are_cut(family: Family, tmp_path: Path) -> None:
    assert shown(family, Prompt((IMAGE, "What?"))) == (5, 5 * 4)
    assert shown(family, Prompt((make_clip(3), "What?"))) == (3, 3 * 4)
    assert shown(family, Prompt((make_clip(1), IMAGE, "What?"))) == (2, 2 * 4)
    assert family.processor.image_processor.do_image_splitting
    mantis = Local(str(idefics2.build(tmp_path, splits=False)), device="cpu").family()
    assert shown(mantis, Prompt((IMAGE, "What?"))) == (1, 4)


def test_frames_come_one_after_the_other_without_words_between(family: Family) -> None:
    [found] = family.prepare([Prompt((make_clip(2), "What?"))])
    text = family.tokenizer.decode(found["input_ids"][0], clean_up_tokenization_spaces=False)
    around = "<fake_token_around_image>"
    one = around + "<image>" * 4
    assert text.startswith(f"<s>User:{one}{one}{around}")
    assert text.endswith("What?<end_of_utterance>\nAssistant:")


def test_any_number_of_frames_of_one_size_is_one_batch(family: Family) -> None:
    prompts = [Prompt((make_clip(frames), "What?")) for frames in (1, 4, 2)]
    prompts += [Prompt(("No picture.",)), Prompt((make_clip(2, 40, 60), "Of another size?"))]
    assert kinds(prepared(family.prepare(prompts)), family.flat) == [[0, 1, 2, 3], [4]]


def test_images_of_two_sizes_in_a_prompt_are_padded_and_masked(family: Family) -> None:
    [found] = family.prepare([Prompt((make_clip(1, 42, 70), IMAGE, "What?"))])
    assert found["pixel_values"].shape == (2, 1, 3, 70, 70)
    assert found["pixel_attention_mask"].sum((1, 2, 3)).tolist() == [42 * 70, 70 * 30]


def test_an_answer_holds_no_place_of_a_picture(folder: Path) -> None:
    import torch

    model = Local(str(folder), device="cpu", max_new_tokens=4)
    head = model.module().lm_head
    place = model.family().config.image_token_id
    said: list[list[int]] = []
    plain = model.module().generate

    def generate(**inputs: torch.Tensor) -> torch.Tensor:
        found = plain(**inputs)
        said.append(found[0, inputs["input_ids"].shape[1] :].tolist())
        return found

    with torch.no_grad():
        head.weight[place] = 100 * head.weight.abs().max()  # it would say nothing else, or never
        head.weight[place - 1] = -head.weight[place]
    model.module().generate = generate
    list(model.generate([Prompt((make_clip(2), "What?"))]))
    assert not {place, place - 1} & set(said[0])
