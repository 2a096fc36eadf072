"""From a model's reply to the predictions of the samples that its call asked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.interfaces import Dataset, Packed
from harness.types import Answer, Clip, Prediction, Sample, Status


def predictions(
    dataset: Dataset, group: Sequence[Sample], answer: Answer, clip: Clip | None
) -> Iterator[Prediction]:
    """One for each sample of a call; a pack is taken apart here. clip: what was shown, if anything was."""
    shown = (tuple(clip.indices.tolist()), tuple(clip.times.tolist()), clip.notes) if clip else ((), (), {})
    for sample, share in _shares(dataset, group, answer):
        yield Prediction(sample.id, _checked(share), *shown)


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
