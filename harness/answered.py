"""Stored answers, read back without the model, the videos and mostly without the data set.

A run's predictions file holds the questions and references beside the answers; the rating beside it says
what they are answers of and in which groups they count. A cache holds the answers alone: its questions are
the data set's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cache import Cache
from harness.cell import digest
from harness.errors import CacheError, HarnessError, UsageError
from harness.files import ratio_text, slug
from harness.naming import find
from harness.rating import rate
from harness.rating_files import SUFFIX, read_rating
from harness.records import to_prediction, to_verdict
from harness.registry import Registry
from harness.scores import unpack_scores
from harness.types import Prediction, Rating, Sample, SampleId, Status, Taxonomy, Verdict, Video

PREDICTIONS = "_predictions.jsonl"
VERDICTS = "_verdicts.jsonl"


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of one cell.

    title: how its files begin. meta: what a rating says of all but the judge. dataset: the data set's
    plugin where the groups are not known without it. folder: of the run they were found in, if any.
    records: the answers as they are stored, by sample.
    """

    title: str
    meta: Mapping[str, Any]
    samples: tuple[Sample, ...]
    records: Mapping[SampleId, Mapping[str, Any]]
    taxonomy: Taxonomy | None = None
    dataset: Any = None
    folder: Path | None = None

    @property
    def label(self) -> str:
        """For people: what was run."""
        noise, ratio = self.meta.get("noise"), self.meta.get("ratio")
        noisy = f"{noise} at {ratio_text(ratio)}" if noise and ratio is not None else "clean"
        return f"{self.meta['model']} on {self.meta['dataset']}, {noisy}"

    def predictions(self) -> dict[SampleId, Prediction]:
        return {sample.id: to_prediction(sample.id, self.records[sample.id]) for sample in self.samples}

    def rate(self, verdicts: Mapping[SampleId, Verdict]) -> Rating:
        """The rating as the data set makes it; raises UsageError when that needs data that is missing."""
        own = getattr(self.dataset, "rate", None)
        made: Rating = own(verdicts) if own else rate(self.samples, verdicts, self.taxonomy)
        return made


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge said of a cell's answers, as the files of a run have it."""

    judge: str
    fingerprint: str | None
    verdicts: Mapping[SampleId, Verdict] = field(default_factory=dict)


def read_answered(path: Path, registry: Registry, options: Mapping[str, Any]) -> list[Answered]:
    """The answers in a run's folder, a predictions file or a cache.

    options: of the data set, such as ``data_root``, where it has to be asked. Raises UsageError when there
    is none, or not enough beside them to rate them.
    """
    if path.suffix == ".pkl":
        return [_of_cache(path, registry, options)]
    files = sorted(path.glob(f"*{PREDICTIONS}")) if path.is_dir() else [path]
    if not files or not all(file.is_file() and file.name.endswith(PREDICTIONS) for file in files):
        raise UsageError(
            f"no answers at {path}: name a run's dated folder, a file *{PREDICTIONS} in it, or a .pkl cache"
        )
    return [_of_file(file, registry, options) for file in files]


def opinions(folder: Path, title: str) -> list[Opinion]:
    """All verdicts in a run's folder on the answers of one cell."""
    found = []
    for file in sorted(folder.glob(f"{title}_*{VERDICTS}")):
        stem = file.name.removesuffix(VERDICTS)
        meta: Mapping[str, Any] = {}
        if (folder / f"{stem}{SUFFIX}").is_file():
            meta = read_rating(folder / f"{stem}{SUFFIX}").meta
        try:
            verdicts = {row["id"]: to_verdict(row) for row in _rows(file)}
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{file} is no file of verdicts ({error}): judge those answers again") from error
        judge = str(meta.get("judge") or stem.removeprefix(f"{title}_"))
        found.append(Opinion(judge, meta.get("judge_fingerprint"), verdicts))
    return found


def _of_file(file: Path, registry: Registry, options: Mapping[str, Any]) -> Answered:
    title = file.name.removesuffix(PREDICTIONS)
    try:
        rows = {row["id"]: row for row in _rows(file)}
        samples = tuple(_sample(row) for row in rows.values())
        records = {id_: _record(row) for id_, row in rows.items()}
        for id_, record in records.items():
            to_prediction(id_, record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} is no predictions file of a run: {type(error).__name__} {error}") from error
    for place in sorted(file.parent.glob(f"{title}_*{SUFFIX}")):
        rating = read_rating(place)
        scored = unpack_scores(rating.meta, list(rating.fine_all))
        if scored is not None and "parts" in rating.meta:
            groups = _taxonomy(scored[1].coarse)
            return Answered(title, rating.meta, samples, records, groups, folder=file.parent)
    meta = _meta_of_run(file.parent / "run.json", title)
    dataset = _dataset(meta["parts"], registry, options)
    taxonomy = getattr(dataset, "taxonomy", None)
    return Answered(title, meta, samples, records, taxonomy, dataset, file.parent)


def _of_cache(path: Path, registry: Registry, options: Mapping[str, Any]) -> Answered:
    records = Cache(path).read()
    if not records:
        raise UsageError(f"{path} holds no answers: `vidharness cache ls` lists the caches that do")
    try:
        parts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        meta = _meta(parts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CacheError(
            f"{path.with_suffix('.json').name} beside {path} does not say what it holds: "
            "name the predictions file of its run instead"
        ) from error
    dataset = _dataset(parts, registry, options)
    samples = dataset.samples()
    chosen = tuple(sample for sample in samples if sample.id in records)
    if not chosen:
        raise UsageError(f"no answer in {path} is to a question of {meta['dataset']}: see --data_root")
    meta["subset"] = len(chosen) < len(samples)
    kept = {sample.id: records[sample.id] for sample in chosen}
    return Answered(_title(meta), meta, chosen, kept, getattr(dataset, "taxonomy", None), dataset)


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    if len({row["id"] for row in rows}) < len(rows):
        raise ValueError("an id occurs twice")
    return rows


def _sample(row: Mapping[str, Any]) -> Sample:
    video = Video(Path(row["video"]), row["video"])
    return Sample(
        row["id"],
        video,
        str(row["question"]),
        str(row["answer"]),
        tuple(row.get("choices", ())),
        tuple(row["labels"]),
    )


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    told = ("id", "video", "question", "answer", "choices", "labels")
    record = {name: value for name, value in row.items() if name not in told}
    _ = Status(record["status"]), record["key"]
    return record


def _meta_of_run(file: Path, title: str) -> dict[str, Any]:
    """What ``run.json`` says of a cell, where no rating says more."""
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        config = run["config"]
        for parts in run["cells"]:
            meta = _meta({name: part for name, part in parts.items() if name != "fingerprint"})
            if _title(meta) == title:
                meta["subset"] = config.get("limit") is not None or bool(config.get("ids"))
                return {**meta, "versions": run.get("versions", {})}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UsageError(
        f"nothing beside {title}{PREDICTIONS} says what it holds: leave it in the folder of its run, "
        "with run.json or a rating"
    )


def _meta(parts: Mapping[str, Any]) -> dict[str, Any]:
    noise = parts["noise"] or {}
    return {
        "model": parts["model"]["name"],
        "dataset": parts["dataset"]["name"],
        "noise": noise.get("name"),
        "ratio": noise.get("ratio"),
        "seed": noise.get("seed"),
        "fingerprint": digest(parts),
        "parts": parts,
    }


def _title(meta: Mapping[str, Any]) -> str:
    noise = f"{slug(meta['noise'])}_{ratio_text(meta['ratio'])}" if meta["noise"] else "clean"
    return f"{slug(meta['model'])}_{slug(meta['dataset'])}_{noise}"


def _dataset(parts: Mapping[str, Any], registry: Registry, options: Mapping[str, Any]) -> Any:
    part = parts["dataset"]
    try:
        return find(registry, "dataset", part["name"]).build({**part.get("options", {}), **options}).plugin
    except HarnessError as error:
        raise UsageError(
            f"{part['name']} says which groups its answers count in, but cannot be asked: {error}"
        ) from error


def _taxonomy(coarse: Mapping[str, tuple[str, ...] | None]) -> Taxonomy:
    """The groups of a rating as a taxonomy; those of all questions as roll-ups of the others."""
    named = {name: labels for name, labels in coarse.items() if labels is not None}
    return Taxonomy(named, {name: tuple(named) for name, labels in coarse.items() if labels is None})
