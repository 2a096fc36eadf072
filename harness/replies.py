"""From a model's reply to the predictions of the samples that its call asked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.interfaces import Dataset, Packed
from harness.plain import check_record
from harness.redaction import whole
from harness.types import Answer, Clip, Prediction, Sample, Status
from harness.values import to_json

LONGEST = 1_000_000
"""Characters of an answer: far above what any question asks for, far below what hurts a judge or a table."""


def predictions(
    dataset: Dataset, group: Sequence[Sample], answer: Answer, clip: Clip | None
) -> Iterator[Prediction]:
    """One for each sample of a call; a pack is taken apart here. clip: what was shown, if anything was."""
    shown = (tuple(clip.indices.tolist()), tuple(clip.times.tolist()), clip.notes) if clip else ((), (), {})
    for sample, share in _shares(dataset, group, sound(answer)):
        yield Prediction(sample.id, _checked(share), *shown)


def sound(answer: object) -> Answer:
    """The answer if it can be stored and read; else what is wrong with it, as an answer that failed.

    Lone surrogates, which no file can hold, become U+FFFD.
    """
    if isinstance(answer, Answer):
        wrong = _wrong(answer.text, answer.status, answer.error, answer.meta)
        if not wrong:
            return replace(answer, text=whole(answer.text), error=whole(answer.error))
    else:
        wrong = f"an object of type {type(answer).__name__}, not an Answer"
    return Answer(status=Status.MODEL_ERROR, error=f"the model gave {wrong}")


def _wrong(text: object, status: object, error: object, meta: object) -> str:
    """What is wrong with the parts of an answer, empty if nothing is."""
    if not isinstance(text, str):
        return f"an answer whose text is of type {type(text).__name__}"
    if len(text) > LONGEST:
        return f"an answer of {len(text):,} characters, more than {LONGEST:,}"
    if not isinstance(status, Status) or not isinstance(error, str):
        return f"an answer with status {status!r:.100} and error {error!r:.100}"
    try:
        check_record(to_json(meta))
    except TypeError as cause:
        return f"an answer whose meta cannot be stored: {cause}"
    return ""


def _shares(dataset: Dataset, group: Sequence[Sample], answer: Answer) -> Iterator[tuple[Sample, Answer]]:
    if not isinstance(dataset, Packed) or answer.status is not Status.OK:
        for sample in group:
            yield sample, answer
        return
    texts = dataset.unpack(group, answer.text)
    for sample in group:
        if texts.get(sample.id, "").strip():
            yield sample, replace(answer, text=texts[sample.id])
        else:
            error = f"the reply holds no answer to question {sample.id}: {answer.text[:200]}"
            yield sample, replace(answer, text="", status=Status.UNPARSED, error=error)


def _checked(answer: Answer) -> Answer:
    """An answer without text is a failure, whatever the model calls it."""
    if answer.status is Status.OK and not answer.text.strip():
        return replace(answer, status=Status.MODEL_ERROR, error="the answer is empty")
    return answer
