"""How long each noise takes on frames of 1280x720, beside imagecorruptions and a plain copy.

`python -m benchmarks.noises` takes minutes; `--quick` measures fewer times, `--only NAME...` less,
`--markdown` prints tables for a page. The noises are called as a run calls them, with all frames hit; their
turns alternate with those of the copy and of imagecorruptions in one process, and medians are shown.
imagecorruptions gets the same frame at the same severity, and ours the same lengths in pixels. Times of one
thread are its processor time, so that a busy machine shows the same as an idle one, more or less.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from statistics import median

import cv2

from benchmarks.first_call import cold_and_cached
from benchmarks.imagecorruptions_shim import load_imagecorruptions
from benchmarks.noise_costs import bench
from benchmarks.noise_report import (
    MOST,
    USUAL,
    cost_table,
    first_call_table,
    promises,
    rival_table,
)
from benchmarks.subjects import subjects
from benchmarks.timing import keep_memory

PACKAGES = ("numpy", "numba", "opencv-python-headless", "imagecorruptions", "scikit-image")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noises", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 9, and no first calls")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these noises")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    given = parser.parse_args(words)
    chosen = [subject for subject in subjects() if not given.only or subject.name in given.only]
    if given.only and len(chosen) < len(set(given.only)):
        parser.error(f"choose from {', '.join(subject.name for subject in subjects())}")
    try:
        rivals = load_imagecorruptions()
    except ModuleNotFoundError as error:
        parser.error(f"{error.name} is missing: pip install '.[bench]', then pip install --no-deps "
                     "imagecorruptions==1.1.2")  # fmt: skip

    cv2.setNumThreads(1)
    keep_memory()
    setting = bench(rivals, *((3, 2.0) if given.quick else (9, 20.0)))
    costs = []
    for number, subject in enumerate(chosen, 1):
        print(f"\r{number}/{len(chosen)} {subject.name:<24}", end="", file=sys.stderr, flush=True)
        costs.append(setting.measure(subject))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)

    style = "github" if given.markdown else "simple"
    copy = median(cost.copy for cost in costs)
    print(
        f"{len(costs)} noises, milliseconds of processor time per frame of a clip of 8, and of a clip of\n"
        f"one. Then, by the clock but for waiting for busy cores, 8 frames on {len(setting.parts)} threads,\n"
        f"what these gain over one, and what they gain at hashing, where nothing is shared.\n"
        f"Copying takes {copy:.2f} ms per frame; ! is above {USUAL} copies, !! above {MOST}.\n"
    )
    print(cost_table(costs, style), end="\n\n")
    print(rival_table(costs, style), end="\n\n")
    if not given.quick:
        print(first_call_table(*cold_and_cached([subject.name for subject in chosen]), style), end="\n\n")
    for line in promises(costs, len(setting.parts)):
        print(f"- {line}" if given.markdown else line)
    print("\n" + ", ".join(f"{package} {version(package)}" for package in PACKAGES))


if __name__ == "__main__":
    main()
