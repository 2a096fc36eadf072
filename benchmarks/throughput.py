"""Samples a second of a large local model: `python -m benchmarks.throughput --device cuda`.

Three ways to the same samples, in turns. The plain loop is what people write: decode a video, transformers'
own processor and model, then the next video. Bare `generate` has its tensors ready on the device, in batches.
The runner does all that a run does, in batches of the same sizes, from the first video to the last stored
answer. All answers have the same number of new tokens. Promised are at least .95 times bare `generate` at
each size, and 6 times the plain loop at the best one.

The model has 3B parameters drawn at random (`benchmarks.big_qwen`); it and the videos are made in --folder.
Each figure is printed when it is known; what does not fit in --minutes is left out. `key=value` are options
of the model.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from statistics import harmonic_mean, median
from tempfile import gettempdir

from tabulate import tabulate

from benchmarks import big_qwen
from benchmarks.batches import most_memory
from benchmarks.ways import Run, Ways
from harness import Sample
from harness.config import RunConfig
from harness.naming import find_all
from harness.options import parse_pairs
from harness.prefetch import BUDGET
from harness.prepare import prepare
from harness.registry import Registry

OF_BARE, OF_PLAIN = 0.95, 6.0
WARM = 4
"""New tokens of the calls that come before time counts."""


@dataclass
class Figures:
    """Samples a second, round by round; bare and runs by the size of batches."""

    plain: list[float] = field(default_factory=list)
    bare: dict[int, list[float]] = field(default_factory=dict)
    runs: dict[int, list[Run]] = field(default_factory=dict)

    def rates(self) -> str:
        rows = []
        for batch, runs in self.runs.items():
            bare, rate = median(self.bare[batch]), median(run.rate for run in runs)
            spread = f"{min(run.rate for run in runs):.2f} to {max(run.rate for run in runs):.2f}"
            times = f"{rate / median(self.plain):.1f}" if self.plain else ""
            rows.append((batch, f"{bare:.2f}", f"{rate:.2f}", spread, f"{rate / bare:.3f}", times))
        heads = ("batch", "bare generate", "runner", "from, to", "runner / bare", "runner / plain")
        return table(rows, heads)

    def parts(self) -> str:
        """Where the time of runs went. The last column is how much longer `generate` took than bare."""
        rows = []
        for batch, runs in self.runs.items():
            names = runs[0].parts
            shares = [f"{100 * median(run.parts[name] / run.seconds for run in runs):.1f}" for name in names]
            alone = median(run.parts["generate"] / run.seconds / run.rate for run in runs)
            slower = alone * median(self.bare[batch])
            rows.append((batch, f"{median(run.batch for run in runs):.1f}", *shares, f"{slower:.3f}"))
        names = next(iter(self.runs.values()))[0].parts
        return table(rows, ("batch", "mean batch", *names, "generate / bare"))

    def promises(self) -> Iterator[str]:
        rates = {batch: median(run.rate for run in runs) for batch, runs in self.runs.items()}
        worst = min(rates, key=lambda batch: rates[batch] / median(self.bare[batch]))
        yield said(f"runner / bare, batch {worst} (worst)", rates[worst] / median(self.bare[worst]), OF_BARE)
        if self.plain:
            best = max(rates, key=lambda batch: rates[batch])
            yield said(f"runner / plain, batch {best} (best)", rates[best] / median(self.plain), OF_PLAIN)


def table(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    return tabulate(rows, heads, disable_numparse=True, colalign=("right",) * len(heads))


def said(what: str, ratio: float, promise: float) -> str:
    return f"{what}: {ratio:.3f}, promised {promise}: {'kept' if ratio >= promise else 'NOT KEPT'}"


def steps(
    ways: Ways, samples: Sequence[Sample], given: argparse.Namespace, figures: Figures
) -> dict[str, Callable[[], str]]:
    """What a round measures, by name; each adds to the figures and gives them as a line."""

    def plain() -> str:
        figures.plain.append(ways.plain(samples[: given.plain]))
        return f"{figures.plain[-1]:.2f}/s"

    def batched(batch: int) -> str:
        # On both sides of the run: a machine that others use is faster at one minute than at the next.
        before = ways.bare(samples[:batch], given.calls)
        run = ways.runner(samples[: asked(batch, given)], batch)
        bare = harmonic_mean((before, ways.bare(samples[:batch], given.calls)))
        figures.bare.setdefault(batch, []).append(bare)
        figures.runs.setdefault(batch, []).append(run)
        ratio = run.rate / bare
        return f"bare {bare:.2f}/s, runner {run.rate:.2f}/s, {ratio:.3f} of it; {most_memory():.0f} GiB"

    return {"plain loop": plain, **{f"batch {batch}": partial(batched, batch) for batch in given.batches}}


def asked(batch: int, given: argparse.Namespace) -> int:
    """Samples of a run: full batches, and not fewer than of the plain loop."""
    return batch * max(given.full, ceil(given.plain / batch))


def measure(todo: Mapping[str, Callable[[], str]], rounds: int, end: float) -> None:
    """Round by round; what took longer the last time than there is until ``end`` is left out."""
    took = dict.fromkeys(todo, 0.0)
    for number in range(1, rounds + 1):
        for name, step in todo.items():
            start = time.monotonic()
            if start + took[name] < end:
                line = step()
                took[name] = time.monotonic() - start
                print(f"round {number}, {name}: {line} ({took[name]:.0f} s)", flush=True)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--device", default="auto", help="cpu, cuda, or auto")
    parser.add_argument("--torch_dtype", default="bfloat16")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 16, 32], help="sizes (1 8 16 32)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", type=int, default=6, help="batches of a run (6)")
    parser.add_argument("--calls", type=int, default=3, help="of bare generate, on each side of a run (3)")
    parser.add_argument("--plain", type=int, default=6, help="samples of the plain loop (6)")
    parser.add_argument("--tokens", type=int, default=64, help="new tokens of each answer (64)")
    parser.add_argument("--minutes", type=float, default=7.5, help="for all of it (7.5)")
    parser.add_argument("--prefetch_bytes", type=int, default=4 * BUDGET)
    parser.add_argument("--folder", type=Path, default=Path(gettempdir()) / "vidharness-throughput")
    parser.add_argument("options", nargs="*", metavar="K=V", help="options of the model")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    given = arguments(words)
    began = time.monotonic()
    folder = big_qwen.write_model(given.folder / "model")
    count = max(given.plain, *(asked(batch, given) for batch in given.batches))
    config = RunConfig(
        data=(str(big_qwen.write_questions(given.folder, count)),),
        model=(f"qwen2.5-vl:{folder}",),
        mode="infer",
        model_args={
            "init": "random",
            "torch_dtype": given.torch_dtype,
            "device": given.device,
            **parse_pairs(given.options),
        },
    )
    prepared = prepare(config, find_all(config, Registry.discover()))
    (cell,) = prepared.cells
    samples = prepared.samples[cell.dataset.name]
    figures, load = Figures(), os.getloadavg()[0]
    with closing(prepared.decoding):
        ways = Ways(cell, min(WARM, given.tokens), given.prefetch_bytes)
        print(f"{ways}; made in {time.monotonic() - began:.0f} s", flush=True)
        for batch in given.batches:
            ways.bare(samples[:batch])
        ways.plain(samples[:1])
        ways.runner(samples[: asked(1, given)], 1)
        ways.tokens = given.tokens
        print(f"Prompts of {ways.length} tokens; {given.full} or more batches of each size", flush=True)
        try:
            measure(steps(ways, samples, given, figures), given.rounds, began + 60 * given.minutes)
        finally:
            if figures.runs:
                print(f"\nSamples a second, medians of {given.rounds} rounds or fewer:\n{figures.rates()}")
                print(f"\nWhere the time of runs went, in hundredths:\n{figures.parts()}\n")
                print(*figures.promises(), sep="\n")
    print(f"Load {load:.1f} before, {os.getloadavg()[0]:.1f} after.")


if __name__ == "__main__":
    main()
