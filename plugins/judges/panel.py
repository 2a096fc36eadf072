"""Several judges, or one several times: the median of their scores, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from statistics import fmean, median
from typing import Any

from harness import Case, UsageError, Verdict
from harness.agreement import agreement


class Panel:
    """Gives the median of its members' scores; with an even number of them the mean of the middle two.

    An answer that a member fails on has no score: ask again, or leave that judge out.

    judges: names as for ``--judge``. repeats: how often each one is asked about an answer; judges that are
    asked at temperature 0 mostly say the same again. Other options, and the flags of the judge, go to all
    members that take them.
    """

    version = 1

    def __init__(self, judges: tuple[str, ...], repeats: int = 1) -> None:
        self.judges = judges
        self.repeats = repeats
        self.members: Sequence[Any] = ()
        if repeats < 1:
            raise UsageError(f"--judge_args repeats={repeats} must be at least 1")
        if len(judges) * repeats < 2 or len(set(judges)) < len(judges):
            raise UsageError(
                "a panel needs several judges, each named once, or repeats: "
                "--judge_args judges=exact,gpt-4o, or judges=gpt-4o repeats=3 temperature=1"
            )

    def identity(self) -> Mapping[str, Any]:
        """That of each member, in order."""
        return {"members": [member.identity() for member in self.members]}

    def check(self) -> None:
        """Raises UsageError for a panel among the members."""
        for member in self.members:
            if hasattr(member.plugin, "combine"):
                raise UsageError(f"{member.name} is a panel itself: name its judges instead")

    def judge(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        """All members on each case, nothing stored. A run asks the members itself and has it combined."""
        rounds = [list(member.plugin.judge(cases)) for member in self.members for _ in range(self.repeats)]
        for verdicts in zip(*rounds, strict=True):
            yield self.combine(verdicts)

    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        """The median; the first failure where there is one. ``meta`` has all scores and their spread."""
        scores = [verdict.score if verdict.ok else None for verdict in verdicts]
        models = sorted({verdict.meta["model"] for verdict in verdicts if verdict.meta.get("model")})
        meta: dict[str, Any] = {"scores": scores, **({"models": models} if models else {})}
        for place, verdict in enumerate(verdicts):
            if not verdict.ok or verdict.score is None:
                name = self.judges[place // self.repeats]
                return Verdict(None, verdict.status, verdict.reply, f"{name}: {verdict.error}", meta)
        given = [score for score in scores if score is not None]
        return Verdict(median(given), meta={**meta, "spread": max(given) - min(given)})

    def summary(self, verdicts: Sequence[Verdict]) -> Mapping[str, Any]:
        """Over all answers that all members scored: the share of equal scores, and kappa of each pair.

        ``kappa`` is quadratic-weighted; null where it is undefined. ``mean_spread``: of the lowest and the
        highest score on an answer.
        """
        rows = [verdict.meta["scores"] for verdict in verdicts if verdict.ok and "scores" in verdict.meta]
        names = [
            f"{name} ({repeat + 1})" if self.repeats > 1 else name
            for name in self.judges
            for repeat in range(self.repeats)
        ]
        pairs = {
            f"{names[one]} / {names[other]}": agreement([(row[one], row[other]) for row in rows]).kappa
            for one, other in combinations(range(len(names)), 2)
        }
        return {
            "judges": list(self.judges),
            "repeats": self.repeats,
            "scored_by_all": len(rows),
            "equal_share": round(fmean(len(set(row)) == 1 for row in rows), 4) if rows else None,
            "mean_spread": round(fmean(max(row) - min(row) for row in rows), 4) if rows else None,
            "kappa": {pair: None if kappa is None else round(kappa, 4) for pair, kappa in pairs.items()},
        }
