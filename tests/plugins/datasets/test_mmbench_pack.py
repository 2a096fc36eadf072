"""Packed answers: whatever a model makes of the JSON it was asked for, and nothing it did not say."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from harness_plugins.datasets.mmbench_pack import questions_json, read_answers
from hypothesis import given
from hypothesis import strategies as st

from harness.types import Sample, Video

SAMPLES = [Sample(id_, Video(Path("v.mp4"), "v"), f"Question {id_}?", "a") for id_ in (3, 12, 40)]
ALL = {3: "a cat", 12: "two", 40: "it's red"}


def test_the_questions_are_json_by_index() -> None:
    assert json.loads(questions_json(SAMPLES)) == {str(s.id): s.question for s in SAMPLES}


@pytest.mark.parametrize(
    "reply",
    [
        '{"3": "a cat", "12": "two", "40": "it\'s red"}',
        '{\n  "3": "a cat",\n  "12": "two",\n  "40": "it\'s red"\n}',
        '```json\n{"3": "a cat", "12": "two", "40": "it\'s red"}\n```',
        '```\n{"3": "a cat", "12": "two", "40": "it\'s red"}```',
        'Sure! Here you are:\n\n```json\n{"3": "a cat", "12": "two", "40": "it\'s red"}\n```\nAnything else?',
        'Of the set {a, b} and [c]: {"3": "a cat", "12": "two", "40": "it\'s red"} as asked.',
        '{"3": "a cat", "12": "two", "40": "it\'s red",}',
        '{"3": "a cat", "12": "two", "40": "it\'s red" ,\n}',
        "{'3': 'a cat', '12': 'two', '40': \"it's red\"}",
        "{'3': 'a cat', '12': 'two', '40': 'it\\'s red',}",
        "{3: 'a cat', 12: 'two', 40: \"it's red\"}",
        '{"Q3": "a cat", "question 12": "two", "I40": "it\'s red"}',
        '{" 3 ": " a cat ", "12.": "two", "#40": "it\'s red"}',
        '{"answers": {"3": "a cat", "12": "two", "40": "it\'s red"}}',
        '{"data": {"answers": [{"3": "a cat"}, {"12": "two"}, {"40": "it\'s red"}]}}',
        '["a cat", "two", "it\'s red"]',
        '{"answers": ["a cat", "two", "it\'s red"]}',
        '[{"index": 3, "answer": "a cat"}, {"index": "12", "answer": "two"}, {"40": "it\'s red"}]',
        '[{"id": 3, "question": "?", "response": "a cat"}, {"12": "two"}, {"id": 40, "text": "it\'s red"}]',
        '{"3": {"answer": "a cat"}, "12": ["two"], "40": {"question": "?", "answer": "it\'s red"}}',
        '{"3": "a cat"}\n{"12": "two"}\n{"40": "it\'s red"}',
        '{"3": "a dog", "12": "two", "40": "?"}\nOn reflection:\n{"3": "a cat", "40": "it\'s red"}',
        '{"3": "a cat", "12": "two", "40": "it\'s red", "99": "nobody asked"}',
        '{"reasoning": "I see [many] {things}", "3": "a cat", "12": "two", "40": "it\'s red"}',
        '{"3": "a cat" "12": "two" "40": "it\'s red"}',
        '{"3": "a cat", "12": "two", "40": "it\'s red", "50": "and then the',
        '```json\n{"3": "a cat", "12": "two", "40": "it\'s red", "50": "and th',
        "{'3': 'a cat', '12': null, '12': 'two', '40': 'it\\'s red'",
    ],
)
def test_all_answers_are_found(reply: str) -> None:
    assert read_answers(SAMPLES, reply) == ALL


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ('{"3": "a cat"}', {3: "a cat"}),
        ('{"3": "a cat", "12": "", "40": null}', {3: "a cat"}),
        ('{"3": "a cat", "12": "  "}', {3: "a cat"}),
        ('{"3": 7, "12": 2.5, "40": ["red", "blue"]}', {3: "7", 12: "2.5", 40: "red, blue"}),
        ('{"3": "one\nline more"}', {3: "one\nline more"}),
        ('{"3": "a \\"cat\\" {not} [a] dog"}', {3: 'a "cat" {not} [a] dog'}),
        ('{"3": "comma,}", "12": "x",}', {3: "comma,}", 12: "x"}),
        ('{"3": "a cat", "12": "tw', {3: "a cat"}),
        ("{'3': 'path \\d', '12': 'x'}", {3: "path \\d", 12: "x"}),
        ('["a cat", "two"]', {}),
        ('["a cat", "two", 3]', {}),
        ('{"1": "a", "2": "b", "5": "c"}', {}),
        ('{"0": "a", "130": "b", "4": "c"}', {}),
        ("A cat, two of them, and it is red.", {}),
        ("", {}),
        ("null", {}),
        ("{}", {}),
        ("[[[", {}),
        ("{" * 1000 + "}" * 1000, {}),
        ('{"3": ' * 500, {}),
    ],
)
def test_no_answer_is_made_up(reply: str, found: dict[int, str]) -> None:
    assert read_answers(SAMPLES, reply) == found


def test_to_one_question_the_bare_reply_is_the_answer() -> None:
    one = SAMPLES[:1]
    assert read_answers(one, " A cat [on a mat]. ") == {3: "A cat [on a mat]."}
    assert read_answers(one, '{"3": "a cat"}') == {3: "a cat"}
    assert read_answers(one, '{"3": "a c') == {}
    assert read_answers(one, '```json\n{"3": "a c') == {}
    assert read_answers(one, "") == {}


def test_nothing_is_ever_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    reply = f"{{'3': __import__('os').mkdir({str(trace)!r}), '12': 'two'}}"
    assert read_answers(SAMPLES, reply) == {12: "two"}
    assert not trace.exists()


@pytest.mark.parametrize(
    "piece", ["[", "{", '"', "'", ",", "```", "{'a':", '{"3": "x', "a :", " ", "\\", "3: '", "-", "["]
)
def test_endless_replies_are_read_in_bounded_time(piece: str) -> None:
    start = time.process_time()
    read_answers(SAMPLES, '{"3": ' + piece * 200_000)
    read_answers(SAMPLES, piece * 200_000 + '"]}')
    assert time.process_time() - start < 5


@given(st.dictionaries(st.sampled_from([3, 12, 40]), st.text(min_size=1).filter(str.strip)), st.booleans())
def test_valid_json_comes_back_as_it_was(answers: dict[int, str], ascii_only: bool) -> None:
    reply = json.dumps({str(key): value for key, value in answers.items()}, ensure_ascii=ascii_only)
    assert read_answers(SAMPLES, reply) == {key: value.strip() for key, value in answers.items()}


@given(st.text(alphabet=st.sampled_from("{}[]\"',:\\ 3x\n`"), max_size=60))
def test_any_reply_gives_answers_to_questions_asked_or_none(reply: str) -> None:
    found = read_answers(SAMPLES, reply)
    assert set(found) <= {3, 12, 40}
    assert all(isinstance(answer, str) and answer for answer in found.values())
