"""The verbs that read rating files: ``leaderboard`` and ``compare``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.errors import UsageError
from harness.files import write_text
from harness.leaderboard import build
from harness.rating_files import BLOCKS, SUFFIX, read_rating
from harness.types import Rating


def run_leaderboard(args: argparse.Namespace) -> int:
    """Print, or write to a file, the table of all ratings below the folders."""
    board = build(args.folders, args.metric)
    for warning in board.warnings:
        print(f"vidharness: {warning}", file=sys.stderr)
    text = {"text": board.text, "markdown": board.markdown, "csv": board.csv}[args.format]()
    if args.out is None:
        print(text.rstrip("\n"))
    else:
        write_text(args.out, text.rstrip("\n") + "\n")
    return 0


def run_compare(args: argparse.Namespace) -> int:
    """Print ratings as columns, their groups as rows."""
    if args.block not in BLOCKS:
        raise UsageError(f"unknown block {args.block!r}: choose one of {', '.join(BLOCKS)}")
    files = [file for given in args.ratings for file in _files(given)]
    print(side_by_side([read_rating(file) for file in files], args.block))
    return 0


def side_by_side(ratings: list[Rating], block: str) -> str:
    """A table of one block of several ratings, clean ones first, with what each is above its column."""
    from tabulate import tabulate

    ratings = sorted(ratings, key=lambda rating: rating.meta.get("noise") is not None)
    groups = list(dict.fromkeys(group for rating in ratings for group in getattr(rating, block)))
    rows = [[group, *(getattr(rating, block).get(group, "") for rating in ratings)] for group in groups]
    rows.append(["failed", *(_failed(rating) for rating in ratings)])
    headers = [block, *(_title(rating) for rating in ratings)]
    return tabulate(rows, headers, disable_numparse=True, stralign="right", colalign=("left",))


def _files(given: Path) -> list[Path]:
    """The file, or of a folder the newest rating of each name."""
    if given.is_file():
        return [given]
    newest: dict[str, Path] = {}
    for file in sorted(given.rglob(f"*{SUFFIX}"), key=lambda file: (file.parent.name, file.name)):
        newest[file.name] = file
    if not newest:
        raise UsageError(f"no rating file (*{SUFFIX}) at {given}: `vidharness run` writes them")
    return list(newest.values())


def _title(rating: Rating) -> str:
    meta = rating.meta
    noise = f"{meta['noise']} {meta['ratio']:g}" if meta.get("noise") else "clean"
    return f"{meta['model']}\n{meta['dataset']}\n{meta['judge']}\n{noise}"


def _failed(rating: Rating) -> str:
    counts = rating.meta.get("counts")
    if not isinstance(counts, dict):
        return "?"
    return f"{sum(counts.values()) - counts.get('ok', 0)} of {sum(counts.values())}"
