"""Decoding in processes of its own, so that a file which hangs or kills the decoder costs only itself.

A process serves one video after another and is started when none is idle, so there are as many as threads
that decode at once. They are fresh interpreters, not forks: a fork of a process with threads may hang for
ever. They inherit no descriptors but their own, and no signal sent to the whole group reaches them: they end
when this process closes them or dies, however it dies.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from harness.errors import DecodeError, HarnessError, IncompleteError
from harness.sampling import Sampling
from harness.types import Clip, Video
from harness.video.clips import DEFAULT_DECODER, decode, decode_windows
from harness.video.foresight import foresee
from harness.video.messages import receive, send

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

START_SECONDS = 120.0
"""How long to wait for a process to start; it takes a fraction of a second where imports are fast."""

_FOR_US = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")}
"""Signals that ask a run to stop; what it decodes meanwhile is its own affair."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from harness.video.worker import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)


class Decoding(Protocol):
    """Where decoding happens. The methods are the functions of ``harness.video``."""

    def decode(self, video: Video, sampling: Sampling, decoder: str = ...) -> Clip: ...

    def decode_windows(
        self, video: Video, sampling: Sampling, seconds: float, decoder: str = ...
    ) -> tuple[Clip, list[npt.NDArray[np.int64]]]: ...

    def foresee(self, video: Video, sampling: Sampling) -> tuple[int, int, int] | None: ...

    def close(self) -> None: ...


class Here:
    """Decoding in this process, without a limit."""

    decode = staticmethod(decode)
    decode_windows = staticmethod(decode_windows)
    foresee = staticmethod(foresee)

    def close(self) -> None:
        pass


def decoding(seconds: float) -> Decoders | Here:
    """In processes with a limit of time; with 0, and where there can be none, in this one without."""
    return Decoders(seconds) if seconds and hasattr(signal, "pthread_sigmask") else Here()


class Decoders:
    """Decoding in processes of its own, at most ``seconds`` a video. Safe to use from many threads.

    Arguments and results are the same as elsewhere, bit for bit. Beside what ``harness.video`` raises:
    DecodeError for a video that takes longer or ends its process, HarnessError when no process can be
    started, IncompleteError once closed.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._fates: dict[Path, str] = {}
        self._closed = False

    def decode(self, video: Video, sampling: Sampling, decoder: str = DEFAULT_DECODER) -> Clip:
        clip: Clip = self._ask("decode", video, sampling, decoder)
        return clip

    def decode_windows(
        self, video: Video, sampling: Sampling, seconds: float, decoder: str = DEFAULT_DECODER
    ) -> tuple[Clip, list[npt.NDArray[np.int64]]]:
        clip, windows = self._ask("decode_windows", video, sampling, seconds, decoder)
        return clip, windows

    def foresee(self, video: Video, sampling: Sampling) -> tuple[int, int, int] | None:
        try:
            foreseen: tuple[int, int, int] | None = self._ask("foresee", video, sampling)
        except DecodeError:
            return 0, 0, 0
        return foreseen

    @property
    def processes(self) -> list[int]:
        """The numbers of the processes there are."""
        with self._lock:
            return sorted(process.pid for process in self._all)

    def close(self) -> None:
        """End all processes, those at work too; may be called from any thread, and again."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
        for process in busy:
            # Whoever waits for it sees it end, and clears up.
            process.kill()
        for process in idle:
            self._end(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, call: str, video: Video, *arguments: Any) -> Any:
        # The process keeps the folder it was started in; this one may have gone to another.
        video = replace(video, path=video.path.absolute())
        if video.path in self._fates:
            raise DecodeError(self._fates[video.path])
        process = self._process()
        try:
            reply = process.reply((call, (video, *arguments)), self.seconds)
        except BaseException as error:
            how = self._end(process)
            if self._closed and isinstance(error, Exception):
                raise _interrupted() from None
            if isinstance(error, TimeoutError | EOFError | ConnectionError):
                # Remembered: the next call about this video shall not cost as much again.
                self._fates[video.path] = f"{video.path.name} {self._fate(error, how)}"
                raise DecodeError(self._fates[video.path]) from error
            if isinstance(error, OSError):
                raise _cannot_start(error) from error
            raise
        with self._lock:
            closed = self._closed
            if not closed:
                self._idle.append(process)
        if closed:
            self._end(process)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _fate(self, error: Exception, how: str) -> str:
        if isinstance(error, TimeoutError):
            return (
                f"took more than {self.seconds:g} s to decode: "
                "see whether it plays, or give it longer with --decode_timeout"
            )
        return f"ended the process that decoded it ({how})"

    def _process(self) -> _Process:
        """A process that is ready."""
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None or process.alive:
                break
            self._end(process)
        if process is None:
            process = _Process()
            with self._lock:
                self._all.add(process)
            try:
                process.await_start()
            except BaseException as error:
                how = self._end(process)
                if isinstance(error, TimeoutError):
                    raise _cannot_start(f"it is not ready after {START_SECONDS:g} s") from error
                if isinstance(error, EOFError | OSError) and not self._closed:
                    raise _cannot_start(how) from error
                raise
        if self._closed:
            self._end(process)
            raise _interrupted()
        return process

    def _end(self, process: _Process) -> str:
        with self._lock:
            self._all.discard(process)
        return process.end()


class _Process:
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
                raise _cannot_start(error) from error
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


def _cannot_start(cause: object) -> HarnessError:
    if isinstance(cause, OSError):
        hint = ": raise the limit with `ulimit -n`" if cause.errno == errno.EMFILE else ""
        cause = f"{cause.strerror or cause}{hint}"
    return HarnessError(
        f"cannot decode in a process of its own ({cause}): mend that, or add --decode_timeout 0 to decode "
        "without, then run the same command again"
    )


def _interrupted() -> IncompleteError:
    return IncompleteError("interrupted while decoding; run the same command again to go on")
