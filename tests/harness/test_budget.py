"""What a run may spend: calls and dollars, counted by all threads and ranks together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import HarnessError, UsageError
from harness.budget import Budget, BudgetError, Price, read_prices, require_prices
from harness.work import Alone

PRICES = {"m": Price(2.0, 10.0), "free": Price(0.0, 0.0)}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
"""Tokens of a call to ``m`` that costs 0.3 cents."""


def test_calls_beyond_the_most_do_not_begin() -> None:
    budget = Budget(max_calls=3)
    for _ in range(3):
        budget.begin()
    for _ in range(2):
        with pytest.raises(BudgetError, match="--max_calls 3 is reached"):
            budget.begin()
    assert budget.calls == 3


def test_many_threads_and_ranks_share_the_count() -> None:
    ranks = Alone()
    budgets = [Budget(max_calls=100, add=ranks.add) for _ in range(4)]

    def begin(number: int) -> bool:
        try:
            budgets[number % 4].begin()
        except BudgetError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(400))) == 100


def test_costs_are_counted_from_tokens() -> None:
    budget = Budget(max_cost=1.0, prices=PRICES)
    for model in ("m", "free", "m"):
        budget.end(model, USAGE, budget.begin(), answered=True)
    assert budget.dollars == pytest.approx(0.006)


def test_what_calls_under_way_may_cost_is_put_aside() -> None:
    budget = Budget(max_cost=0.01, prices=PRICES)
    budget.end("m", USAGE, budget.begin(), answered=True)  # .003
    aside = [budget.begin(), budget.begin()]  # .009 in all
    with pytest.raises(BudgetError, match=r"--max_cost 0\.01 allows no further call \(3 calls"):
        budget.begin()
    # One that fails costs nothing, and its place is free again.
    budget.end("m", None, aside[0], answered=False)
    budget.end("m", USAGE, aside[1], answered=True)
    budget.end("m", USAGE, budget.begin(), answered=True)
    assert budget.dollars == pytest.approx(0.009)
    with pytest.raises(BudgetError):
        budget.begin()
    assert budget.dollars <= 0.01


def test_a_server_that_does_not_count_tokens_ends_a_run_that_must_know_its_cost() -> None:
    budget = Budget(max_cost=1.0, prices=PRICES)
    budget.end("free", None, budget.begin(), answered=True)
    budget.end("m", None, budget.begin(), answered=False)
    budget.end("m", {}, budget.begin(), answered=True)
    with pytest.raises(HarnessError, match=r"m says nothing about tokens.*--max_calls"):
        budget.begin()


def test_without_bounds_calls_and_known_costs_are_still_counted() -> None:
    budget = Budget(prices=PRICES)
    budget.end("m", USAGE, budget.begin(), answered=True)
    budget.end("other", USAGE, budget.begin(), answered=True)
    assert (budget.calls, budget.dollars) == (2, pytest.approx(0.003))


def test_prices_are_read_by_model(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('["gpt-4o"]\ninput = 2.5\noutput = 10\n["Qwen/Qwen3-32B"]\ninput = 0\noutput = 0\n')
    assert read_prices(file) == {"gpt-4o": Price(2.5, 10.0), "Qwen/Qwen3-32B": Price(0.0, 0.0)}
    assert read_prices(None) == {}


def test_the_example_in_the_docs_is_one(root: Path) -> None:
    prices = read_prices(root / "docs/examples/prices.toml")
    assert prices["gpt-4o"] == Price(2.5, 10.0)
    assert len(prices) > 3


@pytest.mark.parametrize(
    "text",
    [
        "gpt-4o = 3",
        '["m"]\ninput = 1',
        '["m"]\ninput = 1\noutput = "2"',
        '["m"]\ninput = 1\noutput = -2',
        '["m"]\ninput = 1\noutput = nan',
        '["m"]\ninput = 1\noutput = true',
        '["m"]\ninput = 1\noutput = 1\nimages = 2',
        "[m",
        "\udcff",
    ],
)
def test_a_price_that_is_none_is_a_usage_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match="--prices"):
        read_prices(file)


def test_no_file_of_prices_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_prices(tmp_path / "none.toml")


def test_a_model_without_price_says_what_to_write() -> None:
    require_prices(["m", "free"], PRICES)
    with pytest.raises(UsageError, match=r'write \["gpt-4o"\], input = .* add --prices FILE'):
        require_prices(["m", "gpt-4o"], PRICES)
