"""The columns of one's own table of questions, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import PurePosixPath

from harness import SampleId, Taxonomy, UsageError

from .choices import LETTERS, bare, place
from .row import Row
from .taxonomy import ALL, grouped
from .wording import reference


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name; ``also`` are other names it may have."""

    name: str
    meaning: str
    required: bool = False
    also: tuple[str, ...] = ()


COLUMNS = (
    Column("video", "path of the video file, from `--data_root` or the table's own folder", required=True),
    Column("question", "what is asked", required=True),
    Column(
        "answer",
        "the right answer; for a multiple-choice question the letter or the text of the right option",
        required=True,
    ),
    Column(
        "id",
        "names the question, once: a whole number or text; without this column rows count from 1",
        also=("index",),
    ),
    Column("choices", "the options in order, a list; makes it multiple-choice", also=("candidates",)),
    Column("A, B, C, ...", "the options in columns of their own instead; those not needed stay empty"),
    Column("labels", "the groups that the question counts in, a list", also=("category", "dimensions")),
    Column("coarse", "the larger group that the labels of this row belong to"),
    Column("start", "where the part of the video that is shown begins: `75.5` (seconds) or `1:15.5`"),
    Column("end", "where it ends"),
    Column("subtitles", "path of an `.srt` or `.vtt` file; what is said at the moments shown is quoted"),
)
"""A list is ``["one", "two"]`` (JSON) or ``one | two``. Names are read without regard to case."""

_NAMES = {name: column.name for column in COLUMNS for name in (column.name.lower(), *column.also)}
_NAMES.pop("a, b, c, ...")


@dataclass(frozen=True, slots=True)
class Question:
    """One row understood; paths are as written, ``reference`` is what a model should reply."""

    row: Row
    id: SampleId
    video: str
    question: str
    reference: str
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    coarse: str = ""
    start: float | None = None
    end: float | None = None
    subtitles: str = ""


def understand(rows: Iterable[Row]) -> list[Question]:
    """The questions. Raises UsageError naming file, row and column for whatever is off."""
    rows = [_renamed(row) for row in rows]
    _check_names(rows)
    numbered = not any("id" in row.cells for row in rows)
    questions = [_question(row, row.number if numbered else _id(row)) for row in rows]
    known: dict[str, Row] = {}
    for question in questions:
        other = known.setdefault(str(question.id), question.row)
        if other is not question.row:
            raise question.row.wrong("id", f"{question.id!r} names row {other.number} already")
    return questions


def taxonomy_of(questions: Sequence[Question]) -> Taxonomy | None:
    """The groups of the column ``coarse`` in the order they come; None without that column.

    Raises UsageError when a label has no coarse group, or two.
    """
    if not any(question.coarse for question in questions):
        return None
    home: dict[str, Question] = {}
    for question in questions:
        for label in question.labels:
            first = home.setdefault(label, question)
            if first.coarse != question.coarse:
                said = f"to {first.coarse or 'none'} in row {first.row.number}, to another here"
                raise question.row.wrong("coarse", f"label {label!r} belongs {said}")
            if not question.coarse:
                raise question.row.wrong("coarse", f"it is empty, but not in other rows: where is {label!r}?")
    return grouped((question.coarse, label) for question in questions for label in question.labels)


def _renamed(row: Row) -> Row:
    """The row with the names of ``COLUMNS``, letters of options in upper case."""
    cells: dict[str, object] = {}
    for name, value in row.cells.items():
        plain = name.strip().lower()
        own = plain.upper() if _is_letter(plain) else _NAMES.get(plain, plain)
        if own in cells:
            raise UsageError(f"{row.file} has two columns for {own!r}: remove one")
        cells[own] = value
    return replace(row, cells=cells)


def _check_names(rows: Sequence[Row]) -> None:
    """Raise UsageError for a required column that no row has, and for a name that looks misspelt."""
    names = dict.fromkeys(name for row in rows for name in row.cells)
    for column in COLUMNS:
        if column.required and column.name not in names:
            close = get_close_matches(column.name, names, 1)
            guess = f"; is it {close[0]!r}? " if close else ": "
            needed = ", ".join(column.name for column in COLUMNS if column.required)
            raise UsageError(f"{rows[0].file} has no column {column.name!r}{guess}it needs {needed}")
    for name in names:
        close = get_close_matches(name, _NAMES, 1, 0.8)
        if close and name not in _NAMES and _NAMES[close[0]] not in names:
            raise UsageError(
                f"{rows[0].file} has a column {name!r}: if {close[0]!r} is meant, name it so, else rename it"
            )


def _question(row: Row, id_: SampleId) -> Question:
    video = row.text("video").strip()
    if "://" in video:
        raise row.wrong("video", f"{video[:60]!r} is a link: fetch the file and write its path")
    if not video.isprintable() or not PurePosixPath(video).name:
        raise row.wrong("video", f"{video[:60]!r} is no path of a file: a quote may be open")
    choices = _choices(row)
    start, end = (row.seconds(name) if row.has(name) else None for name in ("start", "end"))
    if end is not None and end <= (start or 0):
        raise row.wrong("end", f"it is {end:g}, not after the start at {start or 0:g}")
    labels = tuple(dict.fromkeys(row.texts("labels"))) if row.has("labels") else ()
    coarse = row.text("coarse").strip() if row.has("coarse") else ""
    for column, names in (("labels", labels), ("coarse", (coarse,))):
        if ALL in names:
            raise row.wrong(column, f"{ALL} is the group of all questions: choose another name")
    if coarse and not labels:
        raise row.wrong("labels", "it is empty, though coarse is not: what belongs to the coarse group?")
    return Question(
        row,
        id_,
        video,
        row.text("question"),
        _reference(row, choices),
        choices,
        labels,
        coarse,
        start,
        end,
        row.text("subtitles").strip() if row.has("subtitles") else "",
    )


def _id(row: Row) -> SampleId:
    """The cell, as a number where it is one, so that a table has the same ids in every form."""
    text = row.text("id").strip()
    return int(text) if re.fullmatch(r"0|[1-9]\d{0,17}", text, re.ASCII) else text


def _choices(row: Row) -> tuple[str, ...]:
    """The options, without letters of their own; empty for an open question."""
    lettered = [letter for letter in LETTERS if row.has(letter)]
    if row.has("choices"):
        if lettered:
            raise row.wrong(lettered[0], "it holds an option, as the column choices does: empty one of them")
        column, options = "choices", row.texts("choices")
    elif lettered:
        column, options = lettered[-1], [row.text(letter).strip() for letter in lettered]
        if lettered != list(LETTERS[: len(lettered)]):
            missing = next(letter for letter in LETTERS if letter not in lettered)
            raise row.wrong(missing, f"it is empty, but {lettered[-1]} is not: options go from A on")
    else:
        return ()
    options = list(bare(options))
    if not 2 <= len(options) <= len(LETTERS):
        raise row.wrong(column, f"a choice has 2 to {len(LETTERS)} options, not {len(options)}")
    for option in options:
        if options.count(option) > 1:
            raise row.wrong(column, f"two options are {option[:40]!r}")
    return tuple(options)


def _reference(row: Row, choices: Sequence[str]) -> str:
    answer = row.text("answer")
    if not choices:
        return answer
    try:
        right = place(answer, choices)
    except ValueError as error:
        raise row.wrong("answer", str(error)) from None
    if right is None:
        letters = f"A to {LETTERS[len(choices) - 1]}"
        raise row.wrong("answer", f"{answer[:40]!r} is no option: write its letter ({letters}) or its text")
    return reference(choices, right)


def _is_letter(name: str) -> bool:
    return len(name) == 1 and name.upper() in LETTERS
