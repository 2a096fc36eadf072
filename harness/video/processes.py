"""Decoding in processes of its own, so that a file which hangs or kills the decoder costs only itself.

A process serves one video after another and is started when none is idle, so there are as many as threads
that decode at once. They are fresh interpreters, not forks: a fork of a process with threads may hang for
ever. They inherit no descriptors but their own, and no signal sent to the whole group reaches them: they end
when this process closes them or dies, however it dies.
"""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from harness.errors import DecodeError, IncompleteError
from harness.sampling import Sampling
from harness.types import Clip, Video
from harness.video.clips import DEFAULT_DECODER, decode, decode_windows
from harness.video.foresight import foresee
from harness.video.process import Process, cannot_start

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Decoding(Protocol):
    """Where decoding happens. The methods are the functions of ``harness.video``."""

    def decode(self, video: Video, sampling: Sampling, decoder: str = ...) -> Clip: ...

    def decode_windows(
        self, video: Video, sampling: Sampling, seconds: float, decoder: str = ...
    ) -> tuple[Clip, list[npt.NDArray[np.int64]]]: ...

    def foresee(
        self, video: Video, sampling: Sampling, window: float = ...
    ) -> tuple[int, int, int] | None: ...

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
        self._idle: list[Process] = []
        self._all: set[Process] = set()
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

    def foresee(self, video: Video, sampling: Sampling, window: float = 0.0) -> tuple[int, int, int] | None:
        try:
            foreseen: tuple[int, int, int] | None = self._ask("foresee", video, sampling, window)
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
                raise cannot_start(error) from error
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

    def _process(self) -> Process:
        """A process that is ready."""
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None or process.alive:
                break
            self._end(process)
        if process is None:
            process = Process()
            with self._lock:
                self._all.add(process)
            try:
                process.await_start()
            except BaseException as error:
                how = self._end(process)
                if isinstance(error, TimeoutError):
                    raise cannot_start("it does not get ready") from error
                if isinstance(error, EOFError | OSError) and not self._closed:
                    raise cannot_start(how) from error
                raise
        if self._closed:
            self._end(process)
            raise _interrupted()
        return process

    def _end(self, process: Process) -> str:
        with self._lock:
            self._all.discard(process)
        return process.end()


def _interrupted() -> IncompleteError:
    return IncompleteError("interrupted while decoding; run the same command again to go on")
