"""Tables in every form: each cell as it is written, and one sentence with its place for what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness_plugins.datasets.rows import read_rows
from hypothesis import given
from hypothesis import strategies as st
from question_tables import write

from harness.errors import UsageError

ROWS = [
    {"video": "a.mp4", "question": 'Who said "why"?', "answer": "None"},
    {"video": "b.mp4", "question": "two\nlines,\tand a tab", "answer": "nan"},
    {"video": "c.mp4", "question": "北京? 🐻\u2028", "answer": " N/A "},
    {"video": "d.mp4", "question": "x" * 200_000, "answer": "=1+1"},
]


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl", "json", "parquet"])
def test_the_same_rows_in_every_form(tmp_path: Path, form: str) -> None:
    rows = read_rows(write(tmp_path / f"q.{form}", ROWS))
    assert [row.cells for row in rows] == ROWS
    assert [row.number for row in rows] == [1, 2, 3, 4]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2), min_size=1))
@pytest.mark.parametrize("form", ["tsv", "csv"])
def test_what_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, form: str, rows: Any) -> None:
    rows = [{"a": f"x{first}", "b": second} for first, second in rows]
    path = write(tmp_path_factory.mktemp("rows") / f"q.{form}", rows)
    assert [row.cells for row in read_rows(path)] == rows


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_marks_line_ends_blank_rows_and_unnamed_columns(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "q.tsv"
    lines = ["\ufeff\tvideo\tquestion", "0\ta.mp4\tWhat?", "\t\t", "", '1\tb.mp4\tA 5" nail?', ""]
    path.write_bytes(ends.join(lines).encode())
    rows = read_rows(path)
    assert [row.cells for row in rows] == [
        {"video": "a.mp4", "question": "What?"},
        {"video": "b.mp4", "question": 'A 5" nail?'},
    ]
    assert rows[1].where("video") == f"{path}, row 2 (line 5), column video"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("q.tsv", "a\tb\n1\t2\n3\n", "row 2 (line 3) has 1 cells instead of 2"),
        ("q.tsv", 'a\tb\n1\t"2\n3\t4\n', "row 1 (line 2): unexpected end of data"),
        ("q.tsv", 'a\tb\n1\t2\n"3\t4\n', "row 2 (line 3)"),
        ("q.tsv", 'a\tb\n1\t"2" x\n', "quotes inside it are doubled"),
        ("q.tsv", "a,b\n1,2\n", "separates its cells by commas, not by tabs"),
        ("q.csv", "a\tb\n1\t2\n", "separates its cells by tabs, not by commas"),
        ("q.csv", "a;b\n1;2\n", "separates its cells by semicolons"),
        ("q.csv", "a,b,a\n1,2,3\n", "two columns 'a'"),
        ("q.csv", "", "holds no questions"),
        ("q.csv", "a,b\n\n", "holds no questions"),
        ("q.csv", "a,b\n1,\ud800\n", "line 2, is not UTF-8"),
        ("q.jsonl", '{"a": 1}\n{"a": \n', "row 2 (line 2) is not JSON"),
        ("q.jsonl", '{"a": 1}\n\n[1]\n', "row 2 (line 3) is no object"),
        ("q.jsonl", '{"a": NaN}\n', "NaN is no JSON value"),
        ("q.jsonl", "[" * 100_000 + "\n", "row 1 (line 1) is not JSON"),
        ("q.json", '{"a": 1}', "holds no list"),
        ("q.json", "[3]", "row 1 is no object"),
        ("q.parquet", "PAR1", "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(
    tmp_path: Path, name: str, data: str, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError) as caught:
        read_rows(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.tsv is not there"):
        read_rows(tmp_path / "none.tsv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=r"folder\.csv cannot be read: Is a directory"):
        read_rows(tmp_path / "folder.csv")
