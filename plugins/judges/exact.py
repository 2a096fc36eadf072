"""The offline judge: the answer is the reference, up to spelling, or it is wrong.

For data sets with short answers (ShapesVideo), for tests, and for runs without a key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from harness import Case, Verdict

ARTICLES = frozenset({"a", "an", "the"})
NUMBERS = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
}
# Punctuation says nothing, but between digits (3.5, 1/2, 10:30) and as a minus or per cent sign it does.
_SEPARATORS = re.compile(r"(?<=\d)[.,:/](?=\d)|(?<!\w)-(?=\d)|%")
_APOSTROPHES = str.maketrans("", "", "'’‘`´")


class Exact:
    """Gives 3 when prediction and reference are equal after ``normalise``, else 0."""

    version = 1

    def judge(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        for case in cases:
            same = normalise(case.prediction) == normalise(case.reference)
            yield Verdict(score=3.0 if same else 0.0)


def normalise(text: str) -> str:
    """``text`` with Unicode NFKC, case, punctuation, articles, whitespace and zero..ten made one.

    What would leave nothing ("A" as the letter of a choice, "?") is kept as far as the step before.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()
    words = _words(plain)
    kept = [word for word in words if word not in ARTICLES] or words
    return " ".join(NUMBERS.get(word, word) for word in kept) or plain


def _words(text: str) -> list[str]:
    text = text.translate(_APOSTROPHES)
    meant = {match.start() for match in _SEPARATORS.finditer(text)}
    spaced = (
        " " if unicodedata.category(char).startswith("P") and place not in meant else char
        for place, char in enumerate(text)
    )
    return "".join(spaced).split()
