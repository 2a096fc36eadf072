"""What the system refuses a command, and what the command says then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main

LIST = [sys.executable, "-m", "harness", "list", "judge"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_that_is_full_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(LIST, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "vidharness: the system says: No space left on device; what is stored is kept"
    )
    assert done.stderr.count("\n") == 1


def test_an_output_that_is_closed_is_no_error() -> None:
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *LIST], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_system_refuses_is_named_and_no_bug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "/some/where")

    monkeypatch.setattr("harness.registry.Registry.discover", refuse)
    assert main(["list", "judge"]) == 1
    assert "Permission denied (/some/where)" in capsys.readouterr().err


@pytest.mark.parametrize(("rank", "said"), [("0", "interrupted; run the same command again"), ("1", "")])
def test_an_interrupted_rank_but_the_first_is_silent_and_quick(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, rank: str, said: str
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.registry.Registry.discover", interrupt)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("torchrun leaves little time"))
    monkeypatch.setenv("RANK", rank)
    assert main(["list", "judge"]) == 1
    assert said in capsys.readouterr().err
