"""Writes a small untrained Qwen2.5-VL: configuration, tokenizer, processor and chat template.

The architecture is Qwen2.5-VL's own (transformers loads the folder with the classes of the large
models); only the sizes differ. The shipped model was trained from such a folder. To make another:

    python -m harness_plugins.models.tiny_qwen.build FOLDER --texts texts.txt
    vidharness train sft --model qwen2.5-vl:FOLDER --model_args init=random ...
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""Qwen's names; their numbers are their places here. The first pads, ``<|im_end|>`` ends an answer."""

CHAT_TEXTS = ("system", "user", "assistant", "You are a helpful assistant.")
"""What chats hold beside questions and answers."""

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}
{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- else -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What distinguishes one small model from another.

    pixels: the area frames are resized to, aspect kept, sides a multiple of twice the patch.
    mrope: how half of a text head is split over time, height and width. rope_theta: the large models'
    million would turn the slowest parts, those for width, by thousandths over a grid of four: with it
    this model never learnt where things are. spread: standard deviation of untrained weights, wider
    than the large models' because matrices are narrower.
    """

    vocabulary: int = 768
    pixels: int = 112 * 112
    patch: int = 14
    vision_hidden: int = 192
    vision_layers: int = 4
    vision_heads: int = 6
    vision_mlp: int = 512
    text_hidden: int = 192
    text_layers: int = 4
    text_heads: int = 6
    text_kv_heads: int = 3
    text_mlp: int = 512
    mrope: tuple[int, int, int] = (4, 6, 6)
    rope_theta: float = 5.0
    tokens_per_second: int = 4
    spread: float = 0.05
    context: int = 32768


SHIPPED = Size()
"""The size of the model in this package."""


def build(folder: Path, texts: Iterable[str], size: Size = SHIPPED) -> Path:
    """Write everything but the weights to ``folder``, and return it.

    texts: what the tokenizer learns its merges from. All 256 bytes are in its vocabulary besides,
    so that any text can be encoded and comes back unchanged.
    """
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLProcessor, Qwen2VLVideoProcessor
    from transformers.models.qwen2_vl import Qwen2VLImageProcessor

    backend = _train_tokenizer([*CHAT_TEXTS, *texts], size.vocabulary)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token=SPECIAL_TOKENS[0],
        additional_special_tokens=list(SPECIAL_TOKENS[1:]),
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
    area = {"shortest_edge": size.pixels, "longest_edge": size.pixels}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=dict(area), patch_size=size.patch),
        video_processor=Qwen2VLVideoProcessor(size=dict(area), patch_size=size.patch),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE,
    )
    folder.mkdir(parents=True, exist_ok=True)
    processor.save_pretrained(folder)
    _config(size, backend.get_vocab_size()).save_pretrained(folder)
    return folder


def _train_tokenizer(texts: Sequence[str], vocabulary: int):  # type: ignore[no-untyped-def]
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return backend


def _config(size: Size, vocabulary: int):  # type: ignore[no-untyped-def]
    from transformers import Qwen2_5_VLConfig

    special = {name: number for number, name in enumerate(SPECIAL_TOKENS)}
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": size.text_hidden,
            "intermediate_size": size.text_mlp,
            "num_hidden_layers": size.text_layers,
            "num_attention_heads": size.text_heads,
            "num_key_value_heads": size.text_kv_heads,
            "max_position_embeddings": size.context,
            "rms_norm_eps": 1e-6,
            "initializer_range": size.spread,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": size.rope_theta,
                "mrope_section": list(size.mrope),
            },
            "bos_token_id": None,
            "eos_token_id": special["<|im_end|>"],
            "pad_token_id": special["<|endoftext|>"],
        },
        vision_config={
            "depth": size.vision_layers,
            "hidden_size": size.vision_hidden,
            "intermediate_size": size.vision_mlp,
            "num_heads": size.vision_heads,
            "out_hidden_size": size.text_hidden,
            "patch_size": size.patch,
            "initializer_range": size.spread,
            "fullatt_block_indexes": list(range(size.vision_layers)),
            "tokens_per_second": size.tokens_per_second,
        },
        image_token_id=special["<|image_pad|>"],
        video_token_id=special["<|video_pad|>"],
        vision_start_token_id=special["<|vision_start|>"],
        vision_end_token_id=special["<|vision_end|>"],
        tie_word_embeddings=True,
        initializer_range=size.spread,
        architectures=["Qwen2_5_VLForConditionalGeneration"],
        dtype="float32",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line described at the top of this file."""
    parser = argparse.ArgumentParser(description="write a small untrained Qwen2.5-VL")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=Path, required=True, help="a file of texts, one a line")
    parsed = parser.parse_args(arguments)
    build(parsed.folder, parsed.texts.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    main()
