"""A small byte-level tokenizer with whatever special tokens a family's processor wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TEXTS = (
    "You are a helpful assistant.",
    "system user assistant User Assistant Human",
    "You are provided the following series of frames from a 0:00:00 [H:MM:SS] video.",
    "Frame from 00:00: What colour is it? What moves? Which one is red, green, blue, yes, no?",
)
"""What the merges are learnt from: chats' own words, so that prompts stay short."""


def build_tokenizer(
    special: Sequence[str],
    *,
    eos: str,
    pad: str,
    bos: str | None = None,
    named: Mapping[str, str] | None = None,
    begins: bool = False,
    vocabulary: int = 400,
) -> Any:
    """A PreTrainedTokenizerFast that encodes any text and gives it back unchanged.

    special: control tokens, ``eos``, ``pad`` and ``bos`` among them; their numbers are their places.
    named: attributes of the tokenizer that a processor reads, such as ``image_token``, and which of the
    special tokens they are. begins: put ``bos`` before every text, as Llama's do. vocabulary: number of
    tokens at most.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_TEXTS, trainer)
    if begins:
        backend.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, special.index(str(bos)))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        extra_special_tokens=dict(named or {}),
        additional_special_tokens=[token for token in special if token not in (bos, eos, pad)],
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
