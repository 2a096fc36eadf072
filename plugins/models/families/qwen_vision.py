"""Qwen2.5-VL's vision tower with the same numbers in far fewer steps.

The tower attends within windows or within single frames, and transformers walks over them: a kernel
call per chunk where there is no flash-attention, and a loop per video for positions and windows. For a
batch of small videos that is thousands of tiny calls. Two facts remove them: chunks of equal length
can be a batch, each still seeing itself alone; and since nothing in the tower looks across frames,
neighbouring videos with frames of one size are one long video.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def speed_up(visual: Any) -> None:
    """Change a Qwen2.5-VL vision tower in place; for attention through PyTorch's sdpa."""
    chunks = _Chunks()
    plain = visual.forward

    def forward(hidden_states: Tensor, grid_thw: Tensor, **kwargs: Any) -> Any:
        chunks.forget()
        return plain(hidden_states, grid_thw.new_tensor(join(grid_thw.tolist())), **kwargs)

    visual.forward = forward
    for block in visual.blocks:
        block.attn.forward = _attention(block.attn, chunks)


def join(grids: Sequence[Sequence[int]]) -> list[list[int]]:
    """[time, height, width] of each video; neighbours with equal frames become one, as long as both."""
    joined: list[list[int]] = []
    for time, height, width in grids:
        if joined and joined[-1][1:] == [height, width]:
            joined[-1][0] += time
        else:
            joined.append([time, height, width])
    return joined


class _Chunks:
    """The bounds of one forward pass as numbers: asking a GPU for them again would stop it each time."""

    def __init__(self) -> None:
        self._known: list[tuple[Tensor, list[int]]] = []

    def forget(self) -> None:
        self._known.clear()

    def bounds(self, cu_seqlens: Tensor) -> list[int]:
        for tensor, bounds in self._known:
            if tensor is cu_seqlens:
                return bounds
        self._known.append((cu_seqlens, cu_seqlens.tolist()))
        return self._known[-1][1]


def _attention(attention: Any, chunks: _Chunks) -> Any:
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

    def forward(
        hidden_states: Tensor, cu_seqlens: Tensor, position_embeddings: tuple[Tensor, Tensor], **_: Any
    ) -> Tensor:
        """[L, D] and the bounds of its chunks -> [L, D]."""
        length = hidden_states.shape[0]
        query, key, value = attention.qkv(hidden_states).reshape(length, 3, attention.num_heads, -1).unbind(1)
        query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)
        mixed = attend(query, key, value, chunks.bounds(cu_seqlens), attention.scaling)
        return attention.proj(mixed.reshape(length, -1))

    return forward


def attend(query: Tensor, key: Tensor, value: Tensor, bounds: Sequence[int], scale: float) -> Tensor:
    """Attention within chunks: [L, heads, D] each -> [L, heads, D]; chunk i is bounds[i]..bounds[i + 1]."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    def within(rows: Sequence[Tensor], length: int) -> Tensor:
        parts = [row.unflatten(0, (-1, length)).transpose(1, 2) for row in rows]
        return scaled_dot_product_attention(*parts, scale=scale).transpose(1, 2).flatten(0, 1)

    by_length = _by_length(bounds)
    if len(by_length) == 1:
        return within((query, key, value), next(iter(by_length)))
    mixed = torch.empty_like(value)
    for length, starts in by_length.items():
        rows = (torch.tensor(starts)[:, None] + torch.arange(length)).flatten().to(value.device)
        mixed[rows] = within((query[rows], key[rows], value[rows]), length)
    return mixed


def _by_length(bounds: Sequence[int]) -> Mapping[int, list[int]]:
    """Chunk length -> where the chunks of that length start."""
    found: dict[int, list[int]] = {}
    for start, end in pairwise(bounds):
        found.setdefault(end - start, []).append(start)
    return found
