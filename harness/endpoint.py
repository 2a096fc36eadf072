"""One server that speaks the OpenAI chat protocol: what endpoint models and judges share.

Key and address, the late import of the ``openai`` package, the pace of calls and their retries, and what
ends a whole run. Tried again are refusals (429), time-outs, lost connections, 5xx and replies that are no
completion, within bounds (``harness.retrying``); every other reply is final. All waiting happens at one
gate, which the harness closes when a run ends.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.budget import Budget
from harness.chat_call import ChatServer, Reply
from harness.errors import HarnessError, UsageError
from harness.gate import Gate
from harness.pacing import Ended
from harness.providers import ProviderName, address, provider_named
from harness.redaction import bare_url
from harness.retrying import IN_HAND, RetryBudget, Tries
from harness.types import Answer

CONCURRENCY = 64
"""Calls under way at once at most; how many there are is learnt from the server."""
RETRIES = 6
SILENT_ROUNDS = (3, 8)
"""Rounds of calls without a reply that end a run: before the server's first answer, and later."""
REFUSED_ROUNDS = 20
"""Rounds of refused calls that end a run; the pauses between them add up to a quarter of an hour. One call
that is always refused, for its size perhaps, is given up sooner (``harness.retrying``)."""
LONGEST_WAIT = 600.0
"""Seconds of ``Retry-After`` that are waited for."""
_CURES = {"temperature": "temperature=none", "detail": "detail=auto", "video_url": "frames=images"}
"""What to type when a server does not take a field."""
_KEY_REFUSED, _NO_CREDIT = "API key not valid", "credit balance is too low"
"""How Gemini and Anthropic say, with HTTP 400, what others say with 401 and 402."""
_AGAIN = "then type the same command again; what is answered is kept"

Message = Mapping[str, Any]
"""One message of a chat as the protocol has it: role and content."""


class Endpoint:
    """A chat model behind an OpenAI-compatible server; safe to use from many threads.

    model: the name the server knows it by. provider: whose server, which says where it is and which
    environment variable holds the key; base_url (up to and including ``/v1``) and key_env go before that.
    role: whose endpoint it is, so that errors name the right flags. concurrency: calls under way at once, at
    most. timeout: seconds without a byte from the server before a call is given up. retries: further tries
    of one call. Raises UsageError for values out of range.

    The harness looks at ``gate`` for how many calls to have under way, and sets ``budget``.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        provider: ProviderName = "openai",
        role: Literal["model", "judge"] = "model",
        key_env: str | None = None,
        concurrency: int = CONCURRENCY,
        timeout: float = 60.0,
        retries: int = RETRIES,
    ) -> None:
        self.model = model
        self.url_flag = "--base_url" if role == "model" else "--judge_base_url"
        self.args_flag = f"--{role}_args"
        self.provider = provider_named(provider, self.args_flag)
        self.key_env = key_env or self.provider.key_env
        if not model.strip():
            raise UsageError(f"the {role} has no name: write e.g. {provider}:{self.provider.example}")
        for name, value, least in (("concurrency", concurrency, 1), ("retries", retries, 0)):
            if value < least:
                raise UsageError(f"{self.args_flag} {name}={value} is too low: give at least {least}")
        if not timeout > 0:
            raise UsageError(f"{self.args_flag} timeout={timeout:g} must be above 0 seconds")
        self.gate = Gate(concurrency)
        self.budget = Budget()
        self._base_url = base_url
        self._timeout = timeout
        self._retries = retries
        self._retry_budget = RetryBudget()
        self._silences = 0
        self._length_option = "max_tokens"
        self._lock = Lock()
        self._made: ChatServer | None = None

    @property
    def url(self) -> str:
        """The address in force. Raises UsageError when it is none."""
        return address(self.provider, self._base_url, self.url_flag)

    @property
    def key(self) -> str | None:
        """The key from the environment, None without one. Raises UsageError when it cannot be one."""
        key = os.environ.get(self.key_env, "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise UsageError(f"{self.key_env} holds a character no key has: export it again")
        return key or None

    def check(self) -> None:
        """Raises UsageError, without any network, when the address is wrong or the key is missing."""
        url, provider = self.url, self.provider
        # Another address than the provider's own may be one that needs no key.
        theirs = provider.url is None or urlsplit(url).hostname == urlsplit(provider.url).hostname
        if self.key is None and theirs and not provider.own:
            raise UsageError(
                f"no API key: export {self.key_env}=..., "
                f"or name a server that needs none with {self.url_flag}"
            )

    def load(self) -> None:
        """Import the client and build it; raises UsageError as ``check`` does."""
        self._server()

    def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float | None,
        extra: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One reply. Its text is as the server gave it (perhaps empty); a failed call is a status.

        extra: further fields of the request.

        Waits for its turn. ``meta`` holds the server's model id, usage and finish reason. Raises
        HarnessError where no further call could succeed: bad key, unknown model, no credit, an option the
        model refuses, a server that has been out of reach or refused every call for long, more retries
        than the run has, no budget left, or a gate that is closed.
        """
        tries, delay, attempt = Tries(self._retries), 0.0, 0
        heat = {} if temperature is None else {"temperature": temperature}
        while True:
            option = self._length_option
            # Not as arguments: older clients refuse some that servers know.
            body = {option: max_tokens, **heat, **(extra or {})}
            request = {"model": self.model, "messages": list(messages), "extra_body": body}
            reply = self._once(request, delay, attempt)
            if option == reply.unsupported == "max_tokens":
                # Newer models of OpenAI know the same limit by another name only.
                self._length_option = "max_completion_tokens"
                continue
            self._stop_if_final(reply)
            if reply.ended is Ended.ACCEPTED:
                self._retry_budget.give_back()
                return reply.answer
            self._stop_if_hopeless(reply)
            wait = tries.again(reply.ended, reply.answer.error, self.gate.pace.accepted)
            if wait is None:
                return reply.answer
            if reply.ended is Ended.FAILED and not self._retry_budget.take():
                raise HarnessError(
                    f"calls to {self._where} fail more often than they succeed, and the {IN_HAND} retries in "
                    f"hand are used up (the last time {reply.answer.error}): see what ails it, or take "
                    f"failures as they are with {self.args_flag} retries=0, {_AGAIN}"
                )
            delay, attempt = wait, attempt + 1

    def _once(self, request: Mapping[str, Any], delay: float, attempt: int) -> Reply:
        """One call when its turn has come, counted and booked."""
        server = self._server()
        turn = self.gate.enter(delay)
        reply: Reply | None = None
        try:
            aside = self.budget.begin()
            try:
                reply = server.call(request, attempt)
            finally:
                usage = reply.answer.meta.get("usage") if reply else None
                answered = reply is not None and reply.http == 200 and reply.ended is Ended.ACCEPTED
                self.budget.end(self.model, usage, aside, answered)
        finally:
            if reply is None:
                self.gate.leave(turn, None)
            else:
                wait = reply.retry_after
                # A run ends rather than wait for hours, and the next one asks anew.
                self.gate.leave(turn, reply.ended, wait if wait is None or wait <= LONGEST_WAIT else None)
        return reply

    def _server(self) -> ChatServer:
        with self._lock:
            if self._made is None:
                self.check()
                self._made = ChatServer(self.url, self.key, self._timeout, self.provider.name == "openai")
            return self._made

    @property
    def _where(self) -> str:
        return bare_url(self.url)

    def _stop_if_final(self, reply: Reply) -> None:
        """Raise HarnessError for a reply that every further call would get, too."""
        http, where = reply.http, self._where
        said = reply.answer.error.removeprefix(f"HTTP {http}: ")
        if http == 401 or _KEY_REFUSED in said:
            fault = f"refuses the key in {self.key_env}" if self.key else "wants a key"
            raise HarnessError(
                f"{where} {fault} (HTTP {http}): export {self.key_env}=... with a valid one, {_AGAIN}"
            )
        if http == 404:
            raise HarnessError(
                f"{where} knows no model {self.model!r}, or is not an address that ends in /v1 "
                f"(HTTP 404: {said}): correct the name or {self.url_flag}, {_AGAIN}"
            )
        if http == 402 or "insufficient_quota" in (reply.code, reply.kind) or _NO_CREDIT in said:
            raise HarnessError(
                f"{where} says the account has no credit left (HTTP {http}): top it up, {_AGAIN}"
            )
        if reply.unsupported in _CURES:
            raise HarnessError(
                f"{self.model} at {where} does not take this {reply.unsupported} ({said}): "
                f"add {self.args_flag} {_CURES[reply.unsupported]}, {_AGAIN}"
            )

    def _stop_if_hopeless(self, reply: Reply) -> None:
        """Raise HarnessError when the server has been of no use to any call for long."""
        pace, said = self.gate.pace, reply.answer.error
        with self._lock:
            self._silences = self._silences + 1 if reply.http is None else 0
            silences = self._silences
        if pace.rounds >= SILENT_ROUNDS[pace.accepted > 0] and silences > pace.rounds:
            raise HarnessError(
                f"{self._where} has failed {silences} calls in a row ({said}): see that the server runs and "
                f"{self.url_flag} names it, {_AGAIN}"
            )
        if reply.ended is Ended.REFUSED and pace.rounds >= REFUSED_ROUNDS:
            raise HarnessError(f"{self._where} has refused every call for long ({said}): wait, {_AGAIN}")
        if reply.retry_after is not None and reply.retry_after > LONGEST_WAIT:
            raise HarnessError(
                f"{self._where} takes no call for {reply.retry_after / 3600:.1f} hours ({said}): "
                f"wait, {_AGAIN}"
            )


def server_of(plugin: object) -> Endpoint | None:
    """The endpoint that a model or judge asks through, where it has one."""
    server = getattr(plugin, "server", None)
    return server if isinstance(server, Endpoint) else None
