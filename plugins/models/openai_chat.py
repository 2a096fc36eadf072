"""Any vision model behind an OpenAI-compatible server: the prompt's frames go as images.

Hosted models and one's own vLLM, SGLang, lmdeploy or llama.cpp servers alike; nothing but the core of
vidharness is needed here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from harness import Answer, Clip, Prompt, Status, UsageError
from harness.endpoint import CONCURRENCY, RETRIES, Endpoint

if TYPE_CHECKING:
    from harness.types import Frame

ImageFormat = Literal["png", "jpeg"]
Detail = Literal["auto", "low", "high"]
JPEG_QUALITY = 95


class OpenAIChat:
    """Asks a chat model over HTTP; every frame is one image, in the order of the prompt.

    model: the server's name for it. base_url: its address (default ``OPENAI_BASE_URL``, then OpenAI).
    image_format: ``png`` sends the exact pixels; ``jpeg`` (quality 95) is smaller but adds a second,
    milder noise to what is measured. long_side: scale frames down to this many pixels on their longer
    side before sending; None sends them as they are. detail: how closely OpenAI's models look.
    temperature: ``none`` leaves it out, for models that take none. concurrency: calls at once, at most;
    how many there are is learnt from the server's replies. timeout: seconds without a byte from the
    server. retries: further tries of a failed call. key_env: environment variable that holds the key.
    """

    version = 1
    endpoint = True
    transport = frozenset({"base_url", "concurrency", "timeout", "retries", "key_env"})

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        concurrency: int = CONCURRENCY,
        timeout: float = 60.0,
        retries: int = RETRIES,
        max_tokens: int = 512,
        temperature: float | None = 0.0,
        image_format: ImageFormat = "png",
        long_side: int | None = None,
        detail: Detail = "auto",
        key_env: str = "OPENAI_API_KEY",
    ) -> None:
        for name, value, known in (("image_format", image_format, ImageFormat), ("detail", detail, Detail)):
            if value not in get_args(known):
                raise UsageError(
                    f"--model_args {name}={value} is unknown: use {' or '.join(get_args(known))}"
                )
        for name, number in (("max_tokens", max_tokens), ("long_side", long_side)):
            if number is not None and number < 1:
                raise UsageError(f"--model_args {name}={number} is too low: give at least 1")
        self.concurrency = concurrency
        self.max_tokens = max_tokens
        self.temperature = temperature
        self.image_format: ImageFormat = image_format
        self.long_side = long_side
        self.detail: Detail = detail
        self.server = Endpoint(
            model, base_url, key_env=key_env, concurrency=concurrency, timeout=timeout, retries=retries
        )

    def check(self) -> None:
        """Raises UsageError when the key is missing or the address is none; no network."""
        self.server.check()

    def load(self) -> None:
        self.server.load()

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[Answer]:
        """One call per prompt, one after the other; safe to call from several threads."""
        for prompt in prompts:
            answer = self.server.ask(
                self._messages(prompt), max_tokens=self.max_tokens, temperature=self.temperature
            )
            yield self._judged(answer)

    def _messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = []
        for part in prompt.parts:
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
            else:
                frames = part.frames if isinstance(part, Clip) else [part]
                content += [self._image(frame) for frame in frames]
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        return [*system, {"role": "user", "content": content}]

    def _image(self, frame: Frame) -> dict[str, Any]:
        image = {"url": data_url(frame, self.image_format, self.long_side)}
        if self.detail != "auto":  # the default everywhere; some servers do not know the field
            image["detail"] = self.detail
        return {"type": "image_url", "image_url": image}

    def _judged(self, answer: Answer) -> Answer:
        """Call an empty answer a failure, and say what may help against failures that have a cure."""
        status, text, error = answer.status, answer.text.strip(), answer.error
        if status is Status.OK and not text:
            status, error = Status.MODEL_ERROR, "empty answer"
            if answer.meta.get("finish_reason") == "length":
                error += f", cut off at --model_args max_tokens={self.max_tokens}: raise it"
        elif answer.meta.get("http") == 413:
            error += " (smaller frames: --model_args long_side=768 or image_format=jpeg)"
        return Answer(text, status, error, answer.meta)


def data_url(frame: Frame, image_format: ImageFormat = "png", long_side: int | None = None) -> str:
    """A frame (uint8 [H, W, 3] RGB) as a ``data:`` URL; PNG keeps every bit of the pixels sent.

    ``long_side`` scales down by area averaging and never up.
    """
    import cv2
    import numpy as np

    height, width = frame.shape[:2]
    if long_side is not None and max(height, width) > long_side:
        scale = long_side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if image_format == "jpeg" else []
    _, encoded = cv2.imencode(f".{image_format}", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), settings)
    return f"data:image/{image_format};base64,{b64encode(encoded.tobytes()).decode()}"
