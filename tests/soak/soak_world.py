"""A source that moves while it is asked, and what is right to answer at each of its versions.

Answers come from SQL written by hand and run by a database of this process over a copy of the file,
before that file takes the place of the one that is served.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flightframe_server.demo.files import write_demo

DATABASE = "retail_demo.duckdb"
KEPT_VERSIONS = 4

Rows = list[list[object]]


@dataclass(frozen=True)
class Question:
    """One query, and the SQL that says what is right; `values` are bound to its `?`.

    `in_sql`: the query is not Frame-QL but SQL over `metrics` itself.
    """

    text: str
    sql: str
    values: tuple[str, ...] = ()
    in_sql: bool = False


QUESTIONS = (
    Question(
        "SELECT region, SUM(revenue) AS total_revenue AT region",
        "SELECT region, SUM(revenue) FROM tx GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "SELECT region, store, revenue, profit AT (region, store)",
        "SELECT region, store_id, SUM(revenue), SUM(revenue) - SUM(cost) FROM tx "
        "GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "SELECT month, revenue, units AT month WHERE region = ?",
        "SELECT date_trunc('month', day)::DATE, SUM(revenue), SUM(quantity)::BIGINT FROM tx "
        "WHERE region = 'East' GROUP BY ALL ORDER BY ALL",
        ("East",),
    ),
    Question(
        "SELECT category, COUNT(revenue) AS lines, MAX(cost) AS dearest AT category "
        "WHERE day >= DATE '2024-01-01'",
        "SELECT category, COUNT(revenue), MAX(cost) FROM tx WHERE day >= DATE '2024-01-01' "
        "GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "SELECT region, month, on_hand AT (region, month)",
        "SELECT region, month, SUM(on_hand)::BIGINT FROM store_monthly_inventory "
        "JOIN stores USING (store_id) GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "SELECT day, revenue, cost AT day ORDER BY revenue DESC LIMIT 5",
        "SELECT day, SUM(revenue) r, SUM(cost) FROM tx GROUP BY ALL ORDER BY r DESC, day LIMIT 5",
    ),
    Question(
        "SELECT region, AVG(revenue @ day) AS daily AT region",
        "SELECT region, SUM(r)::DOUBLE / COUNT(r) FROM (SELECT region, day, SUM(revenue) r FROM tx "
        "GROUP BY ALL) GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "SELECT region, COUNT_DISTINCT(product) AS products FROM transactions AT region",
        "SELECT region, COUNT(DISTINCT sku) FROM tx GROUP BY ALL ORDER BY ALL",
    ),
    # Ordinary SQL, by every way of its own: translated, over one answer, over several.
    Question(
        "SELECT region, SUM(revenue) AS r, COUNT(*) AS lines FROM metrics GROUP BY region "
        "ORDER BY 1",
        "SELECT region, SUM(revenue), COUNT(*) FROM tx GROUP BY ALL ORDER BY ALL",
        in_sql=True,
    ),
    Question(
        "SELECT CAST(DATE_TRUNC('month', day) AS DATE) AS m, SUM(units) AS u, AVG(cost) AS c "
        "FROM metrics WHERE category <> 'Toys' GROUP BY 1 ORDER BY 1",
        "SELECT date_trunc('month', day)::DATE, SUM(quantity)::BIGINT, "
        "SUM(cost)::DOUBLE / COUNT(cost) FROM tx WHERE category <> 'Toys' GROUP BY 1 ORDER BY 1",
        in_sql=True,
    ),
    Question(
        "SELECT store, r, RANK() OVER (ORDER BY r DESC) AS place, SUM(r) OVER () AS whole FROM "
        "(SELECT store, SUM(revenue) AS r FROM metrics GROUP BY store) q ORDER BY place, store",
        "SELECT store_id, SUM(revenue) r, RANK() OVER (ORDER BY SUM(revenue) DESC) p, "
        "SUM(SUM(revenue)) OVER () FROM tx GROUP BY store_id ORDER BY p, store_id",
        in_sql=True,
    ),
    Question(
        "SELECT category, SUM(revenue) AS r FROM metrics WHERE store IN (SELECT store FROM metrics "
        "GROUP BY store HAVING SUM(units) > 20000) GROUP BY category ORDER BY category",
        "SELECT category, SUM(revenue) FROM tx WHERE store_id IN (SELECT store_id FROM tx "
        "GROUP BY ALL HAVING SUM(quantity) > 20000) GROUP BY ALL ORDER BY ALL",
        in_sql=True,
    ),
    Question(
        "SELECT quarter, MAX(r) AS best FROM (SELECT quarter, store, SUM(revenue) AS r "
        "FROM metrics WHERE region = ? GROUP BY quarter, store) q GROUP BY quarter "
        "ORDER BY quarter",
        "SELECT q, MAX(r) FROM (SELECT date_trunc('quarter', day)::DATE q, SUM(revenue) r FROM tx "
        "WHERE region = 'West' GROUP BY q, store_id) GROUP BY q ORDER BY q",
        ("West",),
        in_sql=True,
    ),
)
TX = """
CREATE TEMP VIEW tx AS SELECT t.*, s.region, p.category FROM transactions t
LEFT JOIN stores s USING (store_id) LEFT JOIN products p USING (sku)
"""
REFUSED = ("SELECT on_hand AT region", "BLOCKED_REDUCTION")
LARGE = "SELECT transaction, revenue, cost AT transaction"


class World:
    """The folder of an installation whose database is replaced by its next version.

    Args:
        folder: where it is, and where its truths are published beside it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._truths = folder / "truths"
        self._version = folder / "version"

    @classmethod
    def made(cls, folder: Path, shadow: float) -> World:
        """Write the retail demonstration as version 0; a share of its answers to SQL is checked."""
        write_demo(folder)
        world = cls(folder)
        with world.manifest.open("a") as manifest:
            manifest.write(f"\nsql:\n  shadow: {shadow}\n")
        world._truths.mkdir()
        world._publish_truth(0, folder / DATABASE)
        world._publish(world._version, "0")
        return world

    @property
    def manifest(self) -> Path:
        return self.folder / "installation.yaml"

    @property
    def version(self) -> int:
        """The version that is served now; for a moment, while it is replaced, the one before."""
        return int(self._version.read_text())

    def move(self) -> None:
        """Make the next version: a few more receipts, in one store and one day."""
        number = self.version + 1
        made = self.folder / "next.duckdb"
        shutil.copyfile(self.folder / DATABASE, made)
        with duckdb.connect(str(made)) as connection:
            connection.execute(
                "INSERT INTO transactions SELECT 10000000 + $1 * 100 + n, store_id, sku, day, n, "
                "n * 1.25, n * 0.75 FROM (SELECT store_id, sku, day FROM transactions "
                "ORDER BY transaction_id LIMIT 1 OFFSET $1 * 997) base, range(1, 6) r(n)",
                [number],
            )
        self._publish_truth(number, made)
        os.replace(made, self.folder / DATABASE)
        self._publish(self._version, str(number))
        with suppress(FileNotFoundError):
            (self._truths / f"{number - KEPT_VERSIONS}.json").unlink()

    def truth(self, version: int) -> dict[str, Rows] | None:
        """Return what is right at a version by the query's text; None: no such version yet."""
        try:
            return json.loads((self._truths / f"{version}.json").read_text())
        except FileNotFoundError:
            return None

    def _publish_truth(self, version: int, database: Path) -> None:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute(TX)
            found = {
                question.text: plain(connection.execute(question.sql).fetchall())
                for question in QUESTIONS
            }
        self._publish(self._truths / f"{version}.json", json.dumps(found))

    def _publish(self, path: Path, text: str) -> None:
        made = path.with_name(f"{path.name}.{os.getpid()}")
        made.write_text(text)
        os.replace(made, path)


class Judge:
    """Says whether an answer was right at some moment between its question and its arrival.

    Args:
        world: the source.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self) -> int:
        """Return the oldest version that an answer asked now may be of."""
        return self._world.version

    def right(self, question: Question, rows: Rows, oldest: int) -> bool:
        """Return whether rows are right at a version from `oldest` on.

        A file takes its place a moment before its number is published: one version further than
        the number says is right too.
        """
        truths = map(self._world.truth, range(oldest, self._world.version + 2))
        return any(truth is not None and same(truth[question.text], rows) for truth in truths)


def plain(rows: list[tuple[object, ...]]) -> Rows:
    """Return rows as JSON writes them: decimals and dates as text."""
    return [[_plain(value) for value in row] for row in rows]


def same(wanted: Rows, given: Rows) -> bool:
    """Compare rows exactly; a double, or a decimal that HTTP wrote as one, by its value."""
    return len(wanted) == len(given) and all(
        len(one) == len(other) and all(map(_same, one, other))
        for one, other in zip(wanted, given, strict=True)
    )


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _same(wanted: object, given: object) -> bool:
    if isinstance(given, float) or isinstance(wanted, float):
        return math.isclose(float(str(wanted)), float(str(given)), rel_tol=1e-9)
    return wanted == given
