"""The questions of `questions.yaml`, asked of the shop's tables as two databases declare them.

Nothing is read: a plan and its SQL are made of types and of what the cache is said to hold.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import sqlglot
import yaml

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.catalog import read_collection
from flightframe_server.catalog.collection import TableMap
from flightframe_server.language import parse
from flightframe_server.planner.explain import explain
from flightframe_server.planner.holdings import CacheEntry, Holdings
from flightframe_server.planner.make import make_plan
from flightframe_server.planner.plan import Conditions, Plan
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection, type_collection
from flightframe_server.resolver.values import Binding

HERE = Path(__file__).parent
SHOP = HERE.parent / "oracle" / "shop"
DIALECTS = ("duckdb", "sqlite")


@dataclass(frozen=True)
class Asked:
    """One question: what is asked, with which values, what is in the cache, what is known of data.

    Of `keys`, schemas, the grain stands on no two rows; of `unique`, columns with their tables, no
    value does.
    """

    name: str
    query: str
    parameters: tuple[str, ...]
    holds: tuple[tuple[int, str], ...]
    keys: frozenset[str] = frozenset()
    unique: frozenset[tuple[str, str]] = frozenset()


def questions() -> list[Asked]:
    """Return the questions in the order written."""
    listed = yaml.safe_load((HERE / "questions.yaml").read_text(encoding="utf-8"))
    return [
        Asked(
            name,
            question["query"],
            tuple(question.get("parameters", ())),
            tuple((rows, held) for rows, held in question.get("holds", ())),
            frozenset(question.get("keys", ())),
            frozenset((table, column) for table, column in question.get("unique", ())),
        )
        for name, question in listed.items()
    ]


@contextmanager
def opened(folder: Path) -> Iterator[dict[str, Backend]]:
    """Open the shop's tables, empty, in each dialect."""
    created = re.findall(r"CREATE TABLE .*?;", (SHOP / "tables.sql").read_text(), re.DOTALL)
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute("".join(created))
    with closing(sqlite3.connect(folder / "shop.sqlite")) as database:
        database.executescript("".join(created).replace("VARCHAR", "TEXT"))
    with ExitStack() as stack:
        yield {
            "duckdb": stack.enter_context(closing(DuckDBBackend(folder / "shop.duckdb"))),
            "sqlite": stack.enter_context(closing(SQLiteBackend(folder / "shop.sqlite"))),
        }


def typed_on(backend: Backend) -> TypedCollection:
    """Return the shop's collection with the types that a database declares."""
    return type_collection(read_collection((SHOP / "ac.yaml").read_text()), backend.tables())


def planned(
    query: str, typed: TypedCollection, conditions: Conditions, parameters: tuple[str, ...] = ()
) -> Plan:
    """Return the plan of a query under conditions."""
    binding = Binding(dict(enumerate(parameters)))
    return make_plan(resolve(parse(query), typed, binding), typed, conditions)


def empty_cache(typed: TypedCollection) -> Conditions:
    """Return conditions under which every table is of one version and every edge holds."""
    families = typed.collection.dimension_families.values()
    edges = {
        str(edge) for family in families for edge in family.edges if isinstance(edge.map, TableMap)
    }
    versions = {schema.table: "1" for schema in typed.collection.schemas.values()}
    return Conditions("golden", versions=versions, mapped=frozenset(edges))


def holding(asked: Asked, typed: TypedCollection, conditions: Conditions) -> Conditions:
    """Return the conditions with what a question says the cache holds, named e1, e2, ..."""
    entries: list[CacheEntry] = []
    for rows, query in asked.holds:
        for part in planned(query, typed, conditions).parts:
            assert part.version is not None
            entries.append(CacheEntry(part.key, f"e{len(entries) + 1}", rows, 0, part.version))
    return replace(conditions, holdings=Holdings.of(entries))


def plan_text(asked: Asked, backend: Backend) -> str:
    """Return a question's plan as EXPLAIN gives it, a step to a paragraph."""
    typed = typed_on(backend)
    conditions = holding(asked, typed, empty_cache(typed))
    plan = planned(asked.query, typed, conditions, asked.parameters)
    lines = [asked.query, *(f"  {value!r}" for value in asked.parameters)]
    lines += [f"  holding {rows} rows of {query}" for rows, query in asked.holds]
    for step in explain(plan, lambda query: f"query of {', '.join(sorted(query.tables))}"):
        asks = f" = {step.operator}({step.family}) @ ({step.anchor})" if step.family else ""
        lines += ["", f"{step.step}. {step.column}{asks}", f"   {step.route}: {step.source}"]
        lines += [f"   not from {reason}" for reason in step.why_not.split("; ") if reason]
    return "\n".join(lines) + "\n"


def sql_text(asked: Asked, dialect: str, backend: Backend) -> str:
    """Return the SQL that a question asks an empty cache's database, laid out to be read."""
    typed = typed_on(backend)
    conditions = replace(empty_cache(typed), keys=asked.keys, unique=asked.unique)
    plan = planned(asked.query, typed, conditions, asked.parameters)
    laid_out = [
        sqlglot.parse_one(backend.text(query), dialect=dialect).sql(dialect, pretty=True)
        for query in plan.queries
    ]
    return f"-- {asked.query}\n" + "".join(f"{sql};\n" for sql in laid_out)
