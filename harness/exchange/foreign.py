"""Answers from files of VLMEvalKit, NRVL and whoever writes tables: told apart, named, trusted in nothing.

VLMEvalKit keeps a pickled dictionary from index to answer while it runs: ``{rank}{world}_{result}.pkl``
for each process of a local model, ``{model}_{dataset}_supp.pkl`` for an API model; NRVL, which builds on
it, the same. Afterwards there is one table ``{model}_{dataset}.xlsx`` (or .tsv, .json) of the data set's
columns and ``prediction``, and after judging one with ``score``. A question that failed has a sentence of
its own in place of an answer; it is no answer here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.exchange import inert, sheets
from harness.exchange.tables import csv_rows

FAILURES = ("Failed to obtain answer",)
"""How the text begins that stands where other tools got no answer."""
MOST_TEXT = 2**30
"""Characters of all answers together: a small file can repeat a long one without end."""

_INDEX, _ANSWER = ("index", "id"), ("prediction",)
_SHARD = re.compile(r"\d{2,}_.+")


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a file holds.

    kind: what it is, in words. answers: text by index, all indices as text. missing: indices that have
    no answer. scored: whether there are scores beside them, which are not read. questions: what was asked,
    by index, where the file says so.
    """

    kind: str
    answers: Mapping[str, str]
    missing: int
    scored: bool = False
    questions: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        scores = ", whose scores are left out" if self.scored else ""
        missing = f" ({self.missing} more without an answer)" if self.missing else ""
        return f"{self.kind} of {len(self.answers)} answers{missing}{scores}"


def read_foreign(path: Path, data: bytes) -> Foreign:
    """Tell by its content what a file is, and read its answers. Raises ValueError saying what is wrong."""
    name = path.stem
    if data.startswith(b"PK\x03\x04"):
        return _table("an Excel table", _records(sheets.rows(data)))
    if data.startswith(b"PAR1"):
        from harness.exchange.parquet import read

        header, rows = read(data)
        return _table("a Parquet table", [dict(zip(header, row, strict=True)) for row in rows])
    if data.startswith(b"\x80") or path.suffix.lower() in (".pkl", ".pickle"):
        return _pickle(name, inert.read(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is neither a pickle nor a table in UTF-8") from None
    if text.lstrip().startswith(("{", "[")):
        return _json(text)
    tabs = "\t" in text.partition("\n")[0]
    kind = "a tab-separated table" if tabs else "a comma-separated table"
    return _table(kind, _records(csv_rows(text, "\t" if tabs else ",")))


def _pickle(name: str, content: Any) -> Foreign:
    if isinstance(content, inert.Called):
        raise ValueError(
            f"it makes a {content.name[:80]}, which is never done here: let the program that wrote it "
            "save the answers as a table (.tsv, .csv, .json)"
        )
    if type(content) is list:
        return _table("a pickled list", content)
    if type(content) is not dict:
        raise ValueError(f"it holds a {type(content).__name__}, not answers by index")
    if _SHARD.fullmatch(name):
        kind = "a shard of VLMEvalKit's or NRVL's predictions"
    elif name.endswith("_supp"):
        kind = "a VLMEvalKit or NRVL prediction pickle of an API model"
    else:
        kind = "a VLMEvalKit or NRVL prediction pickle"
    return _answers(kind, content.items())


def _json(text: str) -> Foreign:
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError:
        return _json_lines(text)
    if type(content) is list:
        return _table("a JSON list", content)
    if type(content) is dict and "prediction" in content and "index" in content:
        return _table("a JSON object", [content])
    return _answers("a JSON object", content.items())


def _json_lines(text: str) -> Foreign:
    try:
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is neither JSON nor JSON lines ({str(error)[:80]})") from error
    return _table("a JSON lines file", rows)


def _records(rows: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    header, *body = rows or [[]]
    return [dict(zip(header, row, strict=False)) for row in body if any(row)]


def _table(kind: str, rows: Sequence[Any]) -> Foreign:
    if not all(type(row) is dict for row in rows):
        raise ValueError(f"it is {kind} of something else than rows with names")
    columns = dict.fromkeys(name for row in rows for name in row)
    index = next((name for name in _INDEX if name in columns), None)
    answer = next((name for name in _ANSWER if name in columns), None)
    if index is None or answer is None:
        shown = ", ".join(str(name)[:20] for name in list(columns)[:8])
        raise ValueError(f"it is {kind} without the columns index and prediction (it has: {shown or 'none'})")
    # Our own tables of predictions say which of their texts are no answers.
    items = ((row.get(index), row.get(answer) if row.get("status", "ok") == "ok" else None) for row in rows)
    asked = {_index(row.get(index)): row["question"] for row in rows if type(row.get("question")) is str}
    return replace(_answers(kind, items), scored="score" in columns, questions=asked)


def _answers(kind: str, items: Iterable[tuple[Any, Any]]) -> Foreign:
    found: dict[str, str] = {}
    seen: set[str] = set()
    room = MOST_TEXT
    for index, value in items:
        key = _index(index)
        if key in seen:
            raise ValueError(f"it has index {key[:40]} twice")
        seen.add(key)
        text = _text(key, value)
        if text.strip() and not text.startswith(FAILURES):
            found[key] = text
            room -= len(text)
        if room < 0:
            raise ValueError("its answers are longer than any file of answers")
    if not seen:
        raise ValueError("it holds no answers")
    return Foreign(kind, found, len(seen) - len(found))


def _index(value: Any) -> str:
    """An index as text: 3 for 3, 3.0 and "3.0", as which a whole column with a gap comes."""
    if type(value) is str:
        whole = re.fullmatch(r"(-?\d{1,18})\.0+", value.strip())
        return whole[1] if whole else value.strip()
    if type(value) is float and value.is_integer():
        return str(int(value)) if abs(value) < 2**63 else repr(value)
    if type(value) is int and value.bit_length() <= 64:
        return str(value)
    raise ValueError(f"it has an index that is neither a number nor text, but {_kind(value)}")


def _text(key: str, value: Any) -> str:
    """An answer's text; empty where there is none."""
    if type(value) is dict:
        value = value.get("prediction")
    if value is None or (type(value) is float and math.isnan(value)):
        return ""
    if type(value) is str:
        return value
    if type(value) in (bool, float) or (type(value) is int and value.bit_length() <= 64):
        return str(value)
    raise ValueError(f"its answer to {key[:40]} is no text, but {_kind(value)}")


def _kind(value: Any) -> str:
    return value.name[:80] if isinstance(value, inert.Called) else f"a {type(value).__name__}"
