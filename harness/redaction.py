"""Texts that may be shown and stored: no API keys, no credentials in addresses, one line, whole Unicode."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HIDDEN = "[key]"
SHORTEST_KEY = 6
"""Shorter ones ("EMPTY", "x") are placeholders; hiding them would mangle ordinary words."""

# OpenAI's form, what follows "Bearer", and keys that a server has masked but for their ends.
_KEY = re.compile(r"\bsk-[\w*.-]{8,}|(?i:\bbearer\s+)[\w*.~+/=-]{6,}|(?<![\w-])[\w-]+\*{3,}[\w-]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def redact(text: str, key: str | None, *, patterns: bool = True) -> str:
    """``text`` without ``key`` and, with ``patterns``, without whatever else looks like a key."""
    if key is not None and len(key) >= SHORTEST_KEY:
        text = text.replace(key, HIDDEN)
    return _KEY.sub(HIDDEN, text) if patterns else text


def one_line(text: str, key: str | None = None, limit: int = 300) -> str:
    """A redacted text on a single line of at most ``limit`` characters."""
    line = " ".join(redact(text, key).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def bare_url(url: str) -> str:
    """An address without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable address"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def whole(text: str) -> str:
    """``text`` with lone surrogates, which no file or request can hold, replaced by U+FFFD."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
