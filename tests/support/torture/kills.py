"""Who is killed when: drawn from a seed, carried out on a running command."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from processes import marked

Victim = Literal["itself", "rank", "agent", "all"]
OPERATIONS = ("any", "any", "write", "fdatasync", "fsync", "ftruncate", "replace", "unlink")


@dataclass(frozen=True, slots=True)
class Kill:
    """victim: ``itself`` dies at its ``count``th ``operation`` on files of the run; the others are killed
    from outside, once ``count`` calls of model and judge have been made, and ``delay`` seconds.
    """

    victim: Victim
    rank: int
    count: int
    operation: str = "any"
    delay: float = 0.0

    def environ(self) -> dict[str, str]:
        if self.victim == "itself":
            return {"TORTURE_DIE": f"{self.rank}:{self.operation}:{self.count}"}
        return {}

    def carry_out(self, process: subprocess.Popen[str], mark: str, calls: Callable[[], int]) -> bool:
        """Wait for the moment and kill from outside; whether it came before the process ended."""
        if self.victim == "itself":
            return False
        while calls() < self.count:
            if process.poll() is not None:
                return False
            time.sleep(0.001)
        time.sleep(self.delay)
        if self.victim == "rank":
            victims = [pid for pid in marked(mark) if rank_of(pid) == self.rank]
        else:
            # The agent first: it would report the death of its workers.
            victims = [process.pid, *(marked(mark) if self.victim == "all" else [])]
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(victims)


def draw_kill(draw: random.Random, ranks: int, calls: int) -> Kill:
    """ranks: of the run, 0 for one without torchrun. calls: that are still to be made, about."""
    victims: list[Victim] = ["itself", "itself", "all", *(["rank", "agent"] if ranks else [])]  # type: ignore[list-item]
    victim, rank = draw.choice(victims), draw.randrange(max(ranks, 1))
    if victim != "itself":
        return Kill(victim, rank, draw.randint(1, max(calls, 1)), delay=draw.uniform(0, 0.02))
    operation = draw.choice(OPERATIONS)
    rare = operation in ("fsync", "ftruncate", "replace", "unlink")
    most = 6 if rare else max(2, 2 * calls // max(ranks, 1))
    return Kill(victim, rank, draw.randint(1, most), operation)


def rank_of(pid: int) -> int | None:
    """The rank of a process that torchrun started to run our command; None for any other."""
    with suppress(OSError):
        if b"run.py" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return None
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(b"RANK="):
                return int(entry[5:])
    return None
