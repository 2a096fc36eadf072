"""A server's rate limit that means it: a token bucket, 429 with or without Retry-After, and a ban.

limit = RateLimit(rate=20, burst=20, tells="seconds")
with OpenAIServer(limit) as server:
    ...
assert not limit.banned
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Literal

from openai_server import Fault, Reply, Request, status

Tells = Literal["milliseconds", "seconds", "date", "nothing"]
STRIKES = 5
"""Calls made while the client had been told to wait, beyond which it is banned."""
QUIET = 0.25
"""Seconds that a refused client should keep quiet when it is told nothing."""


class RateLimit:
    """Answers a request when a token is left, after ``latency`` seconds give or take half; else 429.

    rate: tokens per second. burst: tokens kept at most. tells: how Retry-After is given. A client that
    calls although it was told to wait, or is refused more often than not, is banned (403) for good.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        latency: float = 0.1,
        tells: Tells = "seconds",
        reply: Callable[[Request], Reply] = lambda _: "ok",
        seed: int = 0,
        notice: float = 0.25,
    ) -> None:
        """notice: seconds a client has to hear of a refusal before further calls count as hammering."""
        self.rate, self.burst, self.latency, self.tells, self.reply = rate, burst, latency, tells, reply
        self.notice = notice
        self.accepted: list[float] = []
        """When each accepted call arrived."""
        self.refused = self.strikes = 0
        self.banned = False
        self._tokens, self._at = burst, time.monotonic()
        self._told = self._until = -math.inf
        self._recent: list[bool] = []
        self._draws = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            refusal = self._refusal(time.monotonic())
            seconds = self.latency * self._draws.uniform(0.5, 1.5)
        if refusal is not None:
            return refusal
        time.sleep(seconds)
        return self.reply(request)

    def used(self, since: float, until: float) -> float:
        """Calls accepted between two moments (``time.monotonic``), as a share of what was granted."""
        return sum(since <= at < until for at in self.accepted) / (self.rate * (until - since))

    def _refusal(self, now: float) -> Fault | None:
        if self._told + self.notice < now < self._until:
            self.strikes += 1
        self._tokens = min(self.burst, self._tokens + self.rate * (now - self._at))
        self._at = now
        self._recent = [*self._recent[-99:], self._tokens < 1]
        self.banned |= self.strikes > STRIKES or sum(self._recent) > 50
        if self.banned:
            return status(403, "banned")
        if self._tokens >= 1:
            self._tokens -= 1
            self.accepted.append(now)
            return None
        self.refused += 1
        return status(429, "slow down", self._headers((1 - self._tokens) / self.rate, now))

    def _headers(self, seconds: float, now: float) -> dict[str, str]:
        told = {"milliseconds": seconds, "seconds": math.ceil(seconds), "date": seconds, "nothing": QUIET}
        if now > self._until:
            self._told = now
        self._until = max(self._until, now + told[self.tells])
        if self.tells == "milliseconds":
            return {"retry-after-ms": str(math.ceil(1000 * seconds))}
        if self.tells == "seconds":
            return {"Retry-After": str(math.ceil(seconds))}
        if self.tells == "date":
            return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
        return {}
