"""How often a failed call is made again."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.pacing import Ended
from harness.retrying import LONGEST_DELAY, REFUSALS, SAME, RetryBudget, Tries


def delays(tries: Tries, ended: Ended, accepted: bool = False) -> list[float]:
    """The delays of further tries until there is none."""
    found: list[float] = []
    while (delay := tries.again(ended, "same", len(found) if accepted else 0)) is not None:
        found.append(delay)
    return found


@pytest.mark.parametrize("retries", [0, 1, 6])
def test_failures_are_tried_again_as_often_as_asked_for(retries: int) -> None:
    assert len(delays(Tries(retries), Ended.FAILED)) == retries
    assert len(delays(Tries(retries), Ended.REFUSED)) == REFUSALS * retries


def test_delays_double_up_to_a_minute() -> None:
    found = delays(Tries(12), Ended.FAILED)
    assert 0.3 < found[0] <= 0.5
    assert all(b > 1.4 * a for a, b in pairwise(found[:7]))
    assert max(found) <= LONGEST_DELAY


def test_the_same_failure_beside_answers_is_tried_no_more() -> None:
    assert len(delays(Tries(6), Ended.FAILED, accepted=True)) == SAME - 1


def test_refusals_beside_answers_are_nobodys_own() -> None:
    assert len(delays(Tries(6), Ended.REFUSED, accepted=True)) == REFUSALS * 6


def test_other_failures_begin_the_count_anew() -> None:
    tries = Tries(9)
    for number in range(8):
        assert tries.again(Ended.FAILED, f"failure {number // 2}", accepted=number) is not None


def test_answers_earn_retries_up_to_what_there_was() -> None:
    budget = RetryBudget(3)
    for _ in range(10):
        budget.give_back()
    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
    budget.give_back()
    assert budget.take() and not budget.take()
