"""The tokens and the price of calls to servers: by what earlier calls took, else by assumption.

No two servers count the tokens of an image alike. So the mean of stored answers of the same model to the
same data set and frames, or of stored verdicts of the same judge, goes before any formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from harness.budget import Price, tokens
from harness.cache import Cache
from harness.cell import Cell, digest
from harness.endpoint import server_of
from harness.errors import CacheError
from harness.estimate import Estimate, Judging
from harness.inventory import parts_of
from harness.judging import verdict_path
from harness.registry import Built
from harness.types import Status

PIXELS_PER_TOKEN = 750
"""Anthropic's rule for images. Qwen2.5-VL takes 784 (28 x 28), the tiles of GPT-4o 834 at 1280 x 720."""
LOW_DETAIL = 85
"""Tokens of an image at ``detail=low``, whatever its size: GPT-4o's. Other models bill other numbers."""
CHARACTERS_PER_TOKEN = 4
"""Of English; other languages have fewer."""
WORDING = 50
"""Tokens of a model's prompt beside question and options."""
RUBRIC = 500
"""Tokens of a judge's instructions and of an answer that is not there yet."""

Tokens = tuple[float, float]
"""In and out."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the calls to one server for one cell come to.

    role: ``model`` or ``judge``. name: its own; model: what the server calls it. calls: at most, retries
    not counted. input, output: tokens of all calls. dollars: None where no price is known. basis: where
    the tokens come from.
    """

    role: str
    name: str
    model: str
    calls: int
    input: int
    output: int
    dollars: float | None
    basis: str


def costs(estimate: Estimate, work_dir: Path, prices: Mapping[str, Price]) -> list[Cost]:
    """Of the cell's model and of each judge, where a server is asked. Raises CacheError."""
    cell = estimate.cell
    answers = _cost(
        cell.model,
        len(estimate.work.calls),
        partial(_of_answers, cell, work_dir),
        partial(_for_answers, estimate),
        prices,
    )
    verdicts = (
        _cost(
            part.judge,
            part.cases,
            partial(_of_verdicts, part.judge, work_dir),
            partial(_for_verdicts, part),
            prices,
        )
        for part in estimate.judging
    )
    return [cost for cost in (answers, *verdicts) if cost is not None]


def _cost(
    built: Built[Any],
    calls: int,
    stored: Callable[[], list[Tokens]],
    assumed: Callable[[], tuple[Tokens, str]],
    prices: Mapping[str, Price],
) -> Cost | None:
    server = server_of(built.plugin)
    if server is None:
        return None
    total: Tokens = (0, 0)
    basis = "no call is left"
    usages = stored() if calls else []
    if usages:
        total = (calls * fmean(spent for spent, _ in usages), calls * fmean(said for _, said in usages))
        basis = f"the mean of {len(usages)} stored ones"
    elif calls:
        total, basis = assumed()
    spent, said = round(total[0]), round(total[1])
    price = prices.get(server.model)
    dollars = price.of(spent, said) / 1e6 if price else None
    return Cost(built.entry.kind, built.name, server.model, calls, spent, said, dollars, basis)


def _of_answers(cell: Cell, work_dir: Path) -> list[Tokens]:
    """Of each call in this cell's cache, else in one of the same frames under another noise."""
    own = cell.folder(work_dir) / f"{cell.stem()}.pkl"
    if found := _of_calls(own):
        return found
    for file in sorted(own.parent.glob("*.json")):
        path = file.with_suffix(".pkl")
        if path != own and _comparable(parts_of(path) or {}) == _comparable(cell.parts()):
            with suppress(CacheError):  # no concern of this run
                if found := _of_calls(path):
                    return found
    return []


def _of_calls(path: Path) -> list[Tokens]:
    """The samples of a pack share a call, and its key."""
    return _usages({record.get("key"): record for record in Cache(path).read().values()}.values())


def _comparable(parts: Mapping[str, Any]) -> str:
    return digest([parts.get(name) for name in ("model", "dataset", "frames")])


def _of_verdicts(judge: Built[Any], work_dir: Path) -> list[Tokens]:
    """Of each verdict; none for one that took no call, as where rules could tell."""
    records = list(Cache(verdict_path(work_dir, judge)).read().values())
    asked = _usages(records)
    free = sum(
        record.get("status") == Status.OK and not record.get("meta", {}).get("model") for record in records
    )
    return [*asked, *[(0, 0)] * free] if asked else []


def _usages(records: Iterable[Mapping[str, Any]]) -> list[Tokens]:
    usages = (tokens(record.get("meta", {}).get("usage")) for record in records)
    return [usage for usage in usages if usage is not None]


def _for_answers(estimate: Estimate) -> tuple[Tokens, str]:
    cell, work, options = estimate.cell, estimate.work, estimate.cell.model.options
    low = options.get("detail") == "low"
    sides = [side for side in (cell.long_side, options.get("long_side")) if side]
    images = 0.0
    for size in work.shown:
        if size is not None:
            count, height, width = size
            scale = min([1.0, *(side / max(height, width, 1) for side in sides)])
            images += count * (LOW_DETAIL if low else height * width * scale**2 / PIXELS_PER_TOKEN)
    text = sum(
        len(sample.question) + sum(map(len, sample.choices)) for call in work.calls for sample in call.group
    )
    image = f"{LOW_DETAIL} tokens an image" if low else f"one token for {PIXELS_PER_TOKEN} pixels"
    return _assumed(len(work.calls), images, WORDING, text, options, image)


def _for_verdicts(part: Judging) -> tuple[Tokens, str]:
    return _assumed(
        part.cases,
        0,
        RUBRIC,
        part.characters,
        part.judge.options,
        f"{RUBRIC} tokens of instructions and answer",
    )


def _assumed(
    calls: int, images: float, wording: int, characters: int, options: Mapping[str, Any], how: str
) -> tuple[Tokens, str]:
    most = options.get("max_tokens") or 0
    reply = f"replies as long as max_tokens={most} lets them be" if most else "none for replies"
    basis = f"assumed: {how}, one for {CHARACTERS_PER_TOKEN} characters, {reply}"
    return (images + calls * wording + characters / CHARACTERS_PER_TOKEN, float(calls * most)), basis
