"""Who does which piece of work: the ranks of one torchrun share counters, and nothing waits.

torchrun keeps a key-value store for the processes it starts; a client of it is all that is needed
here. No collectives, no barriers: a rank that is slow takes fewer pieces, and one that dies costs
what it held. torchrun's restart counter says nothing about the other machines (it counts the
failures of one agent), so each process gets a name of its own, RANK.INCARNATION: a piece whose holder
has been replaced is handed out again, and what was agreed on holds across restarts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from harness.errors import HarnessError, UsageError

CONNECT_SECONDS = 60
"""The store runs before any rank is started; longer means that nobody is there."""

_HOW = "start with: torchrun --nproc-per-node=N run.py ..."
_Value = TypeVar("_Value")


class Ranks(Protocol):
    """The processes of this run, as one of them sees them."""

    rank: int
    """Its number, from 0 to ``size`` - 1."""
    size: int
    local_rank: int
    """Its number on this machine: which GPU is its own."""
    name: str
    """RANK.INCARNATION, unlike that of any process that ran before under the same rank."""

    def agree(self, key: str, value: str) -> str:
        """``value`` of whichever rank came first with this ``key``, on all ranks and after restarts."""
        ...

    def add(self, key: str, amount: int = 1) -> int:
        """Add to a counter that all ranks share and that starts at 0; returns the new value.

        ``add(key, 0)`` reads it. Counters go on after a restart.
        """
        ...


class Alone:
    """One process by itself."""

    rank, size, local_rank = 0, 1, 0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._agreed: dict[str, str] = {}
        self._counters: dict[str, int] = {}
        self.name = _enter(self)

    def agree(self, key: str, value: str) -> str:
        with self._lock:
            return self._agreed.setdefault(key, value)

    def add(self, key: str, amount: int = 1) -> int:
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + amount
            return self._counters[key]


class Together:
    """One of several processes, through torchrun's own store. Safe to use from several threads.

    store: a ``torch.distributed.Store``. Both methods raise HarnessError when the connection breaks.
    """

    def __init__(self, store: Any, rank: int, size: int, local_rank: int) -> None:
        self._store = store
        self.rank, self.size, self.local_rank = rank, size, local_rank
        self.name = _enter(self)

    def agree(self, key: str, value: str) -> str:
        # An empty value is what compare_set expects of a key that is not there: mark ours.
        agreed: bytes = self._ask(lambda: self._store.compare_set(f"vidharness/agree/{key}", "", f"={value}"))
        return agreed.decode()[1:]

    def add(self, key: str, amount: int = 1) -> int:
        return self._ask(lambda: int(self._store.add(f"vidharness/add/{key}", amount)))

    def _ask(self, question: Callable[[], _Value]) -> _Value:
        try:
            return question()
        except RuntimeError as error:
            raise HarnessError(
                f"rank {self.rank} lost torchrun's store ({_first_line(error)}); "
                "what is stored is kept: run the same command again"
            ) from error


def join(environ: Mapping[str, str] = os.environ) -> Ranks:
    """The ranks that this process belongs to, by the environment torchrun made; else it is alone.

    Raises UsageError when there should be several ranks but torchrun's store is not to be had.
    """
    size = _number(environ, "WORLD_SIZE", 1)
    if size <= 1:
        return Alone()
    rank = _number(environ, "RANK")
    local_rank = _number(environ, "LOCAL_RANK")
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
    return Together(store, rank, size, local_rank)


def claims(ranks: Ranks, name: str, total: int) -> Iterator[int]:
    """Numbers from 0 to ``total`` - 1, each to one rank, the next one when it is asked for.

    Those whose holder has died and been replaced come once more, at the end.
    """
    mine = set()
    while (number := ranks.add(f"{name}/claimed") - 1) < total:
        if _claim(ranks, f"{name}/{number}"):
            mine.add(number)
            yield number
    if sum(_incarnations(ranks)) > ranks.size:
        for number in range(total):
            if number not in mine and _claim(ranks, f"{name}/{number}"):
                yield number


def last_out(ranks: Ranks, name: str) -> bool:
    """Say that this rank has finished ``name``; True for one rank alone, after all have.

    After a restart the ranks finish again, and one of them is the last again.
    """
    ranks.add(f"{name}/out/{ranks.name}")
    incarnations = _incarnations(ranks)
    for rank, incarnation in enumerate(incarnations):
        if not ranks.add(f"{name}/out/{rank}.{incarnation}", 0):
            return False
    return ranks.add(f"{name}/last/{sum(incarnations)}") == 1


def _enter(ranks: Ranks) -> str:
    return f"{ranks.rank}.{ranks.add(f'incarnation/{ranks.rank}')}"


def _incarnations(ranks: Ranks) -> list[int]:
    """How often a process has begun under each rank."""
    return [ranks.add(f"incarnation/{rank}", 0) for rank in range(ranks.size)]


def _claim(ranks: Ranks, key: str) -> bool:
    """Whether this rank is the first to claim ``key``, or the first after a holder that is gone."""
    while (holder := ranks.agree(key, ranks.name)) != ranks.name:
        rank, incarnation = map(int, holder.split("."))
        if rank < ranks.size and ranks.add(f"incarnation/{rank}", 0) <= incarnation:
            return False
        key = f"{key}/{holder}"
    return True


def _number(environ: Mapping[str, str], name: str, absent: int | None = None) -> int:
    text = environ.get(name, "" if absent is None else str(absent))
    if not text.isdecimal():
        raise UsageError(f"the environment has {name}={text!r} where torchrun puts a number: {_HOW}")
    return int(text)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
