"""Tokens and dollars: of the calls behind a rating, and of those of a run."""

from __future__ import annotations

from typing import Any

import pytest

from harness import Verdict
from harness.budget import Budget, Price, tokens
from harness.endpoint import Endpoint
from harness.spending import behind_rating, of_run, sentences
from harness.work import Alone


def usage(spent: int, said: int, **more: int) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": spent, "completion_tokens": said, **more}}


def record(key: str, meta: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "meta": meta}


def test_a_call_that_several_samples_share_counts_once() -> None:
    records = [
        record("a", usage(10, 1)),
        record("a", usage(10, 1)),
        record("b", usage(20, 2)),
        record("c", {}),
    ]
    shared = Verdict(3.0, meta=usage(5, 1))
    found = behind_rating(records, [shared, shared, Verdict(0.0, meta=usage(6, 1)), Verdict(1.0)])
    assert found == {
        "answers": {"calls": 2, "prompt_tokens": 30, "completion_tokens": 3},
        "verdicts": {"calls": 2, "prompt_tokens": 11, "completion_tokens": 2},
    }


def test_where_no_server_told_nothing_is_claimed() -> None:
    assert behind_rating([record("a", {})], [Verdict(1.0)]) == {}


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}, (7, 2)),
        ({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 30}, (7, 23)),
        ({"prompt_tokens": 7}, (7, 0)),
        ({"total_tokens": 7}, None),
        ({}, None),
        (None, None),
    ],
)
def test_what_is_thought_but_not_said_is_counted(told: Any, counted: Any) -> None:
    assert tokens(told) == counted


def test_a_run_is_told_by_model_whoever_asked() -> None:
    ranks = Alone()
    budgets = [Budget(prices={"m": Price(2.0, 10.0)}, add=ranks.add) for _ in range(2)]
    plugins = [type("Plugin", (), {"server": Endpoint(model, "http://x/v1")})() for model in ("m", "n", "o")]
    for plugin in plugins:
        plugin.server.budget = budgets[0]
    for budget in budgets:
        budget.end("m", {"prompt_tokens": 1000, "completion_tokens": 100}, budget.begin(), answered=True)
    budgets[0].end("m", None, budgets[0].begin(), answered=False)
    budgets[0].end("n", {"prompt_tokens": 5}, budgets[0].begin(), answered=True)
    spent = of_run([*plugins, object()])
    assert spent == {
        "m": {"calls": 3, "prompt_tokens": 2000, "completion_tokens": 200, "dollars": 0.006},
        "n": {"calls": 1, "prompt_tokens": 5, "completion_tokens": 0, "dollars": None},
    }
    assert sentences(spent) == [
        "m: 3 calls, 2,000 tokens in, 200 out, $0.0060",
        "n: 1 call, 5 tokens in, 0 out, no price known (--prices FILE)",
    ]
