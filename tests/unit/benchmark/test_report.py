"""What is told of a measurement: lines that fit, JSON, a picture, and what got worse."""

import json
from xml.etree import ElementTree

import pytest

from flightframe_server.benchmark.comparison import changes
from flightframe_server.benchmark.figures import Figures, Measure
from flightframe_server.benchmark.measuring import PathResult, compared
from flightframe_server.benchmark.paths import PATHS, Goal
from flightframe_server.benchmark.plot import svg
from flightframe_server.benchmark.report import facts, lines


def result(ours: float, goal: Goal, clients: int = 1) -> PathResult:
    figures = {
        "flightframe": [Figures(ours, ours * 2, 1000 / ours, 100.0, 250.0)],
        goal.against: [Figures(10.0, 20.0, 100.0, 100.0, None)],
    }
    how = (compared("flightframe", goal, figures, clients),)
    return PathResult("hit & run", clients, figures, how, {"ROAPI": "it is not installed"})


def test_the_lines_say_who_is_faster_and_whether_it_is_enough():
    told = list(lines(result(2.0, Goal("DuckDB in process", Measure.TIME, at_least=12))))
    assert told[0] == "hit & run, 1 client"
    compared_with = "5.00 times as fast as DuckDB in process (5.00-5.00)"
    assert told[3].strip() == f"{compared_with}, wanted 12: NOT reached"
    assert told[4].endswith("not run: it is not installed")
    reached = list(lines(result(2.0, Goal("ROAPI", Measure.TIME, at_most=0.4), 16)))
    assert reached[0].endswith("16 clients")
    assert reached[3].strip() == (
        "0.20 of the time of ROAPI (0.20-0.20), wanted at most 0.4: reached"
    )
    for line in [*told, *reached]:
        assert len(line) <= 80


def test_the_picture_is_drawn_from_the_same_ratios():
    results = [
        result(2.0, Goal("a", Measure.TIME, at_least=12)),
        result(2.0, Goal("b", Measure.TIME, at_most=0.4), 16),
        result(2.0, Goal("c", Measure.RATE)),
    ]
    root = ElementTree.fromstring(svg(results))
    texts = [node.text for node in root.iter() if node.tag.endswith("text")]
    assert texts.count("5x") == 3
    assert "hit & run (16 clients) / b" in texts


@pytest.mark.parametrize(("after", "worse"), [(2.0, False), (2.3, False), (4.0, True)])
def test_a_worse_ratio_is_told(after, worse):
    goal = Goal("a", Measure.TIME, at_most=0.4)
    one, other = (facts([result(ms, goal)], {"flightframe": None}) for ms in (2.0, after))
    (change,) = changes(json.loads(json.dumps(one)), other)
    assert change.before == pytest.approx(5.0)
    assert change.after == pytest.approx(10 / after)
    assert change.is_worse() is worse


def test_each_path_has_goals_against_its_own_sides():
    assert len({path.name for path in PATHS}) == len(PATHS)
    for path in PATHS:
        sides = {side.name for side in path.others}
        assert {goal.against for goal in path.goals} <= sides
        for goal in path.goals:
            assert set(goal.clients) <= set(path.clients)
            assert goal.at_least is None or goal.at_most is None
