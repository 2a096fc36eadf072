"""No key and no credential survives in a text that is shown or stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redaction import HIDDEN, bare_url, one_line, redact, whole


def test_the_key_itself_is_hidden_wherever_it_stands() -> None:
    assert redact("a=my-secret-1,b=my-secret-1", "my-secret-1") == f"a={HIDDEN},b={HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc_DEF.123456",
        "Incorrect API key provided: sk-ab*********wxyz.",
        "Incorrect API key provided: 12ab******************wxyz",
        "header Authorization: Bearer abcdef.012345/+==",
        "header authorization: bearer   abcdef012345",
    ],
)
def test_what_looks_like_a_key_is_hidden_too(text: str) -> None:
    shown = redact(text, None)
    assert HIDDEN in shown
    assert not any(piece in shown for piece in ("abc", "sk-", "wxyz", "12ab", "012345"))


def test_ordinary_words_and_placeholder_keys_are_left_alone() -> None:
    text = "risk-free tests, EMPTY answers and **bold** words"
    assert redact(text, "EMPTY") == text
    assert redact("sk-abcdefghij", None, patterns=False) == "sk-abcdefghij"


def test_one_line_is_one_short_line() -> None:
    line = one_line("first\n\n  second my-secret-1\t" + "x" * 500, "my-secret-1")
    assert line.startswith(f"first second {HIDDEN} xx")
    assert len(line) == 300 and line.endswith("…")


@given(st.text(max_size=30), st.text(max_size=30), st.integers(1, 60))
def test_no_part_of_a_key_is_left_by_the_cut(before: str, after: str, limit: int) -> None:
    assert "s3cr3t" not in one_line(f"{before}s3cr3t-t0k3n{after}", "s3cr3t-t0k3n", limit)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host:8000/v1?key=abc#x", "https://host:8000/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://[bad", "an unreadable address"),
    ],
)
def test_addresses_are_shown_without_credentials(url: str, shown: str) -> None:
    assert bare_url(url) == shown


@given(st.text(st.characters(), max_size=50))
def test_whole_text_can_be_written(text: str) -> None:
    assert len(whole(text).encode().decode()) == len(text)
    assert whole("a\ud83d") == "a\ufffd"
    assert whole("😀") == "😀"
