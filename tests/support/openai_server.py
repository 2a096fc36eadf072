"""A strict chat-completions server on loopback, for tests of whatever speaks the OpenAI protocol.

    with OpenAIServer(reply="red") as server:
        ...  # base_url=server.url
    assert len(server.requests) == 1

``dialect`` says whose rules hold (``chat_dialects``): path, header of the key, fields, videos. ``reply``
says what happens to each request: a text (the answer), a ``Fault`` (what goes wrong), a function from
``Request`` to either, or a list of these, one per request, whose last entry stays. A request that the
protocol does not allow is refused as OpenAI words it and noted in ``problems``, which leaving the ``with``
block turns into an error: a client that sends nonsense cannot pass.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from chat_dialects import DIALECTS, Dialect
from chat_protocol import ProtocolError, Request, read_request


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong instead of an answer.

    kind: ``status`` (``code``, ``body`` and ``headers`` as given), ``hang`` (no reply while the server
    lives), ``reset`` (the connection is torn), ``half`` (a reply that breaks off before its length), ``cut``
    (a chunked reply that never ends), ``raw`` (``body`` with status 200 in place of a completion).
    """

    kind: Literal["status", "hang", "reset", "half", "cut", "raw"]
    code: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


HANG, RESET, HALF, CUT = Fault("hang"), Fault("reset"), Fault("half"), Fault("cut")


def status(
    http: int, message: str = "made to fail", headers: Mapping[str, str] | None = None, **more: str
) -> Fault:
    """An error as OpenAI words it; ``more`` sets its ``code``, ``type`` or ``param``."""
    error = {"message": message, "type": "test_error", "param": None, "code": None} | more
    return Fault("status", http, {"error": error}, headers or {})


def raw(body: Any, content_type: str = "application/json") -> Fault:
    """A reply of status 200 with this body: bytes and text as they are, anything else as JSON."""
    return Fault("raw", 200, body, {"Content-Type": content_type})


Reply = str | Fault | Mapping[str, Any]
"""A mapping is merged into the first choice: ``{"finish_reason": "length"}``."""


class OpenAIServer:
    """The server; ``requests`` lists every valid call, ``peak`` is the most that were open at once."""

    def __init__(
        self,
        reply: Reply | Callable[[Request], Reply] | list[Any] = "ok",
        model: str | None = None,
        key: str | None = None,
        dialect: str | Dialect = "openai",
    ) -> None:
        """model: the id the server answers with (default: the one asked for). key: the only one it takes."""
        self.reply, self.model, self.key = reply, model, key
        self.dialect = DIALECTS[dialect] if isinstance(dialect, str) else dialect
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.peak = 0
        self._open = 0
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.house = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}{self.dialect.base}"
        """What a user would give as ``base_url``."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close()
        if kind is None and self.problems:
            raise AssertionError(
                "the client sent what the protocol does not allow: " + "; ".join(self.problems)
            )

    def close(self) -> None:
        """Stop listening and let go of whatever hangs."""
        self._ending.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def _behaviour(self, request: Request) -> Reply:
        with self._lock:
            place = len(self.requests)
            self.requests.append(request)
        chosen = self.reply
        if isinstance(chosen, list):
            chosen = chosen[min(place, len(chosen) - 1)]
        return chosen(request) if callable(chosen) else chosen


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    house: OpenAIServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def house(self) -> OpenAIServer:
        return self.server.house  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError):  # the client left, or we tore the connection
            self.close_connection = True

    def do_POST(self) -> None:
        house = self.house
        with house._lock:
            house._open += 1
            house.peak = max(house.peak, house._open)
        try:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) == length:  # else the client was killed while it sent
                self._answer(house, body)
        finally:
            with house._lock:
                house._open -= 1

    def _answer(self, house: OpenAIServer, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            request = read_request(self.path, headers, body, house.dialect)
        except ProtocolError as error:
            house.problems.append(str(error))
            return self._fail(status(error.http, str(error), type="invalid_request_error", **error.more))
        if house.key is not None and request.key != house.key:
            with house._lock:
                house.requests.append(request)
            return self._fail(
                status(401, f"Incorrect API key provided: {request.key}", code="invalid_api_key")
            )
        reply = house._behaviour(request)
        if isinstance(reply, Fault):
            return self._fail(reply)
        return self._send(200, completion(request, reply, house.model))

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "hang":
            self.house._ending.wait()
            self.close_connection = True
        elif fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif fault.kind == "cut":
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.wfile.write(f'{head}9\r\n{{"id": "c\r\n'.encode())
            self.close_connection = True
        elif fault.kind == "half":
            self._send(200, {"id": "chatcmpl-half", "choices": []}, cut=True)
        else:
            self._send(fault.code, fault.body, fault.headers)

    def _send(
        self, code: int, body: Any, headers: Mapping[str, str] | None = None, cut: bool = False
    ) -> None:
        data = (
            body
            if isinstance(body, bytes)
            else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
        self.send_response(code)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(data))} | dict(headers or {})
        for name, value in fields.items():
            self.send_header(name, value)
        # One write for head and body: two would wait for each other's acknowledgement.
        self._headers_buffer.append(b"\r\n")
        self.wfile.write(b"".join(self._headers_buffer) + (data[: len(data) // 2] if cut else data))
        self._headers_buffer = []
        self.close_connection = self.close_connection or cut


def completion(request: Request, reply: str | Mapping[str, Any], model: str | None) -> dict[str, Any]:
    """A whole completion object for a reply."""
    change = {} if isinstance(reply, str) else dict(reply)
    text = reply if isinstance(reply, str) else change.pop("text", "")
    frames = len(request.images) + sum(map(len, request.videos))
    prompt_tokens = len(request.text.split()) + 85 * frames
    answer_tokens = len(text.split()) if isinstance(text, str) else 0
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model or request.body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
            | change
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": answer_tokens,
            "total_tokens": prompt_tokens + answer_tokens,
        },
    }
