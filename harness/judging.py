"""From predictions to verdicts: concurrent, and stored by content.

The key of a verdict is what the judge sees (its own identity, question, reference, answer), not the
run: the same sentence is paid for once, across noises, models and reruns. A failed prediction is not
judged; its verdict carries the failure's status.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.asking import Asker
from harness.batch_size import BatchSize
from harness.cache import Journal
from harness.cell import digest
from harness.endpoint import server_of
from harness.files import slug
from harness.interfaces import Judge
from harness.progress import Progress
from harness.records import from_verdict, to_verdict
from harness.registry import Built
from harness.types import Case, Prediction, Sample, SampleId, Status, Verdict


def verdict_path(work_dir: Path, judge: Built[Judge]) -> Path:
    """The cache of all that this judge, with these options, ever said."""
    return work_dir / "verdicts" / f"{slug(judge.name)}_{digest(judge.identity())[:8]}.pkl"


def case_of(sample: Sample, prediction: Prediction) -> Case:
    return Case(sample.question, sample.answer, prediction.answer.text, sample.choices)


def case_key(case: Case) -> str:
    """What a verdict is stored under, within the cache of one judge."""
    return digest(asdict(case))


def judge_cases(
    judge: Judge, cases: Iterable[Case], journal: Journal, progress: Progress
) -> dict[str, Verdict]:
    """Have every case scored and stored as it comes; returns the verdicts by case key."""
    verdicts: dict[str, Verdict] = {}
    lock = threading.Lock()

    def store(key: str, verdict: Verdict) -> None:
        with lock:
            journal.append(key, from_verdict(verdict))
            verdicts[key] = verdict
            progress.reach(len(verdicts))

    asker = Asker[str, Case, Verdict](
        ask=judge.judge,
        failed=lambda error: Verdict(status=Status.JUDGE_ERROR, error=error),
        store=store,
    )
    questions = ((case_key(case), case) for case in cases)
    concurrency = getattr(judge, "concurrency", 1)
    server = server_of(judge)
    if concurrency > 1 or server is not None:
        asker.concurrently(questions, concurrency, server.gate if server else None)
    else:
        asker.in_batches(questions, BatchSize(getattr(judge, "max_batch", 64)))
    return verdicts


def unjudged(
    samples: Iterable[Sample],
    predictions: Mapping[SampleId, Prediction],
    records: Mapping[Any, Mapping[str, Any]],
) -> dict[str, Case]:
    """The cases, each once, that no stored verdict scores."""
    cases: dict[str, Case] = {}
    for sample in samples:
        if predictions[sample.id].ok:
            case = case_of(sample, predictions[sample.id])
            key = case_key(case)
            record = records.get(key)
            if record is None or record["status"] != Status.OK:
                cases[key] = case
    return cases


def verdicts_of(
    samples: Iterable[Sample],
    predictions: Mapping[SampleId, Prediction],
    verdicts: Mapping[str, Verdict],
) -> dict[SampleId, Verdict]:
    """Each sample's verdict, in the samples' order; a failed prediction's has its status."""
    found: dict[SampleId, Verdict] = {}
    for sample in samples:
        prediction = predictions[sample.id]
        if prediction.ok:
            found[sample.id] = verdicts[case_key(case_of(sample, prediction))]
        else:
            found[sample.id] = Verdict(status=prediction.answer.status, error=prediction.answer.error)
    return found


def read_verdicts(records: Mapping[Any, Mapping[str, Any]]) -> dict[str, Verdict]:
    return {str(key): to_verdict(record) for key, record in records.items()}
