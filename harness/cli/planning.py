"""The verb ``plan``: what ``run`` would do with these flags, and what that takes."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.cli.checking import prepared_run
from harness.cli.columns import bytes_text
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.config import RunConfig
    from harness.estimate import Estimate
    from harness.speed import Speed
    from harness.usage import Cost


@dataclass(frozen=True, slots=True)
class Outlook:
    """An estimate with what it takes. rate: samples a second, None where nothing tells; speed: its source."""

    estimate: Estimate
    costs: Sequence[Cost]
    rate: float | None
    speed: Speed | None

    def figures(self) -> dict[str, Any]:
        """All that can be added up over cells; None where it is not known."""
        found, work = self.estimate, self.estimate.work
        paid = [cost.dollars for cost in self.costs if cost.calls]
        seconds = work.samples / self.rate if self.rate else None
        return {
            "samples": found.samples,
            "answered": found.answered,
            "to_ask": work.samples,
            "model_calls": len(work.calls),
            "videos": found.videos,
            "to_decode": len(work.decoded),
            "unreadable": work.unreadable,
            "unsized": work.unsized,
            "frames": work.frames,
            "bytes": work.nbytes,
            "to_judge_at_most": found.to_judge,
            "input_tokens": sum(cost.input for cost in self.costs),
            "output_tokens": sum(cost.output for cost in self.costs),
            "dollars": sum_known(paid),
            "seconds": seconds if work.samples else 0.0,
        }


def plan(args: argparse.Namespace) -> int:
    """Prints the figures of each cell and in all, what they rest on, and a sentence."""
    if args.speed is not None and not 0 < args.speed < math.inf:
        raise UsageError(f"--speed must be above 0 samples a second, not {args.speed:g}")
    config, prepared = prepared_run(args)
    # Only now: a misspelt name shall not wait for these imports.
    from harness.estimate import estimate
    from harness.speed import measured
    from harness.usage import costs

    outlooks = []
    with closing(prepared.decoding):
        for found in estimate(config, prepared):
            speed = measured(found.cell, config.work_dir) if args.speed is None else None
            rate = args.speed if speed is None else speed.rate
            outlooks.append(Outlook(found, costs(found, config.work_dir, prepared.prices), rate, speed))
    figures = [outlook.figures() for outlook in outlooks]
    total = {name: sum_known([one[name] for one in figures]) for name in figures[0]}
    notes = list(dict.fromkeys(_notes(config, outlooks, total)))
    if args.json:
        cells = [
            {"cell": one.estimate.cell.label, **own, "servers": [asdict(cost) for cost in one.costs]}
            for one, own in zip(outlooks, figures, strict=True)
        ]
        print(json.dumps({"cells": cells, "total": total, "notes": notes}, ensure_ascii=False))
        return 0
    print(_table(outlooks, figures, total))
    for note in notes:
        print(f"- {note}")
    print(_sentence(total))
    return 0


def sum_known(values: Sequence[Any]) -> Any:
    """None as soon as one of them is."""
    return None if None in values else sum(values)


def _table(outlooks: Sequence[Outlook], figures: Sequence[dict[str, Any]], total: dict[str, Any]) -> str:
    """A column for each cell, as ``compare`` has it."""
    from tabulate import tabulate

    titles = [_title(one.estimate.cell) for one in outlooks]
    columns = list(figures)
    if len(columns) > 1:
        titles.append("in all")
        columns.append(total)
    shown = {
        "samples": "samples",
        "answered": "answered already",
        "to_ask": "to ask",
        "model_calls": "calls of the model",
        "videos": "videos",
        "to_decode": "to decode",
        "frames": "frames",
        "bytes": "decoded size",
        "to_judge_at_most": "to judge, at most",
    }
    if any(one.costs for one in outlooks):
        shown |= {"input_tokens": "tokens in", "output_tokens": "tokens out", "dollars": "US dollars"}
    shown["seconds"] = "time"
    rows = [[text, *(_shown(name, column[name]) for column in columns)] for name, text in shown.items()]
    return tabulate(rows, ["", *titles], disable_numparse=True, stralign="right", colalign=("left",))


def _title(cell: Cell) -> str:
    names = f"{cell.model.name} on {cell.dataset.name}, "
    return f"{cell.model.name}\n{cell.dataset.name}\n{cell.label.removeprefix(names)}"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "?"
    if name == "bytes":
        return bytes_text(value)
    if name == "seconds":
        return _duration(value)
    return f"{value:,.2f}" if name == "dollars" else f"{value:,}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _notes(config: RunConfig, outlooks: Sequence[Outlook], total: dict[str, Any]) -> Iterator[str]:
    """What the figures rest on, and what they leave out."""
    for one in outlooks:
        found, work, data = one.estimate, one.estimate.work, one.estimate.cell.dataset.name
        yield from found.damage
        if found.lacking:
            yield (
                f"{found.cell.label}: {_many(found.lacking, 'sample')} without an answer, which --mode eval "
                "needs: run without it to ask the model"
            )
        if work.unreadable:
            yield f"{data}: {_many(work.unreadable, 'video')} cannot be opened, whose questions are not asked"
        if work.unsized:
            yield f"{data}: {_many(work.unsized, 'video')} of unknown length, whose frames are not counted"
        for cost in one.costs:
            if cost.calls:
                yield f"tokens of {cost.role} {cost.name}: {cost.basis}"
                if cost.dollars is None:
                    yield f"no price of {cost.model} is known: name a file that has it with --prices FILE"
        if one.speed is not None and work.samples:
            took = f"{_duration(one.speed.seconds)} on {_many(one.speed.ranks, 'rank')}"
            yield f"time: as the run that took {took} for {_many(one.speed.asked, 'sample')}, all included"
        if one.rate is None and work.samples:
            model = found.cell.model.name
            yield f"no finished run tells how fast {model} is here: add --speed N, samples a second"
    calls = sum(cost.calls for one in outlooks for cost in one.costs)
    if config.max_calls is not None and calls > config.max_calls:
        yield f"--max_calls {config.max_calls} may end the run early: up to {calls} calls are left"
    if config.max_cost is not None and (total["dollars"] or 0) > config.max_cost:
        yield f"--max_cost {config.max_cost:g} may end the run early"


def _sentence(total: dict[str, Any]) -> str:
    """All in one."""
    samples = _many(total["samples"], "sample")
    if not total["to_ask"] and not total["to_judge_at_most"]:
        return f"In all: nothing to ask or judge, {total['answered']:,} of {samples} answered."
    parts = [
        f"{total['to_ask']:,} of {samples} to ask in {_many(total['model_calls'], 'call')}",
        f"{_many(total['to_decode'], 'video')} to decode "
        f"({_many(total['frames'], 'frame')}, {bytes_text(total['bytes'])})",
        f"at most {_many(total['to_judge_at_most'], 'answer')} to judge",
    ]
    if tokens := total["input_tokens"] + total["output_tokens"]:
        money = "" if total["dollars"] is None else f" for about ${total['dollars']:,.2f}"
        parts.append(f"about {_many(tokens, 'token')}{money}")
    if total["seconds"]:
        parts.append(_duration(total["seconds"]))
    return f"In all: {', '.join(parts)}."
