"""What a run may spend on calls, and what it has spent: models and judges, and all ranks, together.

Prices come from a TOML file, in US dollars per million tokens, under the names that servers know::

    ["gpt-4o"]
    input = 2.50
    output = 10.00
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, IncompleteError, UsageError

_MICRO = 1_000_000
_CALLS, _SPENT = "budget/calls", "budget/microdollars"
_LEDGER = ("calls", "in", "out")


class BudgetError(IncompleteError):
    """No further call may begin: the run has made or paid for as many as it may."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def of(self, spent: float, said: float) -> int:
        """Millionths of a dollar for tokens in and out."""
        return round(spent * self.input + said * self.output)


def tokens(usage: Mapping[str, int] | None) -> tuple[int, int] | None:
    """Tokens in and out by what a server says of a call; None where it does not say.

    Gemini counts those of thinking aloud in the total alone.
    """
    if not usage or "prompt_tokens" not in usage:
        return None
    spent = usage["prompt_tokens"]
    return spent, max(usage.get("completion_tokens", 0), usage.get("total_tokens", 0) - spent)


class Budget:
    """Counts calls and their cost; safe to use from many threads.

    add: adds to a named counter that all ranks share and returns its value; as ``Ranks.add``.
    """

    def __init__(
        self,
        max_calls: int | None = None,
        max_cost: float | None = None,
        prices: Mapping[str, Price] | None = None,
        add: Callable[[str, int], int] | None = None,
    ) -> None:
        self.max_calls, self.max_cost, self.prices = max_calls, max_cost, prices or {}
        self._add = add or _Counters().add
        self._dearest = 0
        self._unpriced = ""

    @property
    def calls(self) -> int:
        """Calls made, tries included."""
        return self._add(_CALLS, 0)

    @property
    def dollars(self) -> float:
        """What the calls cost as far as known, with what is put aside for those under way."""
        return self._add(_SPENT, 0) / _MICRO

    def begin(self) -> int:
        """Count a call before it is made; returns what is put aside for it, to be given to ``end``.

        That is the price of the dearest call so far. Raises BudgetError when the call would be one too
        many or might cost too much, and HarnessError when costs cannot be known.
        """
        if self._unpriced:
            raise HarnessError(
                f"{self._unpriced} says nothing about tokens, so --max_cost cannot be kept: "
                "use --max_calls in its place; what is answered is kept"
            )
        if self.max_calls is not None and self._add(_CALLS, 1) > self.max_calls:
            self._add(_CALLS, -1)
            raise BudgetError(f"--max_calls {self.max_calls} is reached")
        if self.max_calls is None:
            self._add(_CALLS, 1)
        if self.max_cost is None:
            return 0
        aside = self._dearest
        total = self._add(_SPENT, aside)
        if total > self.max_cost * _MICRO or (not aside and total >= self.max_cost * _MICRO):
            self._add(_SPENT, -aside)
            self._add(_CALLS, -1)
            raise BudgetError(
                f"--max_cost {self.max_cost:g} allows no further call "
                f"({self.calls} calls so far for ${self.dollars:.4f})"
            )
        return aside

    def end(self, model: str, usage: Mapping[str, int] | None, aside: int, answered: bool) -> None:
        """Book a call that was begun. ``usage``: its tokens, where the server has said."""
        price, counted = self.prices.get(model), tokens(usage)
        cost = 0
        for what, count in zip(_LEDGER, (1, *(counted or (0, 0))), strict=True):
            self._add(f"budget/{model}/{what}", count)
        if price is not None and counted is not None:
            cost = price.of(*counted)
            self._dearest = max(self._dearest, cost)
        elif answered and self.max_cost is not None and (price is None or price.input or price.output):
            self._unpriced = model
        if cost != aside:
            self._add(_SPENT, cost - aside)

    def counted(self, model: str) -> tuple[int, int, int]:
        """Calls of a model that have ended, tries included, and their tokens in and out as far as known."""
        calls, spent, said = (self._add(f"budget/{model}/{what}", 0) for what in _LEDGER)
        return calls, spent, said


def require_prices(models: Iterable[str], prices: Mapping[str, Price]) -> None:
    """Raise UsageError for a model that has no price."""
    for model in models:
        if model not in prices:
            raise UsageError(
                f'--max_cost needs the price of {model}: write ["{model}"], input = ... and output = ... '
                "(US dollars per million tokens) on three lines of a file and add --prices FILE"
            )


def read_prices(file: Path | None) -> dict[str, Price]:
    """The prices in a TOML file by model; none without a file. Raises UsageError."""
    if file is None:
        return {}
    import tomllib

    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--prices {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--prices {file} is not valid TOML: {error}") from error
    return {model: _price(table, f'["{model}"] of --prices {file}') for model, table in tables.items()}


def _price(table: Any, where: str) -> Price:
    if isinstance(table, dict) and set(table) == {"input", "output"}:
        input_, output = table["input"], table["output"]
        if all(type(value) in (int, float) and 0 <= value < 1e6 for value in (input_, output)):
            return Price(float(input_), float(output))
    raise UsageError(f"{where} must hold input = ... and output = ..., US dollars per million tokens")


class _Counters:
    """Counters of this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, int] = {}

    def add(self, key: str, amount: int) -> int:
        with self._lock:
            self._values[key] = self._values.get(key, 0) + amount
            return self._values[key]
