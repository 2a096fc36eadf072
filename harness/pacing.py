"""How many calls to one server may be under way and how soon after each other, learnt from its replies.

Two bounds. The number under way starts small and grows with every accepted call until one fails or takes
long, then by one for each round of accepted calls: a server that answers one call after another would let
the last ones run into their time-out. Once the server has refused a call (HTTP 429), the rate is bounded,
too: the calls taken between two refusals, divided by the time, are what the server grants, and the number
under way is bounded by what that needs; or by what the server had taken, where it refuses again and again
at the same number. Both are held a little below that for a while, then raised faster and faster until the
next refusal, as in CUBIC (RFC 9438).

A refusal stops all calls until the server's ``Retry-After`` is over. The calls that were under way then
belong to the same episode: their refusals neither cut again nor lengthen the pause, unless the server does.

No clock and no threads here: times are arguments, in seconds on any clock that never goes back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto

START = 4
"""Calls under way at first."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds of the pause after a refusal without Retry-After; doubled while nothing is accepted."""
HELD = 0.97
"""Share of what the server grants that is used right after a refusal."""
SHORTEST_HOLD, LONGEST_HOLD = 10.0, 120.0
"""Seconds until all of it is used again; in between, 30 times the pause, so that pauses cost little."""
ENOUGH = 20
"""Calls taken between two refusals before their rate is believed."""
HEADROOM = 1.5
"""Calls under way that are allowed for each that the rate needs on average: some take longer."""
ALIKE = 4
"""Refusals, each with as many calls under way as the one before, that show what the server bounds."""
CATCH_UP = 0.003
"""Seconds a call may be late without the next one being late, too: threads do not wake on the dot."""
IDLE = 3.0
"""Seconds without any call after which the time does not count for the rate."""


class Ended(Enum):
    """How a call ended, as far as its server's health goes."""

    ACCEPTED = auto()
    """A reply that is meant for this call alone, if only to say what is wrong with it."""
    REFUSED = auto()
    """Too many calls: HTTP 429."""
    FAILED = auto()
    """No reply in time, half a reply, nonsense, or 5xx."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One call under way: the episode it began in, and whether as many were under way as might be."""

    episode: int
    full: bool
    began: float


@dataclass(slots=True)
class _Refusal:
    """The first refusal of an episode: when, at what rate, and how many calls were under way."""

    at: float
    rate: float
    under_way: int


class Pace:
    """The bounds for one server. ``ceiling``: never more than this many calls under way.

    long: a third of the time-out of a call, in seconds. Where calls take that, more at once are tried with
    care, since twice as many are under way before the first says how long it took; where they take twice
    that, none are.
    """

    def __init__(self, ceiling: int, long: float = math.inf) -> None:
        self.ceiling = ceiling
        self.long = long
        self.under_way = 0
        self.accepted = 0
        """Calls accepted so far."""
        self.episodes = 0
        """Times that all calls were stopped for a while."""
        self.rounds = 0
        """Episodes one after the other without an accepted call between."""
        self._grown, self._steep_to = float(min(START, ceiling)), math.inf
        self._wary = 0
        """Calls to be accepted before the number under way may grow again."""
        self._failures = 0
        self._resume = self._next = -math.inf
        self._refusal: _Refusal | None = None
        # What the server grants, and what that is learnt from: the calls taken since it refused one, how long
        # they took on average, and how many were under way when it refused one, time after time.
        self._bound, self._granted = math.inf, math.inf
        self._since, self._hold = 0.0, SHORTEST_HOLD
        self._mark, self._taken, self._last_end = math.nan, 0, 0.0
        self._took = 0.0
        self._refused_at, self._alike = 0, 0

    def limit(self, now: float) -> int:
        """Calls that may be under way now, at least 1."""
        bound = self._bound * self._growth(now) + 0.5 if self._bound < math.inf else math.inf
        return max(1, int(min(self._grown, bound, self.ceiling)))

    def rate(self, now: float) -> float:
        """Calls per second that may begin now; infinite until the server has refused one."""
        return self._granted * self._growth(now)

    def wait(self, now: float) -> float:
        """Seconds until the next call may begin: not above 0 for now, infinite for when one has ended."""
        if self.under_way >= self.limit(now):
            return math.inf
        return max(self._resume, self._next) - now

    def begin(self, now: float) -> Turn:
        """Begin a call; ``wait`` has said that it may."""
        self._learn(now)
        if math.isnan(self._mark):
            self._mark = now
        elif self.under_way == 0 and (idle := now - max(self._last_end, self._resume)) > IDLE:
            self._mark += idle
            self._since += idle
        self.under_way += 1
        self._taken += 1
        self._next = max(self._next, now - CATCH_UP, self._resume) + 1 / self.rate(now)
        return Turn(self.episodes, self.under_way >= self.limit(now), now)

    def end(self, turn: Turn, ended: Ended | None, now: float, retry_after: float | None = None) -> None:
        """End a call. None: it was never made. ``retry_after``: seconds, where the server gave some."""
        self.under_way -= 1
        self._last_end = now
        if ended is Ended.ACCEPTED:
            self._accept(turn, now)
        else:
            self._taken -= 1
        if ended is Ended.REFUSED:
            self._refuse(turn, now, retry_after)
        elif ended is Ended.FAILED:
            self._fail(turn, now)
        if retry_after is not None:
            self._resume = max(self._resume, now + retry_after)

    def _growth(self, now: float) -> float:
        return HELD + (1 - HELD) * (max(0.0, now - self._since) / self._hold) ** 3

    def _accept(self, turn: Turn, now: float) -> None:
        self.accepted += 1
        took = now - turn.began
        self._took += (took - self._took) / min(self.accepted, 20)
        self._failures = 0
        # A refusal is quicker than an answer: only episodes that began after this call still count.
        self.rounds = min(self.rounds, self.episodes - turn.episode)
        if self._wary:
            self._wary -= 1
        elif turn.full and self._grown < self.ceiling and took < 2 * self.long:
            steep = self._grown < self._steep_to and took < self.long
            self._grown += 1.0 if steep else 1 / self._grown

    def _refuse(self, turn: Turn, now: float, retry_after: float | None) -> None:
        if turn.episode == self.episodes:
            refusal = _Refusal(now, self.rate(now), self.under_way)
            pause = self._stop(now, retry_after)
            self._refusal = refusal
            self._hold = min(LONGEST_HOLD, max(SHORTEST_HOLD, 30 * pause))
        elif self._refusal is not None:
            self._refusal.under_way -= 1

    def _fail(self, turn: Turn, now: float) -> None:
        self._failures += 1
        self._wary = 2 * self.limit(now)
        self._steep_to = min(self._steep_to, self._grown)
        self._since = max(self._since, now - self._hold)
        # A whole round of failures is an outage: let fewer and fewer find out when it is over. A time-out
        # where most calls take long is a queue at the server, which has to get shorter.
        queue = now - turn.began >= self.long and self._took >= self.long
        if turn.episode == self.episodes and (queue or self._failures >= max(3, self.limit(now))):
            self._failures = 0
            self._grown = max(1.0, min(self._grown, self.limit(now)) / 2)
            if self.rounds == 0:
                self._steep_to = self._grown
            self._stop(now, None)

    def _stop(self, now: float, retry_after: float | None) -> float:
        """Begin an episode: no call for a while. Returns for how long."""
        self.episodes += 1
        self.rounds += 1
        own = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.rounds - 1))
        # The server's word counts, unless it has just turned out to be too short.
        pause = own if retry_after is None else max(retry_after, own if self.rounds > 1 else 0.0)
        self._resume = max(self._resume, now + pause)
        return pause

    def _learn(self, now: float) -> None:
        """Work out what the server grants, once the episode's last refusals have come in."""
        if self._refusal is None:
            return
        refusal, self._refusal = self._refusal, None
        # The pause does not count: where the server saved up for us meanwhile, there is no hurry.
        seconds = max(1e-3, refusal.at - self._mark)
        self._mark += now - refusal.at
        if not self.accepted:
            return
        measured, believed = max(1, self._taken) / seconds, self._taken >= ENOUGH
        if believed:
            self._mark, self._taken = now, 0
        if self._granted == math.inf:
            self._granted = max(measured, refusal.under_way / max(self._took, 1e-3))
        elif believed:
            # Too low where we left some of it unused, and our rate too high for having been refused.
            self._granted = min((measured + refusal.rate) / 2, 1.1 * measured)
        else:
            self._granted = min(0.85 * refusal.rate, 2 * measured)
        # By Little's law the rate keeps so many under way, give or take.
        self._bound = max(refusal.under_way, HEADROOM * self._granted * self._took)
        alike = abs(refusal.under_way - self._refused_at) <= (refusal.under_way >= 7)
        self._alike = self._alike + 1 if alike else 0
        self._refused_at = refusal.under_way
        if self._alike >= ALIKE and refusal.under_way > 1:
            # Always at the same number: that is what the server minds, not the rate.
            self._bound, self._granted = refusal.under_way, 1.3 * refusal.rate
        self._since = now
