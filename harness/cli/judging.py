"""The verb ``judge``: score stored answers again, and see how far two judges agree."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.answered import Answered, opinions, read_answered
from harness.budget import Budget
from harness.config import RunConfig
from harness.endpoint import server_of
from harness.errors import IncompleteError, UsageError
from harness.files import slug
from harness.interfaces import Judge
from harness.judging import seats
from harness.naming import find
from harness.options import parse_pairs
from harness.prepare import build_judge, check_writable, prices_of
from harness.registry import Built, Registry
from harness.rejudging import Comparison, Rejudged, compare, rejudge
from harness.results import agreed_stamp
from harness.spending import of_run, sentences
from harness.stopping import Stop
from harness.types import Status
from harness.work import Alone

Result = tuple[Rejudged, list[Comparison]]


def run(args: argparse.Namespace) -> int:
    """``vidharness judge PATH... --judge NAME``; 0 when every answer has a score."""
    with Stop(_say):
        registry = Registry.discover()
        found = find(registry, "judge", args.judge)
        options = {"data_root": args.data_root} if args.data_root else {}
        answered = [cell for path in args.places for cell in read_answered(path, registry, options)]
        config = _config(args, answered)
        judge = build_judge(found, config, registry)
        results = _results(config, judge, answered, args.against)
    if args.json:
        print(json.dumps([_summary(*result) for result in results], ensure_ascii=False))
    else:
        print("\n\n".join(_report(*result) for result in results))
        for sentence in sentences(of_run(seat.plugin for seat in seats(judge))):
            print(f"this run: {sentence}")
    broken = [f"{done.answered.label}: {_counts(done)}" for done, _ in results if not _complete(done)]
    if broken:
        raise IncompleteError(f"incomplete: {'; '.join(broken)}; failures of the judge are tried again")
    return 0


def _results(
    config: RunConfig, judge: Built[Judge], answered: Sequence[Answered], against: Path | None
) -> list[Result]:
    ranks = Alone()
    others = {cell.title: _others(cell, against) for cell in answered}
    budget = Budget(config.max_calls, config.max_cost, prices_of(config, seats(judge)), ranks.add)
    for seat in seats(judge):
        server = server_of(seat.plugin)
        if server is not None:
            server.budget = budget
    check_writable(config.work_dir)
    logging.getLogger("harness").addHandler(logging.NullHandler())
    stamp = agreed_stamp(ranks, config.work_dir, [cell.meta["model"] for cell in answered])
    results = []
    for cell in answered:
        done = rejudge(config, cell, judge, stamp)
        own = done.rating.meta["judge_fingerprint"]
        compared = [compare(done, other) for other in others[cell.title] if other.fingerprint != own]
        results.append((done, compared))
    return results


def _others(cell: Answered, against: Path | None) -> list[Any]:
    folder = against or cell.folder
    found = opinions(folder, cell.title) if folder else []
    if against and not found:
        raise UsageError(f"{against} holds no verdicts on {cell.label}: name the dated folder of another run")
    return found


def _config(args: argparse.Namespace, answered: Sequence[Answered]) -> RunConfig:
    """The settings as those of a run with this judge."""
    titles = [cell.title for cell in answered]
    if len(set(titles)) < len(titles):
        raise UsageError("the same answers are named twice: name each run once")
    names = ("judge", "judge_base_url", "judge_prompt", "max_calls", "max_cost", "prices")
    flags = {name: getattr(args, name) for name in names}
    return RunConfig.resolve(
        {
            **flags,
            "data": tuple(dict.fromkeys(cell.meta["dataset"] for cell in answered)),
            "model": tuple(dict.fromkeys(cell.meta["model"] for cell in answered)),
            "judge_args": parse_pairs(args.judge_args or ()),
            "work_dir": args.work_dir or _work_dir(args.places, answered),
        }
    )


def _work_dir(places: Sequence[Path], answered: Sequence[Answered]) -> Path | None:
    """The folder that the answers' runs have kept them in, where it can be told; None otherwise."""
    models = {slug(cell.meta["model"]) for cell in answered}
    folders = {
        folder.parent
        for place in places
        for folder in place.resolve().parents
        if folder.name in models and len(place.resolve().relative_to(folder).parts) <= 2
    }
    return folders.pop() if len(folders) == 1 else None


def _complete(done: Rejudged) -> bool:
    return all(verdict.status is Status.OK for verdict in done.verdicts.values())


def _statuses(done: Rejudged) -> dict[str, int]:
    return dict(sorted(Counter(verdict.status.value for verdict in done.verdicts.values()).items()))


def _counts(done: Rejudged) -> str:
    return ", ".join(f"{count} {status}" for status, count in _statuses(done).items())


def _summary(done: Rejudged, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    return {
        "cell": done.answered.label,
        "complete": _complete(done),
        "judged": done.judged,
        "statuses": _statuses(done),
        "rating": str(done.rating_path),
        "coarse_all": dict(done.rating.coarse_all),
        "coarse_valid": dict(done.rating.coarse_valid),
        "judging": done.rating.meta.get("judging"),
        "agreement": [_agreement(comparison) for comparison in comparisons],
    }


def _agreement(comparison: Comparison) -> dict[str, Any]:
    found = comparison.agreement
    return {
        "with": comparison.other,
        "scored_by_both": found.count,
        "scored_by_new_only": comparison.only_new,
        "scored_by_other_only": comparison.only_other,
        "equal": found.equal,
        "kappa": found.kappa,
        "interval": found.interval,
        "means": found.means,
        "confusion": found.confusion,
    }


def _report(done: Rejudged, comparisons: Sequence[Comparison]) -> str:
    from tabulate import tabulate

    rating, judge = done.rating, done.rating.meta["judge"]
    blocks: Mapping[str, Mapping[str, str]] = {"all": rating.coarse_all, "valid": rating.coarse_valid}
    rows = [[name, *block.values()] for name, block in blocks.items()]
    lines = [
        f"{done.answered.label}: judged {done.judged} now with {judge} ({_counts(done)})",
        tabulate(rows, ["score 0-3", *rating.coarse_all], disable_numparse=True),
        f"written to {done.rating_path}",
        *(_compared(judge, comparison) for comparison in comparisons),
    ]
    return "\n".join(lines)


def _compared(judge: str, comparison: Comparison) -> str:
    """Agreement in words, and the table of scores against scores."""
    from tabulate import tabulate

    found = comparison.agreement
    alone = f"{judge} alone {comparison.only_new}, {comparison.other} alone {comparison.only_other}"
    head = f"\n{judge} and {comparison.other}: both scored {found.count}, {alone}"
    if found.equal is None or found.means is None:
        return head
    kappa = "undefined, all scores being one" if found.kappa is None else f"{found.kappa:.3f}"
    interval = f" (95%: {found.interval[0]:.3f} to {found.interval[1]:.3f})" if found.interval else ""
    means = f"means {found.means[0]:.2f} and {found.means[1]:.2f}"
    rows = [[f"{judge} {score}", *map(str, row)] for score, row in enumerate(found.confusion)]
    headers = ["", *(f"{comparison.other} {score}" for score in range(len(rows)))]
    table = tabulate(rows, headers, disable_numparse=True, stralign="right", colalign=("left",))
    told = f"equal {found.equal:.1%}, quadratic-weighted kappa {kappa}{interval}, {means}"
    return f"{head}\n{told}\n{table}"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
