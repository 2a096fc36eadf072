"""The offline judge: which spellings are the same answer, and which only look alike."""

import pytest
from harness_plugins.judges.exact import Exact, normalise
from hypothesis import given
from hypothesis import strategies as st

from harness import Case, Verdict
from harness.interfaces import Judge


def score(reference: str, prediction: str) -> float | None:
    [verdict] = Exact().judge([Case("q", reference, prediction)])
    assert verdict.ok
    return verdict.score


@pytest.mark.parametrize(
    ("reference", "prediction"),
    [
        ("red", "Red"),
        ("red", " red.\n"),
        ("red", "The red."),
        ("a red square", "Red square!"),
        ("red square", "red\n  square"),
        ("red square", "red-square"),
        ("left, then right", "left then right"),
        ("three", "3"),
        ("10", "Ten."),
        ("two circles", "2 circles"),
        ("red", "ｒｅｄ"),
        ("café", "cafe\u0301"),
        ("STRASSE", "straße"),
        ("it's red", "its red"),
        ("A", "a."),
        ("3.5", "3.5."),
        ("?", "?"),
    ],
)
def test_the_same_answer(reference: str, prediction: str) -> None:
    assert score(reference, prediction) == score(prediction, reference) == 3.0


@pytest.mark.parametrize(
    ("reference", "prediction"),
    [
        ("red", "green"),
        ("red", "red square"),
        ("red", "not red"),
        ("red", "redder"),
        ("red", ""),
        ("red", "..."),
        ("A", "the"),
        ("three", "13"),
        ("35", "3.5"),
        ("10:30", "10 30"),
        ("1/2", "1 2"),
        ("3", "-3"),
        ("50", "50%"),
        ("?", "!"),
        ("red square", "square red"),
    ],
)
def test_another_answer(reference: str, prediction: str) -> None:
    assert score(reference, prediction) == score(prediction, reference) == 0.0


def test_one_verdict_per_case_in_order() -> None:
    cases = [Case("q", "red", text) for text in ("red", "blue", "RED")]
    assert [verdict.score for verdict in Exact().judge(cases)] == [3.0, 0.0, 3.0]
    assert isinstance(Exact(), Judge)


@given(st.text())
def test_any_text_equals_itself(text: str) -> None:
    assert score(text, text) == 3.0


@given(st.text("aAteheton one3.,-%'? ", max_size=20))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert normalise(text.upper()) == normalise(text)


@given(st.text(), st.text())
def test_the_verdict_is_a_whole_score_either_way(reference: str, prediction: str) -> None:
    [verdict] = Exact().judge([Case("q", reference, prediction)])
    assert verdict in (Verdict(3.0), Verdict(0.0))
