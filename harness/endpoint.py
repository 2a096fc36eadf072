"""One server that speaks the OpenAI chat protocol: what endpoint models and judges share.

Key and address, the late import of the ``openai`` package, retries, and the translation of whatever
may go wrong into a status and one line of text without keys. Retries are the client's own: it tries
connection failures, time-outs, 408, 409, 429 and 5xx again, ``retries`` times at most, with growing
pauses or the server's ``Retry-After`` (up to two minutes); every other reply is final. The body is read
here rather than by the client, whose answers are not validated.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from harness.completion import read_completion, read_error
from harness.errors import HarnessError, UsageError
from harness.redaction import bare_url, one_line, redact
from harness.types import Answer, Status

if TYPE_CHECKING:
    import openai

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent where a server of one's own needs no key; the client insists on some text."""

Message = Mapping[str, Any]
"""One message of a chat as the protocol has it: role and content."""


class Endpoint:
    """A chat model behind an OpenAI-compatible server; safe to use from many threads.

    model: the name the server knows it by. base_url: address up to and including ``/v1``; None takes
    ``OPENAI_BASE_URL``, then OpenAI. role: whose endpoint it is, so that errors name the right flags.
    key_env: environment variable with the key. concurrency: calls under way at once, made by the
    caller. timeout: seconds without a byte from the server before a call is given up. retries: further
    tries of one call. Raises UsageError for values out of range.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        role: Literal["model", "judge"] = "model",
        key_env: str = "OPENAI_API_KEY",
        concurrency: int = 8,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        self.model = model
        self.url_flag = "--base_url" if role == "model" else "--judge_base_url"
        self.args_flag = f"--{role}_args"
        self.key_env = key_env
        self._base_url = base_url
        self._timeout = timeout
        self._retries = retries
        self._patience = 3 * concurrency
        self._silences = 0
        self._length_option = "max_tokens"
        self._lock = Lock()
        self._made: openai.OpenAI | None = None
        self._secret: str | None = None
        if not model.strip():
            raise UsageError(f"the {role} has no name: write e.g. openai:gpt-4o")
        for name, value, least in (("concurrency", concurrency, 1), ("retries", retries, 0)):
            if value < least:
                raise UsageError(f"{self.args_flag} {name}={value} is too low: give at least {least}")
        if not timeout > 0:
            raise UsageError(f"{self.args_flag} timeout={timeout:g} must be above 0 seconds")

    @property
    def url(self) -> str:
        """The address in force. Raises UsageError when it is none."""
        source, url = self.url_flag, self._base_url
        if not url:
            source, url = "OPENAI_BASE_URL", os.environ.get("OPENAI_BASE_URL")
        url = ((url or "").strip() or OPENAI_URL).rstrip("/").removesuffix("/chat/completions")
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise UsageError(f"{source} must read like http://localhost:8000/v1, not {bare_url(url)!r}")
        return url

    @property
    def key(self) -> str | None:
        """The key from the environment, None without one. Raises UsageError when it cannot be one."""
        key = os.environ.get(self.key_env, "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise UsageError(f"{self.key_env} holds a character no key has: export it again")
        return key or None

    def check(self) -> None:
        """Raises UsageError, without any network, when the address is wrong or the key is missing."""
        host = urlsplit(self.url).hostname
        if self.key is None and host == urlsplit(OPENAI_URL).hostname:
            raise UsageError(
                f"no API key: export {self.key_env}=..., "
                f"or name a server that needs none with {self.url_flag}"
            )

    def load(self) -> None:
        """Import the client and build it; raises UsageError as ``check`` does."""
        self._client()

    def ask(self, messages: Sequence[Message], *, max_tokens: int, temperature: float | None) -> Answer:
        """One reply. Its text is as the server gave it (perhaps empty); a failed call is a status.

        ``meta`` holds the server's model id, usage and finish reason. Raises HarnessError where no
        further call could succeed: bad key, unknown model, no credit, an option the model refuses, a
        server that has been out of reach for three rounds of calls.
        """
        import openai

        option = self._length_option
        request: dict[str, Any] = {"model": self.model, "messages": list(messages), option: max_tokens}
        if temperature is not None:
            request["temperature"] = temperature
        create: Callable[..., Any] = self._client().chat.completions.with_raw_response.create
        try:
            body = create(**request).content
        except openai.APIConnectionError as error:
            return self._silent(error, timed_out=isinstance(error, openai.APITimeoutError))
        except openai.APIStatusError as error:
            self._silences = 0
            if option == "max_tokens" and error.param == "max_tokens" and _unsupported(error):
                # Newer models of OpenAI know the same limit by another name only.
                self._length_option = "max_completion_tokens"
                return self.ask(messages, max_tokens=max_tokens, temperature=temperature)
            return self._refused(error)
        self._silences = 0
        return self._clean(read_completion(body))

    def _client(self) -> openai.OpenAI:
        with self._lock:
            if self._made is None:
                import openai

                self.check()
                self._secret = self.key
                self._made = openai.OpenAI(
                    api_key=self._secret or NO_KEY,
                    base_url=self.url,
                    max_retries=self._retries,
                    timeout=openai.Timeout(self._timeout, connect=min(self._timeout, 10.0)),
                )
            return self._made

    def _silent(self, error: openai.APIConnectionError, timed_out: bool) -> Answer:
        """No reply at all. One is the sample's failure, too many in a row are the server's."""
        where = bare_url(self.url)
        cause = one_line(str(error.__cause__ or "") or "no connection", self._secret)
        problem = f"no reply within {self._timeout:g} s" if timed_out else f"cannot reach {where}: {cause}"
        with self._lock:
            self._silences += 1
            silences = self._silences
        if silences >= self._patience:
            raise HarnessError(
                f"{where} has failed {silences} calls in a row ({problem}): see that the server runs and "
                f"{self.url_flag} names it, then type the same command again; what is answered is kept"
            )
        return Answer(status=Status.TIMEOUT if timed_out else Status.MODEL_ERROR, error=problem)

    def _refused(self, error: openai.APIStatusError) -> Answer:
        """A reply of 4xx or 5xx."""
        code = error.status_code
        status, said = read_error(code, error.body)
        said = one_line(said, self._secret)
        self._stop_if_final(error, said)
        return Answer(status=status, error=f"HTTP {code}: {said}", meta={"http": code})

    def _stop_if_final(self, error: openai.APIStatusError, said: str) -> None:
        """Raise HarnessError for a reply that every further call would get, too."""
        code, where = error.status_code, bare_url(self.url)
        again = "then type the same command again; what is answered is kept"
        if code == 401:
            fault = f"refuses the key in {self.key_env}" if self._secret else "wants a key"
            raise HarnessError(
                f"{where} {fault} (HTTP 401): export {self.key_env}=... with a valid one, {again}"
            )
        if code == 404:
            raise HarnessError(
                f"{where} knows no model {self.model!r}, or is not an address that ends in /v1 "
                f"(HTTP 404: {said}): correct the name or {self.url_flag}, {again}"
            )
        if code == 402 or "insufficient_quota" in (error.code, error.type):
            raise HarnessError(
                f"{where} says the account has no credit left (HTTP {code}): top it up, {again}"
            )
        if error.param == "temperature" and _unsupported(error):
            raise HarnessError(
                f"{self.model} does not take this temperature ({said}): "
                f"add {self.args_flag} temperature=none, {again}"
            )

    def _clean(self, answer: Answer) -> Answer:
        """The same without the key, should the server have put it into its reply."""
        key = self._secret
        return Answer(
            text=redact(answer.text, key, patterns=False),
            status=answer.status,
            error=one_line(answer.error, key) if answer.error else "",
            meta={k: redact(v, key) if isinstance(v, str) else v for k, v in answer.meta.items()},
        )


def _unsupported(error: openai.APIStatusError) -> bool:
    return error.status_code == 400 and error.code in ("unsupported_parameter", "unsupported_value")
