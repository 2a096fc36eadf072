"""What PerceptionLM's template makes of several texts, and of a system text."""

import pytest
from families import BUILDERS
from harness_plugins.models.families.family import Family
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    folder = BUILDERS["perception_lm"](tmp_path_factory.mktemp("perception_lm"))
    return Local(str(folder), device="cpu").family()


def said(family: Family, prompt: Prompt) -> str:
    [found] = family.prepare([prompt])
    text: str = family.tokenizer.decode(found["input_ids"][0])
    return text


def test_texts_stay_apart(family: Family) -> None:
    text = said(family, Prompt(("Watch this:", make_clip(1), "What moves?")))
    assert text.count("<|begin_of_text|>") == 1
    assert f"{'<|video|>' * 4}Watch this:\nWhat moves?<|eot_id|>" in text


@pytest.mark.parametrize(
    ("system", "expected"), [("", "You are a helpful language and vision"), ("Be brief.", "Be brief.<|eot")]
)
def test_a_system_text_stands_in_the_place_of_its_own(family: Family, system: str, expected: str) -> None:
    text = said(family, Prompt(("What?",), system=system))
    assert f"system<|end_header_id|>\n\n{expected}" in text
    assert text.count("<|start_header_id|>system") == 1
