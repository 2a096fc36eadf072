"""The test server itself: it must refuse what a real server refuses, and end at once."""

import json
import time
from typing import Any

import pytest
from openai_server import HANG, OpenAIServer, read_request

HEADERS = {"content-type": "application/json", "authorization": "Bearer x"}
GOOD: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def image(url: Any, **more: Any) -> dict[str, Any]:
    part = {"type": "image_url", "image_url": {"url": url} | more}
    return {"messages": [{"role": "user", "content": [part]}]}


def test_a_good_request_is_read() -> None:
    request = read_request("/v1/chat/completions", HEADERS, json.dumps(GOOD).encode())
    assert (request.text, request.images, request.key, request.attempt) == ("hello", (), "x", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"messages": []},
        {"messages": [{"role": "nobody", "content": "x"}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
        {"temperature": "0"},
        {"max_tokens": 0},
        {"max_tokens": 3, "max_completion_tokens": 3},
        {"retries": 3},
        image("https://example.org/x.png"),
        image("data:image/png;base64,!!!!"),
        image("data:image/png;base64,AAAA"),
        image("data:image/jpeg;base64,/9j/AAAA"),
        image("data:image/png;base64,iVBORw0KGgo=", detail="ultra"),
    ],
)
def test_a_bad_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_request("/v1/chat/completions", HEADERS, json.dumps(GOOD | change).encode())


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/chat/completions", HEADERS, json.dumps(GOOD).encode()),
        ("/v1/chat/completions", {"content-type": "application/json"}, json.dumps(GOOD).encode()),
        ("/v1/chat/completions", HEADERS | {"content-type": "text/plain"}, json.dumps(GOOD).encode()),
        ("/v1/chat/completions", HEADERS, b"{"),
        ("/v1/chat/completions", HEADERS, b"[]"),
    ],
)
def test_so_is_a_bad_envelope(path: str, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_request(path, headers, body)


def test_nonsense_from_a_client_fails_the_test_that_sent_it() -> None:
    import openai

    with pytest.raises(AssertionError, match="temperature"), OpenAIServer() as server:
        client = openai.OpenAI(api_key="x", base_url=server.url, max_retries=0)
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="m", messages=GOOD["messages"], temperature=9)
    assert server.requests == []


def test_the_server_ends_at_once_though_a_call_hangs() -> None:
    import openai

    with OpenAIServer(HANG) as server:
        client = openai.OpenAI(api_key="x", base_url=server.url, max_retries=0, timeout=0.1)
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="m", messages=GOOD["messages"])
        start = time.monotonic()
    assert time.monotonic() - start < 1
