"""Verdicts by content: what shares one, what a panel asks, what a rating says of its judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fakes import built
from harness_plugins.judges.panel import Panel

from harness import Answer, Case, Prediction, Sample, SampleId, Status, Verdict, Video
from harness.judging import case_key, judge_predictions, judging_meta, seats


class Counting:
    """Scores 3, 0, 3, 0, ... in the order it is asked; remembers what it was asked about."""

    version = 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        for case in cases:
            self.asked.append(case.prediction)
            yield Verdict(float(3 * (len(self.asked) % 2)), meta={"model": "counting-1"})


def answered(*texts: str | None) -> tuple[list[Sample], dict[SampleId, Prediction]]:
    samples = [Sample(place, Video(Path("v"), "v"), "q", "a") for place in range(len(texts))]
    failed = Answer(status=Status.TIMEOUT, error="late")
    answers = (failed if text is None else Answer(text) for text in texts)
    return samples, {s.id: Prediction(s.id, answer) for s, answer in zip(samples, answers, strict=True)}


def panel(repeats: int, **members: Any) -> Any:
    made = Panel(tuple(members), repeats)
    made.members = [built(name, plugin) for name, plugin in members.items()]
    return built("panel", made)


def test_equal_answers_are_asked_about_once(tmp_path: Path) -> None:
    plugin = Counting()
    verdicts, asked = judge_predictions(tmp_path, built("j", plugin), *answered("x", "y", "x", None))
    assert (asked, plugin.asked) == (2, ["x", "y"])
    assert [verdict.score for verdict in verdicts.values()] == [3.0, 0.0, 3.0, None]
    assert verdicts[3] == Verdict(status=Status.TIMEOUT, error="late")
    again, asked = judge_predictions(tmp_path, built("j", plugin), *answered("y", "x"))
    assert (asked, [verdict.score for verdict in again.values()]) == (0, [0.0, 3.0])


def test_repeats_are_opinions_of_their_own_and_the_first_is_everybodys(tmp_path: Path) -> None:
    plugin = Counting()
    judge_predictions(tmp_path, built("j", plugin), *answered("x"))
    verdicts, asked = judge_predictions(tmp_path, panel(3, j=plugin), *answered("x", None))
    assert (asked, plugin.asked) == (2, ["x"] * 3)
    assert verdicts[0].meta["scores"] == [3.0, 0.0, 3.0]
    assert verdicts[0].score == 3.0
    assert verdicts[1].status is Status.TIMEOUT
    assert judge_predictions(tmp_path, panel(3, j=plugin), *answered("x"))[1] == 0
    case = Case("q", "a", "x")
    assert len({case_key(case), case_key(case, 0), case_key(case, 1), case_key(case, 2)}) == 3


def test_the_seats_are_the_judges_that_are_asked() -> None:
    alone, several = built("j", Counting()), panel(1, a=Counting(), b=Counting())
    assert seats(None) == ()
    assert seats(alone) == (alone,)
    assert [seat.name for seat in seats(several)] == ["a", "b"]


def test_a_rating_says_who_judged_and_how(tmp_path: Path) -> None:
    alone = built("j", Counting())
    verdicts, _ = judge_predictions(tmp_path, alone, *answered("x", None))
    meta = judging_meta(alone, verdicts.values())
    assert (meta["judge"], meta["judge_models"]) == ("j", ["counting-1"])
    assert "judging" not in meta
    several = panel(1, a=Counting(), b=Counting())
    verdicts, _ = judge_predictions(tmp_path, several, *answered("x", None))
    meta = judging_meta(several, verdicts.values())
    assert (meta["judge"], meta["judge_models"]) == ("panel", ["counting-1"])
    assert meta["judging"]["scored_by_all"] == 1
    assert meta["judge_fingerprint"] != judging_meta(panel(2, a=Counting()), [])["judge_fingerprint"]
