"""The rate limit of the tests does ban whoever ignores it, and nobody else."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from email.message import Message

import pytest
from openai_server import OpenAIServer
from rate_limit import STRIKES, RateLimit


def call(server: OpenAIServer) -> tuple[int, Message]:
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
    request = urllib.request.Request(
        f"{server.url}/chat/completions", json.dumps(body).encode(), headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def test_calls_beyond_the_limit_are_refused_and_hammering_is_banned() -> None:
    limit = RateLimit(rate=0.01, burst=3, latency=0, notice=0.0)
    with OpenAIServer(limit) as server:
        codes = [call(server)[0] for _ in range(3 + 1 + STRIKES + 1)]
        assert codes == [200] * 3 + [429] * (1 + STRIKES) + [403]
        assert limit.banned and len(limit.accepted) == 3


def test_whoever_waits_as_told_is_not_banned() -> None:
    limit = RateLimit(rate=50, burst=1, latency=0, tells="milliseconds", notice=0.0)
    with OpenAIServer(limit) as server:
        for _ in range(20):
            code, headers = call(server)
            assert code in (200, 429)
            if code == 429:
                time.sleep(float(headers["retry-after-ms"]) / 1000 + 0.001)
    assert not limit.banned and limit.strikes == 0


@pytest.mark.parametrize(("tells", "told"), [("seconds", "100"), ("date", "GMT"), ("nothing", None)])
def test_how_a_client_is_told(tells: str, told: str | None) -> None:
    limit = RateLimit(rate=0.01, burst=1, latency=0, tells=tells)  # type: ignore[arg-type]
    with OpenAIServer(limit) as server:
        assert call(server)[0] == 200
        code, headers = call(server)
    assert code == 429
    assert (told is None and headers["Retry-After"] is None) or (told or "") in headers["Retry-After"]
