"""The verb ``run``: check, answer, judge, rate, report."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from harness.cli.checking import prepared_run
from harness.errors import IncompleteError
from harness.execute import Run
from harness.finish import Outcome
from harness.prepare import Prepared, decode_one_each
from harness.redaction import one_line
from harness.stopping import Stop
from harness.work import join


def run(args: argparse.Namespace) -> int:
    """Answer, judge and rate; 0 when every sample has a score (or an answer, with --mode infer)."""
    with Stop(_say_once) as stop:
        config, prepared = prepared_run(args)
        stop.first = prepared.decoding.close
        with closing(prepared.decoding):
            decode_one_each(prepared)
            ranks = join()
            logging.getLogger("harness").addHandler(logging.NullHandler())
            outcomes = Run(config, prepared, ranks, say=_say, stop=stop).cells()
    if args.json:
        print(json.dumps([_summary(outcome) for outcome in outcomes], ensure_ascii=False))
    else:
        for outcome in outcomes:
            print(_report(outcome))
        if outcomes:
            _tell_spending(prepared)
    broken = [outcome for outcome in outcomes if not outcome.complete]
    if broken:
        counts = "; ".join(f"{outcome.cell.label}: {_counts(outcome)}" for outcome in broken)
        says = one_line(broken[0].failure, limit=120)
        cause = f' (most often "{says}")' if says else ""
        raise IncompleteError(
            f"incomplete: {counts}; run the same command again to retry the failures{cause}"
        )
    return 0


def _tell_spending(prepared: Prepared) -> None:
    from harness.spending import of_run, sentences

    for sentence in sentences(of_run(prepared.asked())):
        print(f"this run: {sentence}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _say_once(sentence: str) -> None:
    """Say what every rank would say, too."""
    if os.environ.get("RANK", "0") == "0":
        _say(sentence)


def _counts(outcome: Outcome) -> str:
    return ", ".join(f"{count} {status}" for status, count in outcome.statuses.items())


def _summary(outcome: Outcome) -> dict[str, Any]:
    rating = outcome.rating
    return {
        "cell": outcome.cell.label,
        "complete": outcome.complete,
        "asked": outcome.asked,
        "judged": outcome.judged,
        "statuses": dict(outcome.statuses),
        "usage": rating.meta.get("usage", {}) if rating else {},
        "rating": str(outcome.rating_path) if outcome.rating_path else None,
        "coarse_all": dict(rating.coarse_all) if rating else None,
        "coarse_valid": dict(rating.coarse_valid) if rating else None,
    }


def _report(outcome: Outcome) -> str:
    from tabulate import tabulate

    lines = [f"{outcome.cell.label}: asked {outcome.asked}, judged {outcome.judged} ({_counts(outcome)})"]
    if outcome.rating is not None:
        blocks = (("all", outcome.rating.coarse_all), ("valid", outcome.rating.coarse_valid))
        rows: list[Sequence[str]] = [[name, *block.values()] for name, block in blocks]
        headers = ["score 0-3", *outcome.rating.coarse_all]
        lines.append(tabulate(rows, headers, disable_numparse=True))
        lines.append(f"written to {outcome.rating_path}")
    else:
        lines.append(f"written to {outcome.folder}")
    return "\n".join(lines)
