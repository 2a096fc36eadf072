"""The test server itself: it must refuse what a real server refuses, and end at once."""

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from chat_dialects import DIALECTS
from chat_protocol import ProtocolError, read_request
from openai_server import HANG, OpenAIServer

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


AZURE = ("/openai/deployments/my-gpt-4o/chat/completions?api-version=2024-10-21", {"api-key": "x"})


@pytest.mark.parametrize(
    ("dialect", "path", "change", "http"),
    [
        ("openai", "/v2/chat/completions", {}, 404),
        ("openai", "/v1/chat/completions?api-version=2024-10-21", {}, 404),
        ("openai", "/v1/chat/completions", {"authorization": ""}, 401),
        ("openai", "/v1/chat/completions", {"api-key": "x"}, 400),
        ("gemini", "/v1/chat/completions", {}, 404),
        ("gemini", "/v1beta/openai/chat/completions", {"openai-organization": "org-1"}, 400),
        ("openrouter", "/v1/chat/completions", {}, 404),
        ("azure-deployment", AZURE[0].partition("?")[0], AZURE[1], 404),
        ("azure-deployment", AZURE[0], {}, 401),
        ("azure-deployment", AZURE[0].replace("my-gpt-4o", "other"), AZURE[1], 404),
        ("azure-deployment", AZURE[0], AZURE[1], 400),  # a bearer key beside it
    ],
)
def test_each_server_has_a_path_and_a_header_of_its_own(
    dialect: str, path: str, change: dict[str, str], http: int
) -> None:
    with pytest.raises(ProtocolError) as raised:
        read_request(path, HEADERS | change, json.dumps(GOOD).encode(), DIALECTS[dialect])
    assert raised.value.http == http


def test_azures_older_path_and_header() -> None:
    headers = {"content-type": "application/json", **AZURE[1]}
    request = read_request(AZURE[0], headers, json.dumps(GOOD).encode(), DIALECTS["azure-deployment"])
    assert request.key == "x"


def video(url: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": url}}]}]}


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"


@pytest.mark.parametrize(
    ("dialect", "change"),
    [
        ("openai", video("data:video/mp4;base64,AAAA")),
        ("vllm", video("data:video/mp4;base64,AAAA")),
        ("vllm", video("https://example.org/x.mp4")),
        ("vllm", video(f"data:video/jpeg;base64,{PNG},AAAA")),
        ("sglang", video(f"data:video/jpeg;base64,{PNG}")),
        ("vllm", video(f"data:video/jpeg;base64,{PNG}") | {"media_io_kwargs": {"video": 3}}),
        (
            "vllm",
            video(f"data:video/jpeg;base64,{PNG}")
            | {"media_io_kwargs": {"video": {"frames_indices": [0, 1], "total_num_frames": 2}}},
        ),
        ("sglang", {"media_io_kwargs": {}}),
        ("anthropic", {"temperature": 1.5}),
        ("gemini", image(f"data:image/png;base64,{PNG}", detail="low")),
        ("openai", {"reasoning_effort": "utmost"}),
        ("openai", {"seed": "3"}),
        ("openai", {"messages": [{"role": "user", "content": "x", "frames": 3}]}),
    ],
)
def test_what_one_server_does_not_take_is_refused(dialect: str, change: dict[str, Any]) -> None:
    rules = DIALECTS[dialect]
    with pytest.raises(ProtocolError, match=r"\w"):
        read_request(f"{rules.base}/chat/completions", HEADERS, json.dumps(GOOD | change).encode(), rules)


def test_a_sequence_is_decoded_by_what_it_holds() -> None:
    body = json.dumps(GOOD | video(f"data:video/jpeg;base64,{PNG},{PNG}")).encode()
    request = read_request("/v1/chat/completions", HEADERS, body, DIALECTS["vllm"])
    assert request.videos[0].shape == (2, 1, 1, 3) and request.rates == (None,)


def test_nonsense_from_a_client_fails_the_test_that_sent_it() -> None:
    import openai

    with pytest.raises(AssertionError, match="temperature"), OpenAIServer() as server:
        client = openai.OpenAI(api_key="x", base_url=server.url, max_retries=0)
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="m", messages=GOOD["messages"], temperature=9)
    assert server.requests == []


def test_a_client_that_is_killed_while_it_sends_has_broken_no_rule() -> None:
    with OpenAIServer() as server:
        where = urlsplit(server.url)
        with socket.create_connection((where.hostname, where.port)) as client:
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
            while not server.peak:
                time.sleep(0.01)
        while server._open:
            time.sleep(0.01)
    assert server.requests == []


def test_the_server_ends_at_once_though_a_call_hangs() -> None:
    import openai

    with OpenAIServer(HANG) as server:
        client = openai.OpenAI(api_key="x", base_url=server.url, max_retries=0, timeout=0.1)
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="m", messages=GOOD["messages"])
        start = time.monotonic()
    assert time.monotonic() - start < 1
