"""Words as judges compare them, in scripts with and without spaces."""

from __future__ import annotations

import re

from .exact import normalise

# Kana, ideographs and Thai are written without spaces: each character stands for a word.
_UNSPACED = re.compile(r"([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


def spaced(text: str) -> str:
    """``text`` with spaces around the characters of scripts that have none between words."""
    return _UNSPACED.sub(r" \1 ", text)


def plain(text: str) -> str:
    """The words of ``text``, one space apart, as ``exact.normalise`` makes them one."""
    return normalise(spaced(text))
