"""One HTTP call to a chat server: what came back, as an answer and as a sign of the server's health.

The ``openai`` client makes the call, once: its own retries would hide refusals from the pace of calls. The
body is read here rather than by the client, whose answers are not validated.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from harness.completion import read_completion, read_error
from harness.pacing import Ended
from harness.redaction import bare_url, one_line, redact
from harness.types import Answer, Status

if TYPE_CHECKING:
    import openai

NO_KEY = "none"
"""Sent where a server of one's own needs no key; the client insists on some text."""
_PASSING = {408, 409, 425}
"""Statuses of 4xx that say nothing about the call; 429 is a matter of its own."""
_FIELD = re.compile(r"\b(max_tokens|max_completion_tokens|video_url|temperature)\b|[`'\".](detail)\b")
_NOT_TAKEN = re.compile(
    r"unsupported|not support|deprecated|unknown|unrecognized|unexpected|not permitted|cannot find field"
    r"|supported values are",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call.

    http: the status, None when there was no whole reply. code, kind, param: what an error says of itself.
    retry_after: seconds the server asks to wait, None where it does not say.
    """

    answer: Answer
    ended: Ended
    http: int | None = None
    code: str | None = None
    kind: str | None = None
    param: str | None = None
    retry_after: float | None = None

    @property
    def unsupported(self) -> str | None:
        """The field that the model does not take, where that is what is wrong.

        OpenAI names it in ``param``; other servers do in words.
        """
        if self.http not in (400, 422):
            return None
        if self.code in ("unsupported_parameter", "unsupported_value"):
            return self.param
        said = self.answer.error
        named = _FIELD.search(said) if _NOT_TAKEN.search(said) else None
        return (named[1] or named[2]) if named else None


class ChatServer:
    """Calls to one address with one key; safe to use from many threads.

    url: with ``api-version`` in its query that of Azure's older API, which has a path for each deployment
    and the key in a header of its own. timeout: seconds without a byte from the server before a call is
    given up. account: whether the organisation and project of an OpenAI account may be told.
    """

    def __init__(self, url: str, key: str | None, timeout: float, account: bool = True) -> None:
        import openai

        self.where, self.key, self._timeout = bare_url(url), key, timeout
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        settings: dict[str, Any] = {
            "api_key": key or NO_KEY,
            "base_url": parts._replace(query="").geturl(),
            "max_retries": 0,
            "timeout": openai.Timeout(timeout, connect=min(timeout, 10.0)),
        }
        if "api-version" in query and not parts.path.endswith("/v1"):
            client: openai.OpenAI = openai.AzureOpenAI(api_version=query["api-version"], **settings)
        else:
            client = openai.OpenAI(default_query=query, **settings)
        if not account:
            # The client takes them from the environment.
            client.organization = client.project = None
        self._create: Callable[..., Any] = client.chat.completions.with_raw_response.create

    def call(self, request: Mapping[str, Any], attempt: int = 0) -> Reply:
        """Make one call; ``attempt`` counts the tries of one question, for the server's log."""
        import openai

        headers = {"x-stainless-retry-count": str(attempt)}
        try:
            body: bytes = self._create(**request, extra_headers=headers).content
        except openai.APIConnectionError as error:
            return self._silence(error, timed_out=isinstance(error, openai.APITimeoutError))
        except openai.APIStatusError as error:
            return self._error(error)
        answer = self._clean(read_completion(body))
        nonsense = answer.status is Status.MODEL_ERROR
        return Reply(answer, Ended.FAILED if nonsense else Ended.ACCEPTED, 200)

    def _silence(self, error: openai.APIConnectionError, timed_out: bool) -> Reply:
        cause = one_line(str(error.__cause__ or "") or "no connection", self.key)
        problem = (
            f"no reply within {self._timeout:g} s" if timed_out else f"cannot reach {self.where}: {cause}"
        )
        status = Status.TIMEOUT if timed_out else Status.MODEL_ERROR
        return Reply(Answer(status=status, error=problem), Ended.FAILED)

    def _error(self, error: openai.APIStatusError) -> Reply:
        http = error.status_code
        status, said = read_error(http, error.body)
        answer = Answer(status=status, error=f"HTTP {http}: {one_line(said, self.key)}", meta={"http": http})
        if http == 429:
            ended = Ended.REFUSED
        elif (http >= 500 or http in _PASSING) and status is not Status.REFUSED:
            ended = Ended.FAILED
        else:
            ended = Ended.ACCEPTED
        wait = retry_after(error.response.headers) if ended is not Ended.ACCEPTED else None
        return Reply(answer, ended, http, error.code, error.type, error.param, wait)

    def _clean(self, answer: Answer) -> Answer:
        """The same without the key, should the server have put it into its reply."""
        return Answer(
            text=redact(answer.text, self.key, patterns=False),
            status=answer.status,
            error=one_line(answer.error, self.key) if answer.error else "",
            meta={k: redact(v, self.key) if isinstance(v, str) else v for k, v in answer.meta.items()},
        )


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds that a reply asks to wait: ``Retry-After`` in seconds or as a date, or in milliseconds.

    None where it does not say, or says what cannot be read.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now())
    except (ValueError, TypeError, OverflowError):
        return None
