"""A whole run: every cell answered by all ranks, then judged and rated by the last one out of it.

The others go on to the next cell or end. An interruption loses nothing: the next run finds every
stored answer.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from harness.cache import Cache
from harness.cell import Cell
from harness.config import RunConfig
from harness.errors import HarnessError, IncompleteError
from harness.finish import Outcome, finish
from harness.locks import CellLock
from harness.plan import Plan, make_plan
from harness.prepare import Prepared
from harness.progress import Progress
from harness.results import run_folder, write_json
from harness.runlog import log, logging_to
from harness.runner import CellRun
from harness.types import SampleId
from harness.work import Ranks, last_out


@dataclass(frozen=True, slots=True)
class Run:
    """A prepared run on one rank. ``say`` receives sentences for people."""

    config: RunConfig
    prepared: Prepared
    ranks: Ranks
    say: Callable[[str], None]

    def cells(self) -> list[Outcome]:
        """Work through all cells; the outcomes of those that this rank was last out of."""
        stamp = self.ranks.agree("started", time.strftime("%Y%m%d-%H%M%S"))
        outcomes, failures = [], []
        for cell in self.prepared.cells:
            try:
                outcome = self._cell(cell, stamp)
            except IncompleteError:
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
        return outcomes

    def _cell(self, cell: Cell, stamp: str) -> Outcome | None:
        ranks, stem = self.ranks, cell.stem()
        token = ranks.agree("token", uuid.uuid4().hex[:12])
        cache = Cache(cell.folder(self.config.work_dir) / f"{stem}.pkl")
        folder = run_folder(self.config.work_dir, cell.model.name, stamp)
        with CellLock(cache.path, token, ranks.rank), logging_to(folder / "run.log", ranks.rank):
            log.info("%s, fingerprint %s", cell.label, cell.fingerprint())
            plan = make_plan(cell, self.prepared.samples[cell.dataset.name])
            answered = plan.answered(cache.read())
            for sentence in cache.damage:
                log.warning(sentence)
            if self.config.mode != "eval":
                self._answer(plan, answered, cache, stem, token)
            if not last_out(ranks, stem):
                return None
            records = cache.merge()
            write_json(cache.path.with_suffix(".json"), cell.parts())
            return finish(self.config, self.prepared, plan, records, folder, ranks.add(f"{stem}/asked", 0))

    def _answer(self, plan: Plan, answered: set[SampleId], cache: Cache, stem: str, token: str) -> None:
        total = len(plan.samples)
        if self.ranks.rank == 0:
            if len(answered) == total:
                self.say(
                    f"{plan.cell.label}: all {total} samples are answered already, the model is not asked"
                )
            elif answered:
                self.say(f"{plan.cell.label}: {len(answered)} of {total} samples are answered already")
        progress = Progress(total - len(answered), plan.cell.label, "sample", self.ranks.rank == 0)
        with cache.journal(f"{token}-{self.ranks.rank}") as journal, progress:
            run = CellRun(plan, answered, self.ranks, journal, stem, progress)
            try:
                run.answer(self.config.batch_size)
            except KeyboardInterrupt:
                kept = len(answered) + self.ranks.add(f"{stem}/done", 0)
                raise IncompleteError(
                    f"interrupted: {kept} of {total} samples of {plan.cell.label} are answered and kept; "
                    "run the same command again to go on"
                ) from None
        self.ranks.add(f"{stem}/asked", run.stored)
