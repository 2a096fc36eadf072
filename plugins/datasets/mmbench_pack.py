"""Answers to several questions in one reply: asked for as JSON, read however they come.

Reading never evaluates anything: JSON first, then JSON with its commas mended, then Python literals,
and from a reply that was cut off the pairs that are whole.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness import Sample, SampleId

LONGEST = 100_000
"""Characters of a reply that are read: a model that never stops has said enough by then."""
TRIES = 50
"""Brackets in a reply that may turn out to open nothing."""

_FENCE = re.compile(r"```[\w-]*\n?(.*?)```", re.DOTALL)
_OPEN = re.compile(r"[{\[]")
_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}\[\]]""", re.DOTALL)
_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_PAIR = re.compile(
    r"""["']?(?P<key>[\w ]{1,40}?)["']?\s{0,20}:\s{0,20}(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""",
    re.DOTALL,
)
_KEY = re.compile(r"(?:q|i|question|index|id)?[\s#_:.-]{0,3}(\d{1,18})[\s.:)]{0,3}", re.IGNORECASE)
_KEY_NAMES = ("index", "id", "question_id", "question_index", "number")
_TEXT_NAMES = ("answer", "response", "prediction", "text")


def questions_json(samples: Sequence[Sample]) -> str:
    """The questions of a pack, keyed by index."""
    return json.dumps({str(sample.id): sample.question for sample in samples}, ensure_ascii=False, indent=1)


def read_answers(samples: Sequence[Sample], text: str) -> dict[SampleId, str]:
    """The answers found in a reply to :func:`questions_json`; a question without one is left out.

    Code fences, text around the JSON, trailing commas, single quotes, keys such as ``Q12``, a list in
    place of the object and a reply that breaks off are all understood. Of several answers to a question
    the last counts. To a single question the bare reply is the answer.
    """
    text = text[:LONGEST].strip()
    ids = {str(sample.id): sample.id for sample in samples}
    found: dict[SampleId, str] = {}
    for value in _values(text):
        found |= _answers(value, ids)
    if not found:
        for pair in _PAIR.finditer(text):
            found |= _answers({pair["key"]: _unquoted(pair["value"])}, ids)
    if not found and len(samples) == 1 and text and not text.startswith(("{", "[", "```")):
        found = {samples[0].id: text}
    return found


def _answers(value: Any, ids: Mapping[str, SampleId], depth: int = 0) -> dict[SampleId, str]:
    """The answers in a parsed value, which may wrap them once or twice."""
    found: dict[SampleId, str] = {}
    if isinstance(value, list):
        if len(value) == len(ids) and all(isinstance(item, str) for item in value):
            return {id_: item.strip() for id_, item in zip(ids.values(), value, strict=True) if item.strip()}
        for item in value:
            found |= _answers(item, ids, depth + 1) if isinstance(item, dict) and depth < 3 else {}
    elif isinstance(value, dict):
        key, text = (_first(value, names) for names in (_KEY_NAMES, _TEXT_NAMES))
        if key is not None and text is not None:
            value = {key: text}
        for name, item in value.items():
            id_, answer = _known(name, ids), _text(item)
            if id_ is not None and answer:
                found[id_] = answer
        if not found and len(value) == 1 and depth < 3:
            found = _answers(next(iter(value.values())), ids, depth + 1)
    return found


def _known(key: object, ids: Mapping[str, SampleId]) -> SampleId | None:
    """The sample a key means: its index, perhaps as ``Q12`` or ``question 12``."""
    text = str(key).strip()
    if text in ids:
        return ids[text]
    match = _KEY.fullmatch(text)
    return ids.get(str(int(match[1]))) if match else None


def _first(value: Mapping[Any, Any], names: Sequence[str]) -> Any:
    return next((value[name] for name in names if name in value), None)


def _text(value: Any) -> str:
    """An answer as text; empty where there is none."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return _text(_first(value, _TEXT_NAMES))
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    return "" if value is None else str(value)


def _values(text: str) -> Iterator[Any]:
    """The objects and lists in a reply: what is fenced, if any of it can be read; else all."""
    fenced = [value for part in _FENCE.findall(text) if (value := _parsed(part)) is not None]
    if fenced:
        yield from fenced
        return
    place, tries = 0, 0
    while tries < TRIES and (opening := _OPEN.search(text, place)):
        end = _closing(text, opening.start())
        value = _parsed(text[opening.start() : end]) if end else None
        if value is None:
            place, tries = opening.end(), tries + 1
        else:
            place = end
            yield value


def _closing(text: str, start: int) -> int:
    """The end of what is opened at ``start``, brackets within strings aside; 0 if it stays open."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
            if not depth:
                return token.end()
    return 0


def _parsed(text: str) -> Any:
    """The dict or list that a text spells in JSON, nearly JSON, or Python literals; else None."""
    for read in (_json, _mended, _literal):
        try:
            value = read(text.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(value, dict | list):
            return value
    return None


def _json(text: str) -> Any:
    return json.loads(text, strict=False)


def _mended(text: str) -> Any:
    """JSON with commas before a closing bracket."""
    return _json(_STRING_OR_COMMA.sub(lambda found: found[1] or "", text))


def _literal(text: str) -> Any:
    """Python literals; backslashes that escape nothing are kept, not warned about."""
    return ast.literal_eval(
        re.sub(r"\\(.)", lambda found: found[0] if found[1] in _ESCAPED else rf"\{found[0]}", text)
    )


_ESCAPED = "\\'\"abfnrtv01234567xuUN"


def _unquoted(text: str) -> str:
    """What a string literal of JSON or Python spells."""
    inner = re.sub(r"\\'", "'", text[1:-1]) if text[0] == "'" else text[1:-1]
    try:
        return str(_json(f'"{inner}"' if text[0] == '"' else json.dumps(inner)))
    except ValueError:
        return inner
