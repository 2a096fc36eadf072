"""Tokens and dollars that calls to servers have taken: those behind a rating, and those of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.budget import Price, tokens
from harness.endpoint import server_of
from harness.types import Verdict


def behind_rating(records: Iterable[Mapping[str, Any]], verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """The tokens of the answers and verdicts of a rating, whenever they were asked for.

    ``answers`` and ``verdicts``, each where servers have told. A call counts once, though several samples
    share it; failed tries and the members of a panel do not.
    """
    answers = {record["key"]: record["meta"] for record in records}
    # Equal answers to a question have one verdict between them.
    metas = {"answers": answers, "verdicts": {id(verdict): verdict.meta for verdict in verdicts}}
    found = {}
    for name, shared in metas.items():
        counted = [count for meta in shared.values() if (count := tokens(meta.get("usage"))) is not None]
        if counted:
            found[name] = _line(len(counted), *map(sum, zip(*counted, strict=True)))
    return found


def of_run(plugins: Iterable[object]) -> dict[str, dict[str, Any]]:
    """The calls of this run so far, by all ranks, tries included: by model, as its server calls it."""
    found = {}
    for server in filter(None, map(server_of, plugins)):
        line = _line(*server.budget.counted(server.model))
        if line["calls"]:
            price = server.budget.prices.get(server.model)
            found[server.model] = {**line, "dollars": _dollars(price, line)}
    return found


def sentences(spent: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each model."""
    return [
        f"{model}: {line['calls']:,} call{'s' * (line['calls'] != 1)}, {line['prompt_tokens']:,} tokens in, "
        f"{line['completion_tokens']:,} out, "
        + ("no price known (--prices FILE)" if line["dollars"] is None else f"${line['dollars']:,.4f}")
        for model, line in spent.items()
    ]


def _line(calls: int, spent: int, said: int) -> dict[str, Any]:
    return {"calls": calls, "prompt_tokens": spent, "completion_tokens": said}


def _dollars(price: Price | None, line: Mapping[str, int]) -> float | None:
    return None if price is None else price.of(line["prompt_tokens"], line["completion_tokens"]) / 1e6
