"""When calls to a server had better end: what every further one would get, too, and no use for long.

Each question is answered with the sentence that ends the run, or None; nothing is asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from harness.chat_call import Reply
from harness.pacing import Ended, Pace
from harness.retrying import IN_HAND
from harness.types import Status

SILENT_ROUNDS = (3, 8)
"""Rounds of calls without a reply that end a run: before the server's first answer, and later."""
FAILED_ROUNDS = 6
"""Rounds of failed calls that end a run before the server's first answer; half a minute of pauses."""
REFUSED_ROUNDS = 20
"""Rounds of refused calls that end a run; the pauses between them add up to a quarter of an hour. One call
that is always refused, for its size perhaps, is given up sooner (``harness.retrying``)."""
LONGEST_WAIT = 600.0
"""Seconds of ``Retry-After`` that are waited for."""
_AGAIN = "then type the same command again; what is answered is kept"
_CURES = {"temperature": "temperature=none", "detail": "detail=auto", "video_url": "frames=images"}
"""What to type when a server does not take a field."""
_KEY_REFUSED, _NO_CREDIT = "API key not valid", "credit balance is too low"
"""How Gemini and Anthropic say, with HTTP 400, what others say with 401 and 402."""


@dataclass(frozen=True, slots=True)
class Words:
    """How to name a server to whoever asks it: its address, model, flags and the variable of its key."""

    where: str
    model: str
    url_flag: str
    args_flag: str
    key_env: str
    keyed: bool
    """Whether there is a key."""


def final(reply: Reply, words: Words) -> str | None:
    """Where every further call would get this reply, too."""
    http, where = reply.http, words.where
    said = reply.answer.error.removeprefix(f"HTTP {http}: ")
    if http == 401 or _KEY_REFUSED in said:
        fault = f"refuses the key in {words.key_env}" if words.keyed else "wants a key"
        return f"{where} {fault} (HTTP {http}): export {words.key_env}=... with a valid one, {_AGAIN}"
    if http == 404:
        return (
            f"{where} knows no model {words.model!r}, or is not an address that ends in /v1 "
            f"(HTTP 404: {said}): correct the name or {words.url_flag}, {_AGAIN}"
        )
    if http == 402 or "insufficient_quota" in (reply.code, reply.kind) or _NO_CREDIT in said:
        return f"{where} says the account has no credit left (HTTP {http}): top it up, {_AGAIN}"
    if reply.unsupported in _CURES:
        return (
            f"{words.model} at {where} does not take this {reply.unsupported} ({said}): "
            f"add {words.args_flag} {_CURES[reply.unsupported]}, {_AGAIN}"
        )
    return None


def rejecting(reply: Reply, words: Words) -> str:
    """For a server that rejects even a mere word like this."""
    return (
        f"{words.where} takes no call for {words.model!r} ({reply.answer.error}): "
        f"correct the name, or the option in {words.args_flag} that it complains about, {_AGAIN}"
    )


def unreliable(reply: Reply, words: Words) -> str:
    """For a server that uses up the retries that a run has in hand."""
    return (
        f"calls to {words.where} fail more often than they succeed, and the {IN_HAND} retries in hand are "
        f"used up (the last time {reply.answer.error}): see what ails it, or take failures as they are with "
        f"{words.args_flag} retries=0, {_AGAIN}"
    )


class Patience:
    """How long one server has been of no use to any call; safe to use from many threads."""

    def __init__(self) -> None:
        self._silences = self._failures = 0
        self._lock = Lock()

    def end(self, reply: Reply, pace: Pace, words: Words) -> str | None:
        """Where it is over with this reply, to a call that was not accepted."""
        where, said = words.where, reply.answer.error
        with self._lock:
            self._silences = self._silences + 1 if reply.http is None else 0
            self._failures = self._failures + 1 if reply.ended is Ended.FAILED else 0
            silences, failures = self._silences, self._failures
        if pace.rounds >= SILENT_ROUNDS[pace.accepted > 0] and silences > pace.rounds:
            slow = f"give it longer with {words.args_flag} timeout=..., or "
            return (
                f"{where} has failed {silences} calls in a row ({said}): "
                f"{slow if reply.answer.status is Status.TIMEOUT else ''}see that the server runs and "
                f"{words.url_flag} names it, {_AGAIN}"
            )
        if not pace.accepted and pace.rounds >= FAILED_ROUNDS and failures > pace.rounds:
            return (
                f"{where} has answered none of {failures} calls ({said}): see in its log why, and "
                f"whether it serves a model {words.model!r}, {_AGAIN}"
            )
        if reply.ended is Ended.REFUSED and pace.rounds >= REFUSED_ROUNDS:
            return f"{where} has refused every call for long ({said}): wait, {_AGAIN}"
        if reply.retry_after is not None and reply.retry_after > LONGEST_WAIT:
            return f"{where} takes no call for {reply.retry_after / 3600:.1f} hours ({said}): wait, {_AGAIN}"
        return None
