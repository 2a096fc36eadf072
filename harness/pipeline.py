"""From samples to a prompt: decode, shrink when asked, corrupt, pool when asked, write the question.

The noise falls on the sampled frames at native resolution, before any model's own resizing, so that
every model sees the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cell import Cell, Noise
from harness.errors import DecodeError
from harness.interfaces import Packed, Pooling
from harness.seeds import Draws, hit_frames
from harness.types import Clip, Prompt, Sample, Video

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frames


def clip_of(cell: Cell, video: Video) -> Clip:
    """The frames of ``video`` as the model will see them. Raises DecodeError."""
    sampling = cell.dataset.plugin.sampling
    if cell.pooling is None:
        return _corrupted(cell, video, cell.decoding.decode(video, sampling, cell.decoder))
    pooling = cell.pooling.plugin
    source, windows = cell.decoding.decode_windows(video, sampling, pooling.window, cell.decoder)
    return pool(_corrupted(cell, video, source), windows, pooling)


def clip_bytes(cell: Cell, video: Video) -> int | None:
    """Bytes of the frames of ``clip_of``, before anything is decoded; None where the file does not say."""
    foreseen = cell.decoding.foresee(video, cell.dataset.plugin.sampling)
    if foreseen is None:
        return None
    count, height, width = foreseen
    if cell.long_side is not None:
        height, width = _shrunk(height, width, cell.long_side)
    return count * height * width * 3


def pool(source: Clip, windows: Sequence[npt.NDArray[np.int64]], pooling: Pooling) -> Clip:
    """One image per window, standing at the time of the window's last frame."""
    import numpy as np

    last = [window[-1] for window in windows]
    return Clip(
        frames=np.stack([pooling.pool(source.frames[window], source.times[window]) for window in windows]),
        times=source.times[last],
        indices=source.indices[last],
        fps=source.fps,
        notes={**source.notes, "pooled": [len(window) for window in windows]},
    )


def prompt_of(cell: Cell, group: Sequence[Sample], clip: Clip) -> Prompt:
    """The prompt of one call."""
    dataset = cell.dataset.plugin
    if isinstance(dataset, Packed):
        return dataset.pack(group, clip)
    (sample,) = group
    return dataset.prompt(sample, clip)


def corrupt(clip: Clip, video_key: str, noise: Noise, donor: Callable[[], Clip | None] | None = None) -> Clip:
    """Apply the noise to its share of the frames; the positions it hit are noted in the clip.

    donor: gives the clip that a noise with ``needs_donor`` takes frames from. Raises ValueError when
    the plugin breaks its contract by returning frames of another shape or type.
    """
    hit = hit_frames(noise.seed, video_key, len(clip.frames), noise.ratio)
    if not len(hit):
        return clip
    plugin = noise.built.plugin
    draws = Draws(noise.seed, video_key, noise.built.name, plugin.version)
    notes: dict[str, Any] = {"hit": sorted(hit.tolist())}
    apply: Callable[..., Clip] = plugin.apply
    if donor is None:
        noisy = apply(clip, hit, draws)
    else:
        given = donor()
        noisy = apply(clip, hit, draws, given)
        notes = {"donor": given and given.notes["donor"], **notes}
    if noisy.frames.shape != clip.frames.shape or noisy.frames.dtype != clip.frames.dtype:
        raise ValueError(
            f"noise {noise.built.name} returned {noisy.frames.dtype} {noisy.frames.shape} for "
            f"{clip.frames.dtype} {clip.frames.shape}"
        )
    return replace(noisy, notes={**notes, **noisy.notes})


def _corrupted(cell: Cell, video: Video, clip: Clip) -> Clip:
    """``clip`` shrunk when asked, and with the cell's noise."""
    if cell.long_side is not None:
        clip = replace(clip, frames=shrink(clip.frames, cell.long_side))
    if cell.noise is None:
        return clip
    if not getattr(cell.noise.built.plugin, "needs_donor", False):
        return corrupt(clip, video.key, cell.noise)

    def donor() -> Clip | None:
        for other in cell.donors(video):
            with suppress(DecodeError):
                taken = cell.decoding.decode(other, cell.dataset.plugin.sampling, cell.decoder)
                return replace(taken, notes={"donor": other.key})
        return None

    return corrupt(clip, video.key, cell.noise, donor)


def shrink(frames: Frames, long_side: int) -> Frames:
    """Scale down so that the longer side is ``long_side`` pixels; smaller frames stay as they are."""
    import cv2
    import numpy as np

    height, width = _shrunk(frames.shape[1], frames.shape[2], long_side)
    if (height, width) == frames.shape[1:3]:
        return frames
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames])


def _shrunk(height: int, width: int, long_side: int) -> tuple[int, int]:
    scale = min(1.0, long_side / max(height, width, 1))
    return max(1, round(height * scale)), max(1, round(width * scale))
