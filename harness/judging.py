"""From predictions to verdicts: concurrent, and stored by content.

The key of a verdict is what the judge sees (its own identity, question, reference, answer), not the
run: the same sentence is paid for once, across noises, models and reruns. A failed prediction is not
judged; its verdict carries the failure's status. A panel's members are asked each for itself, so that
their verdicts, too, are the same ones whoever asks for them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.asking import Asker
from harness.batch_size import BatchSize
from harness.budget import BudgetError
from harness.cache import Cache, Journal
from harness.cell import digest
from harness.endpoint import server_of
from harness.errors import IncompleteError
from harness.files import slug
from harness.interfaces import Judge, Panel
from harness.progress import Progress
from harness.records import from_verdict, to_verdict
from harness.registry import Built
from harness.runlog import log
from harness.types import Case, Prediction, Sample, SampleId, Status, Verdict
from harness.values import to_json


def verdict_path(work_dir: Path, judge: Built[Judge]) -> Path:
    """The cache of all that this judge, with these options, ever said."""
    return work_dir / "verdicts" / f"{slug(judge.name)}_{digest(judge.identity())[:8]}.pkl"


def case_of(sample: Sample, prediction: Prediction) -> Case:
    return Case(sample.question, sample.answer, prediction.answer.text, sample.choices)


def case_key(case: Case, repeat: int = 0) -> str:
    """What a verdict is stored under, within the cache of one judge; further opinions under other keys."""
    return digest([asdict(case), repeat] if repeat else asdict(case))


def seats(judge: Built[Judge] | None) -> tuple[Built[Judge], ...]:
    """The judges that are asked: itself, or the members of a panel."""
    if judge is None:
        return ()
    return tuple(judge.plugin.members) if isinstance(judge.plugin, Panel) else (judge,)


def judge_predictions(
    work_dir: Path,
    judge: Built[Judge],
    samples: Sequence[Sample],
    predictions: Mapping[SampleId, Prediction],
) -> tuple[dict[SampleId, Verdict], int]:
    """A verdict for every sample, and how many had to be asked for.

    Raises IncompleteError when that is interrupted or the budget used up; what is judged is kept.
    """
    panel = judge.plugin
    if not isinstance(panel, Panel):
        return _judge(work_dir, judge, samples, predictions, 0)
    rounds = [
        _judge(work_dir, member, samples, predictions, repeat)
        for member in seats(judge)
        for repeat in range(panel.repeats)
    ]
    combined = {
        sample.id: panel.combine([verdicts[sample.id] for verdicts, _ in rounds])
        if predictions[sample.id].ok
        else rounds[0][0][sample.id]
        for sample in samples
    }
    return combined, sum(asked for _, asked in rounds)


def _judge(
    work_dir: Path,
    judge: Built[Judge],
    samples: Sequence[Sample],
    predictions: Mapping[SampleId, Prediction],
    repeat: int,
) -> tuple[dict[SampleId, Verdict], int]:
    """One judge's opinion, the first or a further one."""
    cache = Cache(verdict_path(work_dir, judge))
    records = cache.merge()
    for sentence in cache.damage:
        log.warning(sentence)
    cases = unjudged(samples, predictions, records, repeat)
    if cases:
        title = f"judging with {judge.name}"
        with cache.journal(uuid.uuid4().hex[:12]) as journal, Progress(len(cases), title, "answer") as bar:
            try:
                judge_cases(judge.plugin, cases, journal, bar)
            except (KeyboardInterrupt, BudgetError) as error:
                reason = str(error) or "interrupted"
                raise IncompleteError(
                    f"{reason}: {bar.count} of {len(cases)} answers are judged and kept; "
                    "run the same command again to go on"
                ) from None
        # As they are stored: the files of a run do not show which verdicts are new.
        records = cache.merge()
    return verdicts_of(samples, predictions, read_verdicts(records), repeat), len(cases)


def judging_meta(judge: Built[Judge], verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """What a rating says of its judge: who, which models of servers, and ``judging``, its own summary."""
    verdicts = list(verdicts)
    summary = getattr(judge.plugin, "summary", None)
    return {
        "judge": judge.name,
        "judge_models": sorted({model for verdict in verdicts for model in _models(verdict)}),
        **({"judging": to_json(summary(verdicts))} if summary is not None else {}),
        "judge_fingerprint": digest(judge.identity()),
    }


def _models(verdict: Verdict) -> list[str]:
    """The models that a verdict is by; a panel's is by several."""
    return [verdict.meta["model"]] if verdict.meta.get("model") else list(verdict.meta.get("models", ()))


def judge_cases(
    judge: Judge, cases: Mapping[str, Case], journal: Journal, progress: Progress
) -> dict[str, Verdict]:
    """Have every case scored and stored under its key as it comes; returns the verdicts by key."""
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
    questions = cases.items()
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
    repeat: int = 0,
) -> dict[str, Case]:
    """The cases, each once, that no stored verdict scores."""
    cases: dict[str, Case] = {}
    for sample in samples:
        if predictions[sample.id].ok:
            case = case_of(sample, predictions[sample.id])
            key = case_key(case, repeat)
            record = records.get(key)
            if record is None or record["status"] != Status.OK:
                cases[key] = case
    return cases


def verdicts_of(
    samples: Iterable[Sample],
    predictions: Mapping[SampleId, Prediction],
    verdicts: Mapping[str, Verdict],
    repeat: int = 0,
) -> dict[SampleId, Verdict]:
    """Each sample's verdict, in the samples' order; a failed prediction's has its status."""
    found: dict[SampleId, Verdict] = {}
    for sample in samples:
        prediction = predictions[sample.id]
        if prediction.ok:
            found[sample.id] = verdicts[case_key(case_of(sample, prediction), repeat)]
        else:
            found[sample.id] = Verdict(status=prediction.answer.status, error=prediction.answer.error)
    return found


def read_verdicts(records: Mapping[Any, Mapping[str, Any]]) -> dict[str, Verdict]:
    return {str(key): to_verdict(record) for key, record in records.items()}
