"""Options of multiple-choice questions: lists as people write them, and which option an answer means."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_LETTERED = re.compile(r"\(?([A-Za-z])(?:[).:]+\s*(.*))?", re.DOTALL)
"""``B``, ``(B)``, ``B.``, ``B. a dog``"""


def listed(value: Any) -> list[str]:
    """The items of a list, of a text that spells one in JSON or Python, or of a text with ``|`` between them.

    Nothing is evaluated. Raises ValueError for anything else, and for items that are no text or number.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _literal(value.strip())
    elif isinstance(value, str):
        value = [item.strip() for item in value.split("|")]
    if not isinstance(value, list | tuple):
        raise ValueError("it is no list")
    return [_item(item) for item in value]


def _literal(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    raise ValueError("it begins like a list and is none")


def _item(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, int | float) and not isinstance(item, bool):
        return str(item)
    raise ValueError(f"it holds {json.dumps(item, default=repr)[:40]}, which is no text")


def bare(options: Sequence[str]) -> tuple[str, ...]:
    """The options without their letters, where each begins with its own (``A. red``, ``(B) blue``)."""
    found = [_LETTERED.fullmatch(option.strip()) for option in options]
    own = [match is not None and match[1] == letter for match, letter in zip(found, LETTERS, strict=False)]
    texts = [(match[2] or "").strip() for match in found if match is not None]
    return tuple(texts) if len(options) <= len(LETTERS) and all(own) and all(texts) else tuple(options)


def place(answer: str, options: Sequence[str]) -> int | None:
    """Which option an answer names: its text, its letter, or both (``B. a dog``); None when none.

    Raises ValueError for an answer that is the letter of one option and the text of another.
    """
    answer = answer.strip()
    texts = [option.strip() for option in options]
    by_text = texts.index(answer) if answer in texts else None
    by_letter = _by_letter(answer, texts)
    if by_text is not None and by_letter not in (None, by_text):
        other = f"{LETTERS[by_text]}. {answer}"
        raise ValueError(
            f"{answer} is the text of one option and the letter of another: write {other!r}, say"
        )
    if by_text is not None or by_letter is not None:
        return by_letter if by_text is None else by_text
    folded = [text.casefold() for text in texts]
    return folded.index(answer.casefold()) if folded.count(answer.casefold()) == 1 else None


def _by_letter(answer: str, texts: Sequence[str]) -> int | None:
    match = _LETTERED.fullmatch(answer)
    if match is None:
        return None
    spot = LETTERS.find(match[1].upper())
    return spot if spot < len(texts) and (match[2] or texts[spot]) == texts[spot] else None
