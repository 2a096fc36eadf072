"""The judge of multiple-choice questions: scores, what is said of the reading, and the fallback."""

import json
from typing import Any

import pytest
from harness_plugins.judges.choice import Choice
from openai_server import OpenAIServer, Request, status

from harness import Case, Status, UsageError, Verdict
from harness.testing import check_judge

CHOICES = ("A red car", "A blue car", "A green truck")


def case(prediction: str, reference: str = "A blue car", choices: tuple[str, ...] = CHOICES) -> Case:
    return Case("What is seen?", reference, prediction, choices)


def judged(given: Case, **options: Any) -> Verdict:
    [verdict] = Choice(**options).judge([given])
    return verdict


@pytest.mark.parametrize("reference", ["A blue car", "B"])
def test_the_right_option_scores_3_and_a_wrong_one_0(reference: str) -> None:
    right, wrong = judged(case("(B)", reference)), judged(case("A green truck.", reference))
    assert (right.score, right.meta) == (3.0, {"read_by": "rules", "chosen": "B"})
    assert (wrong.score, wrong.meta) == (0.0, {"read_by": "rules", "chosen": "C"})


def test_what_the_rules_cannot_tell_is_unparsed_and_says_what_to_type() -> None:
    verdict = judged(case("A or B"))
    assert (verdict.status, verdict.score) == (Status.UNPARSED, None)
    assert verdict.meta == {"read_by": "nothing"}
    assert "fallback=openai:NAME" in verdict.error


@pytest.mark.parametrize(("reference", "choices"), [("D", CHOICES), ("a lorry", CHOICES), ("B", ())])
def test_a_reference_that_is_no_option_is_an_error_whatever_the_reply(
    reference: str, choices: tuple[str, ...]
) -> None:
    verdict = judged(case("B", reference, choices))
    assert verdict.status is Status.JUDGE_ERROR
    assert repr(reference) in verdict.error


def test_the_contract() -> None:
    check_judge(Choice)


def test_only_what_the_rules_cannot_tell_is_put_to_the_fallback() -> None:
    cases = [case("B"), case("The azure one, obviously"), case("I cannot see any"), case("the verdant lorry")]
    replies = {"azure": "B", "cannot": "0", "verdant": "(C)"}

    def reply(request: Request) -> str:
        return next(letter for word, letter in replies.items() if word in request.text)

    with OpenAIServer(reply=reply) as server:
        judge = Choice(fallback="openai:reader", base_url=server.url, retries=0)
        verdicts = list(judge.judge(cases))
        assert len(server.requests) == 3
        fields = json.loads(server.requests[0].body["messages"][1]["content"])
    assert fields == {
        "question": "What is seen?",
        "options": {"A": "A red car", "B": "A blue car", "C": "A green truck"},
        "reply": "The azure one, obviously",
    }
    assert server.requests[0].body["model"] == "reader"
    assert [verdict.score for verdict in verdicts] == [3.0, 3.0, None, 0.0]
    assert [verdict.meta["read_by"] for verdict in verdicts] == ["rules", "model", "nothing", "model"]
    assert verdicts[2].status is Status.UNPARSED
    assert Choice.summary(verdicts) == {
        "read_by_rules": 1,
        "read_by_model": 2,
        "read_by_nothing": 1,
        "model_share": 0.75,
    }


@pytest.mark.parametrize(
    ("fallback", "dialect", "asks"),
    [
        ("gemini:gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        ("openrouter:qwen/qwen3:free", "openrouter", "qwen/qwen3:free"),
        ("qwen/qwen3:free", "openai", "qwen/qwen3:free"),
    ],
)
def test_a_fallback_may_be_any_providers(
    fallback: str, dialect: str, asks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{dialect.upper()}_API_KEY", "its-own-key")
    with OpenAIServer(reply="B", dialect=dialect, key="its-own-key") as server:
        assert judged(case("perhaps"), fallback=fallback, base_url=server.url, retries=0).score == 3.0
    assert server.requests[0].body["model"] == asks


@pytest.mark.parametrize("reply", ["B or C", "D", "The answer is B, I think.", "", "AB", "1"])
def test_a_fallback_that_rambles_scores_nothing(reply: str) -> None:
    with OpenAIServer(reply=reply) as server:
        verdict = judged(case("perhaps"), fallback="m", base_url=server.url, retries=0)
    assert (verdict.status, verdict.score, verdict.reply) == (Status.UNPARSED, None, reply)


def test_a_fallback_that_fails_is_a_judge_error() -> None:
    with OpenAIServer(reply=status(500)) as server:
        verdict = judged(case("perhaps"), fallback="m", base_url=server.url, retries=0)
    assert verdict.status is Status.JUDGE_ERROR
    assert "read_by" not in verdict.meta


def test_the_key_of_a_fallback_is_missed_before_anything_runs() -> None:
    Choice().check()
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        Choice(fallback="gpt-4o-mini").check()
    with pytest.raises(UsageError, match="max_tokens=0"):
        Choice(max_tokens=0)


def test_nothing_judged_has_no_share() -> None:
    assert Choice.summary([])["model_share"] == 0.0
