"""The rules of chat servers as their pages state them, for tests: what a request may hold, and for whom.

``read_request`` refuses whatever a strict server of that kind would, and decodes all pictures and videos,
the latter as that server would show them to its model.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import cv2
import numpy as np
from chat_dialects import DIALECTS, Dialect


class ProtocolError(ValueError):
    """Which rule a request breaks; ``http`` and ``more`` are what the reply says."""

    def __init__(self, problem: str, http: int = 400, **more: str) -> None:
        super().__init__(problem)
        self.http, self.more = http, more


@dataclass(frozen=True)
class Request:
    """One call as it arrived."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    text: str
    """All text of all messages, a line each."""
    images: tuple[np.ndarray, ...]
    """uint8 [H, W, 3] RGB, in order."""
    videos: tuple[np.ndarray, ...]
    """uint8 [T, H, W, 3] RGB, the frames that the model is shown."""
    rates: tuple[float | None, ...]
    """Frames a second that each video claims; None for a sequence."""
    attempt: int
    """0 for a first try, then the number of the retry, as the client states it."""

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or self.headers.get(
            "api-key", ""
        )


_TYPES: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "messages": (list,),
    "max_tokens": (int,),
    "max_completion_tokens": (int,),
    "temperature": (int, float),
    "top_p": (int, float),
    "seed": (int,),
    "reasoning_effort": (str,),
    "media_io_kwargs": (dict,),
    "mm_processor_kwargs": (dict,),
    "top_k": (int,),
}
_OPENAI = frozenset(_TYPES) - {"media_io_kwargs", "mm_processor_kwargs", "top_k"}
_ROLES = {"system", "developer", "user", "assistant"}


def read_request(
    path: str, headers: Mapping[str, str], body: bytes, dialect: Dialect = DIALECTS["openai"]
) -> Request:
    """The call, or ProtocolError saying which rule it breaks."""
    _check_envelope(path, headers, dialect)
    try:
        data = json.loads(body)
    except ValueError as error:
        raise ProtocolError(f"We could not parse the JSON body of your request: {error}") from error
    _need(isinstance(data, dict), "the body is no object")
    _check_fields(data, dialect)
    texts: list[str] = []
    images: list[np.ndarray] = []
    videos: list[tuple[np.ndarray, float | None]] = []
    for message in data["messages"]:
        _need(isinstance(message, dict) and message.get("role") in _ROLES, f"role of {message!r:.80}")
        _need(not set(message) - {"role", "content", "name"}, f"fields of {message!r:.80}")
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        _need(isinstance(parts, list) and len(parts) > 0, f"content {content!r:.80}")
        for part in parts:
            kind = part.get("type") if isinstance(part, dict) else None
            _need(kind in ("text", "image_url", "video_url") and set(part) == {"type", kind}, f"{part!r:.80}")
            if kind == "text":
                _need(isinstance(part["text"], str), f"text part {part!r:.80}")
                texts.append(part["text"])
            elif kind == "image_url":
                images.append(_read_image(part["image_url"], dialect))
            else:
                videos.append(_read_video(part["video_url"], data, dialect))
    return Request(
        data,
        headers,
        "\n".join(texts),
        tuple(images),
        tuple(frames for frames, _ in videos),
        tuple(rate for _, rate in videos),
        int(headers.get("x-stainless-retry-count", 0)),
    )


def _check_envelope(path: str, headers: Mapping[str, str], dialect: Dialect) -> None:
    parts = urlsplit(path)
    _need(parts.path == f"{dialect.base}/chat/completions", f"Invalid URL (POST {path})", 404)
    version = parse_qs(parts.query).get("api-version", [])
    given = len(version) == 1 and re.fullmatch(r"20\d\d-\d\d-\d\d(-preview)?", version[0]) is not None
    _need(given == dialect.version, f"api-version {version}", 404)
    _need(headers.get("content-type", "").startswith("application/json"), "the body is not declared as JSON")
    pattern = r"Bearer \S+" if dialect.key == "authorization" else r"\S+"
    _need(
        re.fullmatch(pattern, headers.get(dialect.key, "")) is not None,
        f"You didn't provide an API key in the header {dialect.key}",
        401,
    )
    other = {"authorization", "api-key"} - {dialect.key}
    told = {"openai-organization", "openai-project"} if not dialect.account else set()
    _need(not (other | told) & set(headers), f"headers {sorted((other | told) & set(headers))}")


def _check_fields(data: Mapping[str, Any], dialect: Dialect) -> None:
    for name, value in data.items():
        if name not in _OPENAI | dialect.fields:
            raise ProtocolError(f"Unrecognized request argument supplied: {name}")
        if type(value) not in _TYPES[name]:
            raise ProtocolError(f"Invalid type for '{name}'", param=name, code="invalid_type")
    for name in ("model", "messages"):
        if not data.get(name):
            raise ProtocolError(f"Missing required parameter: '{name}'.", param=name)
    _need(0 <= data.get("temperature", 0) <= dialect.heat, f"temperature {data.get('temperature')!r}")
    _need(0 <= data.get("top_p", 1) <= 1, f"top_p {data.get('top_p')!r}")
    effort = data.get("reasoning_effort", "low")
    _need(effort in ("none", "minimal", "low", "medium", "high"), f"reasoning_effort {effort!r}")
    limits = [data[name] for name in ("max_tokens", "max_completion_tokens") if name in data]
    _need(len(limits) <= 1, "both max_tokens and max_completion_tokens")
    _need(all(limit > 0 for limit in limits), f"limits {limits}")


def _read_image(image: Any, dialect: Dialect) -> np.ndarray:
    known = {"url", "detail"} if dialect.detail else {"url"}
    _need(isinstance(image, dict) and not set(image) - known, f"image {image!r:.80}")
    _need(image.get("detail", "auto") in ("auto", "low", "high"), f"detail {image.get('detail')!r}")
    kind, data = _data(image.get("url"), r"image/(png|jpeg)")
    magic = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}[kind]
    picture = _base64(data)
    _need(picture.startswith(magic), f"the image is no {kind}")
    return _decoded(picture)


def _read_video(video: Any, data: Mapping[str, Any], dialect: Dialect) -> tuple[np.ndarray, float | None]:
    """The frames that the model would see, and the rate that the file claims."""
    _need(dialect.video, "Invalid value: 'video_url'. Supported values are: 'text', 'image_url'.")
    _need(isinstance(video, dict) and set(video) == {"url"}, f"video {video!r:.80}")
    kind, text = _data(video["url"], r"video/(mp4|jpeg)" if dialect.sequence else r"video/(mp4)")
    asked = data.get("media_io_kwargs", {}).get("video", {})
    _need(isinstance(asked, dict), f"media_io_kwargs {asked!r:.80}")
    most = asked.get("num_frames", dialect.frames)
    if kind == "jpeg":
        pictures = text.split(",")
        frames = np.stack(
            [_decoded(_base64(part)) for part in pictures[: most if most and most > 0 else None]]
        )
        places, total = asked.get("frames_indices"), asked.get("total_num_frames", len(frames))
        _need(type(total) is int and total >= len(frames), f"total_num_frames {total!r}")
        _need(asked.get("fps", 1) > 0 and asked.get("duration", 1) > 0, f"{asked}")
        if places is not None:
            _need(len(places) == len(frames), f"{len(places)} places of {len(frames)} frames")
            _need(all(type(place) is int and 0 <= place < total for place in places), f"places {places}")
        return frames, None
    try:
        frames, rate = _frames(_base64(text))
    except (av.error.FFmpegError, IndexError) as error:
        raise ProtocolError(f"the video cannot be decoded: {error}") from error
    if most is not None and 0 < most < len(frames):
        frames = frames[np.linspace(0, len(frames) - 1, most, dtype=int)]
    return frames, rate


def _frames(video: bytes) -> tuple[np.ndarray, float]:
    with av.open(BytesIO(video)) as container:
        rate = container.streams.video[0].average_rate
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    _need(rate is not None and rate > 0 and len(frames) > 0, "a video without frames or rate")
    return np.stack(frames), float(rate)


def _data(url: Any, kinds: str) -> tuple[str, str]:
    """Kind and text of a ``data:`` address."""
    found = re.fullmatch(rf"data:{kinds};base64,(.+)", url) if isinstance(url, str) else None
    if found is None:
        raise ProtocolError(f"Invalid address: {url!r:.60}")
    return found[1], found[2]


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ProtocolError(f"Invalid base64 data: {error}") from error


def _decoded(picture: bytes) -> np.ndarray:
    """A picture by what it holds, whatever it is called."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    _need(image is not None, "You uploaded an unsupported image: it cannot be decoded")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _need(holds: bool, problem: str, http: int = 400) -> None:
    if not holds:
        raise ProtocolError(problem, http)
