"""Completion and description of 300 levels and 760 metrics: right, and soon.

Processor time is measured, and not the clock's. A machine that runs other tests on the same cores
takes several times as much of it, so that only what grows by its kind is seen here: a product of
metrics and levels takes minutes.
"""

import json
import time

import large_collection
import pytest
from resolving import code_of, completed, inserted

from flightframe_server.completion import kept_refusals
from flightframe_server.discovery import metric_terms
from flightframe_server.discovery.describe import describe
from flightframe_server.discovery.request import DescribeRequest, Detail

pytestmark = pytest.mark.slow

BUSY = 20
WRITTEN = (
    "SELECT |",
    "SELECT SUM(|",
    "SELECT | AT day",
    "SELECT f0_m0 AT |",
    "SELECT f0_m0 AT (|",
    "SELECT f0_m0 FROM |",
    "SELECT f0_m0 AT day WHERE |",
    "SELECT AVG(f0_m0 @ |",
    "SELECT f0_m0 AT day HAVING |",
)


def seconds(work):
    """The least processor time of some runs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("written", WRITTEN)
def test_completion_is_no_product_of_metrics_and_levels(large, written):
    def first_letter():
        kept_refusals._BY_ENGINE.clear()
        completed(large, written)

    assert seconds(first_letter) < BUSY * 0.5


@pytest.mark.parametrize("written", WRITTEN)
def test_the_next_letter_is_answered_from_what_is_kept(large, written):
    completed(large, written)
    assert seconds(lambda: completed(large, written)) < BUSY * 0.1


def test_of_metrics_that_are_alike_one_is_resolved_for_all(large):
    kept_refusals._BY_ENGINE.clear()
    completed(large, HAVING)
    (engine,) = large.engines.values()
    kept = kept_refusals._BY_ENGINE[engine]
    # Each schema has its kinds of metrics, and its own for what is refused.
    assert len(kept._kept) < large_collection.METRICS


def test_the_names_are_told_at_once(large):
    def names():
        metric_terms._KEPT.clear()
        return describe(DescribeRequest(detail=Detail.NAMES), large)

    assert seconds(names) < BUSY * 0.25
    (told,) = json.loads(names())["collections"]
    counts = {key: len(told[key]) for key in ("levels", "metrics", "schemas", "edges")}
    # By hand: three chains through fourteen attributes in each dimension, and the calendar's four.
    edges = large_collection.DIMENSIONS * large_collection.ATTRIBUTES + 4
    assert counts == {"levels": 300, "metrics": 760, "schemas": 60, "edges": edges}
    # A name, its words and what it belongs to: some two hundred bytes of each.
    assert len(names()) < 200 * sum(counts.values())


def test_description_is_soon_there_once_the_data_are_known(large):
    (engine,) = large.engines.values()
    engine.attested()
    assert seconds(lambda: describe(DescribeRequest(), large)) < BUSY * 0.5
    described = json.loads(describe(DescribeRequest(), large))["collections"][0]
    assert len(described["levels"]) == large_collection.LEVELS
    assert len(described["metrics"]) == large_collection.METRICS
    blocked = [
        (level["level"], level["code"])
        for metric in described["metrics"]
        if metric["name"] == "f3_m0"
        for level in metric["anchors"][0]["blocked"]
    ]
    assert ("d3_a13", "FD_VIOLATION") in blocked
    assert all(word not in json.dumps(described) for word in ("\\u0000", "called", "family\\u"))


HAVING = "SELECT f0_m0 AT day HAVING |"


@pytest.mark.parametrize("written", ["SELECT | AT day", "SELECT f0_m4 AT |", HAVING])
def test_a_sample_of_names_is_lawful_exactly_where_the_statement_is(large, written):
    found = completed(large, written)
    names = [option for option in found.options if option.kind in ("metric", "level")]
    for option in names[::17]:
        text, rest = inserted(written, found, option)
        code = code_of(large, text + rest + (" IS NULL" if written == HAVING else ""))
        assert option.code == code or (option.legal and code == "AMBIGUOUS_SCHEMA"), option
