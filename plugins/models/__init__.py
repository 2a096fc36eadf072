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

_LOCAL = "harness_plugins.models.local:Local"
PUBLISHED = {
    "Qwen2-VL": ("qwen2_vl", [f"Qwen/Qwen2-VL-{size}-Instruct" for size in ("2B", "7B", "72B")]),
    "Qwen2.5-VL": (
        "qwen2_5_vl",
        [f"Qwen/Qwen2.5-VL-{size}-Instruct" for size in ("3B", "7B", "32B", "72B")],
    ),
    "Qwen3-VL": ("qwen3_vl", [f"Qwen/Qwen3-VL-{size}-Instruct" for size in ("2B", "4B", "8B", "32B")]),
    "Qwen3-VL MoE": (
        "qwen3_vl_moe",
        [f"Qwen/Qwen3-VL-{size}-Instruct" for size in ("30B-A3B", "235B-A22B")],
    ),
    "InternVL3": (
        "internvl",
        [f"OpenGVLab/InternVL3-{size}-hf" for size in ("1B", "2B", "8B", "14B", "38B", "78B")],
    ),
    "InternVL3.5": (
        "internvl",
        [f"OpenGVLab/InternVL3_5-{size}-HF" for size in ("1B", "2B", "4B", "8B", "14B", "38B")],
    ),
    "LLaVA-OneVision": (
        "llava_onevision",
        [f"llava-hf/llava-onevision-qwen2-{size}-ov-hf" for size in ("0.5b", "7b", "72b")],
    ),
    "LLaVA-NeXT-Video": (
        "llava_next_video",
        [f"llava-hf/LLaVA-NeXT-Video-{size}-hf" for size in ("7B", "7B-DPO", "34B")],
    ),
    "Video-LLaVA": ("video_llava", ["LanguageBind/Video-LLaVA-7B-hf"]),
    "SmolVLM2": (
        "smolvlm",
        [f"HuggingFaceTB/SmolVLM2-{size}-Instruct" for size in ("256M-Video", "500M-Video", "2.2B")],
    ),
    "Idefics2": ("idefics2", ["HuggingFaceM4/idefics2-8b", "HuggingFaceM4/idefics2-8b-chatty"]),
    "Mantis": ("idefics2", ["TIGER-Lab/Mantis-8B-Idefics2"]),
    "PerceptionLM": ("perception_lm", [f"facebook/Perception-LM-{size}" for size in ("1B", "3B", "8B")]),
}
"""Families, their ``model_type`` and what was published of them, by its name on the hub."""

LOCAL = [
    Spec(
        "TinyQwen2.5-VL",
        "harness_plugins.models.tiny_qwen:TinyQwen25VL",
        "Qwen2.5-VL's architecture in 9 MB, trained on ShapesVideo; in the package, for any CPU",
        extra="hf",
    ),
    Spec(
        "hf:{path}",
        _LOCAL,
        "any image-text-to-text model of transformers, from a folder or the hub",
        extra="hf",
        examples=("hf:path/to/finetuned", "hf:Qwen/Qwen2.5-VL-7B-Instruct"),
    ),
    Spec(
        "qwen2.5-vl:{path}",
        "harness_plugins.models.qwen2_5_vl:Qwen25VL",
        "the same, of that family alone",
        extra="hf",
        examples=("qwen2.5-vl:path/to/finetuned", "qwen2.5-vl:Qwen/Qwen2.5-VL-7B-Instruct"),
    ),
    *(
        Spec(
            repository.split("/")[1],
            _LOCAL,
            f"{family}, from the hub",
            extra="hf",
            options={"path": repository},
        )
        for family, (_, repositories) in PUBLISHED.items()
        for repository in repositories
    ),
]
"""Models that run on this machine."""


@hookimpl
def harness_models() -> list[Spec]:
    return [*LOCAL, *ENDPOINTS]
