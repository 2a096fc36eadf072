"""One row of a table of questions: its cells as what they should be, each with its place for errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import UsageError

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


def _on_clock(match: re.Match[str]) -> float:
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
