"""One folder in which one command is run, killed and run again, and the accounts that are kept of it.

Model and judge answer with what identifies the call, so that every stored answer and verdict tells which
call it came from: none that was stored when a run began may be asked for by that run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from openai_server import OpenAIServer, Request
from processes import marked, whole

from harness.cache import Cache
from harness.files import slug
from harness.judging import case_key
from harness.types import Case
from torture.kills import Kill

ROOT = Path(__file__).parents[3]
ON_PATH = Path(__file__).parent / "on_path"
BATCH, CONCURRENCY = 4, 4
JUDGE = "grades"
_CANDIDATE = re.compile(r'"candidate_answer": ?"([0-9a-f]{16})"')


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended. asked, judged: the calls it made, by digest of the answer they are about."""

    code: int
    kills: int
    output: str
    asked: list[str]
    judged: list[str]
    orphans: float
    """Seconds that processes of it were still there after their parent."""


class Calls:
    """A server that is model and judge, and the list of what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.judged: list[str] = []
        self.server = OpenAIServer(reply=self._reply)

    def _reply(self, request: Request) -> str:
        if request.body["model"] == JUDGE:
            (digest,) = _CANDIDATE.findall(request.text)
            self.judged.append(digest)
            time.sleep(0.002)
            return str(int(digest, 16) % 4)
        state = blake2b(request.text.encode(), digest_size=8)
        for image in request.images:
            state.update(image.tobytes())
        self.asked.append(state.hexdigest())
        time.sleep(0.002)
        return state.hexdigest()


@dataclass
class Arena:
    """local: the model is a plugin, and may run under torchrun; else it is asked through the server."""

    folder: Path
    home: Path
    """Where generated videos are, for all arenas."""
    calls: Calls
    local: bool
    samples: int
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self._log.touch()
        self._deaths.touch()
        path = os.pathsep.join([str(_installed(self.home)), os.environ.get("PYTHONPATH", "")])
        self.environ = {
            **os.environ,
            "PYTHONPATH": path.strip(os.pathsep),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "OPENAI_API_KEY": "sk-test",
            "TORTURE_CALLS": str(self._log),
            "TORTURE_DEATHS": str(self._deaths),
        }

    @property
    def _deaths(self) -> Path:
        return self.folder / "deaths.log"

    @property
    def _log(self) -> Path:
        return self.folder / "calls.log"

    @property
    def model(self) -> str:
        return slug("counted" if self.local else "openai:asked")

    def words(self) -> list[str]:
        url, concurrency = self.calls.server.url, f"concurrency={CONCURRENCY}"
        endpoint = ["openai:asked", "--base_url", url, "--model_args", concurrency]
        return [
            *("--data", "ShapesVideo_8frame_nopack", "--limit", str(self.samples), "--work_dir", "out"),
            *("--model", *(["counted"] if self.local else endpoint), "--batch_size", str(BATCH)),
            *("--judge", f"openai:{JUDGE}", "--judge_base_url", url, "--judge_args", concurrency),
        ]

    def run(self, ranks: int = 0, restarts: int = 0, kill: Kill | None = None) -> Ran:
        """Run the command to its end or death. ranks: 0 without torchrun."""
        launch = [sys.executable]
        if ranks:
            launch += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
            launch += [f"--max-restarts={restarts}"]
        mark, said = uuid.uuid4().hex, self.folder / "said.txt"
        asked, judged = len(self._asked()), len(self.calls.judged)
        deaths = len(self._deaths.read_text().split())

        def made() -> int:
            return len(self._asked()) - asked + len(self.calls.judged) - judged

        with (
            said.open("w") as output,
            whole(
                [*launch, ROOT / "run.py", *self.words()],
                env={**self.environ, **(kill.environ() if kill else {})},
                mark=mark,
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            killed = kill is not None and kill.carry_out(process, mark, made)
            code = process.wait(300)
            ended = time.monotonic()
            while marked(mark) and time.monotonic() < ended + 240:
                time.sleep(0.01)
            orphans = time.monotonic() - ended
        kills = killed + len(self._deaths.read_text().split()) - deaths
        return Ran(code, kills, said.read_text(), self._asked()[asked:], self.calls.judged[judged:], orphans)

    def answered(self) -> set[str]:
        """The digests of the stored answers. Fails when anything stored cannot be read."""
        return {record["prediction"] for record in self._stored(self.model).values()}

    def verdicts(self) -> set[str]:
        """What the stored verdicts are stored under."""
        return set(self._stored("verdicts"))

    def final(self) -> dict[str, bytes]:
        """What is there after a complete run: caches, and of dated files the newest.

        Left out are what tells when and how it was run, and hidden files that a killed run had begun.
        """
        found = {}
        for path in sorted((self.folder / "out").rglob("*")):
            if path.is_file() and path.name not in ("run.json", "run.log") and path.name[0] != ".":
                dated = re.fullmatch(r"\d{8}-\d{6}.*", path.parent.name)
                found[f"{'DATE/' if dated else ''}{path.name}"] = path.read_bytes()
        return found

    def _asked(self) -> list[str]:
        return self._log.read_text().split() if self.local else self.calls.asked

    def _stored(self, where: str) -> dict[str, dict[str, str]]:
        """The records of the one cache in a folder, of which there may be only a journal so far."""
        folder = self.folder / "out" / where
        stems = {
            path.name.split(".")[0] for path in folder.glob("*.*") if path.suffix in (".pkl", ".journal")
        }
        records = {}
        for stem in stems:
            cache = Cache(folder / f"{stem}.pkl")
            records |= cache.read()
            assert cache.damage == [], cache.damage
        return records


def verdict_keys(final: dict[str, bytes]) -> dict[str, str]:
    """What a verdict is stored under, by the digest of the answer it is about."""
    (lines,) = (data for name, data in final.items() if name.endswith("_predictions.jsonl"))
    found = {}
    for line in lines.decode().splitlines():
        told = json.loads(line)
        found[told["prediction"]] = case_key(Case(told["question"], told["answer"], told["prediction"]))
    return found


@contextmanager
def serving() -> Iterator[Calls]:
    calls = Calls()
    with calls.server:
        yield calls
        # What a killed process had begun to send is no fault of the client.
        calls.server.problems[:] = [said for said in calls.server.problems if "not JSON" not in said]


def _installed(home: Path) -> Path:
    """A folder for PYTHONPATH in which the counted model is an installed distribution."""
    folder = home / "on_path"
    if not folder.exists():
        info = folder / "counted-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counted\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[vidharness]\ncounted = counted\n")
        for source in ON_PATH.glob("*.py"):
            (folder / source.name).symlink_to(source)
    return folder
