"""A whole run: every cell answered by all ranks, then judged and rated by the last one out of it.

The others go on to the next cell or end. An interruption loses nothing: the next run finds every
stored answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.batch_size import BatchSize
from harness.budget import Budget, BudgetError
from harness.cache import Cache
from harness.cell import Cell
from harness.claims import last_out, leave
from harness.config import RunConfig
from harness.endpoint import server_of
from harness.errors import HarnessError, IncompleteError
from harness.finish import Outcome, finish
from harness.locks import CellLock
from harness.plan import Plan, make_plan
from harness.prefetch import BUDGET
from harness.prepare import Prepared
from harness.progress import Progress
from harness.results import agreed_stamp, run_folder, write_json
from harness.runlog import log, logging_to
from harness.runner import CellRun
from harness.stopping import Stop
from harness.types import SampleId
from harness.work import Ranks, StoreError


@dataclass(frozen=True, slots=True)
class Run:
    """A prepared run on one rank. ``say`` receives sentences for people."""

    config: RunConfig
    prepared: Prepared
    ranks: Ranks
    say: Callable[[str], None]
    stop: Stop = field(default_factory=Stop)
    sizes: dict[str, BatchSize] = field(default_factory=dict)
    """What was learnt about the batches of each model, for the cells that follow."""
    begun: dict[str, tuple[Plan, Cache]] = field(default_factory=dict)
    """The cells that this rank has worked on, by stem."""

    def cells(self) -> list[Outcome]:
        """Work through all cells; the outcomes of those that this rank was last out of."""
        self._set_budget()
        try:
            stamp = agreed_stamp(
                self.ranks, self.config.work_dir, [cell.model.name for cell in self.prepared.cells]
            )
            outcomes: list[Outcome] = []
            self._once(stamp, outcomes)
            while not leave(self.ranks):
                self.say("a rank on another machine has fallen silent: what it had in hand is asked here")
                self._once(stamp, outcomes)
            return outcomes
        except (StoreError, BudgetError, KeyboardInterrupt) as error:
            if not self.begun:
                raise
            reason = error.reason if isinstance(error, StoreError) else str(error) or "interrupted"
            raise IncompleteError(f"{reason}: {self._kept()}; run the same command again to go on") from None

    def _set_budget(self) -> None:
        """One budget for all servers that this run calls."""
        config, prepared = self.config, self.prepared
        budget = Budget(config.max_calls, config.max_cost, prepared.prices, self.ranks.add)
        for plugin in prepared.asked():
            server = server_of(plugin)
            if server is not None:
                server.budget = budget

    def _kept(self) -> str:
        """How far this run is, by what is stored: whoever counts may not be there to be asked."""
        kept = sum(len(plan.answered(cache.read())) for plan, cache in self.begun.values())
        total = sum(len(plan.samples) for plan, _ in self.begun.values())
        cells = [plan.cell.label for plan, _ in self.begun.values()]
        where = cells[0] if len(cells) == 1 else f"the {len(cells)} cells so far"
        return f"{kept} of {total} samples of {where} are answered and kept"

    def _once(self, stamp: str, outcomes: list[Outcome]) -> None:
        """Do what is to be had of each cell that has no outcome yet; adds the outcomes it comes to."""
        failures = []
        for cell in self.prepared.cells:
            if any(outcome.cell is cell for outcome in outcomes):
                continue
            try:
                outcome = self._cell(cell, stamp)
            except (IncompleteError, StoreError):
                raise
            except HarnessError as error:
                # Alone, a cell that cannot be finished leaves the others their chance. Of several ranks
                # one that gives up is ended by torchrun with all the rest: they need its sentence now.
                if self.ranks.size > 1 or len(self.prepared.cells) == 1:
                    raise
                failures.append(f"{cell.label}: {error}")
                self.say(failures[-1])
                continue
            if outcome is not None:
                outcomes.append(outcome)
        if failures:
            raise IncompleteError(
                f"{len(failures)} of {len(self.prepared.cells)} cells failed: {failures[0]}"
            )

    def _cell(self, cell: Cell, stamp: str) -> Outcome | None:
        ranks, stem = self.ranks, cell.stem()
        token = ranks.agree("token", uuid.uuid4().hex[:12])
        cache = Cache(cell.folder(self.config.work_dir) / f"{stem}.pkl")
        folder = run_folder(self.config.work_dir, cell.model.name, stamp)
        with CellLock(cache.path, token, ranks.rank), logging_to(folder / "run.log", ranks.rank):
            log.info("%s, fingerprint %s", cell.label, cell.fingerprint())
            if ranks.rank == 0:  # at once: an interrupted run's cache, too, says what it holds
                write_json(cache.path.with_suffix(".json"), cell.parts())
            plan = make_plan(cell, self.prepared.samples[cell.dataset.name])
            again = stem in self.begun
            self.begun[stem] = plan, cache
            answered = plan.answered(cache.read())
            for sentence in cache.damage:
                log.warning(sentence)
            if self.config.mode != "eval":
                if ranks.rank == 0 and not again:
                    self._say_what_is_stored(plan, len(answered))
                self._answer(plan, answered, cache, stem, token)
            if not last_out(ranks, stem):
                return None
            records = cache.merge()
            return finish(self.config, self.prepared, plan, records, folder, ranks.add(f"{stem}/asked", 0))

    def _say_what_is_stored(self, plan: Plan, answered: int) -> None:
        total = len(plan.samples)
        if answered == total:
            self.say(f"{plan.cell.label}: all {total} samples are answered already, the model is not asked")
        elif answered:
            self.say(f"{plan.cell.label}: {answered} of {total} samples are answered already")

    def _answer(self, plan: Plan, answered: set[SampleId], cache: Cache, stem: str, token: str) -> None:
        left = len(plan.samples) - len(answered)
        progress = Progress(left, plan.cell.label, "sample", self.ranks.rank == 0)
        model = plan.cell.model
        with cache.journal(f"{token}-{self.ranks.rank}") as journal, progress:
            budget = self.config.prefetch_bytes or BUDGET
            run = CellRun(plan, answered, self.ranks, cache, journal, stem, progress, budget, self.stop)
            most = getattr(model.plugin, "max_batch", 1)
            size = self.sizes.setdefault(model.name, BatchSize.asked(self.config.batch_size, most))
            run.answer(size)
        self.ranks.add(f"{stem}/asked", run.stored)
