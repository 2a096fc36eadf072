"""The real command on ranks that die, on two machines, and with the link between them cut.

The model writes down what it is asked and, past a number of calls, waits: so the test says who is where
when somebody dies, and counts what was asked twice.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import pytest
from network import ADDRESSES, two_machines
from processes import free_port, marked, whole

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

SAMPLES = 60
DEADLINE = 300.0
MODEL = """
import os, time, zlib
from pathlib import Path
from harness import Answer, Spec, hookimpl

FOLDER = Path(os.environ.get("PACED", "."))
RANK = os.environ.get("RANK", "alone")

def identity(prompt):
    shown = b"".join(part.frames.tobytes() for part in prompt.parts if hasattr(part, "frames"))
    return zlib.crc32(shown + prompt.text.encode())

class Paced:
    version, max_batch = 1, 1

    def generate(self, prompts):
        for prompt in prompts:
            with (FOLDER / "asked").open("a") as log:
                log.write(f"{RANK} {identity(prompt)}\\n")
                log.flush()
                end = log.tell()
            number = (FOLDER / "asked").read_bytes()[:end].count(b"\\n")
            while number > self.limit():
                time.sleep(0.01)
            yield Answer(f"{len(prompt.text)}")

    def limit(self):
        for name in (f"limit{RANK}", "limit"):
            if (FOLDER / name).exists():
                return int((FOLDER / name).read_text())
        return 10 ** 9

@hookimpl
def harness_models():
    return [Spec("paced", "paced:Paced", "waits when told to")]
"""
QUICK = """
import sys
import harness.claims, harness.work
from harness.cli import main

harness.work.STORE_SECONDS, harness.work.BEAT_SECONDS = 6.0, 0.5
harness.claims.SILENT_SECONDS, harness.claims.POLL_SECONDS = 12.0, 0.2
sys.exit(main(["run", *sys.argv[1:]]))
"""


@dataclass
class Agent:
    """A torchrun under way, and where it writes."""

    process: Popen[str]
    said: Path
    mark: str

    def ranks(self) -> dict[int, int]:
        """The live processes of its ranks."""
        return {
            int(word.removeprefix("RANK=")): pid
            for pid in marked(self.mark)
            for word in environment(pid)
            if word.startswith("RANK=") and parent(pid) == self.process.pid
        }

    def end(self) -> int:
        return self.process.wait(DEADLINE)


@dataclass
class Place:
    """A folder to run in, with the model on the path."""

    root: Path
    folder: Path
    home: Path
    """Where generated videos are kept for all tests."""
    agents: int = 0
    ending: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        info = self.folder / "site" / "paced-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paced\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[vidharness]\npaced = paced\n")
        (self.folder / "site" / "paced.py").write_text(MODEL)
        (self.folder / "quick.py").write_text(QUICK)

    def torchrun(self, *words: str, script: Path | None = None, enter: Sequence[str] = ()) -> Agent:
        """Start one; killed with all it has started when the test ends."""
        self.agents += 1
        mark, said = uuid.uuid4().hex, self.folder / f"said{self.agents}"
        what = ["--data", "ShapesVideo_8frame_nopack", "--limit", str(SAMPLES), "--work_dir", "out"]
        command = [
            *(*enter, sys.executable, "-m", "torch.distributed.run", *words, script or self.root / "run.py"),
            *(*what, "--model", "paced", "--judge", "exact"),
        ]
        path = os.pathsep.join([str(self.folder / "site"), os.environ.get("PYTHONPATH", "")])
        environ = {
            **os.environ,
            "PYTHONPATH": path.strip(os.pathsep),
            "XDG_CACHE_HOME": str(self.home),
            "OMP_NUM_THREADS": "1",
            "PACED": str(self.folder),
        }
        output = self.ending.enter_context(said.open("w"))
        started = whole(command, environ, mark, cwd=self.folder, stdout=DEVNULL, stderr=output)
        return Agent(self.ending.enter_context(started), said, mark)

    def limit(self, calls: int, rank: int | None = None) -> None:
        """Let the model wait once so many calls have been made; on one rank, or on all."""
        path = self.folder / f"limit{'' if rank is None else rank}"
        path.with_suffix(".new").write_text(str(calls))
        path.with_suffix(".new").replace(path)

    def asked(self) -> list[tuple[int, str]]:
        """The rank that made each call, and what tells the call from others."""
        path = self.folder / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(rank), call) for rank, call in map(str.split, lines)]

    def repeated(self) -> int:
        """How many calls were made that had been made before."""
        calls = [call for _, call in self.asked()]
        return len(calls) - len(set(calls))

    def stored(self) -> int:
        """Answers in the journals."""
        return sum(path.read_bytes().count(b"\n") for path in (self.folder / "out").rglob("*.journal"))

    def all_hold_one(self, ranks: int) -> bool:
        """Whether 20 calls are answered, and each rank waits in one more."""
        return {rank for rank, _ in self.asked()[20:]} == set(range(ranks)) and self.stored() == 20

    def counts(self) -> dict[str, int]:
        """Of the newest rating."""
        ratings = sorted((self.folder / "out").rglob("*_rating.json"))
        found: dict[str, Any] = json.loads(ratings[-1].read_text())
        return found["meta"]["counts"]


def environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    except OSError:
        return []


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def wait_for(condition: Callable[[], object], agents: Sequence[Agent] = ()) -> None:
    """``agents``: must live meanwhile."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        for agent in agents:
            assert agent.process.poll() is None, agent.said.read_text()
        time.sleep(0.02)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(root: Path, tmp_path: Path, home: Path) -> Iterator[Place]:
    made = Place(root, tmp_path, home)
    with made.ending:
        yield made


def test_without_restarts_survivors_say_what_is_kept_and_the_next_run_fills_the_gap(place: Place) -> None:
    place.limit(20)
    agent = place.torchrun("--standalone", "--nproc-per-node=3")
    wait_for(lambda: place.all_hold_one(3), [agent])
    os.kill(agent.ranks()[1], signal.SIGKILL)
    wait_for(lambda: "SIGTERM: finishing what is under way" in agent.said.read_text(), [agent])
    place.limit(10**9)
    assert agent.end() == 1
    said = agent.said.read_text()
    sentence = (
        rf"interrupted: (\d+) of {SAMPLES} samples of paced on Shapes.* clean are answered and kept; run the"
    )
    counts = re.findall(rf"^vidharness(?: \(rank 2\))?: {sentence} same", said, re.MULTILINE)
    assert len(counts) == 2, said
    assert 20 < max(map(int, counts)) == place.stored() < SAMPLES
    assert "KeyboardInterrupt" not in said

    assert place.torchrun("--standalone", "--nproc-per-node=2").end() == 0
    assert place.counts() == {"ok": SAMPLES}
    assert place.repeated() <= 1


def test_with_restarts_the_group_comes_back_and_goes_on(place: Place) -> None:
    place.limit(20)
    agent = place.torchrun("--standalone", "--nproc-per-node=2", "--max-restarts=1")
    wait_for(lambda: place.all_hold_one(2), [agent])
    os.kill(agent.ranks()[0], signal.SIGKILL)
    place.limit(10**9)
    assert agent.end() == 0, agent.said.read_text()
    assert place.counts() == {"ok": SAMPLES}
    assert place.repeated() <= 2


def machines(port: int, host: str = "127.0.0.1") -> list[list[str]]:
    words = ["--nnodes=2", "--nproc-per-node=1", f"--master-addr={host}", f"--master-port={port}"]
    return [[*words, f"--node-rank={node}"] for node in range(2)]


def test_two_machines_do_one_run_and_the_first_stays_until_the_other_is_through(place: Place) -> None:
    place.limit(0, rank=1)
    place.limit(30, rank=0)
    agents = [place.torchrun(*words) for words in machines(free_port())]

    def rank_0_has_nothing_left() -> bool:
        by_rank = Counter(rank for rank, _ in place.asked())
        return by_rank[1] > 0 and by_rank.total() == SAMPLES and place.stored() == SAMPLES - 1

    wait_for(lambda: {rank for rank, _ in place.asked()} == {0, 1}, agents)
    place.limit(10**9, rank=0)
    wait_for(rank_0_has_nothing_left, agents)
    time.sleep(2)
    assert 0 in agents[0].ranks(), "torchrun leaves when its last process has ended, and with it the store"
    place.limit(10**9, rank=1)
    assert [agent.end() for agent in agents] == [0, 0]
    assert place.counts() == {"ok": SAMPLES}
    assert place.repeated() == 0


def test_a_cut_link_ends_one_side_with_a_sentence_and_the_other_finishes(place: Place) -> None:
    script = place.folder / "quick.py"
    with two_machines() as link:
        place.limit(20)
        agents = [
            place.torchrun(*words, script=script, enter=enter)
            for words, enter in zip(machines(free_port(), ADDRESSES[0]), link.enter, strict=True)
        ]
        wait_for(lambda: place.all_hold_one(2), agents)
        link.cut()
        place.limit(10**9)
        assert agents[1].end() == 1
        said = agents[1].said.read_text()
        lost = (
            r"vidharness \(rank 1\): rank 1 lost torchrun's store \(no answer for 6 s\): (\d+) of 60 samples"
        )
        assert re.search(lost, said), said
        # Its torchrun, whose rank has ended well, still waits five minutes for the other one.
        wait_for(lambda: list(place.folder.rglob("*_rating.json")), agents[:1])
        wait_for(lambda: not agents[0].ranks(), agents[:1])
        said = agents[0].said.read_text()
        assert "fallen silent: what it had in hand is asked here" in said
        assert "vidharness" not in said
    assert place.counts() == {"ok": SAMPLES}
    assert place.repeated() == 0
