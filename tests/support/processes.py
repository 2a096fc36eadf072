"""Programs that start others: when a test ends, however it ends, none of them is left behind."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_MARK = "VIDHARNESS_TEST_PROCESS"


@contextmanager
def whole(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    mark: str | None = None,
    **options: Any,
) -> Iterator[subprocess.Popen[str]]:
    """``Popen``; at the end whatever it has started is killed, also what runs in a session of its own.

    torchrun gives each of its processes a session, so they are known by a variable they inherit; its value
    is ``mark``, by which ``marked`` finds them.
    """
    mark = mark or uuid.uuid4().hex
    process = subprocess.Popen(
        list(map(str, command)),
        env={**(os.environ if env is None else env), _MARK: mark},
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        while descendants := marked(mark):
            for pid in descendants:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    """The live processes that have ``mark`` in their environment; where there is no /proc, none."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def free_port() -> int:
    """A port of 127.0.0.1 to listen on later: below those that the system gives to clients meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
