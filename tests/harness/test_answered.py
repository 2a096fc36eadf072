"""Groups that are rebuilt from a rating give the same rating; files that are none are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import Sample, Taxonomy, UsageError, Verdict, Video
from harness.answered import _taxonomy, opinions, read_answered
from harness.rating import rate
from harness.registry import Registry
from harness.scores import groups_of

TAXONOMY = Taxonomy(
    coarse={"CP": ("Topic", "Scene"), "HL": ("Hallucination",), "TR": ("Causal",)},
    rollups={"Perception": ("CP", "HL"), "Overall": ("CP", "HL", "TR")},
)


def samples(*labels: tuple[str, ...]) -> list[Sample]:
    return [
        Sample(place, Video(Path("v"), f"v{place % 2}"), "q", "a", labels=own)
        for place, own in enumerate(labels)
    ]


@pytest.mark.parametrize("taxonomy", [TAXONOMY, None])
@pytest.mark.parametrize(
    "labels", [(("Topic",), ("Scene", "Causal"), ("Hallucination",)), (("Causal",), ()), ((),), ()]
)
def test_rebuilt_groups_rate_alike(taxonomy: Taxonomy | None, labels: tuple[tuple[str, ...], ...]) -> None:
    asked = samples(*labels)
    verdicts = {sample.id: Verdict(float(sample.id)) for sample in asked}  # type: ignore[arg-type]
    rating = rate(asked, verdicts, taxonomy)
    rebuilt = rate(asked, verdicts, _taxonomy(groups_of(taxonomy, asked).coarse))
    assert rebuilt == rating
    assert list(rebuilt.coarse_all) == list(rating.coarse_all)
    assert list(rebuilt.fine_all) == list(rating.fine_all)


def test_opinions_are_named_by_their_rating_or_their_file(tmp_path: Path) -> None:
    row = {"id": 1, "score": 2.0, "status": "ok", "reply": "", "error": "", "meta": {}}
    (tmp_path / "m_d_clean_openai-m_verdicts.jsonl").write_text(json.dumps(row) + "\n")
    (opinion,) = opinions(tmp_path, "m_d_clean")
    assert (opinion.judge, opinion.fingerprint) == ("openai-m", None)
    assert opinion.verdicts == {1: Verdict(2.0)}
    (tmp_path / "m_d_clean_openai-m_verdicts.jsonl").write_text(json.dumps({**row, "status": "fine"}))
    with pytest.raises(UsageError, match="no file of verdicts"):
        opinions(tmp_path, "m_d_clean")


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"id": 1, "video": "v", "question": "q", "answer": "a", "labels": []}',
        '{"id": 1, "video": "v", "question": "q", "answer": "a", "labels": [], "status": "good"}',
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m_d_clean_predictions.jsonl"
    file.write_text(text + "\n")
    with pytest.raises(UsageError, match="no predictions file"):
        read_answered(file, Registry([]), {})
