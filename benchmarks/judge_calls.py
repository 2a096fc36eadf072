"""Calls of a judge that keeping verdicts by content saves in a sweep of all noises.

    python -m benchmarks.judge_calls --work_dir outputs/sweep

asks the model clean and under each noise whatever is not stored yet (as benchmarks/sweep.py does, whose
answers it takes), then has all answers judged with no verdict stored anywhere, and counts. What a judge
sees is question, options, reference and answer: answers that are equal cost one call, whichever noise
they were given under.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.sweep import EXTENDED, noises, rated, swept
from harness.answered import PREDICTIONS, read_answered
from harness.cli import main as vidharness
from harness.judging import unjudged
from harness.registry import Registry


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every cell is answered and judged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="TinyQwen2.5-VL")
    parser.add_argument("--data", default="ShapesVideo_8frame_nopack")
    parser.add_argument("--ratio", default="0.9", help="share of the frames that are hit (0.9)")
    parser.add_argument("--noises", nargs="+", metavar="NAME", default=averaged(), help="only these")
    parser.add_argument("--processes", type=int, default=1, help="noises at a time (1)")
    parser.add_argument("--work_dir", type=Path, default=Path("outputs/sweep"))
    args, further = parser.parse_known_args(argv)

    words = ["run", "--json", "--data", args.data, "--model", args.model, "--judge", "exact"]
    words += ["--work_dir", str(args.work_dir), *further]
    if args.processes > 1:
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // args.processes))
    clean = rated(words)
    noisy = {name: [*words, "--noise_name", name, "--ratio", args.ratio] for name in args.noises}
    found = {"clean": clean, **(swept(noisy, args.processes) if clean else {})}
    lacking = [name for name, files in found.items() if not files]
    if lacking:
        print(f"judge_calls: not answered: {', '.join(lacking)}; run the same command again", file=sys.stderr)
        return 1
    report(found)
    return 0


def averaged() -> list[str]:
    """The noises that averages are over."""
    return [name for name, category in noises().items() if category != EXTENDED]


def report(found: dict[str, list[Path]]) -> None:
    """Print answers, the distinct ones of each cell, and the calls that judging them all takes."""
    folders = [files[0].parent for files in found.values()]
    cells = [cell for folder in folders for cell in read_answered(folder, Registry.discover(), {})]
    answers = sum(len(cell.samples) for cell in cells)
    within = sum(len(unjudged(cell.samples, cell.predictions(), {})) for cell in cells)
    calls = judged(
        [folder / f"{cell.title}{PREDICTIONS}" for folder, cell in zip(folders, cells, strict=True)]
    )
    print(f"clean and {len(cells) - 1} noises, {len(cells[0].samples)} questions each: {answers} answers")
    print(f"distinct within each cell: {within} calls, {1 - within / answers:.1%} saved")
    print(f"distinct in the whole sweep: {calls} calls made, {1 - calls / answers:.1%} saved")


def judged(files: Sequence[Path]) -> int:
    """Have the answers judged, no verdict being stored before; the cases that the judge was given."""
    out = io.StringIO()
    with TemporaryDirectory() as folder, redirect_stdout(out):
        code = vidharness(["judge", *map(str, files), "--judge", "exact", "--work_dir", folder, "--json"])
    if code:
        raise SystemExit(code)
    return sum(cell["judged"] for cell in json.loads(out.getvalue()))


if __name__ == "__main__":
    sys.exit(main())
