"""Predictions and verdicts as the plain dictionaries that caches and JSONL files hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.types import Answer, Prediction, SampleId, Status, Verdict
from harness.values import to_json


def from_prediction(prediction: Prediction, key: str) -> dict[str, Any]:
    """``prediction`` is the text; ``key`` the digest of the inputs it was made from."""
    answer = prediction.answer
    return {
        "prediction": answer.text,
        "status": answer.status.value,
        "error": answer.error,
        "key": key,
        "indices": list(prediction.indices),
        "times": [round(time, 6) for time in prediction.times],
        "notes": to_json(prediction.notes),
        "meta": to_json(answer.meta),
    }


def to_prediction(id_: SampleId, record: Mapping[str, Any]) -> Prediction:
    answer = Answer(record["prediction"], Status(record["status"]), record["error"], record["meta"])
    return Prediction(id_, answer, tuple(record["indices"]), tuple(record["times"]), record["notes"])


def from_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "score": verdict.score,
        "status": verdict.status.value,
        "reply": verdict.reply,
        "error": verdict.error,
        "meta": to_json(verdict.meta),
    }


def to_verdict(record: Mapping[str, Any]) -> Verdict:
    return Verdict(
        record["score"], Status(record["status"]), record["reply"], record["error"], record["meta"]
    )
