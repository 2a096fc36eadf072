"""What the README promises: the real tiny model under torchrun, at any world and batch size.

Slow: every run starts torch anew, as users do.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Request
from wheels import our_wheel

pytestmark = pytest.mark.slow

DATA = ("--data", "ShapesVideo_8frame_nopack", "--model", "TinyQwen2.5-VL", "--judge", "exact")
NOISE = ("--noise_name", "gaussian", "--ratio", "0.9")


@dataclass(frozen=True)
class Shell:
    """Runs our command in one folder, with a cache of its own."""

    root: Path
    home: Path
    cache: Path

    def environ(self, **more: str) -> dict[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache), **more}

    def __call__(
        self, *words: object, ranks: int = 1, code: int = 0, module: bool = False, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """``run.py`` (or ``-m harness run``) with these words, under torchrun when there are ranks."""
        what = ["-m", "harness", "run"] if module else [str(self.root / "run.py")]
        launch = [sys.executable]
        if ranks > 1:
            launch += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        done = subprocess.run(
            [*launch, *what, *map(str, words)],
            cwd=self.home,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def shell(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(root, tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("cache"))


def rating(folder: Path) -> dict[str, Any]:
    (path,) = folder.rglob("*_rating.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def answers(folder: Path) -> dict[int, str]:
    (path,) = (folder / "TinyQwen2.5-VL").glob("*.pkl")
    return {id_: record["prediction"] for id_, record in pickle.loads(path.read_bytes()).items()}


def blocks(rated: dict[str, Any]) -> dict[str, Any]:
    return {name: block for name, block in rated.items() if name != "meta"}


def test_tiny_qwen_sees_shapes(shell: Shell) -> None:
    out = shell("--work_dir", "clean", *DATA, ranks=2).stdout
    assert "asked 360, judged" in out
    rated = rating(shell.home / "clean")
    assert float(rated["coarse_all"]["Overall"]) >= 2.70
    assert "nan" not in rated["coarse_all"].values()

    readme = (shell.root / "README.md").read_text()
    for group, value in rated["coarse_all"].items():
        (shown,) = re.findall(rf"^{group} +(\d\.\d\d) +\d\.\d\d$", readme, re.MULTILINE)
        # Another processor may round one answer differently: 15 to 360 questions are in a group.
        assert float(shown) == pytest.approx(float(value), abs=0.11), f"README shows {shown} for {group}"

    again = shell("--work_dir", "clean", *DATA, ranks=2)
    assert "all 360 samples are answered already" in again.stderr
    assert "asked 0, judged 0" in again.stdout


def test_every_world_and_batch_size_gives_the_same_answers(shell: Shell) -> None:
    found = []
    for ranks, batch in ((1, 8), (2, 1), (3, 8), (1, "auto")):
        folder = f"noisy-{ranks}-{batch}"
        shell("--work_dir", folder, *DATA, *NOISE, "--limit", 72, "--batch_size", batch, ranks=ranks)
        found.append((answers(shell.home / folder), blocks(rating(shell.home / folder))))
    assert len(found[0][0]) == 72
    assert len(set(found[0][0].values())) > 10
    for other in found[1:]:
        assert other == found[0]


def test_a_wheel_does_the_same_without_a_checkout(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "site"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            "--target",
            target,
            our_wheel(),
        ],
        check=True,
    )
    where = subprocess.run(
        [sys.executable, "-c", "import harness; print(harness.__file__)"],
        cwd=shell.home,
        env=shell.environ(PYTHONPATH=str(target)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(target))
    for ranks in (1, 2):
        words = ("--work_dir", f"wheel-{ranks}", *DATA, *NOISE, "--limit", 24)
        shell(*words, ranks=ranks, module=True, PYTHONPATH=str(target))
        assert rating(shell.home / f"wheel-{ranks}")["meta"]["counts"] == {"ok": 24}


def test_real_clips_with_a_judge_on_loopback(shell: Shell, shared_data: Path) -> None:
    def judge(request: Request) -> str:
        return str(len(request.text) % 4)

    with OpenAIServer(reply=judge) as server:
        words = (
            "--work_dir", "mini", "--data", "MMBench_Video_8frame_nopack", "--model", "TinyQwen2.5-VL",
            "--data_root", shared_data / "mmbench_video_mini", "--judge", "gpt-4o",
            "--judge_base_url", server.url,
        )  # fmt: skip
        out = shell(*words).stdout
        assert "(30 ok)" in out
        rated = rating(shell.home / "mini")
        assert len(rated["fine_all"]) == 26
        assert "nan" not in {value for block in blocks(rated).values() for value in block.values()}


def test_an_api_model_under_torchrun_is_refused_in_one_sentence(shell: Shell) -> None:
    words = ("--data", "ShapesVideo_8frame_nopack", "--model", "gpt-4o", "--judge", "exact")
    done = shell(*words, ranks=2, code=1, OPENAI_API_KEY="sk-none")
    assert len(re.findall("gpt-4o is an API model and runs in one process, not 2", done.stderr)) == 1
    assert "exitcode  : 2" in done.stderr
