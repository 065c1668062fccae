"""What an installation counts."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from flightframe_server.answer import answer
from flightframe_server.app import OpenInstallation
from flightframe_server.errors import FlightframeError
from flightframe_server.flight.server import FlightServer
from flightframe_server.planner.plan import Freshness
from flightframe_server.request import Request
from flightframe_server.telemetry.metrics import AnswerCounts, Metrics, route_of

SECRET = "Nowhere-0042"


def exposed(opened: OpenInstallation) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return what Prometheus would read, by the name of the sample and its labels."""
    text = generate_latest(opened.runtime.metrics.registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def questions(opened: OpenInstallation) -> dict[tuple[str, str], float]:
    """Return how many questions were answered, by label and route."""
    return {
        (dict(labels)["served_from"], dict(labels)["route"]): value
        for (name, labels), value in exposed(opened).items()
        if name == "flightframe_questions_total"
    }


def test_each_question_counts_once_under_its_label_and_route(shop):
    fine = Request("SELECT amount AT (town, day)")
    coarse = Request("SELECT amount AT town")
    answer(fine, shop.runtime)
    assert questions(shop) == {("engine_backend", "backend"): 1}
    answer(coarse, shop.runtime)
    assert questions(shop)["engine_cache", "rollup"] == 1
    answer(coarse, shop.runtime)
    assert questions(shop)["engine_cache", "exact"] == 1
    for _ in range(3):
        answer(coarse, shop.runtime)
    answer(Request("SELECT amount AT town", freshness=Freshness(no_cache=True)), shop.runtime)
    assert questions(shop) == {
        ("engine_backend", "backend"): 1,
        ("engine_cache", "rollup"): 1,
        ("engine_cache", "exact"): 1,
        ("engine_cache", "hot"): 3,
        ("backend", "backend"): 1,
    }
    seconds = exposed(shop)["flightframe_question_seconds_count", (("route", "hot"),)]
    assert seconds == 3


def test_pages_and_prometheus_read_one_count(shop):
    metrics = shop.runtime.metrics
    assert metrics.answers_of("shop") == AnswerCounts()
    answer(Request("SELECT amount AT (town, day)"), shop.runtime)
    answer(Request("SELECT amount AT town"), shop.runtime)
    answer(Request("SELECT COUNT(amount) AS n AT (town, day)"), shop.runtime)
    # One part is read as it is and the other rolled up: a rollup, and no hit.
    answer(Request("SELECT amount, COUNT(amount) AS n AT town"), shop.runtime)
    answer(Request("SELECT amount, MAX(amount) AS m AT town"), shop.runtime)
    for _ in range(2):
        answer(Request("SELECT amount AT town"), shop.runtime)
    answer(Request("SELECT amount AT day", freshness=Freshness(no_cache=True)), shop.runtime)
    counts = metrics.answers_of("shop")
    assert counts == AnswerCounts(hits=1, rollups=2, misses=4, hot_hits=1)
    assert sum(questions(shop).values()) == 8
    assert metrics.answers_of("another") == AnswerCounts()


def test_a_plan_that_is_shown_is_no_answer(shop):
    answer(Request("EXPLAIN SELECT amount AT town"), shop.runtime)
    assert questions(shop) == {}
    assert shop.runtime.metrics.answers_of("shop") == AnswerCounts()


def test_statements_are_timed_and_the_store_is_weighed(shop):
    answer(Request("SELECT amount AT (town, day)"), shop.runtime)
    answer(Request("SELECT amount AT town"), shop.runtime)
    seen = exposed(shop)
    assert seen["flightframe_backend_seconds_count", (("kind", "query"),)] == 1
    collection = (("collection", "shop"),)
    assert seen["flightframe_entries", collection] == 2
    records = shop.runtime.engines["shop"].store.records()
    assert seen["flightframe_entry_bytes", collection] == sum(one.bytes for one in records)
    assert seen["flightframe_budget_bytes", collection] == 1 << 30
    assert seen["flightframe_statements_running", ()] == 0


def test_there_is_a_family_for_each_thing_that_is_watched(shop):
    families = {
        family.name: set(family.samples[0].labels) if family.samples else None
        for family in text_string_to_metric_families(
            generate_latest(shop.runtime.metrics.registry).decode()
        )
        if family.name.startswith("flightframe")
    }
    assert families.keys() == {
        "flightframe_info",
        # Questions by collection, label and route, and how long they took; hot hits are a route.
        "flightframe_questions",
        "flightframe_question_seconds",
        "flightframe_refusals",
        "flightframe_backend_seconds",
        # Answers of SQL that were asked again.
        "flightframe_shadow_answers",
        # The stores.
        "flightframe_entries",
        "flightframe_entry_bytes",
        "flightframe_budget_bytes",
        "flightframe_evictions",
        "flightframe_damaged_entries",
        "flightframe_unstored_answers",
        "flightframe_store_failures",
        # The queue.
        "flightframe_statements_running",
        "flightframe_statements_waiting",
        "flightframe_streams_waiting",
    }
    of_stores = {name for name, labels in families.items() if labels == {"collection"}}
    assert len(of_stores) == 7


def test_a_refusal_is_no_answer_and_no_value_is_told(shop):
    with pytest.raises(FlightframeError):
        answer(Request("SELECT amuont AT town"), shop.runtime)
    answer(Request(f"SELECT amount AT town WHERE town = '{SECRET}'"), shop.runtime)
    text = generate_latest(shop.runtime.metrics.registry).decode()
    assert SECRET not in text
    assert "amuont" not in text
    assert sum(questions(shop).values()) == 1


def test_refusals_of_flight_are_counted_by_their_code(shop):
    from pyarrow import ArrowInvalid, flight

    with FlightServer(shop.runtime) as server, flight.FlightClient(server.uri) as client:
        for _ in range(2):
            with pytest.raises(ArrowInvalid):
                client.do_get(flight.Ticket(b"SELECT amuont AT town")).read_all()
    labels = (("code", "UNKNOWN_NAME"), ("surface", "flight"))
    assert exposed(shop)["flightframe_refusals_total", labels] == 2


@pytest.mark.parametrize(
    ("routes", "streamed", "route"),
    [
        (["exact"], False, "exact"),
        (["exact", "rollup"], False, "mixed"),
        (["rollup", "rollup"], False, "rollup"),
        ([], False, "exact"),
        (["backend", "exact"], True, "streamed"),
    ],
)
def test_the_route_of_an_answer(routes, streamed, route):
    assert route_of(routes, streamed=streamed) == route


def test_two_installations_count_apart():
    one, other = Metrics(), Metrics()
    one.refused("http", "PARSE")
    assert b'flightframe_refusals_total{code="PARSE",surface="http"} 1.0' in generate_latest(
        one.registry
    )
    assert b"PARSE" not in generate_latest(other.registry)
