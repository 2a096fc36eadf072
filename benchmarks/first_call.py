"""What the first use of each noise costs: compilation, or loading what was compiled before.

`python -m benchmarks.first_call` prints JSON: milliseconds (of processor time) of importing the noises, and
per noise the first call less the second one. It is a process of its own, as nothing may be in memory yet;
what lies in numba's folder (NUMBA_CACHE_DIR) decides whether it compiles or loads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time


@dataclass(frozen=True, slots=True)
class FirstCalls:
    """Milliseconds. noises: by name; what several noises share is counted where it is first needed."""

    imports: float
    noises: Mapping[str, float]


def cold_and_cached(names: Sequence[str]) -> tuple[FirstCalls, FirstCalls]:
    """First calls with nothing compiled, and those of the next process."""
    with tempfile.TemporaryDirectory() as folder:
        return _in_a_process(names, folder), _in_a_process(names, folder)


def _in_a_process(names: Sequence[str], folder: str) -> FirstCalls:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.first_call", *names],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "NUMBA_CACHE_DIR": folder},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return FirstCalls(**json.loads(done.stdout))


def _measure(names: Sequence[str]) -> FirstCalls:
    start = process_time()
    from benchmarks.subjects import film, pan, subjects

    chosen = [subject for subject in subjects() if subject.name in names]
    for subject in chosen:
        subject.load()
    imports = 1000 * (process_time() - start)
    two = film(pan()[:2], "two")
    costs = {}
    for subject in chosen:
        plugin = subject.build()
        start = process_time()
        two.through(subject, plugin)
        middle = process_time()
        two.through(subject, plugin)
        costs[subject.name] = max(0.0, 1000 * (2 * middle - start - process_time()))
    return FirstCalls(imports, costs)


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(sys.argv[1:]))))
