"""Every reader of stored answers against tens of thousands of damaged, foreign and hostile files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_nothing_is_run_and_nothing_hangs_or_escapes(root: Path) -> None:
    """In a process of its own: what is forbidden there ends it (see tests/support/fuzzing.py)."""
    done = subprocess.run(
        [sys.executable, "-m", "fuzzing", "20261120", "25000"],
        cwd=root / "tests" / "support",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout)
    assert sum(sum(outcomes.values()) for outcomes in counts.values()) >= 25_000
    assert len(counts) == 16
    # Most are refused; but where nothing of a kind is ever read, the readers' depths were not reached.
    shallow = {kind for kind, outcomes in counts.items() if not outcomes.get("read")}
    assert shallow <= {"cache", "opcodes", "opcodes with a right checksum"}


def test_the_fuzzing_itself_notices(root: Path, tmp_path: Path) -> None:
    """A reader that runs what it reads is caught."""
    code = (
        "import fuzzing, pickle, pathlib, sys;"
        "fuzzing.read_cache = lambda data: pickle.loads(data);"
        "fuzzing.main(1, 100, pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], cwd=root / "tests" / "support", capture_output=True, text=True
    )
    assert done.returncode == 3
    assert "pickle.find_class" in done.stderr
