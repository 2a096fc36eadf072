"""The scored questions: what counts as a score, who is in a group, and the way into a file and back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessError, UsageError
from harness.scores import (
    Groups,
    Scored,
    groups_of,
    mean,
    pack_scores,
    positions,
    score_of,
    sums_by_video,
    unpack_scores,
)
from harness.types import Sample, Status, Taxonomy, Verdict, Video

TREE = Taxonomy({"A": ("a1", "a2"), "B": ("b",)}, {"Left": ("A",), "Overall": ("A", "B")})


def sample(id_: int, *labels: str, video: str = "v") -> Sample:
    return Sample(id_, Video(Path("v.mp4"), video), "q", "a", labels=labels)


@pytest.mark.parametrize(
    ("verdict", "score"),
    [
        (Verdict(score=0), 0),
        (Verdict(score=3), 3),
        (Verdict(score=2.5), 2.5),
        (None, -1),
        (Verdict(status=Status.OK), -1),
        (Verdict(score=2, status=Status.TIMEOUT), -1),
        (Verdict(score=3.5), -1),
        (Verdict(score=-0.5), -1),
        (Verdict(score=math.nan), -1),
        (Verdict(score=math.inf), -1),
    ],
)
def test_only_numbers_from_0_to_3_with_status_ok_are_scores(verdict: Verdict | None, score: float) -> None:
    assert score_of(verdict) == score


def test_groups_follow_the_taxonomy_in_its_order() -> None:
    groups = groups_of(TREE, [sample(0, "b")])
    assert list(groups.coarse) == ["A", "B", "Left", "Overall"]
    assert groups.coarse["Left"] == ("a1", "a2")
    assert groups.coarse["Overall"] is None
    assert groups.fine == ("a1", "a2", "b")


def test_a_label_outside_the_taxonomy_names_the_question() -> None:
    with pytest.raises(UsageError, match=r"question 7 .*'zebra'"):
        groups_of(TREE, [sample(6, "b"), sample(7, "b", "zebra")])


def test_without_a_taxonomy_labels_are_groups_in_the_order_they_appear() -> None:
    groups = groups_of(None, [sample(0, "z", "m"), sample(1, "a", "z"), sample(2)])
    assert list(groups.coarse) == ["z", "m", "a", "Overall"]
    assert groups.fine == ("z", "m", "a")


def test_a_question_is_in_a_group_once_and_without_labels_only_in_the_whole() -> None:
    questions = [Scored(0, "v", 1, ("a1", "a2")), Scored(1, "v", 2, ())]
    assert Groups.members(("a1", "a2"), questions) == questions[:1]
    assert Groups.members(None, questions) == questions


def test_means_count_failures_as_nothing_or_not_at_all() -> None:
    questions = [Scored(0, "v", 3, ()), Scored(1, "v", -1, ()), Scored(2, "v", 0, ())]
    assert mean(questions, valid=False) == 1.0
    assert mean(questions, valid=True) == 1.5
    assert math.isnan(mean([], valid=False))
    assert math.isnan(mean(questions[1:2], valid=True))
    assert mean(questions[1:2], valid=False) == 0.0


def test_sums_by_video() -> None:
    questions = [
        Scored(0, "b", 3, ()),
        Scored(1, "a", -1, ()),
        Scored(2, "b", 1, ()),
        Scored(3, "c", -1, ()),
    ]
    videos = positions(questions)
    assert videos == {"a": 0, "b": 1, "c": 2}
    sums, counts = sums_by_video(questions, videos, valid=False)
    np.testing.assert_array_equal(sums, [0, 4, 0])
    np.testing.assert_array_equal(counts, [1, 2, 1])
    sums, counts = sums_by_video(questions, videos, valid=True)
    np.testing.assert_array_equal(sums, [0, 4, 0])
    np.testing.assert_array_equal(counts, [0, 2, 0])
    sums, counts = sums_by_video([], videos, valid=True)
    assert sums.dtype == counts.dtype == np.float64
    np.testing.assert_array_equal([sums, counts], np.zeros((2, 3)))


def test_scores_survive_a_file() -> None:
    groups = groups_of(TREE, [])
    questions = [Scored(3, "v", 2.5, ("b", "a1")), Scored("x", "w", -1.0, ()), Scored(4, "v", 3.0, ("a2",))]
    meta = json.loads(json.dumps(pack_scores(questions, groups)))
    found = unpack_scores(meta, groups.fine)
    assert found is not None
    assert sorted(found[0], key=lambda question: str(question.id)) == sorted(
        questions, key=lambda question: str(question.id)
    )
    assert found[1] == groups


def test_whole_scores_are_kept_as_whole_numbers() -> None:
    packed = pack_scores([Scored(0, "v", 3.0, ("a1",)), Scored(1, "v", -1.0, ())], groups_of(TREE, []))
    assert json.dumps(packed["scores"]) == '{"v": [[0, 3, 0], [1, -1]]}'


def test_files_of_others_have_no_scores() -> None:
    assert unpack_scores({}, ("a",)) is None
    assert unpack_scores({"scores": {}}, ("a",)) is None


@pytest.mark.parametrize(
    "scores",
    [
        [],
        {"v": 3},
        {"v": [[]]},
        {"v": [[0]]},
        {"v": [[0, "three"]]},
        {"v": [[0, 9]]},
        {"v": [[0, -0.5]]},
        {"v": [[0, 1, 5]]},
        {"v": [[0, 1, "a1"]]},
        {"v": [[[0], 1]]},
        {"v": [[0, None]]},
    ],
)
def test_damaged_scores_are_one_clear_sentence(scores: Any) -> None:
    with pytest.raises(HarnessError, match="damaged"):
        unpack_scores({"scores": scores, "groups": {"A": ["a1"]}}, ("a1",))


def test_damaged_groups_are_one_clear_sentence() -> None:
    with pytest.raises(HarnessError, match="damaged"):
        unpack_scores({"scores": {}, "groups": {"A": 3}}, ("a1",))
