"""The tables of `python -m benchmarks.noises`, and what was promised about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import geometric_mean

from tabulate import tabulate

from benchmarks.counterparts import COUNTERPARTS
from benchmarks.first_call import FirstCalls
from benchmarks.noise_costs import SEVERITY, Cost

MOST, USUAL, EXCEPTIONS = 50, 20, 5
"""Copies of a frame that a noise may take; that all but so many may take."""
SPEEDUP, MEAN_SPEEDUP = 5.0, 25.0
"""How many times as fast as imagecorruptions each must be, and the geometric mean."""
SAME_CODEC = {"jpeg_artifact": 1.5}
"""The same, where both call the same encoder and decoder."""
SCALING, SHORT, IDLE = 1.4, 2.0, 1.6
"""What two threads must bring a noise that takes longer than this, in milliseconds a frame; what they must
bring hashing at the same time, or else the machine was too busy to tell.
"""


def cost_table(costs: Sequence[Cost], style: str) -> str:
    """Every noise: milliseconds, multiples of a copy, what the cores bring."""
    rows = [
        (
            cost.subject.category,
            cost.subject.name,
            _ms(cost.default),
            _times(cost.default / cost.copy),
            _ms(cost.graded),
            _times(cost.graded and cost.graded / cost.copy),
            _ms(cost.alone),
            _ms(cost.threaded),
            f"{cost.gain:.2f}",
            f"{cost.possible:.2f}",
        )
        for cost in costs
    ]
    heads = (
        *("category", "noise", "ms", "copies", f"severity {SEVERITY}", "copies", "one frame"),
        *("threads", "gain", "possible"),
    )
    return tabulate(rows, heads, style, disable_numparse=True, colalign=("left",) * 2 + ("right",) * 8)


def rival_table(costs: Sequence[Cost], style: str) -> str:
    """The noises that imagecorruptions has, and how many times as fast ours are."""
    rows = [
        (
            cost.subject.name,
            COUNTERPARTS[cost.subject.name].name,
            _ms(cost.theirs),
            _ms(cost.same),
            f"{cost.speedup:.1f}" if cost.speedup else "",
            COUNTERPARTS[cost.subject.name].differs or "",
        )
        for cost in costs
        if cost.theirs is not None
    ]
    heads = ("noise", "imagecorruptions", "theirs ms", "ours ms", "times as fast", "another noise, as")
    return tabulate(
        rows, heads, style, disable_numparse=True, colalign=("left",) * 2 + ("right",) * 3 + ("left",)
    )


def first_call_table(cold: FirstCalls, cached: FirstCalls, style: str) -> str:
    """Those noises whose first call ever takes a tenth of a second longer than the next, and all together."""
    rows = [
        (name, _ms(taken), _ms(cached.noises[name])) for name, taken in cold.noises.items() if taken > 100
    ]
    rows.append(("all", _ms(sum(cold.noises.values())), _ms(sum(cached.noises.values()))))
    rows.append(("importing them", _ms(cold.imports), _ms(cached.imports)))
    heads = ("first call of", "compiling, ms", "compiled before, ms")
    return tabulate(rows, heads, style, disable_numparse=True, colalign=("left", "right", "right"))


def promises(costs: Sequence[Cost], threads: int) -> Iterator[str]:
    """A line for each thing promised: held, or broken by what."""
    plain = {cost.subject.name: cost.default / cost.copy for cost in costs}
    graded = {cost.subject.name: cost.graded / cost.copy for cost in costs if cost.graded is not None}
    for multiples, how in ((plain, "with its defaults"), (graded, f"at severity {SEVERITY}")):
        yield _line(f"no noise takes more than {MOST} copies {how}", _above(multiples, MOST))
        slow = _above(multiples, USUAL)
        name = f"all but {EXCEPTIONS} noises take at most {USUAL} copies {how}"
        yield _line(name, slow if len(slow) > EXCEPTIONS else [], slow)
    speedups = {cost.subject.name: cost.speedup for cost in costs if cost.speedup and _equivalent(cost)}
    lacking = [
        f"{name} {value:.2f}" for name, value in speedups.items() if value < SAME_CODEC.get(name, SPEEDUP)
    ]
    yield _line(
        f"each at least {SPEEDUP:g} times as fast as imagecorruptions (jpeg {SAME_CODEC['jpeg_artifact']})",
        lacking,
    )
    if speedups:
        mean = geometric_mean(speedups.values())
        text = f"{mean:.1f} over {len(speedups)} noises"
        yield _line(
            f"geometric mean at least {MEAN_SPEEDUP:g}", [text] if mean < MEAN_SPEEDUP else [], [text]
        )
    long = [cost for cost in costs if cost.default > SHORT]
    told = [cost for cost in long if cost.possible >= IDLE]
    lacking = [f"{cost.subject.name} {cost.gain:.2f}" for cost in told if cost.gain < SCALING]
    name = f"{threads} threads at least {SCALING} times as fast as one, where one takes over {SHORT:g} ms"
    if lacking or long == told:
        yield _line(name, lacking)
    else:
        busy = ", ".join(cost.subject.name for cost in long if cost not in told)
        yield f"unknown: {name} (the machine was too busy for {busy})"


def _equivalent(cost: Cost) -> bool:
    return COUNTERPARTS[cost.subject.name].equivalent


def _above(multiples: dict[str, float], limit: float) -> list[str]:
    return [f"{name} {value:.1f}" for name, value in multiples.items() if value > limit]


def _line(promise: str, broken: Sequence[str], remarks: Sequence[str] = ()) -> str:
    named = ", ".join(broken or remarks)
    return f"{'BROKEN' if broken else 'held'}: {promise}{f' ({named})' if named else ''}"


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _times(value: float | None) -> str:
    """A multiple of a copy, with a mark for each of the two limits that it is above."""
    if value is None:
        return ""
    return f"{value:.1f}" + "!" * ((value > USUAL) + (value > MOST))
