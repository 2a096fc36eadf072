"""The table: every cell as pandas wrote it, and one sentence with the row for all that is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from harness_plugins.datasets.mmbench_table import COLUMNS, base_name, read_table

from harness.errors import UsageError

GOOD = {
    "index": "0",
    "video": "clip",
    "question": "What?",
    "answer": "That.",
    "dimensions": "['OCR']",
    "video_path": "./video/clip.mp4",
}


def table(
    folder: Path, *rows: Mapping[str, str], columns: Sequence[str] = tuple(GOOD), end: str = "\n"
) -> Path:
    """A file as ``DataFrame.to_csv(sep="\\t", index=False)`` writes it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter="\t", lineterminator=end, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return write(folder, out.getvalue())


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "MMBench-Video.tsv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row(tmp_path: Path, end: str) -> None:
    dimensions = "['Event Recognition', \"Human Motion\", 'Event Recognition']"
    (line,) = read_table(table(tmp_path, GOOD | {"index": "17", "dimensions": dimensions}, end=end))
    assert (line.index, line.video, line.file) == (17, "clip", "clip.mp4")
    assert (line.question, line.answer) == ("What?", "That.")
    assert line.dimensions == ("Event Recognition", "Human Motion")


@pytest.mark.parametrize(
    "answer", ["None", "N/A", "nan", "NULL", "", "1.0", "007", "True", "=1+1", " padded "]
)
def test_answers_stay_as_they_are_written(tmp_path: Path, answer: str) -> None:
    (line,) = read_table(table(tmp_path, GOOD | {"answer": answer}))
    assert line.answer == answer


@pytest.mark.parametrize(
    "question", ['He said "why"?', "tab\there?", "two\nlines?", "two\r\nlines?", '"', "北京?", "'"]
)
def test_quotes_tabs_and_line_ends_survive(tmp_path: Path, question: str) -> None:
    rows = [GOOD | {"question": question}, GOOD | {"index": "1"}]
    assert [line.question for line in read_table(table(tmp_path, *rows))] == [question, "What?"]


def test_a_quote_inside_an_unquoted_cell_is_a_letter(tmp_path: Path) -> None:
    path = write(
        tmp_path, "\t".join(GOOD) + "\n" + "\t".join(GOOD.values()).replace("What?", 'A 5" nail?') + "\n"
    )
    assert read_table(path)[0].question == 'A 5" nail?'


def test_without_an_index_rows_are_numbered(tmp_path: Path) -> None:
    columns = [column for column in GOOD if column != "index"]
    assert [line.index for line in read_table(table(tmp_path, GOOD, GOOD, GOOD, columns=columns))] == [
        0,
        1,
        2,
    ]


def test_order_further_columns_blank_lines_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    columns = ["answer", "video_type", *(column for column in GOOD if column != "answer")]
    path = table(tmp_path, GOOD | {"video_type": "News"}, columns=columns)
    write(tmp_path, "\ufeff" + path.read_text() + "\n\n")
    (line,) = read_table(path)
    assert (line.index, line.answer) == (0, "That.")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("./video/other name.mp4", "other name.mp4"),
        ("video\\clip.webm", "clip.webm"),
        ("/etc/../x/clip.mp4", "clip.mp4"),
        ("../../..", "clip.mp4"),
        ("", "clip.mp4"),
    ],
)
def test_of_a_path_only_the_base_name_counts(tmp_path: Path, path: str, file: str) -> None:
    assert read_table(table(tmp_path, GOOD | {"video_path": path}))[0].file == file


def test_a_videos_name_leads_nowhere_either(tmp_path: Path) -> None:
    assert read_table(table(tmp_path, GOOD | {"video": "../../clip", "video_path": ""}))[0].file == "clip.mp4"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"dimensions": "['OCR', 'Opera']"}, "unknown dimension 'Opera'"),
        ({"dimensions": "['ocr']"}, "unknown dimension 'ocr'"),
        ({"dimensions": "[]"}, "list of names"),
        ({"dimensions": ""}, "list of names"),
        ({"dimensions": "OCR"}, "list of names"),
        ({"dimensions": "'OCR'"}, "list of names"),
        ({"dimensions": "('OCR',)"}, "list of names"),
        ({"dimensions": "['OCR', 3]"}, "list of names"),
        ({"dimensions": "['OCR'"}, "list of names"),
        ({"dimensions": "[__import__('os').abort()]"}, "list of names"),
        ({"dimensions": "(" * 3000}, "list of names"),
        ({"dimensions": "-" * 100_000 + "1"}, "list of names"),
        ({"index": "0"}, "index 0 was used in row 1"),
        ({"index": "one"}, "whole number"),
        ({"index": "1.5"}, "whole number"),
        ({"index": ""}, "whole number"),
        ({"index": "²"}, "whole number"),
        ({"video": " "}, "no video"),
        ({"video": "a\nb"}, "quote"),
        ({"question": ""}, "no question"),
        ({"video_path": "./video/other.mp4"}, "'clip' is clip.mp4 elsewhere"),
    ],
)
def test_what_is_wrong_names_the_row(tmp_path: Path, change: dict[str, str], cause: str) -> None:
    path = table(tmp_path, GOOD, GOOD | {"index": "1"} | change)
    with pytest.raises(UsageError) as caught:
        read_table(path)
    assert "row 2" in str(caught.value)
    assert cause in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(UsageError, match=f"no column '{column}'"):
        read_table(table(tmp_path, GOOD, columns=[name for name in GOOD if name != column]))


@pytest.mark.parametrize("text", ["", "\n", "\t".join(GOOD) + "\n"])
def test_an_empty_table_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"no column|no questions"):
        read_table(write(tmp_path, text))


def test_an_open_quote_does_not_swallow_the_rest(tmp_path: Path) -> None:
    """Every cell in turn opens a quote that nothing closes."""
    rows = [GOOD | {"index": str(i)} for i in range(5)]
    for column in GOOD:
        lines = table(tmp_path, *rows).read_text().splitlines()
        lines[2] = "\t".join(f'"{cell}' if name == column else cell for name, cell in rows[1].items())
        with pytest.raises(UsageError, match="row 2"):
            read_table(write(tmp_path, "\n".join(lines) + "\n"))


def test_too_many_and_too_few_cells(tmp_path: Path) -> None:
    text = table(tmp_path, GOOD).read_text()
    for row in ("1\tclip\tQ", text.splitlines()[1] + "\textra"):
        with pytest.raises(UsageError, match="row 2"):
            read_table(write(tmp_path, f"{text}{row}\n"))


def test_what_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, table(tmp_path, GOOD | {"answer": "é"}).read_text(), "latin-1")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "none.tsv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(table(tmp_path, GOOD | {"answer": "x" * 200_000}))


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b.mp4", "b.mp4"), ("a\\b", "b"), ("b", "b"), ("..", ""), ("a/.", ""), ("a/", ""), ("a/\x1b", "")],
)
def test_base_names(path: str, name: str) -> None:
    assert base_name(path) == name
