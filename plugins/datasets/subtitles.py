"""Subtitles: files in SubRip (.srt), WebVTT (.vtt) and LongVideoBench's JSON, and what is said when."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness import UsageError

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d+))?"
_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}.*")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True, slots=True)
class Cue:
    """A line of speech, shown from ``start`` to ``end`` seconds."""

    start: float
    end: float
    text: str


def read_cues(path: Path, offset: float = 0.0) -> list[Cue]:
    """All cues in the file's order, markup removed, ``offset`` seconds taken from their times.

    Raises UsageError when the file cannot be read or holds no cue at all.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"the subtitles {path} cannot be read: {error.strerror}") from error
    cues = _from_json(path, text) if path.suffix.lower() == ".json" else _from_text(text)
    if not cues and text.strip():
        raise UsageError(f"{path} holds no subtitles: it must be .srt, .vtt or LongVideoBench's .json")
    return [Cue(cue.start - offset, cue.end - offset, cue.text) for cue in cues]


def spoken(cues: Iterable[Cue], times: Sequence[float]) -> list[str]:
    """What is said at any of ``times`` (seconds, ascending), each cue once, in their order."""
    found = [cue.text for cue in cues if bisect_left(times, cue.start) < bisect_right(times, cue.end)]
    return [text for text, before in zip(found, [None, *found], strict=False) if text and text != before]


def digest(path: Path) -> str:
    """16 hexadecimal digits over the file. Raises UsageError when it cannot be read."""
    try:
        return blake2b(path.read_bytes(), digest_size=8).hexdigest()
    except OSError as error:
        raise UsageError(f"the subtitles {path} cannot be read: {error.strerror}") from error


def _from_text(text: str) -> list[Cue]:
    cues: list[Cue] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for spot, line in enumerate(lines):
        span = _SPAN.fullmatch(line)
        if span is not None:
            said = []
            for following in lines[spot + 1 :]:
                if not following.strip():
                    break
                said.append(_plain(following))
            parts = span.groups()
            cues.append(Cue(_seconds(*parts[:4]), _seconds(*parts[4:]), " ".join(filter(None, said))))
    return cues


def _from_json(path: Path, text: str) -> list[Cue]:
    try:
        return [_cue(item) for item in json.loads(text)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} holds no subtitles of LongVideoBench ({type(error).__name__}: {error})"
        ) from error


def _cue(item: dict[str, Any]) -> Cue:
    """Both forms that LongVideoBench's files have; an end that is not known lasts as long as it may."""
    if "timestamp" in item:
        start, end = item["timestamp"]
        return Cue(float(start), float("inf") if end is None else float(end), _plain(item["text"]))
    start, end = (re.fullmatch(_TIME, item[name].strip()) for name in ("start", "end"))
    if start is None or end is None:
        raise ValueError(f"no times: {str(item)[:60]}")
    return Cue(_seconds(*start.groups()), _seconds(*end.groups()), _plain(item["line"]))


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")


def _plain(text: str) -> str:
    return " ".join(_TAG.sub("", text).split())
