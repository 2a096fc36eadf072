"""The leaderboard as tables of strings, and its three forms: terminal, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Row:
    """One run: numbers as two-decimal strings, empty where there is none.

    A clean run has its number under ``clean`` alone. ``drop`` is clean less score, ``low`` and ``high``
    its 95% interval. ``failed`` says how many questions have no score, and why.
    """

    model: str
    noise: str
    ratio: str = ""
    seed: str = ""
    clean: str = ""
    score: str = ""
    drop: str = ""
    low: str = ""
    high: str = ""
    questions: str = ""
    failed: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The runs that may be compared with each other: one data set, judge and set of settings."""

    dataset: str
    judge: str
    settings: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        return f"{self.dataset}, judged by {self.judge}" + (f" ({self.settings})" if self.settings else "")

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Headers and rows for people; the seed only where it differs."""
        seeds = {row.seed for row in self.rows if row.drop or row.score}
        headers = [
            "model",
            "noise",
            "ratio",
            "seed",
            "clean",
            "score",
            "drop",
            "95% of drop",
            "questions",
            "failed",
        ]
        rows = [
            [
                *(row.model, row.noise, row.ratio, row.seed, row.clean, row.score, row.drop),
                f"{row.low} to {row.high}" if row.low else "",
                *(row.questions, row.failed),
            ]
            for row in self.rows
        ]
        if len(seeds) < 2:
            place = headers.index("seed")
            headers, *rows = ([*line[:place], *line[place + 1 :]] for line in (headers, *rows))
        return headers, rows


@dataclass(frozen=True, slots=True)
class Board:
    """All tables of a leaderboard. ``notes`` belong below them, ``warnings`` on the error stream."""

    metric: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        """For a terminal."""
        from tabulate import tabulate

        blocks = [f"{self.metric}, 0 to 3"]
        for table in self.tables:
            headers, rows = table.cells()
            right = ["left", "left", *["right"] * (len(headers) - 3), "left"]
            body = [[_plain(cell) for cell in row] for row in rows]
            grid = tabulate(body, headers, tablefmt="simple", colalign=right, disable_numparse=True)
            blocks.append(f"{_plain(table.title)}\n{grid}")
        return "\n\n".join([*blocks, *self._notes("")]) + "\n"

    def markdown(self) -> str:
        """For a page: a heading and a table each."""
        blocks = [f"{self.metric}, 0 to 3"]
        for table in self.tables:
            headers, rows = table.cells()
            marks = ["---", "---", *["---:"] * (len(headers) - 3), "---"]
            lines = (f"| {' | '.join(map(_escaped, line))} |" for line in (headers, marks, *rows))
            blocks.append(f"### {_escaped(table.title)}\n\n" + "\n".join(lines))
        return "\n\n".join([*blocks, *self._notes("- ")]) + "\n"

    def csv(self) -> str:
        """For programs: one flat table, a line per run, ``metric`` in each."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        names = [field.name for field in fields(Row)]
        writer.writerow(["dataset", "judge", "settings", "metric", *names])
        for table in self.tables:
            head = (table.dataset, table.judge, table.settings, self.metric)
            writer.writerows([*head, *(getattr(row, name) for name in names)] for row in table.rows)
        return out.getvalue()

    def _notes(self, mark: str) -> Sequence[str]:
        return ["\n".join(f"{mark}{_plain(note)}" for note in self.notes)] if self.notes else []


def _plain(text: str) -> str:
    """Without what would move a terminal's cursor: names come from files that anyone may have made."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _escaped(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("<", "&lt;")
