"""Several judges as one: the median, failures, and how far the members agree."""

from typing import Any

import pytest
from fakes import built
from harness_plugins.judges.exact import Exact
from harness_plugins.judges.lexical import Lexical
from harness_plugins.judges.panel import Panel

from harness import Case, Status, UsageError, Verdict
from harness.interfaces import Panel as Protocol
from harness.testing import check_judge


def panel(repeats: int = 1, **members: Any) -> Panel:
    made = Panel(tuple(members), repeats)
    made.members = [built(name, plugin) for name, plugin in members.items()]
    return made


def combined(*scores: float | None) -> Verdict:
    verdicts = [
        Verdict(score) if score is not None else Verdict(status=Status.REFUSED, error="no")
        for score in scores
    ]
    return Panel(tuple(f"j{place}" for place in range(len(scores)))).combine(verdicts)


@pytest.mark.parametrize(
    ("scores", "middle"), [((3, 0, 2), 2), ((0, 3), 1.5), ((1, 1, 3, 3), 2), ((2.5, 2.5), 2.5)]
)
def test_the_median_counts(scores: tuple[float, ...], middle: float) -> None:
    verdict = combined(*scores)
    assert verdict.score == middle
    assert verdict.meta == {"scores": list(scores), "spread": max(scores) - min(scores)}


def test_a_member_that_fails_leaves_no_score() -> None:
    verdict = combined(3, None, 3)
    assert (verdict.score, verdict.status, verdict.error) == (None, Status.REFUSED, "j1: no")
    assert verdict.meta == {"scores": [3, None, 3]}


def test_the_models_of_the_members_are_kept() -> None:
    verdict = Panel(("a", "b")).combine(
        [Verdict(3.0, meta={"model": "m"}), Verdict(3.0, meta={"model": "l"})]
    )
    assert verdict.meta["models"] == ["l", "m"]


def test_agreement_is_summed_up_by_pairs() -> None:
    made = Panel(("a", "b"))
    rows = [(3.0, 3.0), (0.0, 0.0), (3.0, 2.0), (0.0, 3.0)]
    verdicts = [made.combine([Verdict(one), Verdict(other)]) for one, other in rows]
    failed = made.combine([Verdict(3.0), Verdict(status=Status.TIMEOUT)])
    summary = made.summary([*verdicts, failed, Verdict(status=Status.DECODE_ERROR)])
    # By hand: the mean squared difference is 10/4, by chance 4.5 + 5.5 - 2 * 1.5 * 2 = 4.
    assert summary == {
        "judges": ["a", "b"],
        "repeats": 1,
        "scored_by_all": 4,
        "equal_share": 0.5,
        "mean_spread": 1.0,
        "kappa": {"a / b": 0.375},
    }
    assert made.summary([])["kappa"] == {"a / b": None}


def test_repeats_are_raters_of_their_own() -> None:
    made = Panel(("a",), repeats=3)
    verdict = made.combine([Verdict(3.0), Verdict(0.0), Verdict(3.0)])
    assert verdict.score == 3.0
    assert list(made.summary([verdict])["kappa"]) == ["a (1) / a (2)", "a (1) / a (3)", "a (2) / a (3)"]


def test_the_contract() -> None:
    made = panel(exact=Exact(), lexical=Lexical())
    made.check()
    check_judge(made)
    assert isinstance(made, Protocol)
    assert not isinstance(Exact(), Protocol)
    [verdict] = made.judge([Case("q", "red car", "red")])
    assert verdict.score == pytest.approx((0 + 2) / 2)
    assert [member["name"] for member in made.identity()["members"]] == ["exact", "lexical"]


@pytest.mark.parametrize(("judges", "repeats"), [((), 1), (("a",), 1), (("a", "a"), 1), (("a", "b"), 0)])
def test_a_panel_needs_several_opinions(judges: tuple[str, ...], repeats: int) -> None:
    with pytest.raises(UsageError, match="--judge_args"):
        Panel(judges, repeats)


def test_no_panel_in_a_panel() -> None:
    with pytest.raises(UsageError, match="is a panel itself"):
        panel(exact=Exact(), other=panel(exact=Exact(), lexical=Lexical())).check()
