"""Every argument of every node of texts over answers changed: refused, or as the oracle has it.

The texts are the shapes of tiers S and O, one of each kind that chance makes, and some of each
construct besides. An argument that is not read has to be refused by the list of what is. One that
is read is set to something else in the tree itself, since a text could not say that it was left
out, and the tree is asked; the oracle is asked what sqlglot writes for it. Where that reads as
another tree, the text is asked as well. What has no text of its own must be known to mean nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from bi_points import over_points
from bi_world import FLAT, World, reference_text, same_rows
from outer_queries import OuterQueries
from sqlglot import exp
from test_bi_shapes import SHAPES

from flightframe_server.errors import FlightframeError, InternalError, NotSupported
from flightframe_server.sql import catalogue_query
from flightframe_server.sql.allowed_sql import OUTER, check_outer
from flightframe_server.sql.parse import ParsedSql, parse_sql

CHANGES = int(os.environ.get("BI_SQL_CHANGES", "300"))
"""How many changes are asked; 0: all of them."""
SEED = int(os.environ.get("BI_SQL_SEED", "20261201"))

MEANINGLESS = {
    (exp.Identifier, "quoted"): "a name is the same in any case, in quotes as well",
    (exp.Count, "big_int"): "it says which function of another dialect was meant",
    (exp.DPipe, "safe"): "it says which other types the dialect of the text would join",
    (exp.Union, "distinct"): "left out, as no parser does, it is UNION, which is of distinct rows",
    (exp.Intersect, "distinct"): "left out, as no parser does, it is INTERSECT",
    (exp.Except, "distinct"): "left out, as no parser does, it is EXCEPT",
    (exp.In, "expressions"): "beside a SELECT, where no parser puts members",
    (exp.Fetch, "direction"): "FIRST and NEXT are two words for one thing",
    (exp.Fetch, "limit_options"): "ROWS ONLY says nothing more",
    (exp.LimitOptions, "rows"): "ROWS is a word without a meaning of its own",
    (exp.WindowSpec, "end"): "left out, a frame ends with the current row",
}
"""Arguments that may be anything, each with its reason."""

ROWS = "(SELECT region, store, month, SUM(units) AS u, SUM(revenue) AS r FROM metrics GROUP BY ALL)"
MORE = (
    f"SELECT store, u, FIRST_VALUE(u) OVER (PARTITION BY region ORDER BY month, store NULLS FIRST"
    f" ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS f, NTILE(3) OVER (ORDER BY u, store, month) AS"
    f" n, LAG(u, 2, 0) OVER (ORDER BY store, month DESC, region) AS l FROM {ROWS} q",
    f"SELECT store, u FROM {ROWS} q WHERE (u BETWEEN 3 AND 30 OR r IS NULL) AND store NOT IN"
    f" ('S01') AND region LIKE 'E%' ESCAPE '!' AND NOT region ILIKE 'x%' ORDER BY u DESC NULLS"
    f" LAST, store, month LIMIT 9 OFFSET 1",
    f"SELECT DISTINCT region FROM {ROWS} q WHERE region IS DISTINCT FROM 'East' AND u > 1",
    f"SELECT region, CASE WHEN u > 20 THEN 'much' WHEN u IS NULL THEN 'none' ELSE 'some' END AS c,"
    f" COUNT(*) AS n, SUM(r) FILTER (WHERE u > 5) AS s, COUNT(DISTINCT store) AS d FROM {ROWS} q"
    f" GROUP BY region, CASE WHEN u > 20 THEN 'much' WHEN u IS NULL THEN 'none' ELSE 'some' END"
    f" HAVING COUNT(*) > 2",
    f"SELECT UPPER(store) AS a, COALESCE(region, 'none') AS b, SUBSTRING(store, 1, 2) AS c, ABS(-u)"
    f" AS d, ROUND(r, 1) AS e, NULLIF(u, 3) AS f, store || '-' || region AS g, CAST(u AS DOUBLE) AS"
    f" h, EXTRACT(month FROM month) AS i, LEFT(store, 2) AS j, REPLACE(store, 'S', 'T') AS k,"
    f" TRIM(store) AS l, RANK() OVER (ORDER BY u) AS m FROM {ROWS} q",
    f"SELECT q.store, p.u FROM {ROWS} q LEFT JOIN (SELECT store, SUM(units) AS u FROM metrics GROUP"
    f" BY store) p ON q.store IS NOT DISTINCT FROM p.store WHERE q.region IN (SELECT region FROM"
    f" stores WHERE store > 'S02')",
    f"SELECT region, store, u, PERCENT_RANK() OVER (PARTITION BY region ORDER BY u) AS p FROM"
    f" {ROWS} q WHERE u > 1 QUALIFY p > 0.2 AND CUME_DIST() OVER (ORDER BY u DESC) < 0.9",
    "WITH a AS (SELECT region, SUM(units) AS u FROM metrics GROUP BY region), b AS (SELECT region,"
    " u FROM a WHERE u > 30) SELECT region, u FROM a EXCEPT SELECT region, u FROM b ORDER BY 2"
    " DESC, 1 FETCH FIRST 3 ROWS ONLY",
)


def _texts() -> list[str]:
    shapes = [
        x["sql"] for x in SHAPES if x.get("flat") and x["tier"] in "SO" and "pending" not in x
    ]
    queries, kinds = OuterQueries(Random(SEED)), dict[str, str]()
    for _ in range(60):
        kind, sql, _ = queries.next()
        kinds.setdefault(kind, sql)
    return [*shapes, *kinds.values(), *MORE]


TEXTS = _texts()


def _tree(sql: str) -> exp.Expr:
    parsed = parse_sql(sql)
    assert parsed is not None
    return (parsed.compound or parsed.select).copy()


@pytest.mark.parametrize("sql", TEXTS)
def test_an_argument_that_no_reader_declares_is_refused(sql):
    tree = _tree(sql)
    for node in list(tree.walk()):
        for name in sorted(set(node.arg_types) - OUTER[type(node)]):
            for other in (True, exp.column("region"), [exp.Literal.number(1)]):
                node.args[name] = other
                with pytest.raises(NotSupported):
                    check_outer(tree)
                del node.args[name]
    check_outer(tree)


_FLAGS = frozenset(
    {"negate", "desc", "nulls_first", "distinct", "quoted", "big_int", "all", "safe"}
)
_SIDES = ("PRECEDING", "FOLLOWING")
_WORDS: dict[tuple[type[exp.Expr], str], tuple[Any, ...]] = {
    (exp.Join, "side"): ("LEFT", "RIGHT", "FULL"),
    (exp.Join, "kind"): ("INNER", "CROSS", "SEMI", "ANTI", "OUTER"),
    (exp.WindowSpec, "kind"): ("ROWS", "RANGE", "GROUPS"),
    (exp.WindowSpec, "start"): ("UNBOUNDED", "CURRENT ROW", exp.Literal.number(2)),
    (exp.WindowSpec, "end"): ("UNBOUNDED", "CURRENT ROW", exp.Literal.number(2)),
    (exp.WindowSpec, "start_side"): _SIDES,
    (exp.WindowSpec, "end_side"): _SIDES,
    (exp.Window, "over"): ("OVER", "KEEP"),
    (exp.DataType, "this"): (exp.DType.DATE, exp.DType.INT, exp.DType.BOOLEAN, exp.DType.DOUBLE),
    (exp.Identifier, "this"): ("region", "units", "u"),
    (exp.Literal, "this"): ("1", "3", "East"),
    (exp.Literal, "is_string"): (True, False),
    (exp.Var, "this"): ("year", "month"),
    (exp.Fetch, "direction"): ("FIRST", "NEXT"),
}
_CLAUSES = {
    clause.key: clause
    for clause in (exp.Where, exp.Having, exp.Qualify, exp.Order, exp.Group, exp.Limit, exp.Offset)
}
_EVERY_CLAUSE = (
    "SELECT DISTINCT region FROM metrics WHERE store > 'S02' GROUP BY region HAVING COUNT(units) >"
    " 9 QUALIFY RANK() OVER (ORDER BY region) < 3 ORDER BY region LIMIT 2 OFFSET 1"
)
_PARTS = (
    *(*_CLAUSES.values(), exp.From, exp.Distinct, exp.TableAlias, exp.Identifier, exp.DataType),
    *(exp.With, exp.Fetch, exp.LimitOptions, exp.WindowSpec, exp.Var, exp.If),
)
"""What is part of a construct, and no value: it stands where another of its kind does."""


def _others(tree: exp.Expr, node: exp.Expr, name: str) -> Iterator[object]:
    """Yield what an argument is set to: nothing, its opposite, another of its kind, any other."""
    value = node.args.get(name)
    words = _WORDS.get((type(node), name))
    if value is not None and not node.arg_types[name]:
        yield None
    if words is not None:
        yield from words
    elif isinstance(value, list):
        yield [part.copy() for part in value[1:]]
        yield [part.copy() for part in reversed(value)]
        yield [*(part.copy() for part in value), exp.column("region")]
    elif isinstance(value, exp.Expr):
        yield from (x.copy() for x in list(tree.find_all(type(value)))[:3] if x != value)
        if not isinstance(value, _PARTS):
            yield exp.column("region")
            yield exp.Literal.number(2)
            yield exp.Null()
            yield exp.Subquery(this=_tree("SELECT MAX(units) AS m FROM metrics"))
    elif isinstance(node, exp.Select | exp.SetOperation) and name in _CLAUSES:
        yield next(_tree(_EVERY_CLAUSE).find_all(_CLAUSES[name]))
    elif isinstance(node, exp.Select) and name == "distinct":
        yield exp.Distinct()
    elif name in _FLAGS:
        yield not value


def _changes() -> list[tuple[str, int, str, int]]:
    """Return every change: of which text, which node, which argument, and its number."""
    made: list[tuple[str, int, str, int]] = []
    for sql in TEXTS:
        tree = _tree(sql)
        for at, node in enumerate(tree.walk()):
            for name in sorted(OUTER[type(node)]):
                made += [(sql, at, name, n) for n, _ in enumerate(_others(tree, node, name))]
    return made


def _changed(sql: str, at: int, name: str, number: int) -> tuple[exp.Expr, exp.Expr]:
    """Return a tree with one argument set to something else, and the node that has it."""
    tree = _tree(sql)
    node = list(tree.walk())[at]
    other = list(_others(tree, node, name))[number]
    if isinstance(other, exp.Binary | exp.Unary | exp.Predicate):
        other = exp.Paren(this=other)
    node.set(name, other)
    return tree, node


def _written(tree: exp.Expr) -> str | None:
    """Return a tree as the oracle reads it; None: it cannot be written."""
    oracle = tree.copy()
    for node in list(oracle.find_all(exp.Div)):
        # Division by zero is NULL: one of the differences of docs/sql.md.
        if isinstance(node.expression, exp.Expr):
            node.set(
                "expression", exp.Nullif(this=node.expression, expression=exp.Literal.number(0))
            )
    try:
        return oracle.sql(dialect="duckdb")
    except Exception:
        # What sqlglot cannot write is no text of anyone's.
        return None


def _no_parser_makes(tree: exp.Expr) -> bool:
    """Whether a clause stands where a text has it in brackets, or a CASE has no WHEN."""
    clauses = ("order", "limit", "offset")
    return any(
        isinstance(side, exp.SetOperation) and any(side.args.get(name) for name in clauses)
        for operation in tree.find_all(exp.SetOperation)
        for side in (operation.this, operation.expression)
    ) or any(not case.args.get("ifs") for case in tree.find_all(exp.Case))


_ONE_BY_ONE = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)


def _by_chance(tree: exp.Expr) -> exp.Expr:
    """Return a tree in which chance orders what its own orders leave open."""
    made = _around_set_operation(tree)
    for node in list(made.find_all(exp.Window, exp.Select)):
        order, spec = node.args.get("order"), node.args.get("spec")
        rows = isinstance(spec, exp.Expr) and str(spec.args.get("kind")).upper() == "ROWS"
        open_ = rows or isinstance(node.this, _ONE_BY_ONE)
        if isinstance(node, exp.Select):
            open_ = any(node.args.get(name) for name in ("limit", "offset"))
        if not open_:
            continue
        if not isinstance(order, exp.Order):
            order = exp.Order(expressions=[])
            node.set("order", order)
        order.append("expressions", exp.Ordered(this=exp.Anonymous(this="RANDOM")))
    return made


def _around_set_operation(tree: exp.Expr) -> exp.Expr:
    """Return a tree whose order and limit stand on a SELECT, which may order by anything."""
    made = tree.copy()
    if not isinstance(made, exp.SetOperation):
        return made
    with_ = made.args.pop("with_", None)
    outer = exp.Select(expressions=[exp.Star()])
    for name in ("order", "limit", "offset"):
        clause = made.args.pop(name, None)
        if clause is not None:
            outer.set(name, clause)
    made.set("with_", with_)
    outer.set("from_", exp.From(this=exp.Subquery(this=made, alias=exp.to_identifier("every"))))
    return outer


TRIES = 8
"""How often chance orders rows: what two of them share by chance once, they share seldom thus."""


class _Oracle:
    """The flat tables twice, their rows in two orders, so that chance does not choose an answer."""

    def __init__(self, world: World) -> None:
        self._world, self._other = world, duckdb.connect()
        folder = world.files[0].parent
        self._other.execute(f"ATTACH '{folder}/world.duckdb' AS source (READ_ONLY)")
        self._other.execute("CREATE SCHEMA world")
        for (name,) in self._other.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'source'"
        ).fetchall():
            self._other.execute(
                f'CREATE TABLE world."{name}" AS SELECT * FROM source."{name}" ORDER BY rowid DESC'
            )
        self._other.execute("DETACH source")
        self._other.execute(FLAT)

    def rows(self, tree: exp.Expr) -> Any:
        """Return the rows of a tree; None where it has no meaning, or chance chooses them."""
        points = over_points(tree)
        text, settled = _written(points), _written(_by_chance(points))
        tries = 1 if settled == text else TRIES
        try:
            one = self._world.expected(str(text))
            for sql in (text, *[settled] * tries):
                other = self._other.sql(reference_text(str(sql))).to_arrow_table()
                if same_rows(one, other, ordered=False) is not None:
                    return None
        except duckdb.Error:
            return None
        return one

    def close(self) -> None:
        self._other.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def oracle(world):
    oracle = _Oracle(world)
    yield oracle
    oracle.close()


def _answer(world: World, sql: str) -> Any:
    """Return the answer to a text; None: it is refused; an error that is none of ours."""
    try:
        return world.served["duckdb"].table(sql)
    except InternalError as error:
        return error
    except FlightframeError:
        return None
    except Exception as error:
        return error


class _Asked:
    """What came of the changes that were asked.

    Args:
        world: who is asked; `trees` are what it reads for the texts that they stand under.
        oracle: who knows.
    """

    def __init__(self, world: World, oracle: _Oracle) -> None:
        self._world, self._oracle = world, oracle
        self.trees: dict[str, exp.Expr] = {}
        self.done, self.wrong = Counter[str](), list[str]()

    def parsed(self, source: str) -> ParsedSql | None:
        """Return what a text is read as."""
        tree = self.trees.get(source)
        if tree is None:
            return parse_sql(source)
        if isinstance(tree, exp.Select):
            return ParsedSql(tree)
        return ParsedSql(next(tree.find_all(exp.Select)), compound=tree)

    def change(self, sql: str, at: int, name: str, number: int) -> None:
        """Ask one change of a text, as a tree, and as the text that it makes."""
        (tree, node), before = _changed(sql, at, name, number), _tree(sql)
        text, what = _written(tree), f"{type(node).__name__}.{name} of node {at} of {sql}"
        if text is None or not isinstance(tree, exp.Select | exp.SetOperation):
            return
        if _no_parser_makes(tree):
            return
        source = f"SELECT {len(self.trees)}"
        self.trees[source] = tree
        answer = _answer(self._world, source)
        if isinstance(answer, pa.Table) and text == _written(before):
            if tree != before and (type(node), name) not in MEANINGLESS:
                self.wrong.append(f"{what} has no text, and is not refused\n{text}")
            self.done["the same"] += 1
            return
        expected = self._oracle.rows(tree)
        self._compare(answer, expected, f"{what}\n{text}")
        again = parse_sql(text)
        if again is not None and (again.compound or again.select) != tree:
            self._compare(_answer(self._world, text), expected, f"the text of {what}\n{text}")

    def _compare(self, answer: Any, expected: pa.Table | None, what: str) -> None:
        if isinstance(answer, Exception):
            self.wrong.append(f"{what}\n{answer!r}")
        elif answer is None:
            self.done["refused"] += 1
        elif expected is None:
            self.done["without an oracle"] += 1
        else:
            difference = same_rows(answer, expected, ordered=False)
            if difference is not None:
                self.wrong.append(f"{what}\n{difference}")
            self.done["equal"] += 1


@pytest.mark.slow
def test_a_changed_tree_is_refused_or_gives_what_the_oracle_gives(
    world, oracle, monkeypatch, capsys
):
    asked, changes = _Asked(world, oracle), _changes()
    monkeypatch.setattr(catalogue_query, "parse_sql", asked.parsed)
    Random(SEED).shuffle(changes)
    chosen = changes[: CHANGES or None]
    for change in chosen:
        asked.change(*change)
    with capsys.disabled():
        print(f"\n{len(chosen)} of {len(changes)} changes: {dict(asked.done)}")
    assert not asked.wrong, f"{len(asked.wrong)} differ\n" + "\n\n".join(asked.wrong)
    assert asked.done["equal"] > len(chosen) // 8
    assert asked.done["refused"] > len(chosen) // 8
