"""The packaged model: it fits into the repository, reads any text, and sees."""

from pathlib import Path

import numpy as np
import pytest
from harness_plugins.datasets.shapes import ShapesVideo
from harness_plugins.models.tiny_qwen import WEIGHTS, TinyQwen25VL
from hypothesis import example, given
from hypothesis import strategies as st

from harness import Clip, Prompt, Status
from harness.testing import check_options
from harness.video import decode

MIB = 2**20


@pytest.fixture(scope="module")
def model() -> TinyQwen25VL:
    loaded = TinyQwen25VL(device="cpu")
    loaded.load()
    return loaded


def test_the_package_is_whole_and_small() -> None:
    check_options(TinyQwen25VL)
    TinyQwen25VL().check()
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) < 16 * MIB


def test_where_the_package_lies_is_not_part_of_the_identity(tmp_path: Path) -> None:
    identity = TinyQwen25VL().identity()
    assert str(WEIGHTS) not in str(identity)
    assert identity != TinyQwen25VL(init="random").identity()


@given(st.text())
@example("naïve 日本語 🦊\u200d\n\t  two  spaces\x00\r\n")
@example("<|im_start|>")
def test_any_text_comes_back_unchanged(model: TinyQwen25VL, text: str) -> None:
    tokenizer = model.family().tokenizer
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert max(ids, default=0) < model.module().config.text_config.vocab_size


def test_it_computes_in_float32(model: TinyQwen25VL) -> None:
    assert {str(weight.dtype) for weight in model.module().parameters()} == {"torch.float32"}


def test_it_answers_questions_about_films_it_has_never_seen(model: TinyQwen25VL, tmp_path: Path) -> None:
    dataset = ShapesVideo(videos=8, data_root=tmp_path)
    samples = dataset.samples()
    clips = {sample.video.key: decode(sample.video, dataset.sampling) for sample in samples}
    prompts = [dataset.prompt(sample, clips[sample.video.key]) for sample in samples]
    answers = list(model.generate(prompts))
    right = sum(answer.text == sample.answer for answer, sample in zip(answers, samples, strict=True))
    assert len(samples) == 24 and right >= 20
    # The same questions about the next film: the answers come from the pictures.
    others = [*list(clips.values())[1:], clips[samples[0].video.key]]
    wrong = [dataset.prompt(sample, others[number // 3]) for number, sample in enumerate(samples)]
    found = sum(
        answer.text == sample.answer for answer, sample in zip(model.generate(wrong), samples, strict=True)
    )
    assert found < 0.7 * right


def test_any_question_about_any_film_gets_an_answer(model: TinyQwen25VL) -> None:
    film = Clip(np.full((3, 72, 128, 3), 90, np.uint8), np.arange(3.0), np.arange(3), 30.0)
    [answer] = model.generate([Prompt((film, "Что происходит? 何が起きていますか？"))])
    assert answer.status is Status.OK
