"""What SmolVLM2 is told about its videos."""

import re
from dataclasses import replace

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.families.family import Family
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Local(str(BUILDERS["smolvlm"](tmp_path_factory.mktemp("smolvlm"))), device="cpu").family()


def said(family: Family, prompt: Prompt) -> str:
    [found] = family.prepare([prompt])
    text: str = family.tokenizer.decode(found["input_ids"][0])
    return text


def test_times_are_those_of_the_frames(family: Family) -> None:
    # Three frames inside a video of 80 seconds, as the harness takes them.
    clip = replace(make_clip(3), times=np.array([20.0, 40.0, 60.0]), fps=30.0)
    text = said(family, Prompt((clip, "What moves?")))
    assert "series of three frames from a 0:01:20 [H:MM:SS] video.\n\nFrame from 00:20:<fake" in text
    assert re.findall(r"Frame from (.*?):<", text) == ["00:20", "00:40", "01:00"]
    assert text.endswith("\n\nWhat moves?<end_of_utterance>\nAssistant:")


def test_each_clip_is_said_to_have_its_own_frames(family: Family) -> None:
    text = said(family, Prompt((make_clip(2), make_clip(5), "Compare.")))
    assert re.findall(r"series of (\w+) frames", text) == ["two", "five"]


def test_the_name_of_a_placeholder_in_a_question_is_text(family: Family) -> None:
    text = said(family, Prompt((make_clip(1), "Is <video> or <image> a tag?")))
    assert text.count("Frame from") == 1
    assert text.endswith("Is < video> or < image> a tag?<end_of_utterance>\nAssistant:")
