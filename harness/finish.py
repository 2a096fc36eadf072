"""What follows when all samples of a cell are answered: verdicts, the rating, the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.cell import Cell, digest
from harness.config import RunConfig
from harness.errors import IncompleteError
from harness.files import slug
from harness.interfaces import Judge
from harness.judging import judge_predictions, judging_meta
from harness.plan import Plan, is_current
from harness.prepare import Prepared
from harness.rating import rate
from harness.rating_files import rating_name, write_rating
from harness.records import to_prediction
from harness.registry import Built
from harness.results import versions, write_predictions, write_run, write_verdicts
from harness.runlog import log
from harness.spending import behind_rating, of_run
from harness.types import Prediction, Rating, SampleId, Status, Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished cell.

    asked: samples put to the model now, by all ranks. judged: answers put to the judge now.
    statuses: how many samples ended how.
    """

    cell: Cell
    folder: Path
    asked: int
    judged: int
    statuses: Mapping[str, int]
    rating: Rating | None = None
    rating_path: Path | None = None
    failure: str = ""
    """What the most frequent failure says."""

    @property
    def complete(self) -> bool:
        return set(self.statuses) <= {Status.OK.value}


def finish(
    config: RunConfig,
    prepared: Prepared,
    plan: Plan,
    records: Mapping[Any, Mapping[str, Any]],
    folder: Path,
    asked: int,
) -> Outcome:
    """Judge, rate and write one cell from its stored answers.

    Raises IncompleteError when samples have no answer at all, or judging was interrupted.
    """
    cell, samples, judge = plan.cell, plan.samples, prepared.judge
    predictions = _predictions(plan, records)
    missing = len(samples) - len(predictions)
    if missing:
        raise IncompleteError(
            f"{missing} of {len(samples)} samples of {cell.label} have no answer yet: "
            "run without --mode eval to ask the model"
        )
    keys = {sample.id: call.key for piece in plan.pieces for call in piece.calls for sample in call.group}
    name = cell.title()
    write_predictions(folder / f"{name}_predictions.jsonl", samples, predictions, keys)
    cells = [other for other in prepared.cells if other.model is cell.model]
    write_run(folder / "run.json", config, cells, of_run(prepared.asked()))
    if judge is None:
        statuses = _count(prediction.answer.status for prediction in predictions.values())
        _log(cell, asked, 0, statuses)
        failure = _most_frequent(prediction.answer.error for prediction in predictions.values())
        return Outcome(cell, folder, asked, 0, statuses, failure=failure)

    verdicts, judged = judge_predictions(config.work_dir, judge, samples, predictions)
    write_run(folder / "run.json", config, cells, of_run(prepared.asked()))
    write_verdicts(folder / f"{name}_{slug(judge.name)}_verdicts.jsonl", samples, verdicts)
    for id_, verdict in verdicts.items():
        if not verdict.ok:
            log.warning("sample %s: %s %s", id_, verdict.status.value, verdict.error or verdict.reply)
    rating = _rate(plan, judge, verdicts, subset=config.limit is not None or bool(config.ids))
    usage = behind_rating((records[sample.id] for sample in samples), verdicts.values())
    if usage:
        rating = replace(rating, meta={**rating.meta, "usage": usage})
    imported = sum("imported" in prediction.answer.meta for prediction in predictions.values())
    if imported:
        rating = replace(rating, meta={**rating.meta, "imported": imported})
    noise = cell.noise
    path = folder / rating_name(
        cell.model.name,
        cell.dataset.name,
        noise.built.name if noise else None,
        noise.ratio if noise else None,
        judge.name,
    )
    write_rating(path, rating)
    statuses = _count(verdict.status for verdict in verdicts.values())
    _log(cell, asked, judged, statuses)
    failure = _most_frequent(verdict.error for verdict in verdicts.values())
    return Outcome(cell, folder, asked, judged, statuses, rating, path, failure)


def _predictions(plan: Plan, records: Mapping[Any, Mapping[str, Any]]) -> dict[SampleId, Prediction]:
    """The stored answers that were made from today's inputs."""
    return {
        sample.id: to_prediction(sample.id, records[sample.id])
        for piece in plan.pieces
        for call in piece.calls
        for sample in call.group
        if is_current(records.get(sample.id), call.key)
    }


def _rate(plan: Plan, judge: Built[Judge], verdicts: Mapping[SampleId, Verdict], subset: bool) -> Rating:
    """The data set's own rating, or the default; with all that tells this rating from others in meta."""
    cell, noise = plan.cell, plan.cell.noise
    own = getattr(cell.dataset.plugin, "rate", None)
    taxonomy = getattr(cell.dataset.plugin, "taxonomy", None)
    rating: Rating = own(verdicts) if own is not None else rate(plan.samples, verdicts, taxonomy)
    meta = {
        "model": cell.model.name,
        "dataset": cell.dataset.name,
        "noise": noise.built.name if noise else None,
        "ratio": noise.ratio if noise else None,
        "seed": noise.seed if noise else None,
        **judging_meta(judge, verdicts.values()),
        "subset": subset,
        "fingerprint": cell.fingerprint(),
        "data_fingerprint": digest(
            [
                [call.own_key, *([sample.answer, sample.labels] for sample in call.group)]
                for piece in plan.pieces
                for call in piece.calls
            ]
        ),
        "parts": {**cell.parts(), "judge": judge.identity()},
        "versions": versions([cell]),
        **rating.meta,
    }
    return replace(rating, meta=meta)


def _log(cell: Cell, asked: int, judged: int, statuses: Mapping[str, int]) -> None:
    """What :mod:`harness.speed` looks for."""
    log.info("%s: asked %d, judged %d, %s", cell.label, asked, judged, statuses)


def _count(statuses: Iterable[Status]) -> dict[str, int]:
    return dict(sorted(Counter(status.value for status in statuses).items()))


def _most_frequent(errors: Iterable[str]) -> str:
    found = Counter(error for error in errors if error).most_common(1)
    return found[0][0] if found else ""
