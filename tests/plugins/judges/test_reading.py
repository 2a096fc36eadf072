"""Which option a reply chooses: many replies, and no wrong reading among them."""

from pathlib import Path
from string import ascii_uppercase

import pytest
from chosen import CARS, QUESTIONS, ROWS
from harness_plugins.judges.reading import LONGEST, read_choice
from hypothesis import given
from hypothesis import strategies as st


def read(reply: str, choices: tuple[str, ...] = CARS) -> str | None:
    place = read_choice(reply, choices, QUESTIONS.get(choices, ""))
    return None if place is None else ascii_uppercase[place]


@pytest.mark.parametrize(("choices", "reply", "letter"), ROWS, ids=range(len(ROWS)))
def test_no_reply_is_misread(choices: tuple[str, ...], reply: str, letter: str | None) -> None:
    assert read(reply, choices) in (letter, None)


def test_most_of_what_people_can_read_is_read_as_the_docs_say(root: Path) -> None:
    readable = [(choices, reply) for choices, reply, letter in ROWS if letter is not None]
    read_right = sum(read(reply, choices) is not None for choices, reply in readable)
    assert len(readable) > 400
    assert read_right > 0.7 * len(readable)
    page = " ".join((root / "docs" / "judges.md").read_text().split())
    for said in (
        f"holds {len(ROWS)} replies",
        f"{len(readable)} choose an option",
        f"read {read_right} of these and leave {len(readable) - read_right};",
        f"the other {len(ROWS) - len(readable)}.",
    ):
        assert said in page


@pytest.mark.parametrize(
    "reply", ["B", "(B)", "Answer: B", "B. A blue car", "A blue car", "The answer is B."]
)
@pytest.mark.parametrize("wrap", ["{}", "\n{}\n", "**{}**", "<think>Perhaps A.</think>{}"])
def test_the_plain_forms_are_read(reply: str, wrap: str) -> None:
    assert read(wrap.format(reply)) == "B"


@pytest.mark.parametrize(
    "reply",
    [
        "The person (a man) is walking.",
        "He takes pills (vitamin C).",
        "It is the best option a man can take.",
        "E.g. a lorry",
        "A.D. 500",
        "A-frames and B-roll",
        "This is plan B.",
    ],
)
def test_letters_that_are_no_answer(reply: str) -> None:
    assert read(reply, (*CARS, "a bicycle")) is None


def test_words_of_the_question_may_stand_beside_a_text() -> None:
    assert read_choice("The ball is red.", ("blue", "red")) is None
    assert read_choice("The ball is red.", ("blue", "red"), "What colour has the ball?") == 1
    assert read_choice("The ball was red before.", ("blue", "red"), "What colour has the ball?") is None


def test_thoughts_without_an_end_and_endless_replies_are_not_read() -> None:
    assert read("<think>I wonder.\nAnswer: B") is None
    assert read("Answer: B" + " so" * LONGEST) is None


@given(st.text(), st.lists(st.text(max_size=12), max_size=6))
def test_anything_can_be_read_or_not(reply: str, choices: list[str]) -> None:
    place = read_choice(reply, choices)
    assert place is None or 0 <= place < len(choices)


@given(st.sampled_from([row for row in ROWS if row[2]]))
def test_the_order_of_options_does_not_matter_to_a_text(
    row: tuple[tuple[str, ...], str, str],
) -> None:
    choices, _, letter = row
    text = choices[ascii_uppercase.index(letter)]
    if len(text) < 2 or text[1] in ".)":
        return
    turned = choices[1:] + choices[:1]
    place = read_choice(text, turned)
    assert place is not None
    assert turned[place] == text
