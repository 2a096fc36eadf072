"""Commands as a user types them, in a folder of their own, and real videos to use them on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main

Runner = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for all tests, so that ShapesVideo is generated once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def vidharness(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Runner:
    """Run a command in a folder of its own; gives exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def mini(shared_data: Path, tmp_path: Path) -> Path:
    """A copy of the real mini set that a test may damage."""
    return Path(shutil.copytree(shared_data / "mmbench_video_mini", tmp_path / "mini", copy_function=_copy))


def _copy(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    return target
