"""Files of other programs, told apart and named."""

from __future__ import annotations

import csv
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hostile import Hostile, frames

from harness.exchange import foreign
from harness.exchange.foreign import Foreign, read_foreign

FAILED = "Failed to obtain answer via API."
AWKWARD = {0: "N/A", 1: "None", 2: "nan", 3: 'two\nlines\tand "quotes"', 10: "né 日本", 11: "3"}
TEXTS = {str(index): text for index, text in AWKWARD.items()}
ROWS = [
    {"index": index, "video": "v", "question": "why?", "answer": "so", "prediction": text}
    for index, text in AWKWARD.items()
]


def read(name: str, data: bytes) -> Foreign:
    return read_foreign(Path("/any") / name, data)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("02_GPT4o_MMBench-Video_8frame_nopack.pkl", "a shard of VLMEvalKit's or NRVL's predictions"),
        (
            "GPT4o_MMBench-Video_8frame_nopack_supp.pkl",
            "a VLMEvalKit or NRVL prediction pickle of an API model",
        ),
        ("anything.pkl", "a VLMEvalKit or NRVL prediction pickle"),
    ],
)
def test_prediction_pickles_are_named(name: str, kind: str, protocol: int) -> None:
    answers = {np.int64(index): text for index, text in AWKWARD.items()} | {12: FAILED, 13: None, 14: ""}
    found = read(name, pickle.dumps(answers, protocol))
    assert found == Foreign(kind, TEXTS, missing=3)
    assert str(found) == f"{kind} of 6 answers (3 more without an answer)"


def test_values_of_pickles() -> None:
    answers = {
        "video_1": "{'0': 'packed'}",
        1: np.str_("text"),
        2: np.float64(2.5),
        3: 7,
        4: True,
        5: {"prediction": "nested", "extra_records": [1]},
        6: float("nan"),
        7.0: "whole",
    }
    found = read("x.pkl", pickle.dumps(answers))
    assert found.answers == {
        "video_1": "{'0': 'packed'}",
        "1": "text",
        "2": "2.5",
        "3": "7",
        "4": "True",
        "5": "nested",
        "7": "whole",
    }
    assert found.missing == 1
    rows = read("x.pkl", pickle.dumps(ROWS))
    assert (rows.kind, rows.answers) == ("a pickled list", TEXTS)


def spreadsheet() -> bytes:
    book = openpyxl.Workbook()
    for row in [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def separated(delimiter: str, rows: list[dict[str, Any]] = ROWS, quoting: Any = csv.QUOTE_ALL) -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0], delimiter=delimiter, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def parquet() -> bytes:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), sink)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("m.xlsx", spreadsheet(), "an Excel table"),
        ("m.tsv", separated("\t"), "a tab-separated table"),
        ("m.csv", separated(",", quoting=csv.QUOTE_MINIMAL), "a comma-separated table"),
        ("m.csv", b"\xef\xbb\xbf" + separated(","), "a comma-separated table"),
        ("m.json", json.dumps(ROWS, indent=4).encode(), "a JSON list"),
        ("m.json", json.dumps(AWKWARD, ensure_ascii=False).encode(), "a JSON object"),
        ("m.jsonl", "\n".join(map(json.dumps, ROWS)).encode(), "a JSON lines file"),
        ("m.parquet", parquet(), "a Parquet table"),
        ("misnamed.txt", spreadsheet(), "an Excel table"),
    ],
)
def test_tables_are_named_and_lose_nothing(name: str, data: bytes, kind: str) -> None:
    found = read(name, data)
    assert (found.kind, found.answers, found.missing) == (kind, TEXTS, 0)
    assert found.questions == ({} if kind == "a JSON object" else dict.fromkeys(TEXTS, "why?"))


def test_scores_are_seen_and_left_out() -> None:
    judged = read("m.csv", separated(",", [{**row, "score": 3} for row in ROWS]))
    assert judged.scored
    assert str(judged) == "a comma-separated table of 6 answers, whose scores are left out"


def test_a_refusal_in_a_table_of_ours_is_no_answer() -> None:
    rows = [
        {"id": 1, "prediction": "yes", "status": "ok"},
        {"id": 2, "prediction": "I cannot", "status": "refused"},
    ]
    found = read("m_predictions.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert found == Foreign("a JSON lines file", {"1": "yes"}, missing=1)


def test_indices_of_a_column_with_gaps_are_whole_numbers() -> None:
    found = read("m.csv", b"index,prediction\n0.0,a\n1.0,b\n-2.00,c\n1.5,d\n")
    assert list(found.answers) == ["0", "1", "-2", "1.5"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("m.pkl", pickle.dumps(Hostile(print, "x")), r"makes a builtins\.print, which is never done here"),
        ("m.pkl", frames()[4], r"makes a pandas\.core\.frame\.DataFrame"),
        ("m.pkl", frames()[0], r"makes a pandas\.core\.frame\.DataFrame"),
        ("m.pkl", pickle.dumps({1: Hostile(print, "x")}), r"answer to 1 is no text, but builtins\.print"),
        ("m.pkl", pickle.dumps({1: [1]}), "answer to 1 is no text, but a list"),
        ("m.pkl", pickle.dumps({1: 2**70}), "answer to 1 is no text, but a int"),
        ("m.pkl", pickle.dumps({None: "a"}), "index that is neither a number nor text"),
        ("m.pkl", pickle.dumps({1: "a", "1": "b"}), "index 1 twice"),
        ("m.pkl", pickle.dumps({}), "no answers"),
        ("m.pkl", pickle.dumps("text"), "holds a str, not answers by index"),
        ("m.pkl", pickle.dumps([1, 2]), "something else than rows"),
        ("m.pkl", b"", "no whole pickle|ends too early"),
        ("m.csv", b"", "without the columns index and prediction"),
        ("m.csv", b"index,answer\n1,a\n", r"it has: index, answer"),
        ("m.csv", b"index,prediction\n1,a\n1,b\n", "index 1 twice"),
        ("m.csv", b"\xff\xfe\x00", "neither a pickle nor a table"),
        ("m.json", b"[1, 2]", "something else than rows"),
        ("m.json", b"[" * 100_000, "nested too deeply"),
        ("m.json", b'{"a": ', "neither JSON nor JSON lines"),
        ("m.json", b'{"0": {"a": [1]}}', "no answers|0 answers"),
        ("m.xlsx", b"PK\x03\x04 no archive", "no readable Excel file"),
        ("m.parquet", b"PAR1 no table", "no readable Parquet file"),
    ],
)
def test_what_holds_no_answers_is_one_sentence(name: str, data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        assert not read(name, data).answers
        raise ValueError("0 answers")


def test_answers_that_repeat_a_long_text_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x" * 10_000
    data = pickle.dumps(dict.fromkeys(range(5_000), text))
    assert len(data) < 60_000
    monkeypatch.setattr(foreign, "MOST_TEXT", 1_000_000)
    with pytest.raises(ValueError, match="longer than any file of answers"):
        read("m.pkl", data)
