"""Another judge for answers that are there already: the files of a run, and how far the judges agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.agreement import Agreement, agreement
from harness.answered import PREDICTIONS, VERDICTS, Answered, Opinion
from harness.config import RunConfig
from harness.files import slug
from harness.interfaces import Judge
from harness.judging import judge_predictions, judging_meta
from harness.rating_files import rating_name, write_rating
from harness.registry import Built
from harness.results import git_state, run_folder, write_json, write_predictions, write_verdicts
from harness.runlog import log, logging_to
from harness.scores import score_of
from harness.spending import behind_rating
from harness.types import Rating, SampleId, Verdict

_OF_RATINGS = frozenset(
    {"judge", "judge_models", "judging", "judge_fingerprint", "questions", "scale", "counts", "intervals"}
) | {"groups", "scores", "usage"}
"""What the meta of a rating says of its judge, scores and costs: never taken from another rating."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """One cell's answers under the new judge. judged: answers it was asked about now."""

    answered: Answered
    verdicts: Mapping[SampleId, Verdict]
    judged: int
    rating: Rating
    rating_path: Path


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new judge beside another one. only_new, only_other: answers that one of them alone has scored."""

    other: str
    agreement: Agreement
    only_new: int
    only_other: int


def rejudge(config: RunConfig, answered: Answered, judge: Built[Judge], stamp: str) -> Rejudged:
    """Judge, rate and write into a dated folder of its own what a run with this judge would."""
    folder = run_folder(config.work_dir, answered.meta["model"], stamp)
    samples, predictions = answered.samples, answered.predictions()
    with logging_to(folder / "run.log", 0):
        log.info("%s, judged by %s, fingerprint %s", answered.label, judge.name, answered.meta["fingerprint"])
        keys = {sample.id: answered.records[sample.id]["key"] for sample in samples}
        write_predictions(folder / f"{answered.title}{PREDICTIONS}", samples, predictions, keys)
        _write_run(folder / "run.json", config, answered)
        verdicts, judged = judge_predictions(config.work_dir, judge, samples, predictions)
        write_verdicts(folder / f"{answered.title}_{slug(judge.name)}{VERDICTS}", samples, verdicts)
        rating = _rating(answered, judge, verdicts)
        meta = rating.meta
        path = folder / rating_name(meta["model"], meta["dataset"], meta["noise"], meta["ratio"], judge.name)
        write_rating(path, rating)
        log.info("judged %d, %s", judged, meta["counts"])
    return Rejudged(answered, verdicts, judged, rating, path)


def compare(done: Rejudged, other: Opinion) -> Comparison:
    """How far the new verdicts agree with others on the same answers."""
    pairs, videos, alone = [], [], [0, 0]
    for sample in done.answered.samples:
        new, old = score_of(done.verdicts[sample.id]), score_of(other.verdicts.get(sample.id))
        if new >= 0 and old >= 0:
            pairs.append((new, old))
            videos.append(sample.video.key)
        elif new >= 0 or old >= 0:
            alone[old >= 0] += 1
    return Comparison(other.judge, agreement(pairs, videos), *alone)


def _rating(answered: Answered, judge: Built[Judge], verdicts: Mapping[SampleId, Verdict]) -> Rating:
    rating = answered.rate(verdicts)
    kept = {name: value for name, value in answered.meta.items() if name not in _OF_RATINGS}
    parts = {**answered.meta["parts"], "judge": judge.identity()}
    meta = {**kept, **judging_meta(judge, verdicts.values()), "parts": parts, **rating.meta}
    usage = behind_rating((answered.records[sample.id] for sample in answered.samples), verdicts.values())
    if usage:
        meta["usage"] = usage
    return Rating(rating.coarse_all, rating.coarse_valid, rating.fine_all, rating.fine_valid, meta)


def _write_run(path: Path, config: RunConfig, answered: Answered) -> None:
    """The record of the run that asked the model, as far as it is there, with this judge in it."""
    parts = {name: part for name, part in answered.meta["parts"].items() if name != "judge"}
    run: dict[str, Any] = {"cells": [{"fingerprint": answered.meta["fingerprint"], **parts}]}
    source = answered.folder / "run.json" if answered.folder else None
    if source is not None and source.is_file():
        run = json.loads(source.read_text(encoding="utf-8"))
    own = {name: value for name, value in config.public().items() if name in ("judge", "judge_args")}
    write_json(path, {**run, "config": {**run.get("config", {}), **own}, "git": git_state()})
