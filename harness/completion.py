"""What a chat server's reply says, read without trusting its shape: pure functions from bytes to Answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.redaction import whole
from harness.types import Answer, Status

_FILTERED = {"content_filter", "content_policy_violation"}
_GATEWAY_TIMEOUTS = {408, 504}


def read_completion(body: bytes) -> Answer:
    """The answer in the body of a reply with status 200.

    Refusals and filtered answers are REFUSED, with whatever text there is; a body that is no completion
    is MODEL_ERROR, and nothing else is. ``meta``: ``model``, ``finish_reason`` and ``usage`` as far as the
    server gives them.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return Answer(status=Status.MODEL_ERROR, error=f"the reply is not JSON: {_start(body)}")
    if not isinstance(data, dict):
        return Answer(status=Status.MODEL_ERROR, error=f"the reply is no completion: {_start(body)}")
    if data.get("error"):
        status, said = read_error(200, data["error"])
        return Answer(status=status, error=said)
    choice = _first(data.get("choices"))
    message, meta = choice.get("message"), _meta(data, choice)
    if not isinstance(message, dict):
        error = f"the reply holds no answer: {_start(body)}"
        return Answer(status=Status.MODEL_ERROR, error=error, meta=meta)
    text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    if refusal:
        return Answer(text or refusal, Status.REFUSED, "the model refuses to answer", meta)
    if choice.get("finish_reason") == "content_filter":
        return Answer(text, Status.REFUSED, "the server's content filter stopped the answer", meta)
    return Answer(text, meta=meta)


def read_error(code: int, body: object) -> tuple[Status, str]:
    """Status and cause of an error reply: its HTTP code, and its ``error`` object or text."""
    status = Status.TIMEOUT if code in _GATEWAY_TIMEOUTS else Status.MODEL_ERROR
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], Mapping):
        body = body[0].get("error", body[0])  # Gemini's form
    if isinstance(body, Mapping):
        if body.get("code") in _FILTERED or body.get("type") in _FILTERED:
            status = Status.REFUSED
        said = next((body[key] for key in ("message", "detail", "error") if body.get(key)), dict(body))
    else:
        said = body
    text = whole(said if isinstance(said, str) else "" if said is None else str(said)).strip()
    if text.startswith("<"):
        text = "a web page instead of an answer"
    return status, text or "no reason given"


def _first(choices: object) -> Mapping[str, Any]:
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return {}


def _text(content: object) -> str:
    """The content of a message: a string, or parts of which the text counts."""
    if isinstance(content, str):
        return whole(content)
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return ""


def _meta(data: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    for name, value in (("model", data.get("model")), ("finish_reason", choice.get("finish_reason"))):
        if isinstance(value, str):
            meta[name] = whole(value)
    usage = data.get("usage")
    if isinstance(usage, dict):
        meta["usage"] = {str(key): value for key, value in usage.items() if type(value) is int}
    return meta


def _start(body: bytes) -> str:
    return body[:80].decode("utf-8", "replace") or "(empty)"
