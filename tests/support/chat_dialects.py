"""What sets chat servers apart, as their pages state it: the rules for ``chat_protocol``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """What sets one server apart.

    base: the path of its address. key: the header of the key. version: whether ``api-version`` must be
    given. account: whether headers may tell OpenAI's organisation. detail: whether images may have one.
    heat: the highest temperature. video: ``video_url`` as MP4. sequence: as a list of images, too. frames:
    how many of a video the model is shown unless the request says otherwise; None for all. fields: those
    it knows beside OpenAI's.
    """

    base: str = "/v1"
    key: str = "authorization"
    version: bool = False
    account: bool = False
    detail: bool = False
    heat: float = 2.0
    video: bool = False
    sequence: bool = False
    frames: int | None = None
    fields: frozenset[str] = frozenset()


DIALECTS: Mapping[str, Dialect] = {
    "openai": Dialect(account=True, detail=True),
    "azure": Dialect("/openai/v1", detail=True),
    "azure-deployment": Dialect("/openai/deployments/my-gpt-4o", key="api-key", version=True, detail=True),
    "gemini": Dialect("/v1beta/openai"),
    "anthropic": Dialect(heat=1.0),
    "openrouter": Dialect("/api/v1", detail=True, video=True),
    "vllm": Dialect(
        detail=True,
        video=True,
        sequence=True,
        frames=32,
        fields=frozenset({"media_io_kwargs", "mm_processor_kwargs", "top_k"}),
    ),
    "sglang": Dialect(detail=True, video=True),
    "lmdeploy": Dialect(
        video=True,
        sequence=True,
        frames=32,
        fields=frozenset({"media_io_kwargs", "mm_processor_kwargs"}),
    ),
}
