"""The models vidharness ships: a light catalogue, nothing heavy is imported here."""

from harness import Spec, hookimpl
from harness.providers import PROVIDERS

_CHAT = "harness_plugins.models.openai_chat:OpenAIChat"

ENDPOINTS = [
    Spec(
        "GPT4V",
        _CHAT,
        "GPT-4 with vision (gpt-4-turbo), frames of 512 pixels at low detail; needs OPENAI_API_KEY",
        options={"model": "gpt-4-turbo", "long_side": 512, "detail": "low"},
    ),
    Spec("gpt-4o", _CHAT, "GPT-4o; needs OPENAI_API_KEY", options={"model": "gpt-4o"}),
    Spec("gpt-4o-mini", _CHAT, "GPT-4o mini; needs OPENAI_API_KEY", options={"model": "gpt-4o-mini"}),
    *(
        Spec(
            f"{name}:{{model}}",
            _CHAT,
            provider.summary("any model", "--base_url"),
            options={"provider": name},
            examples=(f"{name}:{provider.example}",),
        )
        for name, provider in PROVIDERS.items()
    ),
]
"""Models that are asked over HTTP."""

_QWEN = "harness_plugins.models.qwen2_5_vl:Qwen25VL"

LOCAL = [
    Spec(
        "TinyQwen2.5-VL",
        "harness_plugins.models.tiny_qwen:TinyQwen25VL",
        "Qwen2.5-VL's architecture in 9 MB, trained on ShapesVideo; in the package, for any CPU",
        extra="hf",
    ),
    *(
        Spec(
            f"Qwen2.5-VL-{size}-Instruct",
            _QWEN,
            f"Qwen2.5-VL of {size} parameters, from the hub",
            extra="hf",
            options={"path": f"Qwen/Qwen2.5-VL-{size}-Instruct"},
        )
        for size in ("3B", "7B", "32B", "72B")
    ),
    Spec(
        "qwen2.5-vl:{path}",
        _QWEN,
        "any model of that family, from a folder or the hub",
        extra="hf",
        examples=("qwen2.5-vl:path/to/finetuned", "qwen2.5-vl:Qwen/Qwen2.5-VL-7B-Instruct"),
    ),
]
"""Models that run on this machine."""


@hookimpl
def harness_models() -> list[Spec]:
    return [*LOCAL, *ENDPOINTS]
