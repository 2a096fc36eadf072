"""``transformers serve`` on loopback: a real server of the OpenAI protocol, with the tiny model behind it.

    with serving(folder) as server:
        server.wait()
        ...  # base_url=server.url

It finds the models by the names of the folders in ``folder``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from harness_plugins.models.tiny_qwen import WEIGHTS
from processes import free_port, whole

DEADLINE = 300.0
"""Seconds for a start; it takes about ten on a machine that has nothing else to do."""


@dataclass(frozen=True)
class Server:
    """A server that may still be starting. log: what it prints, a line for each call it has answered."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def answered(self) -> int:
        """Chat calls answered with status 200 so far."""
        return self.log.read_text().count('POST /v1/chat/completions HTTP/1.1" 200')

    def wait(self) -> None:
        """Until it takes calls."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/health", timeout=10):
                return
            time.sleep(0.1)
        raise AssertionError(f"no server after {DEADLINE:g} s: {self.log.read_text()}")


@contextmanager
def serving(folder: Path, model: str | None = None) -> Iterator[Server]:
    """Start a server in ``folder``; with ``model`` it loads that one now and refuses any other.

    One thread for each: what is to be computed is small, and others compute beside it.
    """
    port = free_port()
    log = folder / f"{port}.log"
    command = [Path(sys.executable).with_name("transformers"), "serve", *([model] if model else ())]
    options = ["--device", "cpu", "--dtype", "float32", "--host", "127.0.0.1", "--port", str(port)]
    with (
        log.open("w") as out,
        whole(
            [*command, *options],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        yield Server(process, port, log)


def put_tiny_qwen(folder: Path, **generation: Any) -> None:
    """The shipped weights as ``folder``, with these generation settings beside their own."""
    folder.mkdir(parents=True)
    for file in WEIGHTS.iterdir():
        if file.name != "generation_config.json":
            (folder / file.name).symlink_to(file)
    settings: Mapping[str, Any] = json.loads((WEIGHTS / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, **generation}))
