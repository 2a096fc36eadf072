"""Options of a question: which one a letter, a text or a reference stands for."""

import pytest
from harness_plugins.judges.options import Options

CARS = ("A red car", "A blue car", "A green truck")


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("A blue car", 1),
        ("a blue car.", 1),
        ("B", 1),
        ("b", 1),
        ("(B)", 1),
        ("B.", 1),
        ("B. A blue car", 1),
        ("D", None),
        ("B. A red car", None),
        ("a purple car", None),
        ("", None),
        ("car", None),
    ],
)
def test_a_reference_is_a_text_or_a_letter(reference: str, place: int | None) -> None:
    assert Options(CARS).reference(reference) == place


def test_a_letter_that_is_another_options_text_is_no_reference() -> None:
    assert Options(("B", "A")).reference("A") is None
    assert Options(("A", "B", "O")).reference("B") == 1
    assert Options(("A", "B", "O")).reference("O") == 2


def test_letters_before_the_texts_are_taken_off() -> None:
    options = Options(("A. Apples.", "B. Pears.", "C. Plums."))
    assert options.texts == ["Apples.", "Pears.", "Plums."]
    assert options.reference("B. Pears.") == options.reference("B") == options.reference("Pears") == 1
    assert Options(("A. Lincoln", "J. Adams")).texts == ["A. Lincoln", "J. Adams"]


def test_an_option_given_twice_is_one() -> None:
    options = Options(("red", "blue", "Red"))
    assert options.lettered("A") == options.lettered("C") == options.reference("red") == 0
    assert options.equal("red") == {0}


def test_options_that_differ_in_articles_alone_are_not_told_apart_by_words() -> None:
    options = Options(("a car", "the car"))
    assert options.reference("a car") == 0
    assert options.equal("car") == {0, 1}


def test_no_letters_beyond_the_options() -> None:
    options = Options(CARS)
    assert [options.lettered(letter) for letter in ("A", "c", "D", "AB", "", "1")] == [
        0,
        2,
        None,
        None,
        None,
        None,
    ]
    assert Options(()).reference("A") is None


def test_texts_inside_a_sentence() -> None:
    options = Options(("red", "dark red", "no", "3"))
    assert options.within("it is dark red") == {1}
    assert options.within("there is no car") == set()
    assert options.within("no, there is none") == {2}
    assert options.within("I see 3 cars") == {3}
    assert options.within("I see 3 of 4 cars") == {None}
    assert options.within("about 3 cars") == {None}
