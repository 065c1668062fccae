"""A hint that holds a question gives the number asked for; what gives another stands in words.

The data tells the near questions apart: an account that was closed, one that opened late, a month
without a row, NULL in one of two columns. Every question that a hint holds is asked, and held
against SQL written for what was asked in the first place.
"""

import ast
import re
from pathlib import Path

import duckdb
import pytest

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FlightframeError

SERVER = Path(__file__).parents[2] / "server" / "flightframe_server"
TABLES = """
CREATE TABLE accounts (account VARCHAR, plan VARCHAR);
INSERT INTO accounts VALUES ('A', 'small'), ('B', 'small'), ('C', 'large'), ('D', NULL);
CREATE TABLE balances (account VARCHAR, month DATE, mrr INTEGER, rebate INTEGER);
INSERT INTO balances VALUES
    ('A', '2024-01-01', 10, 1), ('A', '2024-03-01', 12, NULL),
    ('B', '2024-01-01', 100, 5),
    ('C', '2024-02-01', 7, NULL), ('C', '2024-03-01', NULL, 2),
    ('D', '2024-03-01', 4, 4);
"""
COLLECTION = """
version: 1
name: subscriptions
schemas:
  - {name: accounts, grain: [account], columns: {account: account, plan: plan}}
  - {name: balances, grain: [account, month],
     columns: {account: account, month: month, mrr: mrr, rebate: rebate}}
dimension_families:
  - {name: customers, levels: [account, plan],
     edges: [{from: account, to: plan, via: accounts}]}
  - {name: calendar, levels: [month, year],
     edges: [{from: month, to: year, derived_by: YEAR_OF}]}
metric_families:
  - name: mrr
    family_root: {schema: balances, column: mrr}
    ip_reducers:
      - {operator: SUM, a_block: [calendar], default: true}
      - {operator: LAST, order_by: [month]}
      - {operator: FIRST, order_by: [month]}
  - name: closing
    family_root: {schema: balances, column: mrr}
    ip_reducers: [{operator: SUM, snapshot: {level: month, pick: LAST, per: []}}]
  - name: rebate
    family_root: {schema: balances, column: rebate}
    ip_reducers: [{operator: MIN}, {operator: MAX}]
  - {name: stated, family_root: {schema: balances, column: rebate}}
  - {name: paid, derived: {formula: "mrr - MAX(rebate)", inputs: [mrr, rebate]}}
"""
JOINED = "balances JOIN accounts USING (account)"
# A refused question, and for each question that its hint holds the SQL of what was asked.
REFUSED = {
    "SELECT mrr AT year": {},
    "SELECT mrr AT plan": {},
    "SELECT mrr AT account": {},
    "SELECT SUM(mrr) FILTER (WHERE plan = 'small') AS m AT ()": {},
    "SELECT LAST(mrr) AS l AT year": {},
    "SELECT FIRST(mrr) AS f AT plan": {},
    "SELECT SUM(mrr @ month) AS s AT plan": {},
    "SELECT SUM(mrr) / SUM(mrr @ ()) AS share AT (account, month)": {},
    "SELECT mrr @ month AS m AT account": {},
    "SELECT SUM(mrr - rebate) AS s AT month": {},
    "SELECT MAX(mrr - rebate) AS s AT month": {},
    "SELECT AVG(paid) AS p AT month": {},
    "SELECT SUM(paid) AS p AT month": {},
    "SELECT SUM(rebate) AS r AT month": {},
    "SELECT account, mrr AT month": {},
    "SELECT account, mrr AT (account, month, plan)": {},
    "SELECT mrr AT month WHERE plan IN ('small', NULL)": {},
    "SELECT mrr AT month WHERE plan NOT IN ('small', NULL)": {},
    "SELECT mrr AT month WHERE mrr > 5": {},
    "SELECT mrr AT month WHERE MAX(mrr) > 5": {},
    "SELECT SUM(DISTINCT mrr) AS s AT month": {},
    "SELECT SUM(mrr) FILTER (WHERE mrr > 5) AS s AT month": {},
    "SELECT AVG(mrr @ month) FILTER (WHERE plan = 'small') AS s AT plan": {},
    "SELECT mrr FROM accounts AT plan": {},
    "SELECT stated AT month": {},
    "SELECT rebate AT plan": {
        "MIN(rebate)": f"SELECT plan, MIN(rebate) FROM {JOINED} GROUP BY 1",
        "MAX(rebate)": f"SELECT plan, MAX(rebate) FROM {JOINED} GROUP BY 1",
    },
    "SELECT COUNT(*) AS n AT plan": {
        "FROM accounts": "SELECT plan, COUNT(*) FROM accounts GROUP BY 1",
        "FROM balances": f"SELECT plan, COUNT(*) FROM {JOINED} GROUP BY 1",
    },
}
CALL = re.compile(rf"\b(?:{'|'.join(sorted(REDUCER_NAMES))})\s*\((?:[^()]|\([^()]*\))*\)", re.I)
QUESTION = re.compile(r"\bSELECT \w.*|\bFROM (?!out\b)\w+|\bAT \(.*?\)|\b(?!after\b)[\w)]+ @ \S+")


def questions_in(hint):
    """Return what in a hint is text to be copied into a query."""
    calls = CALL.findall(hint)
    return calls + QUESTION.findall(CALL.sub("", hint))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hints")
    path = folder / "accounts.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
    backend = DuckDBBackend(path)
    engine = MetricEngine(read_collection(COLLECTION), folder / "store", backend)
    serving = Runtime("test", {"subscriptions": engine})
    yield lambda query: answer(Request(query), serving).table
    serving.close()
    backend.close()


def copied(query, text):
    """The query as somebody would mend it with what a hint says."""
    if text.startswith("FROM"):
        return query.replace(" AT ", f" {text} AT ", 1)
    column = query.split()[1]
    return query.replace(column, text, 1)


def rows(table):
    return sorted((tuple(map(str, row.values())) for row in table.to_pylist()), key=str)


@pytest.mark.parametrize("query", REFUSED)
def test_every_question_in_a_hint_gives_the_number_asked_for(query, world):
    with pytest.raises(FlightframeError) as caught:
        world(query)
    held = questions_in(caught.value.hint or "")
    assert set(held) == set(REFUSED[query]), caught.value
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        for text in held:
            expected = connection.execute(REFUSED[query][text]).fetchall()
            found = rows(world(copied(query, text)))
            assert found == sorted((tuple(map(str, row)) for row in expected), key=str), text


def test_what_was_there_at_the_end_is_a_snapshot_and_not_the_last_of_each(world):
    """March holds A 12, C unknown, D 4; B was closed in January with 100, and C last had 7."""
    assert world("SELECT closing AT ()").to_pylist() == [{"closing": 16}]
    assert world("SELECT SUM(LAST(mrr) @ account) AS s AT ()").to_pylist() == [{"s": 116}]
    with pytest.raises(FlightframeError, match="another number, which counts those that ended"):
        world("SELECT mrr AT year")


# Texts that show how a thing is written, in answer to what is no question yet. Those of the parser,
# which reads no names, are all of that kind.
# Statements in hints of SQL are asked in tests/conformance/test_bi_shapes.py; these are pieces.
FORMS = {
    "discovery/request.py": ["SELECT level FROM schema AT level"],
    "sql/aggregates.py": ["COUNT(*)", "SUM(x)", "COUNT(x)"],
    "resolver/qualified_names.py": ["FROM x"],
    "sql/comparing.py": ["FROM x"],
    "sql/fact_rows.py": ["SELECT DISTINCT"],
    "sql/question.py": ["FROM x"],
    "sql/rows_read.py": ["FROM x"],
    "sql/scalar_selects.py": ["AVG(r)"],
    "sql/stages.py": ["MAX(...)"],
    "sql/totals.py": ["SUM(SUM(x))"],
    "sql/unwrapping.py": ["FROM metrics"],
}


def hints_of(path):
    """Yield the texts of a module that stand in a hint, the values put into them left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        named = isinstance(node, ast.keyword) and node.arg == "hint"
        kept = isinstance(node, ast.Assign) and "hint" in ast.dump(node.targets[0]).lower()
        if named or kept:
            parts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            yield "x".join(part for part in parts if isinstance(part, str))


def test_no_module_gives_a_hint_that_holds_a_question_unseen():
    """The schemas to choose from are put together from parts, and are asked above."""
    found = {}
    for path in sorted(SERVER.rglob("*.py")):
        held = [text for hint in hints_of(path) for text in questions_in(hint)]
        if held and path.parent.name != "language":
            found[str(path.relative_to(SERVER))] = held
    assert found.pop("resolver/level_schemas.py", []) == ["FROM x"]
    assert found == FORMS
