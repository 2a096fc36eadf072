"""One cell of an experiment: a model on a data set under one noise; and what its answers depend on.

The fingerprint holds all that can change an answer and nothing else (no batch size, concurrency,
world size, paths or addresses), so equal fingerprints mean that stored answers may be used again.
What belongs to one question (its text, the bytes of its video) is kept beside each answer instead:
one changed video costs its own answers alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness.files import ratio_text, slug
from harness.interfaces import Corruption, Dataset, Model, Packed, Pooling
from harness.registry import Built
from harness.types import Sample, Video
from harness.video import Decoding, Here

FINGERPRINT_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Noise:
    """A corruption at one strength: the share ``ratio`` in [0, 1] of the frames, drawn by ``seed``."""

    built: Built[Corruption]
    ratio: float
    seed: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A model, a data set, and a noise or none, with everything that shapes the frames.

    videos: all of the data set, whatever part of it is asked about: a noise may take frames from them.
    decoding: in which process; no part of the fingerprint.
    """

    model: Built[Model]
    dataset: Built[Dataset]
    noise: Noise | None = None
    decoder: str = "pyav"
    long_side: int | None = None
    pooling: Built[Pooling] | None = None
    videos: tuple[Video, ...] = ()
    decoding: Decoding = field(default_factory=Here)

    @property
    def label(self) -> str:
        """For people: what is being run."""
        noise = f"{self.noise.built.name} at {ratio_text(self.noise.ratio)}" if self.noise else "clean"
        return f"{self.model.name} on {self.dataset.name}, {noise}"

    def title(self) -> str:
        """``MODEL_DATASET_NOISE_RATIO`` or ``MODEL_DATASET_clean``: how this cell's files begin."""
        noise = f"{slug(self.noise.built.name)}_{ratio_text(self.noise.ratio)}" if self.noise else "clean"
        return f"{slug(self.model.name)}_{slug(self.dataset.name)}_{noise}"

    def parts(self) -> dict[str, Any]:
        """The readable fingerprint: JSON values only."""
        dataset = self.dataset.identity()
        sampling = self.dataset.plugin.sampling
        # Where the data lies is no part of what it is; the frame setting is stated on its own.
        dataset["options"] = {
            key: value for key, value in dataset["options"].items() if key not in ("data_root", "sampling")
        }
        return {
            "format": FINGERPRINT_FORMAT,
            "model": self.model.identity(),
            "dataset": dataset,
            "frames": {
                "sampling": str(sampling),
                "max_frames": sampling.max_frames,
                "decoder": self.decoder,
                "long_side": self.long_side,
                "pooling": self.pooling and self.pooling.identity(),
            },
            "noise": self.noise
            and {**self.noise.built.identity(), "ratio": self.noise.ratio, "seed": self.noise.seed},
        }

    def fingerprint(self) -> str:
        """16 hexadecimal digits over ``parts``."""
        return digest(self.parts())

    def stem(self) -> str:
        """File name of the cell's answers, without folder and ending."""
        return f"{self.title()}_{self.fingerprint()[:8]}"

    def folder(self, work_dir: Path) -> Path:
        """Where the answers of this cell's model are kept."""
        return work_dir / slug(self.model.name)

    def groups(self, samples: Sequence[Sample]) -> list[tuple[Sample, ...]]:
        """The samples as they are asked: one by one, or packed; of a pack only those in ``samples``."""
        if not isinstance(self.dataset.plugin, Packed):
            return [(sample,) for sample in samples]
        chosen = {sample.id for sample in samples}
        groups = (
            tuple(sample for sample in group if sample.id in chosen) for group in self.dataset.plugin.groups()
        )
        return [group for group in groups if group]

    def donors(self, video: Video) -> list[Video]:
        """Other videos that the noise may take frames from on ``video``, the first choice first.

        Two, so that one which cannot be decoded costs nothing; none where the noise needs none.
        """
        if self.noise is None or not getattr(self.noise.built.plugin, "needs_donor", False):
            return []
        seed = (self.noise.seed, self.noise.built.name, self.noise.built.plugin.version, video.key)
        others = (other for other in self.videos if other.key != video.key)
        return sorted(others, key=lambda other: digest([*seed, other.key, other.start, other.end]))[:2]


def input_key(group: Sequence[Sample], digests: Sequence[str]) -> str:
    """A digest of what one call depends on beside the cell: its questions and its videos' bytes.

    digests: of the contents of the group's video and of those its noise takes frames from.
    """
    video = group[0].video
    questions = [[sample.id, sample.question, sample.choices, dict(sample.meta)] for sample in group]
    pace = [] if video.fps is None else [video.fps]
    return digest([questions, video.key, video.start, video.end, list(digests), *pace])


def digest(value: Any) -> str:
    """16 hexadecimal digits over a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=_reject)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _reject(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value and cannot be part of a fingerprint")
