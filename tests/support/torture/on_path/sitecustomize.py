"""Python imports this by itself at its start. It makes a process die in the middle of its work with files.

``TORTURE_DIE=RANK:OPERATION:N``: the process of that rank kills itself with SIGKILL at its Nth OPERATION on
a file of the run (``any``, or the name of a function of os), and says so in ``TORTURE_DEATHS``. A write has
written half by then; whatever else it is, is done in every second case.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

WHERE = f"{os.sep}out{os.sep}"
BY_DESCRIPTOR = ("write", "fdatasync", "fsync", "ftruncate")
BY_PATH = ("replace", "rename", "unlink", "link")


def arm(operation: str, left: int) -> None:
    ours: dict[int, bool] = {}
    count = 0
    opened = os.open

    def of_the_run(path: Any) -> bool:
        return WHERE in str(Path(os.fsdecode(path)).absolute())

    def counting_open(path: Any, *args: Any, **kwargs: Any) -> int:
        descriptor = opened(path, *args, **kwargs)
        ours[descriptor] = of_the_run(path)
        return descriptor

    def mortal(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal count
            concerned = ours.get(first, False) if name in BY_DESCRIPTOR else of_the_run(first)
            if concerned and operation in ("any", name):
                count += 1
                if count == left:
                    if name == "write":
                        function(first, args[0][: len(args[0]) // 2])
                    elif left % 2:
                        function(first, *args, **kwargs)
                    with Path(os.environ["TORTURE_DEATHS"]).open("a") as deaths:
                        deaths.write(f"{operation}\n")
                    os.kill(os.getpid(), signal.SIGKILL)
            return function(first, *args, **kwargs)

        return call

    os.open = counting_open
    for name in BY_DESCRIPTOR + BY_PATH:
        setattr(os, name, mortal(name, getattr(os, name)))


if "TORTURE_DIE" in os.environ and any(word.endswith("run.py") for word in sys.orig_argv):
    agent = "torch.distributed.run" in sys.orig_argv
    rank, operation, left = os.environ["TORTURE_DIE"].split(":")
    if not agent and os.environ.get("RANK", "0") == rank:
        arm(operation, int(left))
