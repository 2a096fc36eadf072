"""The benchmark of rate limits measures what it says."""

from __future__ import annotations

import time

from openai_server import OpenAIServer
from rate_limit import RateLimit

from benchmarks.rate_limit import ask_for


def test_it_asks_for_as_long_as_told_and_counts_what_was_used() -> None:
    limit = RateLimit(rate=30, burst=10, latency=0.02)
    with OpenAIServer(limit) as server:
        start = time.monotonic()
        endpoint = ask_for(server.url, 1.0)
    assert endpoint.gate.pace.accepted == len(limit.accepted) > 0
    assert all(at > start for at in limit.accepted)
    assert limit.used(start, start + 60) == len(limit.accepted) / (30 * 60)
    assert limit.used(0, start) == 0
