"""The four blocks: by hand, and against a slow transcription of the rules under hypothesis."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from pathlib import Path

import pytest
from harness_plugins.datasets.taxonomy import MMBENCH_VIDEO
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.rating import rate
from harness.types import Rating, Sample, SampleId, Status, Verdict, Video

FINE = [name for names in MMBENCH_VIDEO.coarse.values() for name in names]
COARSE = ["CP", "FP-S", "FP-C", "HL", "LR", "AR", "RR", "CSR", "TR", "Perception", "Reasoning", "Overall"]
PERCEPTION = {"CP", "FP-C", "FP-S", "HL"}


def sample(id_: SampleId, *labels: str, video: str = "v") -> Sample:
    return Sample(id_, Video(Path("v.mp4"), video), "q", "a", labels=labels)


def blocks(rating: Rating) -> list[dict[str, str]]:
    return [
        dict(block) for block in (rating.coarse_all, rating.coarse_valid, rating.fine_all, rating.fine_valid)
    ]


def test_by_hand() -> None:
    samples = [
        sample(0, "OCR"),
        sample(1, "OCR", "Counting"),
        sample(2, "Video Topic"),
        sample(3, "Hallucination", "Causal Reasoning"),
        sample(4, "Future Prediction", "Causal Reasoning"),
    ]
    verdicts = {
        0: Verdict(score=3),
        1: Verdict(score=1),
        2: Verdict(status=Status.DECODE_ERROR),
        3: Verdict(score=2),
        4: Verdict(status=Status.UNPARSED),
    }
    rating = rate(samples, verdicts, MMBENCH_VIDEO)
    assert rating.coarse_all == {
        "CP": "0.00",
        "FP-S": "2.00",
        "FP-C": "nan",
        "HL": "2.00",
        "LR": "nan",
        "AR": "nan",
        "RR": "nan",
        "CSR": "nan",
        "TR": "1.00",
        "Perception": "1.50",
        "Reasoning": "1.00",
        "Overall": "1.20",
    }
    assert rating.coarse_valid == {
        **rating.coarse_all,
        "CP": "nan",
        "TR": "2.00",
        "Perception": "2.00",
        "Reasoning": "2.00",
        "Overall": "2.00",
    }
    fine_all = dict.fromkeys(FINE, "nan") | {
        "OCR": "2.00",
        "Counting": "1.00",
        "Video Topic": "0.00",
        "Hallucination": "2.00",
        "Causal Reasoning": "1.00",
        "Future Prediction": "0.00",
    }
    assert rating.fine_all == fine_all
    assert rating.fine_valid == fine_all | {
        "Video Topic": "nan",
        "Causal Reasoning": "2.00",
        "Future Prediction": "nan",
    }
    assert rating.meta["questions"] == 5
    assert rating.meta["counts"] == {"ok": 3, "decode_error": 1, "unparsed": 1}
    assert rating.meta["scale"] == {"worst": 0.0, "best": 3.0}


def test_the_scale_of_multiple_choice_says_what_guessing_gives() -> None:
    video = Video(Path("v"), "v")
    two = Sample(0, video, "Q", "A", choices=("x", "y"))
    four = Sample(1, video, "Q", "A", choices=("w", "x", "y", "z"))
    assert rate([two, four], {}).meta["scale"] == {"worst": 0.0, "best": 3.0, "chance": 1.125}
    assert "chance" not in rate([two, Sample(2, video, "Q", "A")], {}).meta["scale"]
    assert "chance" not in rate([], {}).meta["scale"]


def test_the_keys_and_their_order() -> None:
    rating = rate([], {}, MMBENCH_VIDEO)
    assert list(rating.coarse_all) == list(rating.coarse_valid) == COARSE
    assert list(rating.fine_all) == list(rating.fine_valid) == FINE
    assert len(FINE) == 26
    assert {value for block in blocks(rating) for value in block.values()} == {"nan"}


def test_a_question_with_two_labels_of_one_group_counts_once() -> None:
    samples = [sample(0, "OCR", "Counting", "Human Motion"), sample(1, "OCR")]
    rating = rate(samples, {0: Verdict(score=0), 1: Verdict(score=3)}, MMBENCH_VIDEO)
    assert rating.coarse_all["FP-S"] == "1.50"


def test_means_are_over_questions_not_over_dimensions() -> None:
    samples = [*(sample(i, "OCR") for i in range(9)), sample(9, "Video Topic")]
    verdicts = {i: Verdict(score=0) for i in range(9)} | {9: Verdict(score=3)}
    assert rate(samples, verdicts, MMBENCH_VIDEO).coarse_all["Perception"] == "0.30"


def test_a_repeated_label_counts_once() -> None:
    rating = rate([sample(0, "OCR", "OCR"), sample(1, "OCR")], {0: Verdict(score=3)}, MMBENCH_VIDEO)
    assert rating.fine_all["OCR"] == "1.50"


def test_halves_are_rounded_like_python_rounds_the_mean() -> None:
    samples = [sample(i, "OCR") for i in range(200)]
    verdicts = {i: Verdict(score=1 if i < 25 else 0) for i in range(200)}
    assert rate(samples, verdicts, MMBENCH_VIDEO).coarse_all["Overall"] == f"{25 / 200:.2f}" == "0.12"


Table = list[tuple[list[str], str, float]]
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(FINE), min_size=1, max_size=4),
        st.sampled_from(["v1", "v2", "v3"]),
        st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0]),
    ),
    max_size=40,
)


def oracle(table: Table, member: set[str], valid: bool) -> str:
    """The rule, read out word by word, in exact fractions."""
    total, count = Fraction(0), 0
    for labels, _, score in table:
        if not member & set(labels):
            continue
        if valid and score < 0:
            continue
        total += Fraction(max(score, 0.0))
        count += 1
    return f"{float(total / count):.2f}" if count else "nan"


@given(ROWS)
def test_against_the_rules_read_out(table: Table) -> None:
    samples = [sample(i, *labels, video=video) for i, (labels, video, _) in enumerate(table)]
    verdicts = {
        i: Verdict(score=score) if score >= 0 else Verdict(status=Status.JUDGE_ERROR)
        for i, (_, _, score) in enumerate(table)
    }
    rating = rate(samples, verdicts, MMBENCH_VIDEO)
    for name in COARSE:
        member = {
            fine
            for coarse, names in MMBENCH_VIDEO.coarse.items()
            for fine in names
            if name in ("Overall", coarse) or name == ("Perception" if coarse in PERCEPTION else "Reasoning")
        }
        assert rating.coarse_all[name] == oracle(table, member, False)
        assert rating.coarse_valid[name] == oracle(table, member, True)
    for name in FINE:
        assert rating.fine_all[name] == oracle(table, {name}, False)
        assert rating.fine_valid[name] == oracle(table, {name}, True)
    failed = sum(score < 0 for *_, score in table)
    assert rating.meta["counts"].get("judge_error", 0) == failed
    assert rating.meta["counts"]["ok"] == len(table) - failed


def test_all_is_never_above_valid_and_failures_alone_make_the_difference() -> None:
    samples = [sample(i, "OCR") for i in range(4)]
    good = {i: Verdict(score=2) for i in range(4)}
    assert blocks(rate(samples, good, MMBENCH_VIDEO))[0]["Overall"] == "2.00"
    rating = rate(samples, {**good, 0: Verdict(status=Status.REFUSED)}, MMBENCH_VIDEO)
    assert (rating.coarse_all["Overall"], rating.coarse_valid["Overall"]) == ("1.50", "2.00")


def test_every_question_is_accounted_for_whatever_became_of_it() -> None:
    samples = [sample(i, "OCR") for i in range(6)]
    verdicts = {
        0: Verdict(score=3),
        1: Verdict(score=7),
        2: Verdict(score=math.nan),
        3: Verdict(),
        4: Verdict(status=Status.TIMEOUT),
    }
    rating = rate(samples, verdicts, MMBENCH_VIDEO)
    assert rating.meta["counts"] == {"ok": 1, "timeout": 1, "unparsed": 3, "missing": 1}
    assert list(rating.meta["counts"]) == ["ok", "timeout", "unparsed", "missing"]
    assert rating.coarse_all["Overall"] == "0.50"
    assert rating.coarse_valid["Overall"] == "3.00"


def test_verdicts_of_other_questions_are_ignored() -> None:
    assert (
        rate([sample(0, "OCR")], {0: Verdict(score=1), 9: Verdict(score=3)}).coarse_all["Overall"] == "1.00"
    )


def test_an_unlabelled_question_still_counts_in_the_whole() -> None:
    rating = rate([sample(0, "OCR"), sample(1)], {0: Verdict(score=3), 1: Verdict(score=0)}, MMBENCH_VIDEO)
    assert rating.coarse_all["Overall"] == "1.50"
    assert rating.coarse_all["Perception"] == "3.00"


def test_an_unknown_label_is_an_error_that_names_the_question() -> None:
    with pytest.raises(UsageError, match=r"'q17'.*'Opera'"):
        rate([sample("q17", "Opera")], {}, MMBENCH_VIDEO)


def test_without_a_taxonomy_labels_are_the_groups() -> None:
    samples = [sample(0, "night"), sample(1, "day", "night"), sample(2)]
    rating = rate(samples, {0: Verdict(score=1), 1: Verdict(score=2), 2: Verdict(score=3)})
    assert list(rating.coarse_all.items()) == [("night", "1.50"), ("day", "2.00"), ("Overall", "2.00")]
    assert list(rating.fine_all.items()) == [("night", "1.50"), ("day", "2.00")]


def test_intervals_hold_the_mean_and_know_when_nothing_is_known() -> None:
    samples = [sample(i, "OCR", video=f"v{i % 30}") for i in range(90)] + [sample(90, "Hallucination")]
    verdicts = {i: Verdict(score=i % 4) for i in range(91)}
    rating = rate(samples, verdicts, MMBENCH_VIDEO)
    low, high = rating.meta["intervals"]["coarse_all"]["FP-S"]
    assert low < float(rating.coarse_all["FP-S"]) < high
    assert rating.meta["intervals"]["level"] == 0.95
    assert list(rating.meta["intervals"]["coarse_all"]) == COARSE
    assert rating.meta["intervals"]["coarse_all"]["HL"] is None, "one video says nothing of the spread"
    assert rating.meta["intervals"]["coarse_valid"]["TR"] is None
    assert rate([], {}, MMBENCH_VIDEO).meta["intervals"]["coarse_all"]["Overall"] is None


def test_failures_widen_all_and_leave_valid_alone() -> None:
    samples = [sample(i, "OCR", video=f"v{i}") for i in range(40)]
    verdicts = {i: Verdict(score=3) if i % 2 else Verdict(status=Status.TIMEOUT) for i in range(40)}
    intervals = rate(samples, verdicts, MMBENCH_VIDEO).meta["intervals"]
    assert intervals["coarse_valid"]["Overall"] == [3.0, 3.0]
    low, high = intervals["coarse_all"]["Overall"]
    assert low < 1.5 < high


def test_the_order_of_questions_changes_no_number() -> None:
    samples = [sample(i, FINE[i % 26], video=f"v{i % 7}") for i in range(60)]
    verdicts = {i: Verdict(score=i * i % 4) for i in range(60)}
    first, second = (rate(order, verdicts, MMBENCH_VIDEO) for order in (samples, samples[::-1]))
    assert blocks(first) == blocks(second)
    assert first.meta["intervals"] == second.meta["intervals"]


def test_the_full_size_is_rated_in_no_time() -> None:
    samples = [sample(i, FINE[i % 26], FINE[i * 7 % 26], video=f"v{i % 609}") for i in range(1998)]
    verdicts = {i: Verdict(score=i % 4) for i in range(1998)}
    rate(samples[:30], verdicts, MMBENCH_VIDEO)
    start = time.process_time()
    rate(samples, verdicts, MMBENCH_VIDEO)
    assert time.process_time() - start < 2
