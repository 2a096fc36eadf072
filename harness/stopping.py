"""Word from outside that a run shall end: Ctrl-C, SIGTERM, Slurm's warning, a terminal that closes.

The first one interrupts whatever need not be finished (KeyboardInterrupt in the main thread), while what has
been asked is still answered and stored. A second Ctrl-C ends the process at once, and so does the end of
the time that whoever sends SIGTERM leaves: nothing that is stored is lost then either.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")

PATIENCE = 25.0
"""Seconds from SIGTERM to the end. torchrun and Slurm kill after 30; calls get 20 of them (``asking``)."""
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
"""Those that are heeded; SIGUSR1 is what Slurm is commonly told to send ahead of the end."""


class Stop:
    """Heeds the signals while used as a context, in the main thread; else it is a stop that never comes.

    say: receives sentences for people. first: may be set to what shall be called at the first signal.
    """

    def __init__(self, say: Callable[[str], object] = print) -> None:
        self._say = say
        self.first: Callable[[], object] = lambda: None
        self._asked = False
        self._finishing = False
        self._deadline: threading.Timer | None = None
        self._before: dict[int, Any] = {}

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """While inside, the main thread is not interrupted, except in ``interruptible``."""
        before, self._finishing = self._finishing, True
        try:
            yield
        finally:
            self._finishing = before

    def interruptible(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; raises KeyboardInterrupt while the next one is being made, or instead of it."""
        source = iter(items)
        next_ones: list[Item] = []
        while True:
            before, self._finishing = self._finishing, False
            try:
                if self._asked:
                    raise KeyboardInterrupt
                next_ones.append(next(source))
            except StopIteration:
                return
            finally:
                self._finishing = before
            yield next_ones.pop()  # nothing here may go on referring to it

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        # The main thread may be busy for minutes in a library's C code, where no handler runs: the signals'
        # numbers are read by a thread.
        self._told, told = socket.socketpair()
        told.setblocking(False)
        self._tell = told
        self._wakeup = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._interrupt)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._before or (self._asked and kind is not None):
            return  # what has been asked for is about to happen, and shall not be asked for again
        for number, before in self._before.items():
            signal.signal(number, before)
        signal.set_wakeup_fd(self._wakeup)
        self._tell.close()
        if self._deadline is not None:
            self._deadline.cancel()

    def _interrupt(self, *_: object) -> None:
        """In the main thread, when it gets round to it."""
        first, self._asked = not self._asked, True
        if first and not self._finishing:
            raise KeyboardInterrupt

    def _listen(self) -> None:
        begun = False
        with self._told:
            while numbers := self._told.recv(64):
                for number in filter(self._before.__contains__, numbers):
                    if not begun:
                        begun = True
                        self._begin(signal.Signals(number))
                    elif number == signal.SIGINT:
                        self._end("ended at once")
                    if number == signal.SIGTERM and self._deadline is None:
                        how = f"ended {PATIENCE:g} s after SIGTERM, with work under way"
                        self._deadline = threading.Timer(PATIENCE, self._end, [how])
                        self._deadline.daemon = True
                        self._deadline.start()

    def _begin(self, number: signal.Signals) -> None:
        with suppress(OSError):
            hint = "; Ctrl-C again ends at once" if number == signal.SIGINT else ""
            self._say(f"{number.name}: finishing what is under way, taking no more{hint}")
        self.first()

    def _end(self, sentence: str) -> None:
        with suppress(OSError):
            self._say(f"vidharness: {sentence}; what is stored is kept: run the same command again to go on")
        os._exit(1)
