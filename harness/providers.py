"""Whose servers have a short name: ``gemini:MODEL`` knows its address and the variable with its key.

What sets a server apart otherwise is told by its own replies (``harness.endpoint``) or by options.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from harness.errors import UsageError
from harness.redaction import bare_url

ProviderName = Literal["openai", "azure", "gemini", "anthropic", "openrouter", "vllm", "sglang", "lmdeploy"]
FramesAs = Literal["images", "video", "sequence"]
"""An image each, one video file, or the list of images that some servers take for a video."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A server, or a kind of server, that speaks the OpenAI chat protocol.

    title: for people. url: its address, None where everybody has one of their own. key_env: environment
    variable with the key. url_env: environment variable with an address in place of ``url``. own: run by
    its users, who may need no key. example: a model for lists. frames: how it takes those of a clip, as its
    pages say. video: fields of a request that make it use every frame of a video. places: whether it takes
    the place in its video of each frame of a sequence.
    """

    name: ProviderName
    title: str
    url: str | None
    key_env: str
    url_env: str | None = None
    own: bool = False
    example: str = ""
    frames: tuple[FramesAs, ...] = ("images",)
    video: Mapping[str, Any] = field(default_factory=dict)
    places: bool = True

    def summary(self, what: str, flag: str) -> str:
        """A line for lists: ``what`` of this server, and where it is or which key it needs."""
        if self.name == "openai":
            return f"{what} of OpenAI, or of a server that speaks its protocol ({flag})"
        if self.own:
            return f"{what} on your own {self.title} server ({self.url}, or {flag})"
        return f"{what} of {self.title}; needs {self.key_env}" + (f" and {flag}" if not self.url else "")


_QWEN = "Qwen/Qwen2.5-VL-7B-Instruct"
_ALL_FRAMES = {
    "media_io_kwargs": {"video": {"num_frames": -1}},
    "mm_processor_kwargs": {"do_sample_frames": False},
}
"""Without these vLLM and LMDeploy decode 32 frames of a video, and some processors then choose again."""

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "openai",
            "OpenAI",
            "https://api.openai.com/v1",
            "OPENAI_API_KEY",
            url_env="OPENAI_BASE_URL",
            example="gpt-4.1",
            frames=get_args(FramesAs),  # whoever's server it is
        ),
        Provider(
            "azure",
            "Azure OpenAI",
            None,
            "AZURE_OPENAI_API_KEY",
            url_env="AZURE_OPENAI_ENDPOINT",
            example="my-gpt-4o",
        ),
        Provider(
            "gemini",
            "Gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "GEMINI_API_KEY",
            example="gemini-2.5-flash",
        ),
        Provider(
            "anthropic",
            "Anthropic",
            "https://api.anthropic.com/v1",
            "ANTHROPIC_API_KEY",
            example="claude-sonnet-4-5",
        ),
        Provider(
            "openrouter",
            "OpenRouter",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_KEY",
            example="qwen/qwen2.5-vl-72b-instruct",
            frames=("images", "video"),
        ),
        Provider(
            "vllm",
            "vLLM",
            "http://localhost:8000/v1",
            "VLLM_API_KEY",
            own=True,
            example=_QWEN,
            frames=get_args(FramesAs),
            video=_ALL_FRAMES,
        ),
        Provider(
            "sglang",
            "SGLang",
            "http://localhost:30000/v1",
            "SGLANG_API_KEY",
            own=True,
            example=_QWEN,
            frames=("images", "video"),
        ),
        Provider(
            "lmdeploy",
            "LMDeploy",
            "http://localhost:23333/v1",
            "LMDEPLOY_API_KEY",
            own=True,
            example=_QWEN,
            frames=get_args(FramesAs),
            video=_ALL_FRAMES,
            places=False,
        ),
    )
}

_AZURE = "https://RESOURCE.openai.azure.com"


def provider_named(name: str, flag: str) -> Provider:
    """Raises UsageError for a name that is none; ``flag`` is where it was given."""
    if name not in PROVIDERS:
        raise UsageError(f"{flag} provider={name} is unknown: use one of {', '.join(get_args(ProviderName))}")
    return PROVIDERS[name]


def address(provider: Provider, given: str | None, flag: str) -> str:
    """The address in force, without ``/chat/completions``: given, else from the environment, else its own.

    Azure's may be that of the resource alone, or the target address that its portal shows, ``api-version``
    included. Raises UsageError when there is none, or it cannot be one; ``flag`` is where it was given.
    """
    source, url = flag, (given or "").strip()
    if not url and provider.url_env:
        source, url = provider.url_env, os.environ.get(provider.url_env, "").strip()
    if not url:
        if provider.url is None:
            raise UsageError(
                f"{provider.title} has an address for each resource: add {flag} {_AZURE} "
                f"or export {provider.url_env}=..."
            )
        return provider.url
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        like = (
            provider.url if provider.own else _AZURE if provider.url is None else "http://localhost:8000/v1"
        )
        raise UsageError(f"{source} must read like {like}, not {bare_url(url)!r}")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    if provider.name == "azure" and path in ("", "/openai"):
        path = "/openai" if "api-version=" in parts.query else "/openai/v1"
    return parts._replace(path=path, fragment="").geturl()
