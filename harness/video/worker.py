"""The process that decodes for another one: started by ``processes``, ends with whoever started it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.video.clips import decode, decode_windows
from harness.video.foresight import foresee
from harness.video.messages import receive, send

_CALLS: Mapping[str, Callable[..., Any]] = {
    "decode": decode,
    "decode_windows": decode_windows,
    "foresee": foresee,
}


def serve(connection: int, lifeline: int) -> None:
    """Answer calls until the other side closes the connection.

    connection: descriptor of a socket. lifeline: of the reading end of a pipe into which nothing is ever
    written: when its other end closes, because the process that holds it has died, this one ends at once.
    """
    _end_with(lifeline)
    with suppress(OSError):
        # When memory runs out, a video shall go rather than the run.
        Path("/proc/self/oom_score_adj").write_text("500")
    with socket.socket(fileno=connection) as other:
        answer(other)


def answer(other: socket.socket) -> None:
    """Say that all is imported, then answer one call after another: its result, or what it raised."""
    import av  # noqa: F401

    send(other, "ready")
    with suppress(EOFError, ConnectionError):
        while True:
            name, arguments = receive(other)
            send(other, _result(_CALLS[name], arguments))


def _result(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return call(*arguments)
    except HarnessError as error:
        return error
    except Exception as error:  # perhaps of a type that the other process cannot read
        return RuntimeError(f"{type(error).__name__}: {error}")


def _end_with(lifeline: int) -> None:
    """Have the kernel end this process when the lifeline does, even while C code hangs holding the GIL."""
    import fcntl
    import select

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # it ended before
        os._exit(0)
