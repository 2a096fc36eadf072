"""Answers that another program got, put where a run of the same settings finds them.

A stored answer is used again only where its key says that it was made from the same inputs. A foreign
file cannot say that; whoever imports it does, by naming the run that it stands for. The answers then get
that run's keys, and each carries in its ``meta`` where it came from and that nobody verified it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.cache import Cache
from harness.cell import Cell
from harness.exchange.foreign import Foreign
from harness.interfaces import Packed
from harness.joining import alone
from harness.lines import Record
from harness.plan import Call, Plan
from harness.records import from_prediction
from harness.results import write_json
from harness.types import Answer, Prediction, Sample, SampleId


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's answers.

    stored: taken in. kept: the sample had an answer already. lacking: samples without one, now.
    unknown: indices that the data set does not have. other: indices under which the file has another
    question than the data set.
    """

    cell: Cell
    path: Path
    stored: int
    kept: int
    lacking: int
    unknown: tuple[str, ...]
    other: tuple[str, ...]


def import_answers(plan: Plan, work_dir: Path, name: str, foreign: Foreign) -> Imported:
    """Store the answers of a foreign file as those of the plan's samples that have none yet.

    name: of the file, kept beside each answer. Raises HarnessError while a run works on the cell.
    """
    cell = plan.cell
    cache = Cache(cell.folder(work_dir) / f"{cell.stem()}.pkl")
    source = {"file": name, "format": foreign.kind, "verified": False}
    with alone(cache.path):
        answered = plan.answered(cache.read())
        records: dict[SampleId, Record] = {}
        kept, other = 0, []
        for sample, call, text in _answers(plan, foreign.answers):
            asked = foreign.questions.get(str(sample.id))
            if asked is not None and asked.split() != sample.question.split():
                other.append(str(sample.id))
            elif sample.id in answered:
                kept += 1
            else:
                answer = Answer(text, meta={"imported": source})
                records[sample.id] = from_prediction(Prediction(sample.id, answer), call.key)
        write_json(cache.path.with_suffix(".json"), cell.parts())
        with cache.journal(uuid.uuid4().hex[:12]) as journal:
            journal.extend(records.items())
        cache.merge()
    known = {str(sample.id) for sample in plan.samples} | {piece.video.key for piece in plan.pieces}
    unknown = tuple(index for index in foreign.answers if index not in known)
    lacking = len(plan.samples) - len(answered | set(records))
    return Imported(cell, cache.path, len(records), kept, lacking, unknown, tuple(other))


def _answers(plan: Plan, answers: Mapping[str, str]) -> Iterator[tuple[Sample, Call, str]]:
    """Each sample's answer, by its id; of a pack also from the one reply to its video."""
    dataset = plan.cell.dataset.plugin
    for piece in plan.pieces:
        for call in piece.calls:
            texts: Mapping[SampleId, str] = {}
            if isinstance(dataset, Packed) and piece.video.key in answers:
                texts = dataset.unpack(call.group, answers[piece.video.key])
            for sample in call.group:
                text = answers.get(str(sample.id)) or texts.get(sample.id, "")
                if text.strip():
                    yield sample, call, text
