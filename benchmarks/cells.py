"""One cell answered as a run answers it, in a folder of its own that is gone afterwards."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from harness import Sample
from harness.batch_size import BatchSize
from harness.cache import Cache
from harness.cell import Cell
from harness.plan import make_plan
from harness.prefetch import BUDGET
from harness.progress import Progress
from harness.runner import CellRun
from harness.work import Alone


def seconds_to_answer(cell: Cell, samples: Sequence[Sample], size: BatchSize, budget: int = BUDGET) -> float:
    """By the clock, from the first video to the last stored answer. Raises RuntimeError for failures."""
    plan = make_plan(cell, samples)
    with TemporaryDirectory() as folder:
        cache = Cache(Path(folder) / "answers.pkl")
        progress = Progress(len(samples), cell.label, "sample", stream=io.StringIO())
        with cache.journal("0") as journal:
            run = CellRun(plan, set(), Alone(), cache, journal, "cell", progress, budget)
            start = perf_counter()
            run.answer(size)
            taken = perf_counter() - start
        failed = [record["error"] for record in cache.read().values() if record["status"] != "ok"]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(samples)} failed: {failed[0]}")
    return taken
