"""The options of a multiple-choice question: their letters, and what is equal to one or names one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase

from .words import plain

LONE = re.compile(r"[\s(\[{<\"'“‘]*([A-Za-z])[\s)\]}>\"'”’.,:;!?。]*")
"""A letter and nothing else that says anything."""
_HEADED = re.compile(r"\s*\(?([A-Za-z])(?:[.:)]|\s[–—-]\s)\s*(?=\S)")
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d+(?:[.,:/]\d+)*%?(?!\w)")
_BOUND = re.compile(
    r"\b(?:more|less|fewer|greater|over|under|above|below|least|most|about|around|almost|nearly|roughly|between"
    r"|approximately|up to|one)\b",
    re.IGNORECASE,
)
"""Words by which a number is not the one told; "one" is a pronoun more often than a number."""
_STARTERS = frozenset({"yes", "no", "true", "false", "none", "both", "neither", "other", "unknown", "all"})
"""Texts that occur in sentences without being the answer: only at the beginning do they count."""


class Options:
    """The options in order, A, B, C and so on, at most 26; letters in front of the texts are taken off.

    A place is an option's position, from 0; where some are spelt alike, that of the first.
    """

    def __init__(self, choices: Sequence[str]) -> None:
        texts = [unicodedata.normalize("NFKC", choice).strip() for choice in choices]
        heads = [_HEADED.match(text) for text in texts]
        if "".join(head[1].upper() if head else " " for head in heads) == ascii_uppercase[: len(texts)]:
            texts = [text[head.end() :] for text, head in zip(texts, heads, strict=True) if head]
        self.texts = texts
        self.letters = ascii_uppercase[: len(texts)]
        self._plain = [plain(text) for text in texts]
        self._folded = [text.casefold() for text in texts]

    def lettered(self, letter: str) -> int | None:
        """The place of a letter; None where there is none, or it is another option's text."""
        place = self.letters.find(letter.upper()) if len(letter) == 1 else -1
        if place < 0:
            return None
        place = self._folded.index(self._folded[place])
        return place if self.equal(letter) <= {place} else None

    def equal(self, text: str) -> set[int | None]:
        """The options whose text this is: those spelt so, else those of the same words."""
        folded = text.strip().casefold()
        if folded in self._folded:
            return {self._folded.index(folded)}
        words = plain(text)
        return {self._folded.index(self._folded[at]) for at, own in enumerate(self._plain) if own == words}

    def within(self, text: str) -> set[int | None]:
        """The options whose text occurs in ``text`` as whole words, also {None} where that says nothing.

        One inside a longer one that occurs ("red" in "dark red") does not count, nor "no" but at the
        beginning. A number among others says nothing, nor does a text beside a word of another option.
        """
        words = f" {plain(text)} "
        rest, found = words, set[int | None]()
        for place in sorted(range(len(self.texts)), key=lambda place: -len(self._plain[place])):
            own = self._plain[place]
            if f" {own} " not in rest or (len(own) == 1 and own.isascii() and own.isalpha()):
                continue
            if own in _STARTERS and not words.startswith(f" {own} "):
                continue
            if _NUMBER.fullmatch(own) and (len(_NUMBER.findall(words)) > 1 or _BOUND.search(text)):
                return {None}
            found |= self.equal(own)
            rest = rest.replace(f" {own} ", "   ")
        left = set(rest.split())
        polar = any(own in _STARTERS and f" {own} " in rest for own in self._plain)
        return {None} if found and (polar or self._others(found) & left) else found

    def _others(self, found: set[int | None]) -> set[str]:
        """The longer words of the options that are not ``found``: one of them is half a mention."""
        own = {word for at, words in enumerate(self._plain) if at in found for word in words.split()}
        return {word for words in self._plain for word in words.split() if len(word) > 3} - own

    def beside(self, text: str, place: int) -> list[str]:
        """The words of ``text`` that are not those of the option."""
        own = self._plain[place]
        return f" {plain(text)} ".replace(f" {own} ", " ").split()

    def without(self, text: str) -> str:
        """``text`` without the options' own words, of which "not" may be one."""
        for own in sorted(self.texts, key=len, reverse=True):
            if len(own) > 1:
                text = re.sub(re.escape(own.rstrip(".!?")), " ", text, flags=re.IGNORECASE)
        return text

    def reference(self, text: str) -> int | None:
        """The option that a reference stands for, its text or its letter or both; None if that is unclear."""
        text = unicodedata.normalize("NFKC", text).strip()
        lone, head = LONE.fullmatch(text), _HEADED.match(text)
        if lone and lone[1].upper() in self.letters:
            return self.lettered(lone[1])
        if head and text.casefold() not in self._folded:
            place = self.lettered(head[1])
            return place if place in self.equal(text[head.end() :]) else None
        found = self.equal(text)
        return found.pop() if len(found) == 1 else None
