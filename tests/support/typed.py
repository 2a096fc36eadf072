"""Commands of a page of the docs, run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def commands(page: str) -> list[list[str]]:
    """The words of each ``$ vidharness ...`` of a page, without the first."""
    return [shlex.split(line) for line in re.findall(r"^\$ vidharness (.*)$", page, re.MULTILINE)]


def run(typed: Sequence[Sequence[str]], root: Path, folder: Path) -> None:
    """Run them one after the other in ``folder``; each must succeed."""
    for words in typed:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
