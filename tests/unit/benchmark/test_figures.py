"""Medians, tails, rates and ratios, by arithmetic."""

import pytest

from flightframe_server.benchmark.figures import (
    Figures,
    Measure,
    Ratio,
    RoundTimes,
    figures_of,
    inverted,
    ratio,
)
from flightframe_server.benchmark.measuring import compared
from flightframe_server.benchmark.paths import Goal


def test_the_figures_of_a_round():
    times = tuple(n * 1_000_000 for n in range(1, 201))
    found = figures_of(RoundTimes(times, seconds=4.0, client_cpu_seconds=0.02))
    assert found == Figures(
        p50_ms=100.5, p99_ms=199.0, per_second=50.0, client_us=100.0, server_us=None
    )
    assert figures_of(RoundTimes((5_000_000,), 0.005, 0.0, 0.001)).server_us == 1000.0


def side(*medians: float) -> list[Figures]:
    return [Figures(one, 10 * one, 100 / one, 0.0, None) for one in medians]


def test_a_ratio_is_taken_round_by_round():
    # 1/2, 2/2 and 6/3: a noisy round is noisy for both sides.
    assert ratio(side(1, 2, 6), side(2, 2, 3), Measure.TIME) == Ratio(1.0, 0.5, 2.0)
    assert ratio(side(1), side(4), Measure.RATE) == Ratio(4.0, 4.0, 4.0)
    assert inverted(Ratio(4.0, 2.0, 8.0)) == Ratio(0.25, 0.125, 0.5)


@pytest.mark.parametrize(
    ("goal", "told", "times", "wanted", "met"),
    [
        # We take 2 ms, they take 20: ten times as fast, or a tenth of their time.
        (Goal("b", Measure.TIME, at_least=10), 10.0, 10.0, 10, True),
        (Goal("b", Measure.TIME, at_least=11), 10.0, 10.0, 11, False),
        (Goal("b", Measure.TIME, at_most=0.1), 0.1, 10.0, 10.0, True),
        (Goal("b", Measure.TAIL, at_most=0.05), 0.1, 10.0, 20.0, False),
        (Goal("b", Measure.RATE, at_least=9), 10.0, 10.0, 9, True),
        (Goal("b", Measure.RATE), 10.0, 10.0, None, None),
        (Goal("b", Measure.RATE, at_least=99, clients=(16,)), 10.0, 10.0, None, None),
    ],
)
def test_a_goal_is_met_or_not(goal, told, times, wanted, met):
    found = compared("a", goal, {"a": side(2.0), "b": side(20.0)}, clients=1)
    assert found.ratio.median == pytest.approx(told)
    assert found.times_as_fast.median == pytest.approx(times)
    assert (found.wanted, found.met) == (wanted, met)
