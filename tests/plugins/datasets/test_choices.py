"""Lists as people write them, and which option an answer means."""

from __future__ import annotations

from typing import Any

import pytest
from harness_plugins.datasets.choices import bare, listed, place
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ('["red", "blue"]', ["red", "blue"]),
        ("['it\\'s', \"nan\", None]", None),
        ("['it\\'s', \"nan\"]", ["it's", "nan"]),
        ("red | blue|None", ["red", "blue", "None"]),
        ("one", ["one"]),
        (["a", 3, 0.5], ["a", "3", "0.5"]),
        ("[1, 2]", ["1", "2"]),
        ("[broken", None),
        ("[__import__('os')]", None),
        ('{"a": 1}', ['{"a": 1}']),
        ([True], None),
        ([["a"]], None),
        (3.5, None),
        ("[" * 5000, None),
    ],
)
def test_lists(value: Any, items: list[str] | None) -> None:
    if items is None:
        with pytest.raises(ValueError, match="it "):
            listed(value)
    else:
        assert listed(value) == items


@given(st.lists(st.text(min_size=1), min_size=1))
def test_any_text_survives_as_json(items: list[str]) -> None:
    import json

    assert listed(json.dumps(items)) == items
    assert listed(items) == items


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["A. red", "B. blue"], ("red", "blue")),
        (["(A) red", "(B) blue"], ("red", "blue")),
        (["A: red", "B) blue"], ("red", "blue")),
        (["A. red", "C. blue"], ("A. red", "C. blue")),
        (["A red", "B blue"], ("A red", "B blue")),
        (["A", "B"], ("A", "B")),
        (["A.", "B."], ("A.", "B.")),
        (["A. red", "blue"], ("A. red", "blue")),
    ],
)
def test_letters_are_taken_off_only_where_all_options_have_their_own(
    options: list[str], texts: tuple[str, ...]
) -> None:
    assert bare(options) == texts


COLOURS = ("a red dog", "Blue", "no", "10")


@pytest.mark.parametrize(
    ("answer", "spot"),
    [
        ("a red dog", 0),
        (" Blue ", 1),
        ("blue", 1),
        ("A", 0),
        ("b", 1),
        ("(C)", 2),
        ("D.", 3),
        ("B) Blue", 1),
        ("B. a red dog", None),
        ("E", None),
        ("green", None),
        ("", None),
        ("10", 3),
    ],
)
def test_an_answer_is_a_letter_or_a_text_or_both(answer: str, spot: int | None) -> None:
    assert place(answer, COLOURS) == spot


def test_a_text_that_is_another_options_letter_is_refused() -> None:
    letters = ("C", "A", "B")
    with pytest.raises(ValueError, match=r"'B. A'"):
        place("A", letters)
    assert place("B. A", letters) == 1
    assert place("C", ("A", "B", "C")) == 2


def test_texts_that_differ_in_case_alone_are_told_apart() -> None:
    assert place("Turkey", ("turkey", "Turkey")) == 1
    assert place("TURKEY", ("turkey", "Turkey")) is None
