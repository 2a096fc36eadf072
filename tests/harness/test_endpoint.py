"""The shared endpoint against a server that fails in every way we know."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import pytest
from openai_server import CUT, HALF, HANG, RESET, OpenAIServer, Request, raw, status

from harness import Answer, HarnessError, Status, UsageError
from harness.dead_ends import FAILED_ROUNDS, REFUSED_ROUNDS
from harness.endpoint import Endpoint
from harness.gate import ClosedError, Gate
from harness.retrying import IN_HAND, SAME

KEY = "sk-test-0123456789abcdef"
SOON = {"retry-after-ms": "1"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made; the gate's clock goes on by them instead."""
    taken: list[float] = []

    def wait(gate: Gate, seconds: float) -> None:
        taken.append(seconds)
        clock = gate._clock
        gate._clock = lambda: clock() + seconds

    monkeypatch.setattr(Gate, "_wait", wait)
    return taken


def ask(endpoint: Endpoint, text: str = "What colour?", temperature: float | None = 0.0) -> Answer:
    messages = [{"role": "user", "content": text}]
    return endpoint.ask(messages, max_tokens=32, temperature=temperature)


def asked(server: OpenAIServer, retries: int = 0, **options: Any) -> Answer:
    return ask(Endpoint("gpt-4o", server.url, retries=retries, **options))


def test_an_answer_with_its_usage_and_the_servers_model_id() -> None:
    with OpenAIServer("red", model="gpt-4o-2024-11-20") as server:
        answer = asked(server)
    assert (answer.text, answer.status, answer.error) == ("red", Status.OK, "")
    assert answer.meta == {
        "model": "gpt-4o-2024-11-20",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    }
    sent = server.requests[0]
    assert sent.key == KEY
    assert sent.body["model"] == "gpt-4o"
    assert sent.body["temperature"] == 0 and sent.body["max_tokens"] == 32


def test_temperature_can_be_left_out() -> None:
    with OpenAIServer() as server:
        ask(Endpoint("o3", server.url), temperature=None)
    assert "temperature" not in server.requests[0].body


# What goes wrong, the status it gets, and how many calls it may cost with two retries: a refusal is a third
# of a failure.
FAILURES: list[tuple[str, Any, Status, int, str]] = [
    ("server error", status(500, headers=SOON), Status.MODEL_ERROR, 3, "HTTP 500: made to fail"),
    ("refusal", status(429, headers=SOON), Status.MODEL_ERROR, 7, "HTTP 429: made to fail"),
    ("refusal untold", status(429), Status.MODEL_ERROR, 7, "HTTP 429: made to fail"),
    ("bad gateway", status(502, "<html>"), Status.MODEL_ERROR, 3, "HTTP 502: a web page"),
    ("gateway", status(504, headers=SOON), Status.TIMEOUT, 3, "HTTP 504: made to fail"),
    ("bad request", status(400, "image too small"), Status.MODEL_ERROR, 1, "HTTP 400: image too small"),
    ("forbidden", status(403), Status.MODEL_ERROR, 1, "HTTP 403: made to fail"),
    ("too large", status(413), Status.MODEL_ERROR, 1, "HTTP 413: made to fail"),
    ("filter", status(400, "flagged", code="content_filter"), Status.REFUSED, 1, "HTTP 400: flagged"),
    ("torn", RESET, Status.MODEL_ERROR, 3, "cannot reach http://127.0.0.1"),
    ("half a body", HALF, Status.MODEL_ERROR, 3, "cannot reach http://127.0.0.1"),
    ("a chunk of a body", CUT, Status.MODEL_ERROR, 3, "cannot reach http://127.0.0.1"),
    ("half of the JSON", raw('{"choices": [{"mess'), Status.MODEL_ERROR, 3, "not JSON"),
    ("hang", HANG, Status.TIMEOUT, 3, "no reply within 0.2 s"),
    ("html", raw("<html>Log in", "text/html"), Status.MODEL_ERROR, 3, "not JSON"),
    ("not json", raw("{'a': 1}"), Status.MODEL_ERROR, 3, "not JSON"),
    ("wrong json", raw(["red"]), Status.MODEL_ERROR, 3, "no completion"),
    ("no choices", raw({"choices": []}), Status.MODEL_ERROR, 3, "no answer"),
    ("an empty choice", raw({"choices": [{}]}), Status.MODEL_ERROR, 3, "no answer"),
    ("filtered", {"text": "", "finish_reason": "content_filter"}, Status.REFUSED, 1, "content filter"),
]


@pytest.mark.parametrize(
    ("failure", "wanted", "calls", "cause"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES]
)
def test_every_failure_is_a_status_with_a_cause(
    naps: list[float], failure: Any, wanted: Status, calls: int, cause: str
) -> None:
    with OpenAIServer([*[failure] * calls, "Hello to you"]) as server:
        answer = asked(server, retries=2, timeout=0.2)
    assert answer.status is wanted
    assert cause in answer.error and "\n" not in answer.error
    made = [request.attempt for request in server.requests if request.text != "Hello"]
    assert made == list(range(calls))
    assert len(naps) >= calls - 1


PASSING = [status(500), status(502), status(429), RESET, HALF, CUT, raw("<html>"), raw({"choices": []})]


@pytest.mark.parametrize("failure", PASSING)
def test_a_passing_failure_costs_nothing_but_a_retry(naps: list[float], failure: Any) -> None:
    with OpenAIServer([failure, failure, "red"]) as server:
        answer = asked(server, retries=2)
    assert (answer.text, answer.status, len(server.requests)) == ("red", Status.OK, 3)


@pytest.mark.parametrize("tells", ["seconds", "date"])
def test_retry_after_is_honoured_by_all_calls(naps: list[float], tells: str) -> None:
    told = "17" if tells == "seconds" else formatdate(time.time() + 17, usegmt=True)
    with OpenAIServer([status(429, headers={"Retry-After": told}), "red"]) as server:
        endpoint = Endpoint("gpt-4o", server.url)
        assert ask(endpoint).text == "red"
        assert 5 < naps[0] <= 17
    with OpenAIServer([status(503, headers={"Retry-After": told}), "red"]) as server:
        endpoint = Endpoint("gpt-4o", server.url, retries=0)
        assert ask(endpoint).status is Status.MODEL_ERROR
        naps.clear()
        assert ask(endpoint).text == "red"
        assert 5 < naps[0] <= 17


def test_pauses_grow_where_the_server_does_not_say(naps: list[float]) -> None:
    with OpenAIServer(status(503)) as server:
        asked(server, retries=4)
    assert len(server.requests) == 5
    assert naps[0] <= 0.5 and max(naps) > 2 and sum(naps) < 10


def test_a_server_that_refuses_all_for_long_ends_the_run(naps: list[float]) -> None:
    with (
        OpenAIServer(status(429)) as server,
        pytest.raises(HarnessError, match="refused every call") as raised,
    ):
        asked(server, retries=REFUSED_ROUNDS)
    assert "type the same command again" in str(raised.value)
    assert len(server.requests) == REFUSED_ROUNDS
    assert 600 < sum(naps) < 1200


def test_one_call_that_is_always_refused_ends_no_run(naps: list[float]) -> None:
    with OpenAIServer(status(429, "this request is too large")) as server:
        answer = ask(Endpoint("gpt-4o", server.url))
    assert answer.status is Status.MODEL_ERROR and "too large" in answer.error
    assert len(server.requests) < REFUSED_ROUNDS


def test_a_server_that_is_closed_for_hours_is_not_waited_for(naps: list[float]) -> None:
    told = status(429, "daily limit", headers={"Retry-After": "7200"})
    with OpenAIServer(told) as server, pytest.raises(HarnessError, match=r"2\.0 hours .*daily limit"):
        asked(server)
    assert naps == []
    # Whoever tries again in the same process is not kept waiting either.
    with OpenAIServer([told, "red"]) as server:
        endpoint = Endpoint("gpt-4o", server.url)
        with pytest.raises(HarnessError, match="hours"):
            ask(endpoint)
        assert ask(endpoint).text == "red"
    assert sum(naps) < 5


def test_the_same_failure_while_others_are_answered_is_the_questions_own(naps: list[float]) -> None:
    """A question the server cannot take costs few calls, and no other question."""

    def reply(request: Request) -> Any:
        return status(500, "out of tokens") if request.text == "poison" else "red"

    with OpenAIServer(reply) as server:
        endpoint = Endpoint("gpt-4o", server.url, retries=6)
        once = endpoint._once

        def others_too(*args: Any) -> Any:
            made = once(*args)
            if made.http == 500:
                assert ask(endpoint).text == "red"
            return made

        endpoint._once = others_too  # type: ignore[method-assign]
        assert ask(endpoint, "poison").status is Status.MODEL_ERROR
    assert [request.text for request in server.requests].count("poison") == SAME


def test_more_failures_than_answers_end_the_run(naps: list[float]) -> None:
    with OpenAIServer(["red", status(500)]) as server:
        endpoint = Endpoint("gpt-4o", server.url, retries=6)
        ask(endpoint)
        with pytest.raises(HarnessError, match=f"the {IN_HAND} retries in hand are used up") as raised:
            for _ in range(IN_HAND):
                assert ask(endpoint).status is Status.MODEL_ERROR
    assert "--model_args retries=0" in str(raised.value)
    assert len(server.requests) <= IN_HAND * 7 / 6 + 7


def test_waiting_for_a_retry_ends_when_the_gate_is_closed() -> None:
    with OpenAIServer(status(429, headers={"Retry-After": "500"})) as server:
        endpoint = Endpoint("gpt-4o", server.url)
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(ask, endpoint) for _ in range(4)]
            while endpoint.gate.pace.episodes == 0:
                time.sleep(0.01)
            endpoint.gate.close()
            for call in waiting:
                with pytest.raises(ClosedError):
                    call.result(60)


def test_no_retries_means_one_call(naps: list[float]) -> None:
    with OpenAIServer(status(500)) as server:
        asked(server, retries=0)
    assert len(server.requests) == 1 and naps == []


@pytest.mark.parametrize("code", [400, 429, 500])
def test_a_key_echoed_by_the_server_is_shown_nowhere(code: int) -> None:
    def echo(request: Request) -> Any:
        return status(code, f"key {request.key} and Bearer {request.key}", headers=SOON)

    with OpenAIServer([echo, "red"]) as server:
        answer = asked(server)
    assert server.requests[0].key == KEY
    assert KEY not in repr(answer) and "0123456789" not in repr(answer)


def test_a_key_of_any_form_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "plain0secret0value")
    with OpenAIServer([lambda request: status(400, f"no {request.key}"), "red"]) as server:
        assert asked(server).error == "HTTP 400: no [key]"


def test_a_key_echoed_in_an_answer_is_not_stored() -> None:
    with OpenAIServer(lambda request: f"your key is {request.key}", model=KEY) as server:
        answer = asked(server)
    assert answer.text == "your key is [key]"
    assert KEY not in repr(answer)


def test_an_odd_reply_does_not_show_the_key() -> None:
    with OpenAIServer(raw(f"<p>{KEY}")) as server:
        assert KEY not in repr(asked(server))


FINAL: list[tuple[Any, str]] = [
    (status(401, f"Incorrect API key provided: {KEY}"), "export OPENAI_API_KEY="),
    (status(404, "model gpt-4o does not exist"), "correct the name or --base_url"),
    (status(402, headers=SOON), "credit"),
    (status(429, headers=SOON, code="insufficient_quota"), "credit"),
    (status(400, "no", code="unsupported_value", param="temperature"), "--model_args temperature=none"),
]


@pytest.mark.parametrize(("failure", "advice"), FINAL, ids=["401", "404", "402", "quota", "temperature"])
def test_what_every_call_would_meet_ends_the_run_with_one_sentence(failure: Any, advice: str) -> None:
    with OpenAIServer(failure) as server, pytest.raises(HarnessError) as raised:
        asked(server, retries=1)
    said = str(raised.value)
    assert advice in said and "\n" not in said and KEY not in said
    assert "what is answered is kept" in said
    assert raised.value.exit_code == 1


def test_a_judges_sentences_name_the_judges_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(status(404)) as server, pytest.raises(HarnessError, match="--judge_base_url"):
        asked(server, role="judge")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match="--judge_base_url"):
        Endpoint("gpt-4o", role="judge").check()
    with pytest.raises(UsageError, match="--judge_args retries"):
        Endpoint("gpt-4o", role="judge", retries=-1)


def test_a_limit_under_its_newer_name_is_found_once() -> None:
    def modern(request: Request) -> Any:
        if "max_tokens" in request.body:
            return status(400, "use the other", code="unsupported_parameter", param="max_tokens")
        return "red"

    with OpenAIServer(modern) as server:
        endpoint = Endpoint("gpt-5", server.url)
        assert [ask(endpoint).text, ask(endpoint).text] == ["red", "red"]
    assert [request.body.get("max_completion_tokens") for request in server.requests] == [None, 32, 32]


def test_a_server_that_knows_neither_name_takes_no_call() -> None:
    unsupported = status(400, code="unsupported_parameter", param="max_tokens")
    with OpenAIServer(unsupported) as server, pytest.raises(HarnessError, match="takes no call"):
        asked(server)
    assert len(server.requests) == 3


@pytest.mark.parametrize("http", [400, 403, 422])
def test_a_server_that_rejects_even_a_word_ends_the_run(http: int) -> None:
    with OpenAIServer(status(http, "requested 'gpt-4o', which is not served")) as server:
        endpoint = Endpoint("gpt-4o", server.url)
        for _ in range(2):  # as the cells of a run do, one after the other
            with pytest.raises(HarnessError) as raised:
                ask(endpoint)
    assert [request.text for request in server.requests] == ["What colour?", "Hello"] * 2
    said = str(raised.value)
    assert "'gpt-4o'" in said and "which is not served" in said and "correct the name" in said
    assert "--model_args" in said and "\n" not in said


def test_a_rejection_that_is_the_questions_own_ends_nothing() -> None:
    def reply(request: Request) -> Any:
        return status(400, "too long") if request.text == "long" else "red"

    with OpenAIServer(reply) as server:
        endpoint = Endpoint("gpt-4o", server.url)
        found = [ask(endpoint, text).status for text in ("long", "short", "long")]
    assert found == [Status.MODEL_ERROR, Status.OK, Status.MODEL_ERROR]
    assert [request.text for request in server.requests] == ["long", "Hello", "short", "long"]


def test_a_server_that_only_ever_fails_ends_the_run(naps: list[float]) -> None:
    with OpenAIServer(status(500, "cannot load gpt-4o")) as server:
        endpoint = Endpoint("gpt-4o", server.url, concurrency=1, retries=0)
        for _ in range(3 * FAILED_ROUNDS - 1):
            assert ask(endpoint).status is Status.MODEL_ERROR
        with pytest.raises(HarnessError, match=r"answered none of 18 calls .*cannot load gpt-4o"):
            ask(endpoint)
    assert 10 < sum(naps) < 60


def test_a_server_that_never_answered_ends_the_run_after_three_rounds(naps: list[float]) -> None:
    with OpenAIServer() as server:
        url = server.url
    endpoint = Endpoint("gpt-4o", url, concurrency=2, retries=0)
    answers = [ask(endpoint) for _ in range(8)]
    assert {answer.status for answer in answers} == {Status.MODEL_ERROR}
    assert "refused" in answers[0].error
    with pytest.raises(HarnessError, match="9 calls in a row") as raised:
        ask(endpoint)
    assert "--base_url" in str(raised.value) and url in str(raised.value)


def test_a_server_that_takes_too_long_may_be_given_longer(naps: list[float]) -> None:
    with OpenAIServer(HANG) as server:
        endpoint = Endpoint("gpt-4o", server.url, concurrency=1, timeout=0.05, retries=0)
        with pytest.raises(HarnessError, match=r"no reply within 0\.05 s.*--model_args timeout="):
            for _ in range(20):
                assert ask(endpoint).status is Status.TIMEOUT


def test_a_server_that_has_answered_is_waited_for(naps: list[float]) -> None:
    with OpenAIServer(["red", *[RESET] * 20, "blue"]) as server:
        endpoint = Endpoint("gpt-4o", server.url, concurrency=1, retries=0)
        statuses = [ask(endpoint).status for _ in range(22)]
    assert statuses.count(Status.OK) == 2 and statuses[-1] is Status.OK
    assert sum(naps) > 20


def test_one_reply_of_any_kind_shows_the_server_lives(naps: list[float]) -> None:
    with OpenAIServer([*[RESET] * 8, status(500), *[RESET] * 3]) as server:
        endpoint = Endpoint("gpt-4o", server.url, concurrency=1, retries=0)
        assert {ask(endpoint).status for _ in range(11)} == {Status.MODEL_ERROR}


def test_many_threads_share_one_client() -> None:
    with OpenAIServer(lambda request: request.text) as server:
        endpoint = Endpoint("gpt-4o", server.url)
        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(lambda i: ask(endpoint, f"question {i}").text, range(64)))
    assert texts == [f"question {i}" for i in range(64)]
    assert len(server.requests) == 64
    assert server.peak > 1


def test_calls_under_way_grow_with_what_the_server_takes_up_to_the_ceiling() -> None:
    def slow(_: Request) -> str:
        time.sleep(0.02)
        return "red"

    with OpenAIServer(slow) as server:
        endpoint = Endpoint("gpt-4o", server.url, concurrency=12)
        assert endpoint.gate.limit == 4
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(lambda _: ask(endpoint), range(100)))
        assert endpoint.gate.limit == 12
    assert server.peak <= 12


def test_load_builds_the_client_once() -> None:
    with OpenAIServer() as server:
        endpoint = Endpoint("gpt-4o", server.url)
        endpoint.load()
        client = endpoint._server()
        endpoint.load()
        assert endpoint._server() is client


# Keys and addresses.


def test_without_key_and_address_the_sentence_says_what_to_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    for call in (Endpoint("gpt-4o").check, Endpoint("gpt-4o").load, lambda: ask(Endpoint("gpt-4o"))):
        with pytest.raises(UsageError, match=r"export OPENAI_API_KEY=\.\.\..*--base_url") as raised:
            call()
        assert raised.value.exit_code == 2


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://api.openai.com/v1/"])
def test_openai_named_outright_needs_the_key_too(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    with pytest.raises(UsageError, match="no API key"):
        Endpoint("gpt-4o", url).check()


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with OpenAIServer("none of them") as server:
        endpoint = Endpoint("local", server.url)
        endpoint.check()
        assert ask(endpoint).text == "none of them"
    with OpenAIServer(status(401)) as server, pytest.raises(HarnessError, match="wants a key"):
        asked(server)


def test_another_variable_may_hold_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "another-secret\n")
    with OpenAIServer(key="another-secret") as server:
        assert asked(server, key_env="OTHER_KEY").text == "ok"
        with pytest.raises(HarnessError, match="OPENAI_API_KEY"):
            asked(server)


@pytest.mark.parametrize("key", ["two words here", "line\nbreak-secret", "schlüssel-secret"])
def test_a_key_no_header_can_carry_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as raised:
        Endpoint("gpt-4o").check()
    assert key not in str(raised.value) and "secret" not in str(raised.value)


def test_the_flag_goes_before_the_variable_before_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Endpoint("m").url == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://variable:1/v1/")
    assert Endpoint("m").url == "http://variable:1/v1"
    assert Endpoint("m", "http://flag:2/v1/chat/completions").url == "http://flag:2/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", " ")
    assert Endpoint("m", "").url == "https://api.openai.com/v1"


def test_the_full_address_of_the_chat_endpoint_will_do() -> None:
    with OpenAIServer("red") as server:
        assert ask(Endpoint("m", f" {server.url}/chat/completions/ ")).text == "red"


def test_the_variable_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with OpenAIServer("red") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert ask(Endpoint("local")).text == "red"


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://[x", "http://a:b/v1"]
)
def test_a_wrong_address_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(UsageError, match="--base_url must read like"):
        Endpoint("m", url).check()
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(UsageError, match="OPENAI_BASE_URL must read like"):
        Endpoint("m").check()


def test_credentials_in_an_address_are_not_shown(naps: list[float]) -> None:
    with OpenAIServer() as server:
        url = server.url
    answer = ask(Endpoint("m", url.replace("http://", "http://user:hidden@"), retries=0))
    assert "hidden" not in repr(answer) and url in answer.error


@pytest.mark.parametrize(
    "make",
    [
        lambda: Endpoint(" "),
        lambda: Endpoint("m", concurrency=0),
        lambda: Endpoint("m", retries=-1),
        lambda: Endpoint("m", timeout=0),
        lambda: Endpoint("m", timeout=float("nan")),
    ],
)
def test_options_out_of_range_are_usage_errors(make: Callable[[], Endpoint]) -> None:
    with pytest.raises(UsageError):
        make()
