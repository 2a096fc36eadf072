"""What storing one answer costs when many are stored already: `python -m benchmarks.appending [FOLDER]`.

Ours is one line appended to a journal and brought to the disk (fdatasync). Other harnesses pickle their
whole dictionary of answers anew after each one: here the texts alone as they do it, without a sync; the same
with a sync, as durable as ours; and all that ours keeps beside a text, with a sync. Also what reading and
merging everything costs. FOLDER (default: the working folder) says which disk is measured; files are made
there and removed.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from tabulate import tabulate

from benchmarks.timing import interleaved
from harness.cache import Cache
from harness.lines import Record
from harness.records import from_prediction
from harness.types import Answer, Prediction

STORED = (1_000, 20_000, 100_000)
COMPARED = 20_000
AT_LEAST = 20
"""How many times cheaper than pickling anew an answer must be at ``COMPARED``."""
OURS, LIKE_FOR_LIKE = "append, sync", "texts anew, sync"
TEXT = (
    "A man in a blue jacket walks through the kitchen, opens the door and waves to somebody outside. He "
    "then turns to the stove, takes the lid off the larger pot and stirs it with a wooden spoon, while "
    "a child at the table behind him is drawing."
)
"""An answer as models give them to questions about a video: two sentences."""


def record(number: int) -> Record:
    """An answer with its eight frames, as a run stores it."""
    answer = Answer(f"{number} {TEXT}", meta={"model": "m-2026", "usage": {"prompt": 812, "completion": 31}})
    times = tuple(1.5 * frame for frame in range(8))
    return from_prediction(Prediction(number, answer, tuple(range(10, 90, 10)), times), "0123456789abcdef")


def per_answer(folder: Path, stored: int, rounds: int = 40) -> dict[str, float]:
    """Median milliseconds to store one answer more, by each way.

    One way after another: what one has written must not lie before the sync of the next.
    """
    numbers = count(stored)
    texts = {number: f"{number} {TEXT}" for number in range(stored)}
    records = {number: record(number) for number in range(stored)}
    with Cache(folder / f"answers_{stored}.pkl").journal("w") as journal:
        journal.extend(records.items())

        def append() -> None:
            number = next(numbers)
            journal.append(number, record(number))

        def anew(answers: dict[int, Any], answer: Callable[[int], Any], sync: bool) -> None:
            number = next(numbers)
            answers[number] = answer(number)
            with (folder / "anew.pkl").open("wb") as file:
                pickle.dump(answers, file)
                file.flush()
                if sync:
                    os.fdatasync(file.fileno())

        ways = {
            OURS: append,
            "texts anew": lambda: anew(texts, lambda number: f"{number} {TEXT}", sync=False),
            LIKE_FOR_LIKE: lambda: anew(texts, lambda number: f"{number} {TEXT}", sync=True),
            "records anew, sync": lambda: anew(records, record, sync=True),
        }
        found = {}
        for name, way in ways.items():
            os.sync()
            found |= interleaved({name: way}, rounds)
        return found


def whole(folder: Path, stored: int) -> Mapping[str, float]:
    """Seconds to read a journal of that many records, to merge it, and to read the .pkl it becomes."""
    cache = Cache(folder / f"answers_{stored}.pkl")
    steps = {"read journal": cache.read, "merge": cache.merge, "read .pkl": cache.read}
    return {name: _seconds(step) for name, step in steps.items()}


def _seconds(step: Callable[[], object]) -> float:
    start = perf_counter()
    step()
    return perf_counter() - start


def measure(folder: Path) -> Iterator[tuple[int, Mapping[str, float], Mapping[str, float]]]:
    """For each number of stored answers: milliseconds per answer, seconds for all."""
    for stored in STORED:
        yield stored, per_answer(folder, stored), whole(folder, stored)


def main(folder: Path) -> int:
    """Print the tables; 1 when an answer is not as much cheaper as it must be."""
    with TemporaryDirectory(dir=folder) as scratch:
        found = list(measure(Path(scratch)))
    print("milliseconds for one answer more, and how many times ours")
    rows = [
        (f"{stored:,}", *(f"{t:.2f} ({t / ms[OURS]:.0f}×)" for t in ms.values())) for stored, ms, _ in found
    ]
    print(tabulate(rows, ("stored", *found[0][1]), disable_numparse=True, stralign="right"))
    print("\nseconds for all of them, and microseconds for each")
    rows = [
        (f"{stored:,}", *(f"{t:.2f} ({1e6 * t / stored:.0f})" for t in s.values())) for stored, _, s in found
    ]
    print(tabulate(rows, ("stored", *found[0][2]), disable_numparse=True, stralign="right"))
    times = next(ms[LIKE_FOR_LIKE] / ms[OURS] for stored, ms, _ in found if stored == COMPARED)
    print(f"\nat {COMPARED:,} answers {times:.0f} times cheaper; {AT_LEAST} are promised")
    return 0 if times >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
