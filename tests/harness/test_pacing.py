"""The pace of calls against simulated servers, in simulated time: no threads, no waiting."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from harness.pacing import FIRST_PAUSE, LONGEST_PAUSE, START, Ended, Pace, Turn

TRIP = 0.01
"""Seconds from us to the server, and back."""


@dataclass
class Bucket:
    """A server that grants ``rate`` calls a second, keeps ``burst`` unused ones, takes ``latency`` seconds.

    whole: Retry-After in whole seconds; None: it does not say.
    """

    rate: float
    burst: float
    latency: float
    whole: bool | None = False
    tokens: float = 0.0
    at: float = 0.0
    limited: tuple[float, float] = (math.inf, -math.inf)
    hammered: int = 0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now: float) -> tuple[Ended, float | None]:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        # A call sent before the first refusal can have been heard of is no hammering.
        self.hammered += self.limited[0] + 4 * TRIP < now < self.limited[1]
        if self.tokens >= 1:
            self.tokens -= 1
            return Ended.ACCEPTED, None
        seconds = (1 - self.tokens) / self.rate
        told = {True: math.ceil(seconds), False: seconds, None: None}[self.whole]
        until = now + (0.25 if told is None else told)
        self.limited = (self.limited[0] if now < self.limited[1] else now, max(until, self.limited[1]))
        return Ended.REFUSED, told

    def done(self) -> None:
        pass


@dataclass
class Slots:
    """A server that has ``slots`` calls under way at most and takes ``latency`` seconds for each."""

    slots: int
    latency: float
    under_way: int = 0

    @property
    def rate(self) -> float:
        return self.slots / self.latency

    def take(self, now: float) -> tuple[Ended, float | None]:
        if self.under_way >= self.slots:
            return Ended.REFUSED, 1.0
        self.under_way += 1
        return Ended.ACCEPTED, None

    def done(self) -> None:
        self.under_way -= 1


@dataclass
class Run:
    """A client with no end of questions, under a pace, for ``seconds``."""

    server: Bucket | Slots
    seconds: float
    seed: int
    ceiling: int = 64
    accepted: list[float] = field(default_factory=list)
    refused: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.pace = Pace(self.ceiling)
        draws, order, now = random.Random(self.seed), count(), 0.0
        events: list[tuple[float, int, str, tuple[Turn, Ended, float | None] | None]] = []

        def at(when: float, what: str, *more: object) -> None:
            heapq.heappush(events, (when, next(order), what, more or None))  # type: ignore[arg-type]

        while now < self.seconds:
            wait = self.pace.wait(now)
            if wait <= 0:
                turn = self.pace.begin(now)
                self.most = max(self.most, self.pace.under_way)
                at(now + TRIP * draws.uniform(0.8, 1.2), "arrives", turn)
                continue
            if wait < math.inf and not any(event[2] == "wakes" for event in events):
                at(now + wait + draws.uniform(0, 0.002), "wakes")
            now, _, what, more = heapq.heappop(events)
            if what == "arrives" and more is not None:
                ended, told = self.server.take(now)
                took = TRIP
                if ended is Ended.ACCEPTED:
                    self.accepted.append(now)
                    took += self.server.latency * draws.uniform(0.3, 1.7)
                self.refused += ended is Ended.REFUSED
                at(now + took, "ends", more[0], ended, told)
            elif what == "ends" and more is not None:
                if more[1] is Ended.ACCEPTED:
                    self.server.done()
                self.pace.end(more[0], more[1], now, more[2])

    def used(self, since: float) -> float:
        return sum(at >= since for at in self.accepted) / (self.server.rate * (self.seconds - since))


@pytest.mark.parametrize("whole", [False, True, None], ids=["exact", "whole seconds", "untold"])
@pytest.mark.parametrize(
    ("rate", "burst", "latency"), [(20, 20, 1.0), (5, 5, 0.05), (50, 10, 0.5), (10, 60, 3.0), (1, 60, 2.0)]
)
def test_a_rate_limit_is_used_nearly_whole_and_never_hammered(
    rate: float, burst: float, latency: float, whole: bool | None
) -> None:
    for seed in range(3):
        server = Bucket(rate, burst, latency, whole)
        run = Run(server, seconds=240, seed=seed)
        assert run.used(since=80) >= 0.9
        assert server.hammered == 0
        assert run.refused < 0.12 * len(run.accepted)


@pytest.mark.parametrize("rate", [1, 10])
def test_a_server_that_saves_nothing_up_is_used_well(rate: float) -> None:
    """Where any two calls too close to each other are refused, what the network adds cannot be used."""
    server = Bucket(rate, 1, 1.0)
    run = Run(server, seconds=240, seed=0)
    assert run.used(since=80) >= 0.7
    assert server.hammered == 0


@pytest.mark.parametrize("slots", [8, 40])
def test_a_bound_on_calls_under_way_is_used_well(slots: int) -> None:
    run = Run(Slots(slots, 1.0), seconds=500, seed=0)
    assert run.used(since=300) >= 0.8
    assert run.refused < 100


def test_a_server_without_a_limit_is_used_up_to_the_ceiling() -> None:
    run = Run(Bucket(1e9, 1e9, 0.5), seconds=30, seed=0, ceiling=32)
    assert run.most == 32 and run.refused == 0
    assert len(run.accepted) > 0.9 * 32 * 25 / 0.5


@pytest.mark.parametrize("each", [0.2, 1.0, 5.0, 20.0])
def test_a_server_that_answers_one_by_one_is_not_asked_into_time_outs(each: float) -> None:
    """It works off what it was asked, also what nobody waits for any more."""
    timeout, until = 60.0, 1500 * each
    pace, now, free = Pace(64, long=timeout / 3), 0.0, 0.0
    under_way: list[tuple[float, int, Turn, Ended]] = []
    order, ends = count(), {Ended.ACCEPTED: 0, Ended.FAILED: 0}
    while now < until:
        wait = pace.wait(now)
        if wait <= 0:
            free = max(free, now) + each
            ended = Ended.ACCEPTED if free - now < timeout else Ended.FAILED
            heapq.heappush(under_way, (min(free, now + timeout), next(order), pace.begin(now), ended))
        elif under_way and under_way[0][0] <= now + wait:
            now, _, turn, ended = heapq.heappop(under_way)
            pace.end(turn, ended, now)
            ends[ended] += 1
        else:
            now += wait
    assert ends[Ended.ACCEPTED] > 0.9 * until / each
    assert ends[Ended.FAILED] < 0.05 * ends[Ended.ACCEPTED]


def begun(pace: Pace, calls: int, now: float = 0.0) -> Iterator[Turn]:
    for _ in range(calls):
        assert pace.wait(now) <= 0
        yield pace.begin(now)


def grown(ceiling: int = 64, calls: int = 12) -> Pace:
    """A pace that has been accepted so often that more than ``START`` calls may be under way."""
    pace = Pace(ceiling)
    for _ in range(calls):
        for turn in list(begun(pace, pace.limit(0.0))):
            pace.end(turn, Ended.ACCEPTED, 0.0)
    return pace


def test_it_starts_small_and_grows_when_it_is_full() -> None:
    pace, limits = Pace(64), []
    for _ in range(5):
        limits.append(pace.limit(0.0))
        turns = list(begun(pace, limits[-1]))
        assert pace.wait(0.0) == math.inf
        for turn in turns:
            pace.end(turn, Ended.ACCEPTED, 0.0)
    assert limits[0] == START and limits == sorted(limits)
    assert limits[-1] > START
    pace = Pace(64)
    for _ in range(50):
        for turn in list(begun(pace, START - 1)):
            pace.end(turn, Ended.ACCEPTED, 0.0)
    assert pace.limit(0.0) == START


def test_one_episode_cuts_and_pauses_once() -> None:
    pace = grown()
    turns = list(begun(pace, 6, now=1.0))
    for turn in turns[:5]:
        pace.end(turn, Ended.REFUSED, 2.0)
    assert pace.episodes == 1
    assert pace.wait(2.0) == pytest.approx(FIRST_PAUSE)
    pace.end(turns[5], Ended.REFUSED, 2.4)
    assert pace.episodes == 1 and pace.wait(2.4) == pytest.approx(FIRST_PAUSE - 0.4)


def test_a_later_retry_after_lengthens_the_pause_of_all() -> None:
    pace = grown()
    first, second = begun(pace, 2)
    pace.end(first, Ended.REFUSED, 1.0, retry_after=3.0)
    assert pace.wait(1.0) == pytest.approx(3.0)
    pace.end(second, Ended.REFUSED, 2.0, retry_after=7.0)
    assert pace.wait(2.0) == pytest.approx(7.0)


def test_pauses_double_while_nothing_is_accepted() -> None:
    pace, now, pauses = Pace(8), 0.0, []
    for _ in range(10):
        [turn] = begun(pace, 1, now)
        pace.end(turn, Ended.REFUSED, now)
        pauses.append(pace.wait(now))
        now += pauses[-1]
    assert pauses[:4] == pytest.approx([FIRST_PAUSE * 2**i for i in range(4)])
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE) and pace.rounds == 10
    [turn] = begun(pace, 1, now)
    pace.end(turn, Ended.ACCEPTED, now)
    assert pace.rounds == 0


def test_a_retry_after_that_was_too_short_is_lengthened() -> None:
    pace, now = Pace(8), 0.0
    for _ in range(8):
        [turn] = begun(pace, 1, now)
        pace.end(turn, Ended.REFUSED, now, retry_after=0.001)
        now += pace.wait(now)
    assert now > 50


def test_failures_stop_growth_and_a_round_of_them_all_calls() -> None:
    pace = grown()
    limit = pace.limit(0.0)
    [turn] = begun(pace, 1)
    pace.end(turn, Ended.FAILED, 0.0)
    for turn in list(begun(pace, limit)):
        pace.end(turn, Ended.ACCEPTED, 0.0)
    assert pace.limit(0.0) == limit and pace.episodes == 0
    for turn in list(begun(pace, limit)):
        pace.end(turn, Ended.FAILED, 0.0)
    assert pace.episodes == 1 and pace.wait(0.0) == pytest.approx(FIRST_PAUSE)
    assert pace.limit(0.0) == limit // 2


def test_a_call_that_was_never_made_leaves_no_trace() -> None:
    pace = grown()
    limit = pace.limit(0.0)
    for _ in range(100):
        [turn] = begun(pace, 1)
        pace.end(turn, None, 0.0)
    assert (pace.limit(0.0), pace.under_way, pace.episodes) == (limit, 0, 0)


def test_the_ceiling_may_be_one() -> None:
    run = Run(Bucket(2, 2, 0.1), seconds=60, seed=0, ceiling=1)
    assert run.most == 1 and run.used(since=20) > 0.8
