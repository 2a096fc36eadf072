from dataclasses import replace

import pytest

from benchmarks.first_call import FirstCalls
from benchmarks.noise_costs import Cost
from benchmarks.noise_report import cost_table, first_call_table, promises, rival_table
from benchmarks.subjects import Subject, subjects


def cost(name="gaussian", **other):
    """A noise that keeps every promise; a copy takes .5 ms."""
    usual = {"copy": 0.5, "default": 4, "alone": 5, "serial": 4, "threaded": 2, "possible": 2}
    return Cost(Subject(name, "a.quality:Noise"), **{**usual, "same": 2, "theirs": 60, **other})


def broken(*costs):
    return [line for line in promises(costs, 2) if line.startswith("BROKEN")]


def test_promises_are_held_and_say_by_how_much():
    lines = list(
        promises([cost(), cost("jpeg_artifact", same=2.4), cost("shadow", same=None, theirs=None)], 2)
    )
    assert all(line.startswith("held") for line in lines)
    assert "held: geometric mean at least 25 (27.4 over 2 noises)" in lines


@pytest.mark.parametrize(
    ("other", "name", "says"),
    [
        ({"default": 26}, "gaussian", "gaussian 52.0"),
        ({"graded": 26}, "gaussian", "gaussian 52.0"),
        ({"theirs": 9}, "gaussian", "gaussian 4.50"),
        ({"theirs": 2.9}, "jpeg_artifact", "jpeg_artifact 1.45"),
        ({"threaded": 3}, "gaussian", "gaussian 1.33"),
        ({"theirs": 40}, "gaussian", "20.0 over 1 noises"),
    ],
)
def test_a_broken_promise_names_who_breaks_it(other, name, says):
    assert any(f"({says})" in line for line in broken(cost(name, **other)))


def test_what_is_short_need_not_gain_from_threads():
    assert not broken(cost(default=1.9, serial=1.9, threaded=3))


def test_a_busy_machine_tells_nothing():
    lines = list(promises([cost(threaded=4, possible=1.1)], 2))
    assert any(line.startswith("unknown") and "busy for gaussian" in line for line in lines)


def test_five_may_take_more_than_twenty_copies():
    names = ["gaussian", "poisson", "speckle", "impulse", "snow"]
    assert not broken(*(cost(name, default=11, graded=12) for name in names))
    (line,) = broken(*(cost(name, default=11) for name in [*names, "foggy"]))
    assert "foggy 22.0" in line


def test_noises_that_are_not_the_same_are_left_out_of_the_comparison():
    assert not broken(cost(), cost("frost", theirs=2))
    assert "photographs" in rival_table([cost("frost", theirs=2)], "simple")


def test_tables_mark_what_is_above_the_limits():
    table = cost_table([cost(default=11), replace(cost("snow"), graded=26.0)], "github")
    assert "22.0!" in table
    assert "52.0!!" in table
    assert table.startswith("|")


def test_first_calls_are_summed():
    cold = FirstCalls(500, {"gaussian": 900.0, "snow": 20.0})
    table = first_call_table(cold, FirstCalls(400, {"gaussian": 9.0, "snow": 2.0}), "simple")
    assert "920" in table
    assert "snow" not in table


def test_all_but_the_extended_noises_are_measured():
    names = [subject.name for subject in subjects()]
    assert len(names) == len(set(names)) == 35
    assert "bit_error" not in names
