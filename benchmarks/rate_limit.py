"""How much of a server's rate limit is used, and whether the server bans us for how we go about it.

`python -m benchmarks.rate_limit` runs a server on loopback with a token bucket and asks it through the
harness's own `Asker` and `Endpoint`, once for each way of telling a client to wait. A client that calls
while told to wait is banned. Shown are the share of the granted calls that were made after a warm-up, how
many calls were refused, and bans.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from openai_server import OpenAIServer
from rate_limit import RateLimit, Tells

from harness.asking import Asker
from harness.endpoint import Endpoint
from harness.types import Answer

LEAST = 0.9
"""What is promised."""


def ask_for(url: str, seconds: float) -> Endpoint:
    """Put questions to the server at ``url`` as fast as the harness does, for so many seconds."""
    endpoint = Endpoint("any", url)
    endpoint.load()
    end = time.monotonic() + seconds

    def questions() -> Iterator[tuple[int, str]]:
        for number in itertools.count():
            if time.monotonic() > end:
                return
            yield number, f"question {number}"

    def ask(batch: Sequence[str]) -> Iterator[Answer]:
        for text in batch:
            yield endpoint.ask([{"role": "user", "content": text}], max_tokens=8, temperature=0.0)

    asker = Asker[int, str, Answer](ask, lambda error: Answer(error=error), lambda *_: None)
    asker.concurrently(questions(), 64, endpoint.gate)
    return endpoint


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rate_limit", description=__doc__)
    parser.add_argument("--rate", type=float, default=20.0, help="calls per second that are granted (20)")
    parser.add_argument("--burst", type=float, default=20.0, help="unused calls that are kept at most (20)")
    parser.add_argument("--latency", type=float, default=0.3, help="seconds until an answer (0.3)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is measured (60)")
    parser.add_argument("--warm_up", type=float, default=30.0, help="seconds before that (30)")
    parser.add_argument("--markdown", action="store_true", help="a table in Markdown")
    given = parser.parse_args(words)
    rows, kept = [], True
    for tells in get_args(Tells):
        limit = RateLimit(given.rate, given.burst, given.latency, tells)
        with OpenAIServer(limit) as server:
            begun = time.monotonic() + given.warm_up
            ask_for(server.url, given.warm_up + given.seconds)
        used = limit.used(begun, begun + given.seconds)
        kept &= used >= LEAST and not limit.banned
        rows.append(
            (tells, f"{used:.1%}", len(limit.accepted), limit.refused, limit.strikes, limit.banned and "yes")
        )
    heads = ("Retry-After in", "used", "accepted", "refused", "while told to wait", "banned")
    print(tabulate(rows, heads, "github" if given.markdown else "simple"))
    print(
        f"\n{given.rate:g} calls/s, burst {given.burst:g}, latency {given.latency:g} s; "
        f"{LEAST:.0%} or more and never banned: {'kept' if kept else 'NOT KEPT'}"
    )


if __name__ == "__main__":
    main()
