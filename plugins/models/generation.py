"""How an answer is drawn from a model: greedily, by beams, or by chance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Generation:
    """max_new_tokens: length at most. temperature: 0 takes the likeliest token each time. top_p: share of
    the probability that is drawn from. seed: where chance starts, together with the prompt.
    """

    max_new_tokens: int
    num_beams: int
    repetition_penalty: float
    temperature: float
    top_p: float
    seed: int

    def check(self) -> None:
        """Raise UsageError for what no model could do."""
        for name, value in (("max_new_tokens", self.max_new_tokens), ("num_beams", self.num_beams)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        if self.temperature < 0 or self.repetition_penalty <= 0:
            raise UsageError("temperature must be at least 0 and repetition_penalty above 0")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is a share above 0, up to 1, not {self.top_p}")
        if self.by_chance and self.num_beams > 1:
            raise UsageError(
                "answers are drawn either by beams or by chance: leave out temperature or num_beams"
            )

    @property
    def by_chance(self) -> bool:
        return self.temperature > 0

    def config(self, own: Any, tokenizer: Any) -> Any:
        """A GenerationConfig with the checkpoint's ``own`` control tokens and nothing else of it."""
        from transformers import GenerationConfig

        chance = {"temperature": self.temperature, "top_p": self.top_p, "top_k": 0} if self.by_chance else {}
        ends = tokenizer.eos_token_id if own.eos_token_id is None else own.eos_token_id
        return GenerationConfig(
            do_sample=self.by_chance,
            num_beams=self.num_beams,
            repetition_penalty=self.repetition_penalty,
            max_new_tokens=self.max_new_tokens,
            min_new_tokens=1,  # an answer of nothing could not be judged
            bos_token_id=own.bos_token_id,
            eos_token_id=ends,
            pad_token_id=tokenizer.pad_token_id,
            bad_words_ids=own.bad_words_ids,  # places of pictures, which no answer holds
            **chance,
        )

    @contextmanager
    def chance(self, ids: Any, device: Any) -> Iterator[None]:
        """PyTorch's generators, starting from the seed and the prompt's ids meanwhile, then put back."""
        import torch

        if not self.by_chance:
            yield
            return
        words = blake2b(f"{self.seed} {ids.tolist()}".encode(), digest_size=7).digest()
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(int.from_bytes(words))
            yield
