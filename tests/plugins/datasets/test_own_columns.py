"""What the columns of one's own table mean, and the sentence for whatever is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness_plugins.datasets.own_columns import Question, taxonomy_of, understand
from harness_plugins.datasets.row import Row

from harness.errors import UsageError

GOOD = {"video": "a.mp4", "question": "What?", "answer": "That."}


def read(*rows: dict[str, Any]) -> list[Question]:
    return understand(Row(Path("q.tsv"), number, cells) for number, cells in enumerate(rows, 1))


def refusal(*rows: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        taxonomy_of(read(*rows))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_open_question() -> None:
    (question,) = read(GOOD)
    assert (question.id, question.video, question.question, question.reference) == (
        1,
        "a.mp4",
        "What?",
        "That.",
    )
    assert (question.choices, question.labels, question.start, question.end) == ((), (), None, None)


def test_everything_there_is() -> None:
    cells = GOOD | {"ID": "q7", "A": "red", "b": "blue", "Answer": "blue", "start": "1:00", "end": 75.5}
    del cells["answer"]
    (question,) = read(
        cells | {"Labels": "colour | hue", "coarse": "seeing", "subtitles": "a.srt", "note": "x"}
    )
    assert (question.id, question.reference, question.choices) == ("q7", "B", ("red", "blue"))
    assert (question.start, question.end, question.subtitles) == (60.0, 75.5, "a.srt")
    assert (question.labels, question.coarse) == (("colour", "hue"), "seeing")


@pytest.mark.parametrize("answer", ["None", "N/A", "nan", "null", "0", "True", " padded "])
def test_answers_stay_as_they_are_written(answer: str) -> None:
    assert read(GOOD | {"answer": answer})[0].reference == answer


@pytest.mark.parametrize(
    ("cells", "choices"),
    [
        ({"choices": '["red", "N/A"]', "answer": "N/A"}, ("red", "N/A")),
        ({"candidates": "red | None", "answer": "b"}, ("red", "None")),
        ({"choices": ["A. red", "B. blue"], "answer": "B"}, ("red", "blue")),
        ({"A": "red", "B": "blue", "C": "", "D": " ", "answer": "(B)"}, ("red", "blue")),
        ({"A": 1, "B": 2, "answer": 2}, ("1", "2")),
    ],
)
def test_choices_in_every_form(cells: dict[str, Any], choices: tuple[str, ...]) -> None:
    (question,) = read(GOOD | cells)
    assert question.choices == choices
    assert question.reference == "B"


def test_open_and_multiple_choice_in_one_table() -> None:
    questions = read(GOOD | {"choices": ""}, GOOD | {"choices": "red | blue", "answer": "red"})
    assert [question.reference for question in questions] == ["That.", "A"]


def test_ids_are_the_same_in_every_form() -> None:
    ids = ["7", 8, "007", "x", "0", "1" * 30]
    questions = read(*(GOOD | {"index": id_} for id_ in ids))
    assert [question.id for question in questions] == [7, 8, "007", "x", 0, "1" * 30]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"video": " "}, "row 2, column video: it is empty"),
        ({"video": "https://x.org/a.mp4"}, "column video: 'https://x.org/a.mp4' is a link"),
        ({"video": "a\nb"}, "a quote may be open"),
        ({"video": "/"}, "no path of a file"),
        ({"question": ""}, "row 2, column question: it is empty"),
        ({"answer": ""}, "row 2, column answer: it is empty"),
        ({"id": "1"}, "row 2, column id: 1 names row 1 already"),
        ({"id": " "}, "row 2, column id: it is empty"),
        ({"start": "soon"}, "row 2, column start: 'soon' is no time"),
        ({"start": "5", "end": "4"}, "row 2, column end: it is 4, not after the start at 5"),
        ({"end": "0"}, "column end: it is 0, not after the start at 0"),
        ({"A": "red"}, "a choice has 2 to 26 options, not 1"),
        ({"A": "red", "C": "blue"}, "column B: it is empty, but C is not"),
        ({"A": "red", "B": "red"}, "two options are 'red'"),
        (
            {"A": "red", "B": "blue"},
            "column answer: 'That.' is no option: write its letter (A to B) or its text",
        ),
        ({"A": "red", "B": "blue", "answer": "C"}, "'C' is no option"),
        ({"A": "B", "B": "A", "answer": "A"}, "column answer: A is the text of one option and the letter of"),
        ({"A": "red", "choices": "x | y"}, "column A: it holds an option, as the column choices does"),
        ({"choices": "['x'"}, "column choices: it begins like a list and is none"),
        ({"choices": {"x": 1}}, "column choices: it is no list"),
        ({"labels": "Overall"}, "column labels: Overall is the group of all questions"),
        ({"coarse": "x"}, "column labels: it is empty, though coarse is not"),
        ({"question": ["x"]}, "column question: it holds a list, not text"),
    ],
)
def test_what_is_off_names_row_and_column(cells: dict[str, Any], said: str) -> None:
    sentence = refusal(GOOD | {"id": 1}, GOOD | {"id": 2} | cells)
    assert said in sentence
    assert sentence.startswith("q.tsv, row 2, column ")


@pytest.mark.parametrize("column", ["video", "question", "answer"])
def test_a_missing_column_is_named(column: str) -> None:
    cells = {name: value for name, value in GOOD.items() if name != column}
    assert f"no column '{column}'" in refusal(cells)
    assert f"is it '{column}s'?" in refusal(cells | {f"{column}s": "x"})


def test_a_column_that_looks_misspelt_is_no_open_question() -> None:
    assert "a column 'choises': if 'choices' is meant" in refusal(GOOD | {"choises": "a | b"})
    assert "two columns for 'id'" in refusal(GOOD | {"id": 1, "index": 1})
    assert read(GOOD | {"answers": "x", "comment": "y"})


def test_groups_of_ones_own() -> None:
    rows = [
        GOOD | {"labels": "red | blue", "coarse": "colour"},
        GOOD | {"labels": "large", "coarse": "size"},
        GOOD | {"labels": "green", "coarse": "colour"},
        GOOD | {"labels": "", "coarse": ""},
    ]
    taxonomy = taxonomy_of(read(*rows))
    assert taxonomy is not None
    assert taxonomy.coarse == {"colour": ("red", "blue", "green"), "size": ("large",)}
    assert taxonomy.rollups == {"Overall": ("colour", "size")}
    assert taxonomy_of(read(GOOD | {"labels": "red"})) is None


def test_a_label_belongs_to_one_group() -> None:
    colour = GOOD | {"labels": "red", "coarse": "colour"}
    assert "'red' belongs to colour in row 1, to another here" in refusal(colour, colour | {"coarse": "hue"})
    assert "'red' belongs to colour in row 1" in refusal(colour, colour | {"coarse": ""})
    assert "column coarse: it is empty" in refusal(colour, GOOD | {"labels": "blue", "coarse": ""})
