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

    model: a sentence-transformers model, a folder or a name of the hub, downloaded before. low: the cosine
    that counts as nothing in common, below 1. device: cpu, cuda, ...; by default the best there is.
    batch_size: texts at a time.
    """

    version = 1
    max_batch = 256

    transport = frozenset({"device", "batch_size", "model"})
    """``model`` is where the weights lie; what they are is in ``identity``."""

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

    def identity(self) -> Mapping[str, str]:
        """The model's name and a digest of its files: verdicts by other weights are not reused."""
        return self._identity

    def check(self) -> None:
        """Raises UsageError when the model is not on this machine; no network."""
        _ = self._folder

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

    @cached_property
    def _folder(self) -> Path:
        """The folder that was named, or that of the hub's cache. Raises UsageError."""
        folder = Path(self.model).expanduser()
        if folder.is_dir() or self.model.startswith(("/", ".", "~")):
            if any((folder / name).is_file() for name in ("modules.json", "config.json")):
                return folder
            raise UsageError(f"{self.model} holds no embedding model: correct --judge_args model=...")
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(self.model, "config.json")
        except HFValidationError as error:
            raise UsageError(f"{self.model!r} names no model of the hub: write owner/name") from error
        if not isinstance(cached, str):
            raise UsageError(
                f"the embedding model {self.model} is not on this machine: "
                f"get it with `hf download {self.model}`"
            )
        return Path(cached).parent

    @cached_property
    def _identity(self) -> Mapping[str, str]:
        local = self._folder == Path(self.model).expanduser()
        return {"model": self._folder.name if local else self.model, "weights": _digest(self._folder)}

    @cached_property
    def _encoder(self) -> Any:
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(str(self._folder), device=self.device)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"the embedding model {self.model} cannot be loaded ({str(error).splitlines()[0][:200]}): "
                "name another with --judge_args model=..."
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
