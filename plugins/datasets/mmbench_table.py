"""Reads ``MMBench-Video.tsv``; every cell is text until it has been checked.

pandas, which wrote the file, would turn answers such as "None" or "N/A" into missing values.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import UsageError

from .taxonomy import MMBENCH_VIDEO

COLUMNS = ("video", "question", "answer", "dimensions", "video_path")
DIMENSIONS = frozenset(name for names in MMBENCH_VIDEO.coarse.values() for name in names)


@dataclass(frozen=True, slots=True)
class Line:
    """One question. ``file`` is the base name of the video's file."""

    index: int
    video: str
    question: str
    answer: str
    dimensions: tuple[str, ...]
    file: str


def read_table(path: Path) -> list[Line]:
    """All questions, in the file's order; without a column ``index`` they are numbered from 0.

    Raises UsageError naming the row for whatever the format does not allow: a missing column or cell, a
    repeated index, a dimension outside the taxonomy, a video with two files.
    """
    lines: list[Line] = []
    rows: dict[int, int] = {}
    files: dict[str, str] = {}
    for number, cells in _rows(path):
        where = f"{path}, row {number}"
        line = _line(cells, len(lines), where)
        if line.index in rows:
            raise UsageError(f"{where}: index {line.index} was used in row {rows[line.index]} already")
        rows[line.index] = number
        if files.setdefault(line.video, line.file) != line.file:
            raise UsageError(
                f"{where}: video {line.video!r} is {files[line.video]} elsewhere, not {line.file}"
            )
        lines.append(line)
    if not lines:
        raise UsageError(f"{path} holds no questions: download it again")
    return lines


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows below the header as column -> cell, with their numbers, counted from 1 at the first."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t")
            header = next(reader, [])
            lacking = [column for column in COLUMNS if column not in header]
            if lacking:
                raise UsageError(
                    f"{path} has no column {lacking[0]!r}: its columns must be {', '.join(COLUMNS)}"
                )
            number = 0
            for cells in reader:
                if not cells:
                    continue
                number += 1
                if len(cells) != len(header):
                    raise UsageError(
                        f"{path}, row {number} (to line {reader.line_num}) has {len(cells)} cells instead of "
                        f"{len(header)}: a quote may be open"
                    )
                yield number, dict(zip(header, cells, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}") from error


def _line(cells: Mapping[str, str], position: int, where: str) -> Line:
    video = cells["video"].strip()
    if not video or not cells["question"].strip():
        raise UsageError(f"{where} has no {'question' if video else 'video'}")
    for name in (video, cells["video_path"].strip()):
        if not name.isprintable():
            raise UsageError(f"{where}: {name[:60]!r} is no video's name: a quote may be open")
    index = cells.get("index", str(position)).strip()
    if not re.fullmatch(r"\d{1,18}", index, re.ASCII):
        raise UsageError(f"{where}: its index must be a whole number, not {index[:40]!r}")
    return Line(
        index=int(index),
        video=video,
        question=cells["question"],
        answer=cells["answer"],
        dimensions=_dimensions(cells["dimensions"], where),
        file=base_name(cells["video_path"]) or f"{base_name(video)}.mp4",
    )


def _dimensions(text: str, where: str) -> tuple[str, ...]:
    """The names in a Python list literal, each once; nothing in it is ever evaluated."""
    try:
        names = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{where}: dimensions must be a list of names such as ['OCR'], not {text[:60]!r}")
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown:
        raise UsageError(f"{where}: unknown dimension {unknown[0]!r}")
    return tuple(dict.fromkeys(names))


def base_name(path: str) -> str:
    """The last part of a path written on any system; empty where that would lead elsewhere."""
    name = re.split(r"[/\\]", path.strip())[-1]
    return "" if name in (".", "..") or not name.isprintable() else name
