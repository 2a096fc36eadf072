"""A rating file as the leaderboard sees it: what was run, when, and its questions."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, UsageError
from harness.files import ratio_text
from harness.rating_files import SUFFIX, read_rating
from harness.scores import Groups, Scored, unpack_scores
from harness.types import Rating, Status


@dataclass(frozen=True)
class Entry:
    """One rating file. ``age``: when its run began, in seconds since 1970.

    ``questions`` and ``groups`` are None where the file does not carry its scores. ``ratio`` is NaN
    without noise.
    """

    path: Path
    age: float
    rating: Rating
    model: str
    dataset: str
    judge: str
    noise: str | None
    ratio: float
    questions: Sequence[Scored] | None
    groups: Groups | None

    @property
    def meta(self) -> Mapping[str, Any]:
        return self.rating.meta

    @property
    def seed(self) -> str:
        """The seed of the noise; a clean run has none."""
        return str(self.meta["seed"]) if self.noise and self.meta.get("seed") is not None else ""

    @property
    def ratio_label(self) -> str:
        return "" if math.isnan(self.ratio) else ratio_text(self.ratio)

    @property
    def label(self) -> str:
        """For notes: what was run."""
        noise = f"{self.noise} {self.ratio_label}".rstrip() if self.noise else "clean"
        return f"{self.model}, {noise} ({self.dataset})"

    @cached_property
    def asked(self) -> frozenset[tuple[str, Any]] | None:
        """The questions by video and id, or None where the file does not say."""
        return None if self.questions is None else frozenset((q.video, q.id) for q in self.questions)

    @property
    def parts(self) -> Mapping[str, Any]:
        """The readable fingerprint, empty where the file has none."""
        parts = self.meta.get("parts")
        return parts if isinstance(parts, Mapping) else {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """Whatever must be equal for two runs to stand in one table, beside data set and judge."""
        own = {key: value for key, value in self.parts.items() if key not in ("model", "noise")}
        rubric = self.meta.get("judge_fingerprint")
        return own if rubric is None or "judge" in own else {**own, "judge": rubric}

    @property
    def model_options(self) -> Mapping[str, Any]:
        """What else the model's answers depend on: another value is another row."""
        return _mapping(self.parts.get("model"))

    @property
    def noise_options(self) -> Mapping[str, Any]:
        """The same of the noise, beside ratio and seed."""
        part = _mapping(self.parts.get("noise"))
        return {key: value for key, value in part.items() if key not in ("ratio", "seed")}

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for runs of the very same thing."""
        cell = (self.dataset, self.judge, self.model, self.noise, self.ratio_label, self.seed)
        return (*cell, canonical([self.parts, self.settings]), self.asked)

    def value(self, block: str, group: str) -> str:
        """A number of the rating, two decimals or ``nan``."""
        return str(getattr(self.rating, block).get(group, "nan"))

    @property
    def failed(self) -> str:
        """How many questions have no score and why, as far as the file says."""
        counts = self.meta.get("counts")
        if not isinstance(counts, Mapping):
            return ""
        causes = [f"{count} {name}" for name, count in counts.items() if name != Status.OK and count]
        return ", ".join(causes) or "0"


def read_entries(paths: Iterable[Path]) -> tuple[list[Entry], list[str]]:
    """The rating files among and below ``paths``, and a sentence for each that cannot be used.

    Raises UsageError for a path that does not exist.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist: name a folder that `vidharness run` wrote")
        for file in [path] if path.is_file() else sorted(path.rglob(f"*{SUFFIX}")):
            files.setdefault(file.resolve(), file)
    entries, warnings = [], []
    for file in files.values():
        try:
            entries.append(read_entry(file))
        except HarnessError as error:
            warnings.append(f"left out: {error}")
    return entries, warnings


def read_entry(path: Path) -> Entry:
    """One rating file. Raises HarnessError when it is none, or says nonsense about itself."""
    rating = read_rating(path)
    meta = rating.meta
    try:
        scored = unpack_scores(meta, list(rating.fine_all))
    except HarnessError as error:
        raise HarnessError(f"{path}: {error}") from error
    noise = meta.get("noise")
    clean = noise in (None, "", "clean")
    try:
        ratio = math.nan if clean or meta.get("ratio") is None else float(meta["ratio"])
    except (TypeError, ValueError) as error:
        raise HarnessError(f"{path} gives {meta['ratio']!r} as its ratio, which is no number") from error
    names = (str(meta["model"]), str(meta["dataset"]), str(meta["judge"]))
    questions, groups = scored or (None, None)
    return Entry(path, _age(path), rating, *names, None if clean else str(noise), ratio, questions, groups)


def canonical(value: Any) -> str:
    """A JSON value as text, equal for equal values."""
    return json.dumps(value, sort_keys=True, default=dict)


def _age(path: Path) -> float:
    """By the name of the run's folder; else when the file was written."""
    try:
        return time.mktime(time.strptime(path.parent.name, "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return path.stat().st_mtime


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
