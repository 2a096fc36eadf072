"""Every noise of the catalogue in turn, and what it costs a model: `make sweep` writes docs/robustness.md.

    python -m benchmarks.sweep --model TinyQwen2.5-VL

runs `vidharness run` clean and under each noise, in one process or a few, so that libraries are not loaded
each time. What is answered stays in --work_dir and is not asked again. Flags that are not listed here go
to every run (--base_url, --batch_size, --limit, ...).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

from harness.cli import main as vidharness
from harness.files import write_text
from harness.leaderboard import Board, Row, build
from harness.registry import Registry

EXTENDED = "extended"
"""The category that no average includes."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all noises that are averaged are rated; otherwise 1, and the page stays as it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["TinyQwen2.5-VL"])
    parser.add_argument("--data", default="ShapesVideo_8frame_nopack")
    parser.add_argument("--judge", default="exact")
    parser.add_argument("--ratio", default="0.9", help="share of the frames that are hit (0.9)")
    parser.add_argument("--noises", nargs="+", metavar="NAME", help="only these; then no page is written")
    parser.add_argument("--processes", type=int, default=1, help="noises at a time, the cores shared (1)")
    parser.add_argument("--work_dir", type=Path, default=Path("outputs/sweep"))
    parser.add_argument("--out", type=Path, default=Path("docs/robustness.md"))
    args, further = parser.parse_known_args(argv)

    categories = noises()
    unknown = set(args.noises or ()) - set(categories)
    if unknown:
        parser.error(f"the catalogue has no {', '.join(sorted(unknown))}")
    chosen = [name for name in categories if args.noises is None or name in args.noises]
    what = ["--data", args.data, "--model", *args.model, "--judge", args.judge]
    words = ["run", "--json", *what, "--work_dir", str(args.work_dir), *further]
    if args.processes > 1:
        # Each would start a thread per core, and they would wait for one another. For all that follow.
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // args.processes))
    found = {"clean": rated(words)}
    if found["clean"]:
        noise_words = {name: [*words, "--noise_name", name, "--ratio", args.ratio] for name in chosen}
        found |= swept(noise_words, args.processes)
    failed = [name for name, files in found.items() if not files]
    lacking = [name for name in failed if categories.get(name) != EXTENDED]
    if lacking:
        print(f"sweep: not rated: {', '.join(lacking)}; run the same command again", file=sys.stderr)
        return 1
    main_board = build([file for name in found if categories.get(name) != EXTENDED for file in found[name]])
    if args.noises:
        print(main_board.text())
        return 0
    further_files = [file for name in found if categories.get(name) == EXTENDED for file in found[name]]
    others = build([*found["clean"], *further_files]) if further_files else None
    command = " ".join(["python -m benchmarks.sweep", *what[2:-2], "--ratio", args.ratio, *further])
    write_text(args.out, page(main_board, others, categories, command, failed))
    print(f"written to {args.out}", file=sys.stderr)
    return 0


def noises() -> dict[str, str]:
    """Name -> category of each noise that comes with vidharness, in the order of its catalogue."""
    return {
        entry.spec.name: entry.spec.target.partition(":")[0].rpartition(".")[2]
        for entry in Registry.discover().entries("corruption")
        if entry.dist == "vidharness"
    }


def swept(commands: Mapping[str, Sequence[str]], processes: int) -> dict[str, list[Path]]:
    """``rated`` for each command, so many at a time; says which one is done."""
    found: dict[str, list[Path]] = {}
    with ExitStack() as ending:
        results: Iterable[list[Path]] = map(rated, commands.values())
        if processes > 1:
            pool = ProcessPoolExecutor(processes, get_context("spawn"))
            results = ending.enter_context(pool).map(rated, commands.values())
        for name, files in zip(commands, results, strict=True):
            found[name] = files
            print(f"{len(found)} of {len(commands)}: {name}", file=sys.stderr, flush=True)
    return found


def rated(words: Sequence[str]) -> list[Path]:
    """Run one command; the rating files of its cells, none unless each of them has one and is complete."""
    out = io.StringIO()
    with redirect_stdout(out):
        code = vidharness(words)
    ratings = [cell["rating"] for cell in json.loads(out.getvalue())] if code == 0 else []
    return [Path(rating) for rating in ratings] if all(ratings) else []


def page(
    board: Board, others: Board | None, categories: Mapping[str, str], command: str, failed: Sequence[str]
) -> str:
    """The page, Markdown. failed: noises outside the average that could not be run here."""
    count = sum(category != EXTENDED for category in categories.values())
    parts = [
        "# Robustness",
        "<!-- Written by benchmarks/sweep.py: run make sweep. -->",
        f"What each of the {count} noises of [the gallery](noises.md) costs a model. Scores run from 0 to 3. "
        "This page was written, after asking and judging all that was not stored yet, by\n\n"
        f"```console\n$ {command}\n```",
        "## Means",
        means(board, categories),
        f"## Each of the {count}",
        board.markdown().rstrip("\n"),
        "## Further noises, in no mean",
    ]
    if others is not None:
        parts.append(others.markdown().rstrip("\n"))
    if failed:
        parts.append(f"Not available where this was run: {', '.join(failed)}.")
    return "\n\n".join(parts) + "\n"


def means(board: Board, categories: Mapping[str, str]) -> str:
    """A Markdown table of mean score and drop by category, over noises, for each model of the board."""
    lines = ["| model | noises | number | clean | mean score | mean drop |", "|---|---|---:|---:|---:|---:|"]
    rows = [row for table in board.tables for row in table.rows if row.noise in categories]
    for model in dict.fromkeys(row.model for row in rows):
        own = [row for row in rows if row.model == model]
        groups = {
            category: [row for row in own if categories[row.noise] == category]
            for category in categories.values()
        }
        lines += [_mean(category, group) for category, group in groups.items() if group]
        lines.append(_mean("**all**", own))
    return "\n".join(lines)


def _mean(title: str, rows: Sequence[Row]) -> str:
    score = fmean(float(row.score) for row in rows)
    clean = float(rows[0].clean)
    numbers = (f"{len(rows)}", f"{clean:.2f}", f"{score:.2f}", f"{clean - score:.2f}")
    return f"| {rows[0].model} | {title} | {' | '.join(numbers)} |"


if __name__ == "__main__":
    sys.exit(main())
