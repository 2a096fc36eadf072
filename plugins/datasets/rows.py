"""Rows of questions from a file: .tsv, .csv, .jsonl, .json or .parquet.

Nothing is guessed: a text such as ``None``, ``N/A`` or ``nan`` is that text. Absent is only what is empty,
``null`` in JSON, and nothing or a number that is none in Parquet.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import UsageError
from harness.exchange import parquet
from harness.exchange.tables import long_cells

from .row import Row


def read_rows(path: Path) -> list[Row]:
    """All rows in the file's order; the ending says in which form they are.

    Raises UsageError when the file is not there or not of that form, naming the row.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there: see whether the path is right from {Path.cwd()}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    rows = list(_FORMS[path.suffix.lower()](path, data))
    if not rows:
        raise UsageError(f"{path} holds no questions")
    return rows


def _delimited(delimiter: str) -> Callable[[Path, bytes], Iterator[Row]]:
    def read(path: Path, data: bytes) -> Iterator[Row]:
        with long_cells():
            yield from _table(path, _decoded(path, data), delimiter)

    return read


def _table(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    number, line = 0, 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UsageError(
                f"{path}, row {number + 1} (line {line}): {error}; a cell that begins with a quote ends with "
                "one, and quotes inside it are doubled"
            ) from error
        if cells is None:
            return
        if not header:
            header = _header(path, cells, delimiter)
        elif any(cell.strip() for cell in cells):
            number += 1
            if len(cells) != len(header):
                raise UsageError(
                    f"{path}, row {number} (line {line}) has {len(cells)} cells instead of {len(header)}: "
                    "a quote may be open, or a cell that holds the separator lacks its quotes"
                )
            yield Row(
                path, number, {name: cell for name, cell in zip(header, cells, strict=True) if name}, line
            )
        line = reader.line_num + 1


def _header(path: Path, names: list[str], delimiter: str) -> list[str]:
    names = [name.strip() for name in names]
    if len(names) == 1:
        other = next((mark for mark in "\t,;" if mark != delimiter and mark in names[0]), None)
        if other is not None:
            said = {"\t": "tabs", ",": "commas", ";": "semicolons"}
            raise UsageError(
                f"{path} separates its cells by {said[other]}, not by {said[delimiter]}: a file with tabs is "
                "called .tsv, one with commas .csv"
            )
    _require_distinct(path, names)
    return names


def _require_distinct(path: Path, names: list[str]) -> None:
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{path} has two columns {twice!r}: rename one")


def _json_lines(path: Path, data: bytes) -> Iterator[Row]:
    number = 0
    # Not splitlines: JSON text may hold other characters that end a line elsewhere.
    for line, text in enumerate(_decoded(path, data).split("\n"), 1):
        if text.strip():
            number += 1
            row = Row(path, number, {}, line)
            yield Row(path, number, _object(row, _json(row.where(), text)), line)


def _json_list(path: Path, data: bytes) -> Iterator[Row]:
    found = _json(str(path), _decoded(path, data))
    if not isinstance(found, list):
        raise UsageError(f"{path} holds no list of questions")
    for number, value in enumerate(found, 1):
        yield Row(path, number, _object(Row(path, number, {}), value))


def _json(where: str, text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON: {error}") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value: write it in quotes, or null")


def _object(row: Row, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f'{row.where()} is no object: write {{"video": ..., "question": ...}}')
    return value


def _parquet(path: Path, data: bytes) -> Iterator[Row]:
    try:
        names, rows = parquet.read(data)
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    _require_distinct(path, names)
    for number, cells in enumerate(rows, 1):
        yield Row(path, number, dict(zip(names, cells, strict=True)))


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}, is not UTF-8 text: save the file as UTF-8") from error


_FORMS: Mapping[str, Callable[[Path, bytes], Iterator[Row]]] = {
    ".tsv": _delimited("\t"),
    ".csv": _delimited(","),
    ".jsonl": _json_lines,
    ".json": _json_list,
    ".parquet": _parquet,
}
