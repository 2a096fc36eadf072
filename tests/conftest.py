"""What all tests share: the folder of real videos, and a home of their own for caches."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # a shared machine has slow moments
settings.load_profile("house")

ROOT = Path(__file__).parent.parent

# What a shell runs in the background, or nohup, ignores these; programs that tests start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and odd videos beside the checkout; without it a test skips, but not in CI."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        message = "needs the real videos in ../shared/data"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may meet a real endpoint or data set by way of the developer's environment."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LMUData", "VIDHARNESS_DENY"):
        monkeypatch.delenv(name, raising=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="where tests/plugins/models/test_local.py computes")
    parser.addoption("--kills", type=int, default=8, help="how often tests/test_torture.py kills")
    parser.addoption("--kill_seed", type=int, default=0, help="what is killed when")
