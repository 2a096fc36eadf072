"""The judge by meaning without a chat model: how close two sentence vectors lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness import Case, UsageError, Verdict


class Embedding:
    """Gives 0.0 to 3.0 by the cosine of the embeddings of answer and reference, not in steps.

    The cosine is mapped by a straight line, ``low`` and all below to 0, 1 to 3: unrelated sentences are
    seldom at 0. Opposites lie close, too ("red", "blue"): compare it with a judge that reads before use.

    model: a sentence-transformers model, its name on the hub or a folder. low: the cosine that counts as
    nothing in common, below 1. device: cpu, cuda, ...; by default the best there is. batch_size: texts at
    a time.
    """

    version = 1
    max_batch = 256

    transport = frozenset({"device", "batch_size"})

    def __init__(
        self,
        model: str = "sentence-transformers/all-MiniLM-L6-v2",
        low: float = 0.0,
        device: str | None = None,
        batch_size: int = 64,
    ) -> None:
        if not -1 <= low < 1:
            raise UsageError(f"--judge_args low={low:g} must lie between -1 and 1, 1 excluded")
        if batch_size < 1:
            raise UsageError(f"--judge_args batch_size={batch_size} must be at least 1")
        self.model = model
        self.low = low
        self.device = device
        self.batch_size = batch_size

    def identity(self) -> Mapping[str, Any]:
        """A digest of a local folder's files: verdicts by other weights are not reused."""
        return self._weights

    def check(self) -> None:
        """Raises UsageError when a folder holds no model; no network."""
        if not self._folder.is_dir():
            if self.model.startswith(("/", ".", "~")):
                raise UsageError(f"there is no folder {self.model}: correct --judge_args model=...")
        elif not any((self._folder / name).is_file() for name in ("modules.json", "config.json")):
            raise UsageError(
                f"{self.model} holds no sentence-transformers model, which has a modules.json: "
                "correct --judge_args model=..."
            )

    def judge(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        """All texts of a call are embedded together, each once."""
        texts = sorted({text for case in cases for text in (case.reference, case.prediction)}, key=len)
        if not texts:
            return
        vectors = self._encoder.encode(
            texts, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        place = {text: number for number, text in enumerate(texts)}
        for case in cases:
            cosine = float(vectors[place[case.reference]] @ vectors[place[case.prediction]])
            share = (cosine - self.low) / (1 - self.low)
            # Further decimals differ with what else is in the batch.
            yield Verdict(round(3 * min(max(share, 0.0), 1.0), 3), meta={"cosine": round(cosine, 4)})

    @property
    def _folder(self) -> Path:
        return Path(self.model).expanduser()

    @cached_property
    def _weights(self) -> Mapping[str, Any]:
        return {"weights": _digest(self._folder)} if self._folder.is_dir() else {}

    @cached_property
    def _encoder(self) -> Any:
        from sentence_transformers import SentenceTransformer

        try:
            name = str(self._folder) if self._folder.is_dir() else self.model
            return SentenceTransformer(name, device=self.device)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"the embedding model {self.model} cannot be loaded ({str(error).splitlines()[0][:200]}): "
                "name a folder or a model of the hub with --judge_args model=..."
            ) from error


def _digest(folder: Path) -> str:
    """Over names and contents of the files of a model."""
    found = blake2b(digest_size=8)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(str(file.relative_to(folder)).encode() + b"\0")
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                found.update(block)
    return found.hexdigest()
