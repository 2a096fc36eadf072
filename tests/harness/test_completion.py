"""Replies of chat servers, whole, odd and broken: a status each, never an exception."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Answer, Status
from harness.completion import read_completion, read_error


def body(message: Any, **changes: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": "stop"} | changes
    return json.dumps({"model": "m-2024", "choices": [choice], "usage": {"total_tokens": 7}}).encode()


def test_a_whole_completion() -> None:
    answer = read_completion(body({"role": "assistant", "content": "red"}))
    meta = {"model": "m-2024", "finish_reason": "stop", "usage": {"total_tokens": 7}}
    assert answer == Answer("red", Status.OK, "", meta)


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "re"}, {"type": "text", "text": "d"}, {"type": "image"}, 3]
    assert read_completion(body({"content": parts})).text == "red"


def test_an_empty_answer_is_left_to_the_caller() -> None:
    assert read_completion(body({"content": None})) == read_completion(body({"content": ""}))
    assert read_completion(body({"content": None})).status is Status.OK


def test_a_refusal_keeps_its_words() -> None:
    answer = read_completion(body({"content": None, "refusal": "I will not."}))
    assert (answer.text, answer.status) == ("I will not.", Status.REFUSED)
    assert answer.meta["model"] == "m-2024"


def test_a_refusal_beside_a_text_is_a_refusal() -> None:
    answer = read_completion(body({"content": "Well.", "refusal": "No."}))
    assert (answer.text, answer.status) == ("Well.", Status.REFUSED)


def test_a_filtered_answer_is_refused() -> None:
    answer = read_completion(body({"content": "The man"}, finish_reason="content_filter"))
    assert (answer.text, answer.status) == ("The man", Status.REFUSED)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\xff\xfe",
        b"<html>",
        b"[]",
        b"null",
        b"3",
        b"{}",
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [null]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": "red"}]}',
        b"[" * 100_000,
    ],
)
def test_whatever_is_no_completion_is_an_error_with_a_cause(reply: bytes) -> None:
    answer = read_completion(reply)
    assert answer.status is Status.MODEL_ERROR
    assert answer.text == "" and 10 < len(answer.error) < 200


def test_an_error_inside_a_reply_of_200_is_an_error() -> None:
    answer = read_completion(b'{"error": {"message": "upstream is down", "code": 502}, "choices": []}')
    assert (answer.status, answer.error) == (Status.MODEL_ERROR, "upstream is down")


def test_lone_surrogates_do_not_reach_our_files() -> None:
    answer = read_completion(rb'{"choices": [{"message": {"content": "red \ud83d"}}], "model": "\ud83d"}')
    assert answer.text == "red \ufffd" and answer.meta["model"] == "\ufffd"


def test_meta_holds_plain_values_only() -> None:
    reply = {"model": 3, "choices": [{"message": {"content": "x"}, "finish_reason": None}]}
    reply["usage"] = {"prompt_tokens": 5, "details": {"a": 1}, "cost": 0.5, "cached": True}
    assert read_completion(json.dumps(reply).encode()).meta == {"usage": {"prompt_tokens": 5}}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "refusal", "usage", "model", "error", "text"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_no_shape_of_json_raises(value: Any) -> None:
    answer = read_completion(json.dumps(value).encode())
    assert isinstance(answer.text, str) and isinstance(answer.status, Status)
    json.dumps(answer.meta)


@given(st.integers(100, 599), _json)
def test_no_shape_of_error_raises(code: int, value: Any) -> None:
    _, said = read_error(code, value)
    assert isinstance(said, str) and said


@pytest.mark.parametrize(
    ("code", "error", "status", "said"),
    [
        (400, {"message": "too long"}, Status.MODEL_ERROR, "too long"),
        (400, {"message": "no", "code": "content_filter"}, Status.REFUSED, "no"),
        (400, {"message": "no", "type": "content_policy_violation"}, Status.REFUSED, "no"),
        (422, {"detail": [{"loc": "x"}]}, Status.MODEL_ERROR, "[{'loc': 'x'}]"),
        (500, "  boom\n", Status.MODEL_ERROR, "boom"),
        (502, "<!doctype html><h1>Bad gateway</h1>", Status.MODEL_ERROR, "a web page instead of an answer"),
        (503, None, Status.MODEL_ERROR, "no reason given"),
        (408, {}, Status.TIMEOUT, "{}"),
        (504, "", Status.TIMEOUT, "no reason given"),
    ],
)
def test_errors_have_a_status_and_a_cause(code: int, error: Any, status: Status, said: str) -> None:
    assert read_error(code, error) == (status, said)
