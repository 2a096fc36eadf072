"""How ranks of unequal speed share a cell: calls claimed one by one, beside the strided split of others.

    python -m benchmarks.claiming

starts real ranks under torchrun, whose model sleeps. In the strided split (VLMEvalKit, lmms-eval) rank r
of n gets the videos r, r + n, r + 2n, ... The ideal is all ranks busy until the same moment, each at its
own speed and with full batches. `--calls 60` is quick.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from tabulate import tabulate

from harness import Answer, Clip, Prompt, Sample, Sampling, Spec, Video
from harness.batch_size import BatchSize
from harness.cache import Cache
from harness.cell import Cell
from harness.plan import Call, Piece, make_plan
from harness.progress import Progress
from harness.registry import Built, Entry
from harness.runner import CellRun
from harness.work import Ranks, join

RANKS = 4
SECONDS = 0.1
"""For one call; more in a batch take longer as measured with a model of 3B parameters on one H200."""


@dataclass(frozen=True)
class Scene:
    """What is shared, and by whom. slowness: how many times as long the first rank takes for everything."""

    title: str
    slowness: float = 1.0
    batch: int = 1
    one_video: bool = False
    """Half of all questions are about one video."""

    def sizes(self, calls: int) -> list[int]:
        """Questions about each video, about 3.3 of them as in MMBench-Video."""
        draw, calls = random.Random(0), self.calls(calls)
        sizes = [calls // 2] if self.one_video else []
        while (left := calls - sum(sizes)) > 0:
            sizes.append(min(left, draw.choice((1, 2, 3, 3, 4, 7))))
        return sizes

    def calls(self, calls: int) -> int:
        """More where a batch of them takes little longer than one, so that all scenes are of one length."""
        return round(calls * self.batch * SECONDS / batch_seconds(self.batch))

    def ideal(self, calls: int) -> float:
        rates = [self.batch / batch_seconds(self.batch) / slow for slow in self.slow()]
        return self.calls(calls) / sum(rates)

    def slow(self) -> list[float]:
        return [self.slowness] + [1.0] * (RANKS - 1)


SCENES = (
    Scene("one rank five times slower", slowness=5),
    Scene("the same, batches of 8", slowness=5, batch=8),
    Scene("half of the questions about one video", one_video=True),
    Scene("all alike", batch=8),
)


def batch_seconds(count: int) -> float:
    return SECONDS * (12 + count) / 13


@dataclass(frozen=True)
class Share:
    """What one rank did. began, ended: by the machine's clock."""

    began: float
    ended: float
    asked: int


class Sleeper:
    """A model that takes its time."""

    def __init__(self, max_batch: int, slowness: float) -> None:
        self.max_batch, self.slowness = max_batch, slowness

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        time.sleep(batch_seconds(len(prompts)) * self.slowness)
        return [Answer("slept") for _ in prompts]


class Questions:
    """So many questions about each of some copies of one video."""

    version = 1
    sampling = Sampling(nframe=2)

    def __init__(self, folder: Path, sizes: Sequence[int]) -> None:
        videos = [folder / f"{number}.mp4" for number in range(len(sizes))]
        self._samples = [
            Sample(f"{video.stem}-{number}", Video(video, video.stem), "?", "yes", labels=("kind",))
            for video, size in zip(videos, sizes, strict=True)
            for number in range(size)
        ]

    def samples(self) -> Sequence[Sample]:
        return self._samples

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        return Prompt((clip, sample.question))


class Strided:
    """The split that is settled before anybody has begun."""

    def __init__(self, ranks: Ranks, pieces: Sequence[Piece]) -> None:
        self._mine = pieces[ranks.rank :: ranks.size]

    def pieces(self) -> Iterator[Piece]:
        yield from self._mine

    def open(self, piece: Piece) -> list[Call]:
        return list(piece.calls)

    def take(self, _: Call) -> bool:
        return True


class StridedRun(CellRun):
    """Asks its own videos in full batches to the end, as nobody else waits for them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.claims = Strided(self.ranks, self.plan.pieces)  # type: ignore[assignment]

    def _share(self) -> int:
        return sys.maxsize


def share(ranks: Ranks, folder: Path, scene: Scene, calls: int, strided: bool) -> Share:
    """One rank's part in one scene; all begin together."""
    name = f"{scene.title}, {'strided' if strided else 'claimed'}"
    entry = Entry(Spec("sleeper", "m:C", ""), "model", "benchmarks", "1", "benchmarks:all")
    dataset = Questions(folder, scene.sizes(calls))
    model = Sleeper(scene.batch, scene.slow()[ranks.rank])
    cell = Cell(Built("sleeper", model, {}, entry), Built("questions", dataset, {}, entry))
    plan = make_plan(cell, dataset.samples())
    cache = Cache(folder / "out" / f"{name.replace(' ', '-')}.pkl")
    with cache.journal(str(ranks.rank)) as journal, Progress(0, "", "", shown=False) as progress:
        run = (StridedRun if strided else CellRun)(plan, set(), ranks, cache, journal, name, progress)
        ranks.add(f"{name} ready")
        while ranks.add(f"{name} ready", 0) < ranks.size:
            time.sleep(0.001)
        began = time.monotonic()
        run.answer(BatchSize(scene.batch))
        ended = time.monotonic()
    return Share(began, ended, run.stored)


def rank_main(folder: Path, calls: int) -> None:
    """All scenes in turn, on one rank."""
    ranks = join()
    found = [
        [asdict(share(ranks, folder, scene, calls, strided)) for strided in (False, True)] for scene in SCENES
    ]
    (folder / f"rank{ranks.rank}.json").write_text(json.dumps(found))


def measure(calls: int) -> list[tuple[list[Share], list[Share]]]:
    """For each scene what the ranks did when they claimed, and when the split was strided."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        first = folder / "0.mp4"
        write_video(first)
        for number in range(1, max(len(scene.sizes(calls)) for scene in SCENES)):
            (folder / f"{number}.mp4").write_bytes(first.read_bytes())
        launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={RANKS}"]
        own = ["-m", "benchmarks.claiming", "--folder", name, "--calls", str(calls)]
        subprocess.run([sys.executable, *launch, *own], check=True)
        ranks = [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(RANKS)]
    return [
        tuple([Share(**rank[scene][way]) for rank in ranks] for way in (0, 1))  # type: ignore[misc]
        for scene in range(len(SCENES))
    ]


def write_video(path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def total(shares: Sequence[Share]) -> float:
    """Seconds from the first rank's begin to the last one's end."""
    return max(share.ended for share in shares) - min(share.began for share in shares)


def table(results: Sequence[tuple[Sequence[Share], Sequence[Share]]], calls: int) -> str:
    rows = []
    for scene, ways in zip(SCENES, results, strict=True):
        ideal = scene.ideal(calls)
        for way, shares in zip(("claimed", "strided"), ways, strict=True):
            asked = " ".join(str(share.asked) for share in shares)
            rows.append([scene.title, way, f"{total(shares):.2f}", f"{total(shares) / ideal:.2f}", asked])
    headers = ["", "", "seconds", "times the ideal", "calls of each rank"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=400, help="questions to share (400), more in batches")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.folder is not None:
        rank_main(args.folder, args.calls)
        return 0
    print(f"{RANKS} ranks, {SECONDS:g} s a call\n\n{table(measure(args.calls), args.calls)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
