"""One process that decodes: how it is started, asked and ended."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import Any

from harness.errors import HarnessError
from harness.video.messages import receive, send

START_SECONDS = 120.0
"""How long to wait for a process to start; it takes a fraction of a second where imports are fast."""

_FOR_US = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")}
"""Signals that ask a run to stop; what it decodes meanwhile is its own affair."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from harness.video.worker import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)


class Process:
    """One process and the connection to it. Raises HarnessError when it cannot be started."""

    def __init__(self) -> None:
        with ExitStack() as undo, ExitStack() as theirs:
            try:
                self._socket, other = (undo.enter_context(end) for end in socket.socketpair())
                theirs.enter_context(other)
                lifeline, self._lifeline = os.pipe()
                theirs.callback(os.close, lifeline)
                undo.callback(os.close, self._lifeline)
                self._popen = _started(other.fileno(), lifeline)
            except OSError as error:
                raise cannot_start(error) from error
            undo.pop_all()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def await_start(self) -> None:
        """Wait until it can be asked. Raises EOFError, OSError, TimeoutError."""
        self._socket.settimeout(START_SECONDS)
        receive(self._socket)

    def reply(self, call: Any, seconds: float) -> Any:
        """What a call gives, or the exception it raised. Raises EOFError, OSError, TimeoutError."""
        self._socket.settimeout(seconds)
        send(self._socket, call)
        return receive(self._socket)

    def kill(self) -> None:
        self._popen.kill()

    def end(self) -> str:
        """Kill it if it lives, let go of what connects to it; says how it ended. To be called once."""
        self._popen.kill()
        with suppress(subprocess.TimeoutExpired):
            # A process that waits for a dead network disk cannot be killed until that answers.
            self._popen.wait(5)
        self._socket.close()
        os.close(self._lifeline)
        code = self._popen.returncode
        if code is None or code >= 0:
            return f"exit status {code}"
        if -code == signal.SIGKILL:
            return "killed: perhaps there was no memory left"
        return signal.strsignal(-code) or f"signal {-code}"


def _started(connection: int, lifeline: int) -> subprocess.Popen[bytes]:
    """A fresh interpreter that serves the connection; it inherits these two descriptors and no other."""
    # Blocked signals stay blocked across exec: none that is meant for this process and sent to all of its
    # group or job (Ctrl-C, Slurm's warning) can end the other, not even while it starts.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_US)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _START, json.dumps(sys.path), str(connection), str(lifeline)],
            pass_fds=(connection, lifeline),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # NumPy's threads, one for each processor, would have nothing to do.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cannot_start(cause: object) -> HarnessError:
    """What to raise where a process cannot be started or asked."""
    if isinstance(cause, OSError):
        hint = ": raise the limit with `ulimit -n`" if cause.errno == errno.EMFILE else ""
        cause = f"{cause.strerror or cause}{hint}"
    return HarnessError(
        f"cannot decode in a process of its own ({cause}): mend that, or add --decode_timeout 0 to decode "
        "without, then run the same command again"
    )
