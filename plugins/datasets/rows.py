"""Rows of questions from a file, .tsv, .csv, .jsonl, .json or .parquet, each cell with its place for errors.

Nothing is guessed: a text such as ``None``, ``N/A`` or ``nan`` is that text. Absent is only what is empty,
``null`` in JSON, and nothing or a number that is none in Parquet.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import UsageError
from harness.exchange import parquet
from harness.exchange.tables import long_cells

from .choices import listed

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its file, its number from 1, what it holds. Methods raise UsageError naming file, row, column.

    line: of a text file, where the row begins; 0 elsewhere.
    """

    file: Path
    number: int
    cells: Mapping[str, Any]
    line: int = 0

    def where(self, column: str = "") -> str:
        """``questions.tsv, row 17 (line 18), column video``"""
        line = f" (line {self.line})" if self.line else ""
        return f"{self.file}, row {self.number}{line}" + (f", column {column}" if column else "")

    def wrong(self, column: str, what: str) -> UsageError:
        return UsageError(f"{self.where(column)}: {what}")

    def has(self, column: str) -> bool:
        """Whether the cell is there and not blank."""
        value = self.cells.get(column)
        absent = isinstance(value, float) and math.isnan(value)
        return not (value is None or absent or (isinstance(value, str) and not value.strip()))

    def text(self, column: str) -> str:
        """The cell as text, as it is written; a number or a truth value as JSON writes it."""
        value = self.cells.get(column)
        if not self.has(column):
            raise self.wrong(column, "it is empty")
        if isinstance(value, str):
            return self._encodable(column, value)
        if isinstance(value, int | float):
            return json.dumps(value)
        raise self.wrong(column, f"it holds a {type(value).__name__}, not text")

    def texts(self, column: str, blank: bool = False) -> list[str]:
        """The items of a list (see ``listed``), none of them blank unless that is allowed."""
        if not self.has(column):
            raise self.wrong(column, "it is empty")
        value = self.cells[column]
        try:
            items = listed(self.text(column) if isinstance(value, int | float) else value)
        except ValueError as error:
            raise self.wrong(column, f'{error}: write ["one", "two"] or one | two') from None
        if not items or not (blank or all(item.strip() for item in items)):
            raise self.wrong(column, "an item of its list is empty")
        return [self._encodable(column, item) for item in items]

    def seconds(self, column: str) -> float:
        """A time: 75.5, or 1:15.5, or 0:01:15.5."""
        text = self.text(column).strip()
        clock = _CLOCK.fullmatch(text)
        try:
            found = float(text) if clock is None else _on_clock(clock)
        except ValueError:
            found = math.nan
        if not 0 <= found < math.inf:
            raise self.wrong(column, f"{text[:40]!r} is no time: write seconds (75.5) or a clock (1:15.5)")
        return found

    def _encodable(self, column: str, text: str) -> str:
        """The text; JSON can spell halves of characters, which nothing else can hold."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.wrong(column, "it holds half of a character (a lone surrogate): remove it") from None
        return text


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


def _on_clock(match: re.Match[str]) -> float:
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


_FORMS: Mapping[str, Callable[[Path, bytes], Iterator[Row]]] = {
    ".tsv": _delimited("\t"),
    ".csv": _delimited(","),
    ".jsonl": _json_lines,
    ".json": _json_list,
    ".parquet": _parquet,
}
