"""A model whose every call is written down before it is answered: what was asked twice can be counted.

Its answer is the digest of what it was asked, so that a stored answer tells which call it came from.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from harness import Answer, Clip, Prompt, Spec, hookimpl


class Counted:
    """Answers with a digest. seconds: how long it takes for one answer."""

    version = 1
    transport = frozenset({"seconds"})
    max_batch = 4

    def __init__(self, seconds: float = 0.004) -> None:
        self.seconds = seconds

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[Answer]:
        digests = [_digest(prompt) for prompt in prompts]
        calls = os.open(os.environ["TORTURE_CALLS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(calls, "".join(f"{digest}\n" for digest in digests).encode())
        os.close(calls)
        for digest in digests:
            time.sleep(self.seconds)
            yield Answer(digest)


def _digest(prompt: Prompt) -> str:
    state = blake2b(digest_size=8)
    for part in prompt.parts:
        if isinstance(part, str):
            state.update(part.encode())
        else:
            state.update((part.frames if isinstance(part, Clip) else part).tobytes())
    return state.hexdigest()


@hookimpl
def harness_models() -> list[Spec]:
    return [Spec("counted", "counted:Counted", "answers with digests, and writes down every call")]
