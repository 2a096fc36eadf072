"""The tensors of several prompts as one batch: text padded on the left, pictures one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = -100
"""The label of tokens that are not learnt, as PyTorch's cross entropy has it."""
_TEXT = frozenset({"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "position_ids"})
"""Tensors [..., 1, L] with an entry for each token."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One prompt's tensors, on the CPU. nbytes: its share of the memory they take."""

    tensors: Mapping[str, Tensor]
    nbytes: int


def prepared(found: Sequence[Mapping[str, Tensor]]) -> list[Prepared]:
    """Prompts that may share tensors; what is shared counts once."""
    sizes = {tensor.data_ptr(): tensor.nbytes for tensors in found for tensor in tensors.values()}
    share = sum(sizes.values()) // max(1, len(found))
    return [Prepared(tensors, share) for tensors in found]


def kinds(batch: Sequence[Prepared], flat: bool) -> list[list[int]]:
    """The places of those that can be joined, together: pictures can where all but their number agrees.

    flat: whether a prompt that has none of some tensor can be joined with one that has; it can where their
    first axis counts pictures, not prompts.
    """
    found: list[tuple[dict[str, object], list[int]]] = []
    for place, one in enumerate(batch):
        seen: dict[str, object] = {
            name: tensor.shape[1:] for name, tensor in one.tensors.items() if name not in _TEXT
        }
        for known, places in found:
            agree = all(known[name] == seen[name] for name in known.keys() & seen.keys())
            if agree and (flat or known.keys() == seen.keys()):
                known.update(seen)
                places.append(place)
                break
        else:
            found.append((seen, [place]))
    return [places for _, places in found]


def join(batch: Sequence[Mapping[str, Tensor]], pad: int) -> dict[str, Tensor]:
    """One batch of those that can be joined. Text [..., B, L]; the rest along its first axis."""
    import torch

    width = max(tensors["input_ids"].shape[-1] for tensors in batch)

    def padded(name: str, tensor: Tensor) -> Tensor:
        missing = width - tensor.shape[-1]
        return torch.nn.functional.pad(tensor, (missing, 0), value=pad if name == "input_ids" else 0)

    def joined(name: str) -> Tensor:
        found = [tensors[name] for tensors in batch if name in tensors]
        return torch.cat([padded(name, one) for one in found], dim=-2) if name in _TEXT else torch.cat(found)

    # In their first order: a set would have another in each process.
    return {name: joined(name) for name in dict.fromkeys(name for tensors in batch for name in tensors)}


def with_answers(
    batch: Mapping[str, Tensor], answers: Sequence[Sequence[int]], pad: int
) -> dict[str, Tensor]:
    """A batch with tokens to learn after each prompt, padded on the right, and their labels [B, L].

    Positions, where the batch has any, go on by one on all axes.
    """
    import torch

    length = max(map(len, answers))
    tail = torch.full((len(answers), length), pad)
    mask = torch.zeros_like(tail)
    for row, tokens in enumerate(answers):
        tail[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    ignored = torch.full_like(batch["input_ids"], IGNORED)
    tails = {"input_ids": tail, "attention_mask": mask}
    if "position_ids" in batch:
        tails["position_ids"] = batch["position_ids"][..., -1:] + 1 + torch.arange(length)
    longer = {
        name: torch.cat([batch[name], tails.get(name, torch.zeros_like(tail))], dim=-1)
        for name in batch
        if name in _TEXT
    }
    labels = torch.cat([ignored, tail.masked_fill(mask == 0, IGNORED)], dim=1)
    return {**batch, **longer, "labels": labels}
