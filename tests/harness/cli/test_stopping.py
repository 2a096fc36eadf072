"""Signals to `run`, as users, torchrun and Slurm send them: nothing asked for is lost or asked for twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from distributions import Site
from openai_server import HANG, OpenAIServer, Request
from processes import marked, whole

from harness.cache import Cache

pytestmark = pytest.mark.slow

SHAPES = ("--data", "ShapesVideo_8frame_nopack", "--limit", "24")
GO_ON = "run the same command again to go on"
SLOW = """
import os, time
from pathlib import Path
from harness import Answer, Spec, hookimpl

class Slow:
    max_batch = 4
    version = 1
    def __init__(self, log: Path, batch: float = 0.3, load: float = 0.0):
        self.log, self.batch, self.seconds = log, batch, load
    def say(self, word):
        with self.log.open("a") as file: print(word, file=file)
    def load(self):
        self.say("loading")
        time.sleep(self.seconds)
    def generate(self, prompts):
        self.say("batch")
        for prompt in prompts:
            time.sleep(self.batch / len(prompts))
            self.say("asked")
            yield Answer(prompt.text)

@hookimpl
def harness_models(): return [Spec("slow", "slow_guest:Slow", "takes its time")]
"""


@dataclass
class Stage:
    """A folder, the environment of the commands in it, and a log that the slow model writes."""

    folder: Path
    environ: dict[str, str]

    @property
    def log(self) -> Path:
        return self.folder / "asked.log"

    def said(self, word: str) -> int:
        return self.log.read_text().split().count(word) if self.log.exists() else 0

    @property
    def stored(self) -> int:
        return sum(len(Cache(path).read()) for path in self._caches())

    def _caches(self) -> Iterator[Path]:
        folder = self.folder / "outputs"
        found = [*folder.glob("*/*.pkl"), *folder.glob("*/*.journal")]
        yield from {
            path.with_name(path.name.rsplit(".", 2)[0] + ".pkl") if path.suffix == ".journal" else path
            for path in found
            if path.parent.name != "verdicts"
        }

    def slow(self, **options: object) -> list[str]:
        given = [f"{name}={value}" for name, value in {"log": self.log, **options}.items()]
        return [*SHAPES, "--model", "slow", "--judge", "exact", "--model_args", *given]

    @contextmanager
    def running(self, *words: object, ranks: int = 0) -> Iterator[subprocess.Popen[str]]:
        launch = [sys.executable]
        if ranks:
            launch += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        command = [*launch, "-m", "harness", "run", *map(str, words)]
        mark = uuid.uuid4().hex
        with whole(command, self.environ, mark, cwd=self.folder, stderr=subprocess.PIPE) as process:
            yield process
            deadline = time.monotonic() + 60
            while process.poll() is not None and marked(mark):
                assert time.monotonic() < deadline, "a process has outlived the one that started it"
                time.sleep(0.01)

    def ends(self, process: subprocess.Popen[str]) -> str:
        """What it says until it has ended as a run that was stopped does."""
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1, err
        assert "Traceback" not in err
        return err

    def completes(self, *words: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "run", *map(str, words)],
            cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "(24 ok)" in done.stdout
        return done.stdout


@pytest.fixture
def stage(tmp_path: Path, home: Path) -> Stage:
    site = Site(tmp_path / "site")
    site.path.mkdir()
    site.module("slow_guest", SLOW)
    site.distribution("slow-guest", {"slow": "slow_guest"})
    path = os.pathsep.join([str(site.path), os.environ.get("PYTHONPATH", "")])
    return Stage(tmp_path, {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONPATH": path})


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.01)


def patience(stage: Stage, seconds: float) -> None:
    """How long SIGTERM leaves, in the commands from now on."""
    (stage.folder / "site" / "sitecustomize.py").write_text(
        f"import harness.stopping\nharness.stopping.PATIENCE = {seconds}\n"
    )


def test_calls_under_way_are_finished(stage: Stage) -> None:
    def slow(_: Request) -> str:
        time.sleep(0.3)
        return "red"

    with OpenAIServer(reply=slow) as server:
        words = (
            *SHAPES, "--judge", "exact", "--model", "openai:m", "--base_url", server.url,
            "--model_args", "concurrency=4",
        )  # fmt: skip
        with stage.running(*words) as process:
            wait_for(lambda: len(server.requests) >= 6, process)
            process.send_signal(signal.SIGUSR1)
            err = stage.ends(process)
        assert "SIGUSR1: finishing what is under way" in err
        assert GO_ON in err
        asked = len(server.requests)
        assert asked < 24
        assert stage.stored == asked
        assert f"asked {24 - asked}," in stage.completes(*words)
        assert len(server.requests) == 24


def test_the_batch_under_way_is_finished(stage: Stage) -> None:
    words = stage.slow(batch=0.6)
    with stage.running(*words) as process:
        wait_for(lambda: stage.said("asked") == 6, process)
        process.send_signal(signal.SIGINT)
        err = stage.ends(process)
    assert GO_ON in err
    assert stage.said("batch") == 2
    assert stage.said("asked") == stage.stored == 8
    assert f"asked {24 - 8}," in stage.completes(*words)


def test_a_second_ctrl_c_ends_at_once(stage: Stage) -> None:
    with OpenAIServer(reply=[*["red"] * 5, HANG]) as server:
        words = (
            *SHAPES, "--judge", "exact", "--model", "openai:m", "--base_url", server.url,
            "--model_args", "concurrency=2", "retries=0",
        )  # fmt: skip
        with stage.running(*words) as process:
            assert process.stderr is not None
            wait_for(lambda: len(server.requests) >= 7 and stage.stored == 5, process)
            process.send_signal(signal.SIGINT)
            assert "Ctrl-C again ends at once" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            err = stage.ends(process)
        assert f"ended at once; what is stored is kept: {GO_ON}" in err
    with OpenAIServer(reply="red") as server:
        stage.completes(*(server.url if str(word).startswith("http") else word for word in words))
        assert len(server.requests) == 19


@pytest.mark.parametrize("place", ["load", "batch"])
def test_sigterm_does_not_wait_for_what_takes_for_ever(stage: Stage, place: str) -> None:
    patience(stage, 1.0)
    words = stage.slow(**{place: 600})
    with stage.running(*words) as process:
        wait_for(lambda: stage.said("loading" if place == "load" else "batch"), process)
        process.send_signal(signal.SIGTERM)
        err = stage.ends(process)
    # What is being loaded is dropped; a batch may have been answered in part.
    assert ("with work under way" in err) == (place == "batch")
    assert GO_ON in err


def test_a_video_that_hangs_does_not_hold_up_the_end(stage: Stage, home: Path) -> None:
    (stage.folder / "site" / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Finder:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'harness.video.worker':\n"
        "            sys.meta_path.remove(Finder)\n"
        "            from harness.video import clips\n"
        "            real = clips._DECODERS['pyav']\n"
        "            def faulty(path, choose):\n"
        f"                open({str(stage.log)!r}, 'a').write('decoding\\n')\n"
        f"                if open({str(stage.log)!r}).read().count('decoding') > 3: time.sleep(3600)\n"
        "                return real(path, choose)\n"
        "            clips._DECODERS['pyav'] = faulty\n"
        "sys.meta_path.insert(0, Finder)\n"
    )
    with stage.running(*stage.slow()) as process:
        wait_for(lambda: stage.said("decoding") >= 5, process)
        process.send_signal(signal.SIGTERM)
        err = stage.ends(process)
    assert GO_ON in err
    assert "with work under way" not in err
    assert stage.stored == stage.said("asked")


def test_judging_is_interrupted_in_good_order(stage: Stage) -> None:
    def judge(_: Request) -> str:
        time.sleep(0.3)
        return "3"

    with OpenAIServer(reply=judge) as server:
        words = [*stage.slow(batch=0.01), "--judge", "gpt-4o", "--judge_base_url", server.url]
        with stage.running(*words) as process:
            wait_for(lambda: len(server.requests) >= 4, process)
            process.send_signal(signal.SIGTERM)
            err = stage.ends(process)
        assert "answers are judged and kept" in err
        assert len(server.requests) < 24
        stage.completes(*words)
        assert len({request.text for request in server.requests}) == len(server.requests)
        assert stage.said("asked") == 24


def test_all_ranks_flush_and_end(stage: Stage) -> None:
    pytest.importorskip("torch")
    words = stage.slow(batch=0.8)
    with stage.running(*words, ranks=2) as process:
        wait_for(lambda: stage.said("asked") >= 5, process)
        process.terminate()
        _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert GO_ON in err
    assert stage.said("asked") == stage.stored
    assert stage.said("asked") % 4 == 0
    stage.completes(*words)
    assert stage.said("asked") == 24
