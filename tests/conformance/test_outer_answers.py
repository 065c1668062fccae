"""Steps over answers: bounds, one version, no client's text in an engine, provenance and types."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from bi_world import World, same_rows

from flightframe_server.engine.together import Asker
from flightframe_server.errors import FlightframeError
from flightframe_server.outer.pool import Engine
from flightframe_server.provenance import METADATA_KEY
from flightframe_server.request import Request
from flightframe_server.sql.texts import type_text

WRITES = int(os.environ.get("BI_SQL_WRITES", "12"))

GROUPS = "SELECT region, store, SUM(units) AS u FROM metrics GROUP BY region, store"
SHARE = f"SELECT region, u, SUM(u) OVER () AS t FROM ({GROUPS}) q"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


@pytest.fixture
def bounded(world):
    runtime, _ = world.served["duckdb"].parts()
    limits = runtime.statements.limits

    def bound(**changes):
        runtime.statements.change_limits(replace(limits, **changes))

    yield bound
    runtime.statements.change_limits(limits)


def _code(world, sql):
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(sql)
    return caught.value.code


def test_an_island_of_one_row_too_many_is_refused_and_never_cut(world, bounded):
    rows = world.expected(GROUPS).num_rows
    bounded(outer_rows=rows)
    assert world.served["duckdb"].table(SHARE).num_rows == rows
    bounded(outer_rows=rows - 1)
    assert _code(world, SHARE) == "LIMIT_EXCEEDED"


def test_a_join_of_too_many_pairs_is_refused(world, bounded):
    same = "a.region IS NOT DISTINCT FROM b.region"
    sql = f"SELECT a.u, b.u FROM ({GROUPS}) a JOIN ({GROUPS}) b ON {same}"
    rows = world.expected(sql).num_rows
    assert rows > world.expected(GROUPS).num_rows
    bounded(outer_rows=rows)
    assert world.served["duckdb"].table(sql).num_rows == rows
    bounded(outer_rows=rows - 1)
    assert _code(world, sql) == "LIMIT_EXCEEDED"


def test_too_many_members_are_refused(world, bounded):
    inner = "SELECT product FROM metrics WHERE product IS NOT NULL GROUP BY product"
    sql = f"SELECT SUM(units) AS u FROM metrics WHERE product IN ({inner})"
    members = world.expected(inner).num_rows
    bounded(member_limit=members)
    assert world.served["duckdb"].table(sql).num_rows == 1
    bounded(member_limit=members - 1)
    assert _code(world, sql) == "LIMIT_EXCEEDED"


def test_no_text_of_a_client_reaches_the_engine(world, monkeypatch):
    seen = []
    plain = Engine.execute

    def spied(self, statement):
        seen.append(statement)
        return plain(self, statement)

    monkeypatch.setattr(Engine, "execute", spied)
    sql = (
        'SELECT q."Client; DROP" AS "zz ""alias",'
        " LAG(zzvalue, 1, 0) OVER (ORDER BY zzvalue) AS zzl,"
        " CASE WHEN zzvalue > 12345 THEN 'zztext' ELSE \"Client; DROP\" END AS zzc FROM"
        ' (SELECT region AS "Client; DROP", SUM(units) AS zzvalue FROM metrics GROUP BY region) q'
        " JOIN (SELECT region AS zzkey FROM metrics GROUP BY region) zzt"
        ' ON q."Client; DROP" = zzt.zzkey WHERE "Client; DROP" <> \'zzliteral\' ORDER BY zzvalue'
    )
    answer = world.served["duckdb"].table(sql)
    assert answer.column_names == ['zz "alias', "zzl", "zzc"]
    assert len(seen) == 2
    for statement in seen:
        for word in ("zz", "Client", "DROP", "12345", "region", "metrics"):
            assert word not in statement.sql
    assert {"zztext", "zzliteral", 12345} <= set(seen[-1].values.values())


@pytest.mark.parametrize("setting", ["threads", "enable_external_access", "memory_limit"])
def test_an_engine_cannot_be_unlocked(setting):
    engine = Engine()
    try:
        with pytest.raises(Exception, match="locked"):
            engine._connection.execute(f"SET {setting} = '1'")
        for reading in ("SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'"):
            with pytest.raises(Exception, match=r"disabled|not exist|extension"):
                engine._connection.execute(reading)
        stranger = [1]
        with pytest.raises(Exception, match=r"not exist|does not"):
            engine._connection.execute("SELECT * FROM stranger")
        assert stranger
    finally:
        engine.close()


RANKED = (
    "SELECT region, u, RANK() OVER (ORDER BY u) AS p"
    " FROM (SELECT region, SUM(units) AS u FROM metrics GROUP BY region) a"
)
TOYS = "SELECT region FROM metrics WHERE category = 'Toys' AND store < 'S03' GROUP BY region"

CHOSEN_BY_A_SELECT = {
    "alone": f"SELECT * FROM ({RANKED}) q WHERE region IN ({TOYS})",
    "beside AND": f"SELECT p FROM ({RANKED}) q WHERE p > 1 AND (region IN ({TOYS})) AND u > 0",
    "members that repeat": (
        f"SELECT COUNT(*) AS n FROM ({RANKED}) q WHERE region IN ({TOYS} UNION ALL {TOYS})"
    ),
    "NULL on both sides": (
        f"SELECT p FROM ({RANKED}) q WHERE region IN (SELECT region FROM metrics GROUP BY region)"
    ),
    "no members": f"SELECT p FROM ({RANKED}) q WHERE region IN ({TOYS} HAVING SUM(units) > 99999)",
    "a constant": f"SELECT p FROM ({RANKED}) q WHERE 'East' IN ({TOYS})",
    "two": (
        f"SELECT u FROM ({RANKED}) q WHERE region IN ({TOYS}) AND p IN (SELECT p FROM ({RANKED}) r)"
    ),
}


@pytest.mark.parametrize("sql", CHOSEN_BY_A_SELECT.values(), ids=CHOSEN_BY_A_SELECT.keys())
def test_rows_of_answers_are_chosen_by_a_select(world, sql):
    for name, served in world.served.items():
        difference = same_rows(served.table(sql), world.expected(sql), ordered=False)
        assert difference is None, f"{name}: {difference}"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT p FROM ({RANKED}) q WHERE region NOT IN ({TOYS})",
        f"SELECT p FROM ({RANKED}) q WHERE NOT region IN ({TOYS})",
        f"SELECT p FROM ({RANKED}) q WHERE region IN ({TOYS}) OR p = 1",
        f"SELECT CASE WHEN region IN ({TOYS}) THEN p END AS c FROM ({RANKED}) q",
        f"SELECT SUM(p) FILTER (WHERE region IN ({TOYS})) AS s FROM ({RANKED}) q",
        f"SELECT region, SUM(p) AS s FROM ({RANKED}) q GROUP BY region HAVING region IN ({TOYS})",
        f"SELECT region, SUM(units) AS s FROM metrics GROUP BY region HAVING region IN ({TOYS})",
    ],
)
def test_a_select_that_chooses_rows_is_never_taken_for_an_empty_list(world, sql):
    assert world.expected(sql).num_columns == 1 + sql.startswith("SELECT region")
    assert _code(world, sql) == "NOT_SUPPORTED"


def test_islands_with_a_writer_in_between_are_of_one_version(tmp_path, monkeypatch):
    """`BI_SQL_WRITES=1000` writes as often; each time both islands are of one version."""
    world = World(tmp_path)
    served, path = world.served["sqlite"], next(iter(world.files))
    state = {"asked": 0, "written": 0}
    plain = Asker.ask

    def interrupted(self, resolve, max_rows):
        complete = plain(self, resolve, max_rows)
        state["asked"] += 1
        if state["asked"] == 1:
            state["written"] += 1
            with closing(sqlite3.connect(path)) as writer, writer:
                writer.execute("UPDATE transactions SET quantity = ?", (state["written"],))
        return complete

    monkeypatch.setattr(Asker, "ask", interrupted)
    sql = (
        "SELECT a.u, b.u FROM (SELECT SUM(units) AS u FROM metrics) a CROSS JOIN"
        " (SELECT SUM(units) AS u FROM metrics WHERE store IS NOT NULL OR store IS NULL) b"
    )
    (rows,) = world.expected("SELECT COUNT(*) AS n FROM metrics").to_pylist()
    answered, refused = 0, list[str]()
    for number in range(WRITES):
        state["asked"] = 0
        try:
            answer = served.table(sql, cold=number % 2 == 0)
        except FlightframeError as error:
            refused.append(error.code)
            continue
        answered += 1
        ((first,), (second,)) = (column.to_pylist() for column in answer.columns)
        # Either the version before the write or the one after, and the same in both.
        assert first == second
        assert first == state["written"] * rows["n"]
    world.close()
    assert answered >= WRITES * 0.9, refused
    print(f"{answered} of {WRITES} answered, each of one version; refused: {refused}")


def test_provenance_says_which_islands_and_that_they_were_composed(world):
    served = world.served["duckdb"]
    served.forget()
    served.table("SELECT region, SUM(units) AS u FROM metrics GROUP BY region", cold=False)
    sql = (
        "SELECT a.region, a.u, b.c FROM (SELECT region, SUM(units) AS u FROM metrics GROUP BY"
        " region) a JOIN (SELECT region, SUM(cost) AS c FROM metrics GROUP BY region) b"
        " ON a.region = b.region"
    )
    answer = served.answer(sql, cold=False)
    told = json.loads(answer.schema.metadata[METADATA_KEY])
    assert told["served_from"] == "engine_mixed"
    for column in told["columns"]:
        assert column["outer"] is True
        assert {part["served_from"] for part in column["parts"]} == {
            "engine_cache",
            "engine_backend",
        }
    again = served.answer(sql, cold=False)
    assert str(again.provenance.served_from) == "engine_cache"
    assert served.answer(sql, cold=False) is not None


def test_a_plan_lists_its_islands(world):
    answer = world.served["duckdb"].table(f"EXPLAIN {SHARE}")
    texts = answer["source"].to_pylist()
    assert any("island 1, in Frame-QL: SELECT" in text for text in texts)
    assert texts[-1].startswith("over the islands: project(window[sum](")
    assert answer["step"].to_pylist() == list(range(1, answer.num_rows + 1))


def test_parameters_are_typed_before_they_have_values(world):
    sql = (
        "SELECT region, u, NTILE(2) OVER (ORDER BY u) AS n FROM (SELECT region, SUM(units) AS u"
        " FROM metrics WHERE category = ? GROUP BY region) q WHERE u > ? LIMIT ?"
    )
    typed = type_text(Request(sql), *world.served["duckdb"].parts())
    answer = world.served["duckdb"].table(sql, ["Toys", 1, 2])
    assert typed.schema.remove_metadata() == answer.schema.remove_metadata()
    assert [str(type_) for _, type_ in typed.parameters] == ["string", "int64", "int64"]
