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
from harness.dead_ends import LONGEST_WAIT, Patience, Words, final, rejecting, unreliable
from harness.errors import HarnessError, UsageError
from harness.gate import Gate
from harness.pacing import Ended
from harness.providers import ProviderName, address, provider_named
from harness.redaction import bare_url
from harness.retrying import RetryBudget, Tries
from harness.types import Answer, Status

CONCURRENCY = 64
"""Calls under way at once at most; how many there are is learnt from the server."""
RETRIES = 6
_WORD = {"role": "user", "content": "Hello"}
"""A call that can be rejected only where every other is, too."""

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
        self.gate = Gate(concurrency, long=timeout / 3)
        self.budget = Budget()
        self._base_url = base_url
        self._timeout = timeout
        self._retries = retries
        self._retry_budget = RetryBudget()
        self._patience = Patience()
        self._untried = True
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
        model refuses, a server that rejects even a word alone, one that has been out of reach or failed or
        refused every call for long, more retries than the run has, no budget left, or a gate that is closed.
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
            words = self._words
            _stop(final(reply, words))
            if reply.ended is Ended.ACCEPTED:
                self._stop_if_all_are_rejected(reply, request)
                self._retry_budget.give_back()
                return reply.answer
            _stop(self._patience.end(reply, self.gate.pace, words))
            wait = tries.again(reply.ended, reply.answer.error, self.gate.pace.accepted)
            if wait is None:
                return reply.answer
            if reply.ended is Ended.FAILED and not self._retry_budget.take():
                _stop(unreliable(reply, words))
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
    def _words(self) -> Words:
        where = bare_url(self.url)
        return Words(where, self.model, self.url_flag, self.args_flag, self.key_env, self.key is not None)

    def _stop_if_all_are_rejected(self, reply: Reply, request: Mapping[str, Any]) -> None:
        """Raise HarnessError when the first reply is a rejection, and a mere word is rejected like it.

        Many a server that does not know a model says so with HTTP 400.
        """
        with self._lock:
            first, self._untried = self._untried, False
        if not first or reply.http == 200 or reply.answer.status is Status.REFUSED:
            return
        if self._once({**request, "messages": [_WORD]}, 0.0, 0).http == reply.http:
            self._untried = True  # the next cell finds out, too
            _stop(rejecting(reply, self._words))


def _stop(sentence: str | None) -> None:
    if sentence is not None:
        raise HarnessError(sentence)


def server_of(plugin: object) -> Endpoint | None:
    """The endpoint that a model or judge asks through, where it has one."""
    server = getattr(plugin, "server", None)
    return server if isinstance(server, Endpoint) else None
