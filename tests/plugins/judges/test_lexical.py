"""Word overlap: known values, the scale, and scripts without spaces."""

import pytest
from harness_plugins.judges.lexical import Lexical, token_f1
from hypothesis import given
from hypothesis import strategies as st

from harness import Case
from harness.testing import check_judge

METRICS = ("f1", "rouge_l", "bleu")


def score(metric: str, reference: str, prediction: str) -> float:
    [verdict] = Lexical(metric).judge([Case("q", reference, prediction)])  # type: ignore[arg-type]
    assert verdict.ok
    assert verdict.score is not None
    assert verdict.score == pytest.approx(3 * verdict.meta[metric], abs=1e-5)
    return verdict.score


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "text", ["a red car stands here", "一辆红色的车在路上", "Straße über den Fluß hinweg"]
)
def test_the_same_is_3_and_nothing_in_common_0(metric: str, text: str) -> None:
    assert score(metric, text, text) == pytest.approx(3.0)
    assert score(metric, text, "zzz yyy xxx www") == 0.0
    assert score(metric, text, "") == 0.0


def test_token_f1_is_that_of_squad() -> None:
    # Two of three words on one side, two of two on the other: precision 1, recall 2/3.
    assert token_f1("the big red car", "A red car!") == pytest.approx(0.8)
    assert token_f1("red red car", "red") == pytest.approx(0.5)
    assert token_f1("", "") == 1.0
    assert token_f1("车红", "红车") == 1.0


def test_rouge_l_follows_the_order_of_words() -> None:
    # Lin (2004), section 3: the longest common subsequences have 3 and 2 of 4 words.
    assert score("rouge_l", "police killed the gunman", "police kill the gunman") == pytest.approx(3 * 0.75)
    assert score("rouge_l", "police killed the gunman", "the gunman kill police") == pytest.approx(3 * 0.5)
    assert score("rouge_l", "红色的车", "红的车") == pytest.approx(3 * 6 / 7)


def test_bleu_is_sacrebleus() -> None:
    from sacrebleu import sentence_bleu

    reference, prediction = "the cat sat on the mat in the sun", "the cat sat on a mat in sun"
    known = sentence_bleu(prediction, [reference], use_effective_order=True).score
    assert 0 < known < 100
    assert score("bleu", reference, prediction) == pytest.approx(known * 0.03)


@pytest.mark.parametrize("metric", METRICS)
def test_the_contract(metric: str) -> None:
    check_judge(Lexical(metric))  # type: ignore[arg-type]


@given(st.text(max_size=30), st.text(max_size=30))
def test_f1_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= token_f1(one, other) <= 1
    assert token_f1(one, other) == token_f1(other, one)
