"""A plan of several needs carried out: each with its own filter, and one told a year later."""

import datetime
from decimal import Decimal

import pytest
from engine_shop import collection, opened

from flightframe_server.call_context import SERVER_CALL
from flightframe_server.composer.compose import compose
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.executor import PlanExecutor
from flightframe_server.language import parse
from flightframe_server.planner.plan import NO_FRESHNESS
from flightframe_server.provenance import ServedFrom
from flightframe_server.resolver.needs import Need, Shift
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.statements.runner import Statements

BY_MONTH = "SELECT month, revenue AT month"


class Asked(Question):
    """A question that reads what it is told to."""

    told: tuple[Need, ...] = ()

    @property
    def needs(self):
        return self.told


@pytest.fixture
def engine(tmp_path):
    backend = opened(tmp_path)
    made = MetricEngine(collection(), tmp_path / "store", backend)
    made.attested()
    yield made
    made.close()
    backend.close()


def need_of(engine, text, shift=None):
    (need,) = resolve(parse(text), engine.typed).needs
    return Need(need.metric, need.anchor, need.filter, shift)


def carried(engine, *needs):
    snapshot = engine.snapshot()
    found = resolve(parse(BY_MONTH), engine.typed)
    asked = Asked(found.collection, found.anchor, found.columns)
    object.__setattr__(asked, "told", needs)
    executor = PlanExecutor(engine.store, engine.backend, ServedFrom.ENGINE_BACKEND, Statements())
    plan = engine._attempts.attested_plan(asked, NO_FRESHNESS, snapshot, SERVER_CALL)
    return executor.execute(plan, snapshot, keep=True, max_rows=-1, context=SERVER_CALL)


def rows(table):
    return [tuple(row.values()) for row in table.to_pylist()]


JANUARY, FEBRUARY = datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)
# SELECT date_trunc('month', day), SUM(revenue) FROM tx [WHERE store = 'S1'] GROUP BY 1
ALL = [(JANUARY, Decimal("30.30")), (FEBRUARY, Decimal("9.00")), (None, Decimal("7.00"))]
OF_S1 = [(JANUARY, Decimal("30.30"))]
OF_S2 = [(FEBRUARY, None)]


@pytest.mark.parametrize("again", [False, True], ids=["from the database", "from entries"])
def test_each_need_is_read_under_its_own_filter_and_told_where_it_says(engine, again):
    needs = (
        need_of(engine, BY_MONTH),
        need_of(engine, f"{BY_MONTH} WHERE store = 'S1'"),
        need_of(engine, f"{BY_MONTH} WHERE store = 'S2'"),
        need_of(engine, BY_MONTH, Shift("month", 12)),
    )
    done = carried(engine, *needs)
    if again:
        done = carried(engine, *needs)
    assert {str(part.route) for part in done.parts} == {"exact" if again else "backend"}
    later = [(None if day is None else day.replace(year=2025), value) for day, value in ALL]
    assert [rows(table) for table in done.tables] == [ALL, OF_S1, OF_S2, later]
    assert [part.shift for part in done.parts] == [None, None, None, "month moved by 12 months"]
    assert "shift" not in done.parts[0].to_json()
    assert done.parts[3].to_json()["shift"] == "month moved by 12 months"


def test_an_answer_is_composed_of_what_its_own_filter_needs(engine):
    plain = need_of(engine, BY_MONTH)
    other = need_of(engine, f"{BY_MONTH} WHERE store = 'S1'")
    done = carried(engine, other, plain)
    found = resolve(parse(BY_MONTH), engine.typed)
    assert rows(compose(found, (other, plain), done.tables)) == ALL
