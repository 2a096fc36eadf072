"""The ranks of one torchrun: counters that they share, and values that they agree on.

torchrun keeps a key-value store for the processes it starts; a client of it is all that is needed
here. No collectives, no barriers. torchrun's restart counter says nothing about the other machines (it
counts the failures of one agent), so each process gets a name of its own, RANK.INCARNATION, and what
was agreed on holds across restarts. How work is shared by these means: :mod:`harness.claims`.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from harness.errors import HarnessError, UsageError

CONNECT_SECONDS = 20
"""The store runs before any rank is started; longer means that nobody is there. torch tries twice."""
STORE_SECONDS = 60.0
"""The store answers in less than a millisecond; longer means that the machine or the way to it is lost."""
BEAT_SECONDS = 10.0
"""How often a rank says that it lives, where ranks are on several machines."""

_HOW = "start with: torchrun --nproc-per-node=N run.py ..."
_Value = TypeVar("_Value")


class StoreError(HarnessError):
    """torchrun's store is lost, and with it all word of the other ranks. reason: without what to do next."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; what is stored is kept: run the same command again")
        self.reason = reason


class Ranks(Protocol):
    """The processes of this run, as one of them sees them."""

    rank: int
    """Its number, from 0 to ``size`` - 1."""
    size: int
    local_rank: int
    """Its number on this machine: which GPU is its own."""
    local_size: int
    """How many of them are on this machine."""
    name: str
    """RANK.INCARNATION, unlike that of any process that ran before under the same rank."""

    def agree(self, key: str, value: str) -> str:
        """``value`` of whichever rank came first with this ``key``, on all ranks and after restarts."""
        ...

    def agreed(self, key: str) -> str | None:
        """What was agreed on by now; None when nothing was."""
        ...

    def add(self, key: str, amount: int = 1) -> int:
        """Add to a counter that all ranks share and that starts at 0; returns the new value.

        ``add(key, 0)`` reads it. Counters go on after a restart.
        """
        ...


class Alone:
    """One process by itself."""

    rank, size, local_rank, local_size = 0, 1, 0, 1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._agreed: dict[str, str] = {}
        self._counters: dict[str, int] = {}
        self.name = _enter(self)

    def agree(self, key: str, value: str) -> str:
        with self._lock:
            return self._agreed.setdefault(key, value)

    def agreed(self, key: str) -> str | None:
        with self._lock:
            return self._agreed.get(key)

    def add(self, key: str, amount: int = 1) -> int:
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + amount
            return self._counters[key]


class Together:
    """One of several processes, through torchrun's own store. Safe to use from several threads.

    store: a ``torch.distributed.Store``. All methods raise StoreError once the connection is broken or
    silent for STORE_SECONDS, and from then on at once.
    """

    def __init__(
        self, store: Any, rank: int, size: int, local_rank: int, local_size: int | None = None
    ) -> None:
        self._line = _Line(store)
        self._lost: str | None = None
        self.rank, self.size, self.local_rank = rank, size, local_rank
        self.local_size = size if local_size is None else local_size
        weakref.finalize(self, self._line.end)
        self.name = _enter(self)
        if self.local_size < size:
            self._line.beat = _counter(f"beat/{self.name}")

    def agree(self, key: str, value: str) -> str:
        # An empty value is what compare_set expects of a key that is not there: mark ours.
        agreed: bytes = self._ask(lambda store: store.compare_set(_value(key), "", f"={value}"))
        return agreed.decode()[1:]

    def agreed(self, key: str) -> str | None:
        # Of a key that is not there compare_set gives back what it was told to expect.
        agreed: bytes = self._ask(lambda store: store.compare_set(_value(key), "?", "?"))
        return None if agreed == b"?" else agreed.decode()[1:]

    def add(self, key: str, amount: int = 1) -> int:
        return self._ask(lambda store: int(store.add(_counter(key), amount)))

    def _ask(self, question: Callable[[Any], _Value]) -> _Value:
        if self._lost is not None:
            raise StoreError(self._lost)
        answer = self._line.ask(question)
        for _ in range(2):  # a process that was stopped for long may wake up too late for the first
            try:
                return answer.result(STORE_SECONDS / 2)
            except TimeoutError:
                reason = f"no answer for {STORE_SECONDS:g} s"
            except RuntimeError as error:
                reason = _first_line(error)
                break
        self._lost = f"rank {self.rank} lost torchrun's store ({reason})"
        raise StoreError(self._lost)


class _Line(threading.Thread):
    """The one thread that talks to the store, which may keep its caller waiting for ever.

    beat: the counter to raise every BEAT_SECONDS.
    """

    def __init__(self, store: Any) -> None:
        super().__init__(name="store", daemon=True)
        self._store = store
        self._questions: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.beat: str | None = None
        self.start()

    def ask(self, question: Callable[[Any], _Value]) -> Future[_Value]:
        answer: Future[_Value] = Future()

        def put() -> None:
            try:
                answer.set_result(question(self._store))
            except Exception as error:
                answer.set_exception(error)

        self._questions.put(put)
        return answer

    def end(self) -> None:
        """Talk no more: a thread that is in torch while Python ends may abort the process."""
        self._questions.put(None)
        self.join(1)

    def run(self) -> None:
        due = time.monotonic()
        while True:
            try:
                question = self._questions.get(timeout=max(0.0, due - time.monotonic()))
            except Empty:
                due = time.monotonic() + BEAT_SECONDS
                if self.beat is not None:
                    self.ask(lambda store: store.add(self.beat, 1))
                continue
            if question is None:
                return
            question()


def join(environ: Mapping[str, str] = os.environ) -> Ranks:
    """The ranks that this process belongs to, by the environment torchrun made; else it is alone.

    Raises UsageError when there should be several ranks but torchrun's store is not to be had.
    """
    size = _number(environ, "WORLD_SIZE", 1)
    if size <= 1:
        return Alone()
    rank = _number(environ, "RANK")
    local_rank = _number(environ, "LOCAL_RANK")
    local_size = _number(environ, "LOCAL_WORLD_SIZE", size)
    port = _number(environ, "MASTER_PORT")
    host = environ.get("MASTER_ADDR", "")
    if not host or environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        hint = " without TORCH_DISABLE_SHARE_RDZV_TCP_STORE" if "TORCHELASTIC_RUN_ID" in environ else ""
        raise UsageError(
            f"WORLD_SIZE is {size}, but there is no store of torchrun's to share work through: {_HOW}{hint}, "
            "or unset WORLD_SIZE to run alone"
        )
    try:
        from torch.distributed import TCPStore  # type: ignore[attr-defined, unused-ignore]
    except ImportError as error:
        raise UsageError("several ranks need torch: pip install 'vidharness[hf]'") from error
    try:
        store = TCPStore(host, port, is_master=False, timeout=timedelta(seconds=CONNECT_SECONDS))
    except RuntimeError as error:
        raise UsageError(
            f"torchrun's store at {host}:{port} cannot be reached ({_first_line(error)}): {_HOW}"
        ) from error
    return Together(store, rank, size, local_rank, local_size)


def _enter(ranks: Ranks) -> str:
    return f"{ranks.rank}.{ranks.add(f'incarnation/{ranks.rank}')}"


def _value(key: str) -> str:
    return f"vidharness/agree/{key}"


def _counter(key: str) -> str:
    return f"vidharness/add/{key}"


def _number(environ: Mapping[str, str], name: str, absent: int | None = None) -> int:
    text = environ.get(name, "" if absent is None else str(absent))
    if not text.isdecimal():
        raise UsageError(f"the environment has {name}={text!r} where torchrun puts a number: {_HOW}")
    return int(text)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
