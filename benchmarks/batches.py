"""Samples a second at each size of batches, through the runner: `python -m benchmarks.batches --device cuda`.

Every size answers the same samples in turns, and so does `--batch_size auto`, each time from the beginning:
`auto` includes the small batches it begins with. The model is loaded and has answered before time counts.
Videos are decoded and answers stored as in a run, so a fast model shows how fast these are; the column
`waiting` says which share of the time the model waited for them. `key=value` are options of the model.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from statistics import fmean, median
from typing import Any

from tabulate import tabulate

from benchmarks.cells import seconds_to_answer
from harness import Answer, Prompt
from harness.batch_size import BatchSize
from harness.cell import Cell
from harness.config import RunConfig
from harness.naming import find_all
from harness.options import parse_pairs
from harness.prefetch import BUDGET
from harness.prepare import prepare
from harness.registry import Registry

AUTO = "auto"


class Watched:
    """A model that notes how many prompts its calls have and how long they take."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.max_batch: int = model.max_batch
        if hasattr(model, "prepare"):
            self.prepare = model.prepare
        self.calls: list[int] = []
        self.seconds = 0.0

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        self.calls.append(len(prompts))
        start = time.perf_counter()
        answers = list(self.model.generate(prompts))
        self.seconds += time.perf_counter() - start
        return answers


class Sizes:
    """What was measured at each size: samples a second and the shares of time waited, round by round."""

    def __init__(self, cell: Cell, budget: int) -> None:
        self.model = Watched(cell.model.plugin)
        self.cell = replace(cell, model=replace(cell.model, plugin=self.model))
        self.budget = budget
        self.rates: dict[int | str, list[float]] = {}
        self.waited: dict[int | str, list[float]] = {}
        self.calls: dict[int | str, list[int]] = {}
        self.memory: dict[int | str, float] = {}

    def measure(self, name: int | str, samples: Sequence[Any]) -> None:
        size = BatchSize(self.model.max_batch, auto=True) if name == AUTO else BatchSize(int(name))
        self.model.calls, self.model.seconds = [], 0.0
        reset_memory()
        seconds = seconds_to_answer(self.cell, samples, size, self.budget)
        self.rates.setdefault(name, []).append(len(samples) / seconds)
        self.waited.setdefault(name, []).append(1 - self.model.seconds / seconds)
        self.calls[name] = self.model.calls
        self.memory[name] = most_memory()

    def table(self) -> str:
        rows = [
            (
                name,
                f"{median(self.rates[name]):.2f}",
                f"{min(self.rates[name]):.2f} to {max(self.rates[name]):.2f}",
                f"{100 * median(self.waited[name]):.0f} %",
                f"{fmean(self.calls[name]):.1f}",
                max(self.calls[name]),
                f"{self.memory[name]:.1f}",
            )
            for name in self.rates
        ]
        heads = ("batch", "samples/s", "from, to", "waiting", "mean batch", "largest", "GPU GiB")
        return tabulate(rows, heads, disable_numparse=True, colalign=("left", *["right"] * (len(heads) - 1)))


def reset_memory() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def most_memory() -> float:
    """GiB of the GPU that tensors took at most since the last reset; 0 without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0.0
    return float(torch.cuda.max_memory_allocated() / 2**30)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batches", description=__doc__)
    parser.add_argument("--model", default="TinyQwen2.5-VL")
    parser.add_argument("--data", default="ShapesVideo_8frame_nopack")
    parser.add_argument("--device", default="auto", help="cpu, cuda, or auto")
    parser.add_argument("--most", type=int, default=64, help="the largest size (64)")
    parser.add_argument("--limit", type=int, default=240, help="samples (240)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prefetch_bytes", type=int, default=4 * BUDGET)
    parser.add_argument("options", nargs="*", metavar="K=V", help="options of the model")
    given = parser.parse_args(words)
    config = RunConfig(
        data=(given.data,),
        model=(given.model,),
        mode="infer",
        limit=given.limit,
        model_args={"device": given.device, **parse_pairs(given.options)},
    )
    prepared = prepare(config, find_all(config, Registry.discover()))
    (cell,) = prepared.cells
    samples = prepared.samples[cell.dataset.name]
    load = os.getloadavg()[0]
    with closing(prepared.decoding):
        cell.model.plugin.load()
        sizes = Sizes(cell, given.prefetch_bytes)
        seconds_to_answer(cell, samples[:8], BatchSize(4))
        names = [2**i for i in range(11) if 2**i <= min(given.most, sizes.model.max_batch)]
        for number in range(given.rounds):
            for name in (*names, AUTO):
                print(
                    f"\rround {number + 1} of {given.rounds}, {name:<6}", end="", file=sys.stderr, flush=True
                )
                sizes.measure(name, samples)
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    print(sizes.table())
    print(
        f"\n{cell.model.name} on {len(samples)} samples of {cell.dataset.name}, medians of {given.rounds} "
        f"rounds; load {load:.1f} before, {os.getloadavg()[0]:.1f} after."
    )


if __name__ == "__main__":
    main()
