"""Any vision model behind an OpenAI-compatible server: the prompt's frames go as images or as a video.

Hosted models and one's own vLLM, SGLang, LMDeploy or llama.cpp servers alike; nothing but the core of
vidharness is needed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from harness import Answer, Clip, Prompt, Status, UsageError
from harness.endpoint import CONCURRENCY, RETRIES, Endpoint
from harness.providers import FramesAs, ProviderName

from .chat_media import ImageFormat, VideoFormat, data_url, sequence_timing, sequence_url, video_url

if TYPE_CHECKING:
    from harness.types import Frame

Detail = Literal["auto", "low", "high"]
_OURS = ("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stream", "n")
"""Fields of a request that ``extra_body`` may not hold."""


class OpenAIChat:
    """Asks a chat model over HTTP, with the frames in the order of the prompt.

    model: the server's name for it. provider: whose server it is, which says where it is and which
    environment variable holds the key; base_url and key_env go before that. frames: ``images``, one for each
    frame; ``video``, one H.264 video for each clip, for servers that take ``video_url``; ``sequence``, the
    list of images that vLLM and LMDeploy take for a video. image_format: ``png`` sends the exact pixels;
    ``jpeg`` (quality 95) is smaller but adds a second, milder noise to what is measured. video_format:
    ``rgb`` sends the exact pixels; ``yuv420`` is what every server can decode, with colours at half
    resolution. video_fps: frames a second that the video claims, by default as many as were sampled.
    long_side: scale frames down to this many pixels on their longer side before sending; None sends them as
    they are. detail: how closely OpenAI's models look at images. temperature: ``none`` leaves it out, for
    models that take none. extra_body: further fields of each request, e.g. ``{"reasoning_effort": "low"}``;
    no secrets, since it is recorded. concurrency: calls at once, at most; how many there are is learnt from
    the server's replies. timeout: seconds without a byte from the server. retries: further tries of a failed
    call.
    """

    version = 1
    endpoint = True
    transport = frozenset({"provider", "base_url", "concurrency", "timeout", "retries", "key_env"})

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        concurrency: int = CONCURRENCY,
        timeout: float = 60.0,
        retries: int = RETRIES,
        max_tokens: int = 512,
        temperature: float | None = 0.0,
        frames: FramesAs = "images",
        image_format: ImageFormat = "png",
        video_format: VideoFormat = "rgb",
        video_fps: float | None = None,
        long_side: int | None = None,
        detail: Detail = "auto",
        extra_body: dict[str, Any] | None = None,
        key_env: str | None = None,
        provider: ProviderName = "openai",
    ) -> None:
        for name, value, known in (
            ("frames", frames, FramesAs),
            ("image_format", image_format, ImageFormat),
            ("video_format", video_format, VideoFormat),
            ("detail", detail, Detail),
        ):
            if value not in get_args(known):
                raise UsageError(
                    f"--model_args {name}={value} is unknown: use {' or '.join(get_args(known))}"
                )
        for name, number in (("max_tokens", max_tokens), ("long_side", long_side)):
            if number is not None and number < 1:
                raise UsageError(f"--model_args {name}={number} is too low: give at least 1")
        if video_fps is not None and not 0.001 <= video_fps <= 1000:
            raise UsageError(f"--model_args video_fps={video_fps:g} is none: give 0.001 to 1000")
        for name in extra_body or ():
            if name in _OURS:
                raise UsageError(
                    f"--model_args extra_body sets {name}, which is not for it to set: leave it out"
                )
        self.concurrency = concurrency
        self.max_tokens = max_tokens
        self.temperature = temperature
        self.frames: FramesAs = frames
        self.image_format: ImageFormat = image_format
        self.video_format: VideoFormat = video_format
        self.video_fps = video_fps
        self.long_side = long_side
        self.detail: Detail = detail
        self.extra_body = extra_body or {}
        self.server = Endpoint(
            model,
            base_url,
            provider=provider,
            key_env=key_env,
            concurrency=concurrency,
            timeout=timeout,
            retries=retries,
        )
        if frames not in self.server.provider.frames:
            raise UsageError(
                f"{self.server.provider.title} takes no {frames}: leave --model_args frames={frames} out"
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
                self._messages(prompt),
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                extra={**self._video_fields(prompt), **self.extra_body},
            )
            yield self._judged(answer)

    def _messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = []
        for part in prompt.parts:
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
            elif not isinstance(part, Clip):
                content.append(self._image(part))
            elif self.frames == "images":
                content += [self._image(frame) for frame in part.frames]
            else:
                content.append({"type": "video_url", "video_url": {"url": self._video(part)}})
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        return [*system, {"role": "user", "content": content}]

    def _image(self, frame: Frame) -> dict[str, Any]:
        image = {"url": data_url(frame, self.image_format, self.long_side)}
        if self.detail != "auto":  # the default everywhere; some servers do not know the field
            image["detail"] = self.detail
        return {"type": "image_url", "image_url": image}

    def _video(self, clip: Clip) -> str:
        if self.frames == "sequence":
            return sequence_url(clip.frames, self.image_format, self.long_side)
        return video_url(clip, self.video_format, self.video_fps, self.long_side)

    def _video_fields(self, prompt: Prompt) -> dict[str, Any]:
        """What makes the server use the frames of a video as they were sampled, all of them."""
        clips = [part for part in prompt.parts if isinstance(part, Clip)]
        if self.frames == "images" or not clips:
            return {}
        provider = self.server.provider
        fields = dict(provider.video)
        if self.frames == "sequence" and len(clips) == 1:  # the fields are for all videos of a request
            fields["media_io_kwargs"] = {"video": sequence_timing(clips[0], provider.places)}
        return fields

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
