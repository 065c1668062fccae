"""One world under a real engine: the real DuckDB back-end over tables in memory.

Only where the database lives differs from a server: tables are put in place with one statement
each, and the fingerprint is what the test says it is.
"""

import math
import shutil
import tempfile
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path

import duckdb
import oracle
from ac_yaml import model_and_collection
from worlds import arrow_of, arrow_table

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.duckdb.dialect import DuckDBDialect
from flightframe_server.backends.protocol import SourceMoved, TableStatistics
from flightframe_server.backends.sql.statement import statement_of
from flightframe_server.engine import MetricEngine
from flightframe_server.planner.plan import Freshness
from flightframe_server.resolver.typed import type_collection

SHARED = Path("/dev/shm")
# Sixteen units in the last place: quotients, roots and quantiles are rounded, each once or twice.
ROUNDED = 2.0**-48
NO_CACHE = Freshness(no_cache=True)
ONLY_CACHED = Freshness(only_if_cached=True)


class MemorySource:
    """Stands where a DuckDB file stands."""

    def __init__(self):
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.sign, self.rows = "0", {}

    def load(self, columns, tables):
        """Put the rows of every table in place of what was there; nothing else stays."""
        self.rows = tables
        names = self.connection.execute("SELECT table_name FROM information_schema.tables")
        for (name,) in names.fetchall():
            if name not in columns:
                self.connection.execute(f'DROP TABLE "{name}"')
        for name, kinds in columns.items():
            rows = arrow_table(kinds, tables[name])
            self.connection.register("arriving", rows)
            self.connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS FROM arriving')
            self.connection.unregister("arriving")

    def lend(self, wanted, holder):
        """A cursor, and this as the instance that it is of."""
        if any(version != self.sign for version in wanted):
            raise SourceMoved
        return self, self.connection.cursor()

    def check(self):
        """Tables in memory are only replaced between statements."""

    def give_back(self, cursor, *, sound):
        cursor.close()

    def fingerprint(self):
        return self.sign

    def close(self):
        pass


SOURCE = MemorySource()


class MemoryBackend(DuckDBBackend):
    """DuckDB over tables in memory."""

    def __init__(self, source=SOURCE):
        self.id = "memory"
        self._dialect = DuckDBDialect()
        self._source = source
        # Shared by all worlds: the same question of the same collection is the same statement.
        self._statement = lambda query: _statement(query)

    def statistics(self, table, columns, *, at=None, token=None):
        """Rows alone, without a query: sizes only decide whether a frame is streamed."""
        return TableStatistics(len(self._source.rows[table]))


_statement = lru_cache(maxsize=4096)(lambda query: statement_of(query, DuckDBDialect()))


@lru_cache(maxsize=64)
def typed_of(shape):
    """The typed collection of a shape, from the kinds of its tables alone."""
    model, collection = model_and_collection(shape)
    SOURCE.load(model.columns, {name: [] for name in model.columns})
    return type_collection(collection, MemoryBackend().tables())


class Rig:
    """One engine over one world, asked by every route."""

    def __init__(self, shape, tables, backend=MemoryBackend, collection=None):
        self.model, found = model_and_collection(shape)
        self.tables = tables
        self.source = SOURCE
        self.source.load(self.model.columns, tables)
        self._folder = Path(tempfile.mkdtemp(dir=SHARED if SHARED.is_dir() else None))
        self.backend = backend()
        self.engine = MetricEngine(collection or found, self._folder, self.backend)
        self.serving = Runtime("test", {"world": self.engine})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.serving.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def replace(self, tables, sign):
        """Put other data in place."""
        self.source.load(self.model.columns, tables)
        self.source.sign = sign

    def ask(self, question, freshness=None):
        """The answer, as a warm engine gives it."""
        request = Request(str(question))
        if freshness is not None:
            request = Request(str(question), freshness=freshness)
        return answer(request, self.serving)

    def cold(self, question):
        """The answer with nothing remembered and nothing kept."""
        return self.ask(question, NO_CACHE)

    def streamed(self, question):
        """The answer as one statement whose batches are composed one by one."""
        before, self.engine.stream_rows = self.engine.stream_rows, -1
        try:
            return self.ask(question, NO_CACHE)
        finally:
            self.engine.stream_rows = before

    def entries(self):
        """The entries held now."""
        return tuple(self.engine.store.holdings())

    def expected(self, question):
        """The answer by definition."""
        return oracle.answer(self.model, self.tables, question)


def rows_of(found):
    """The rows of an answer, finished or streamed."""
    running = found.open()
    return [tuple(row.values()) for batch in running for row in batch.to_pylist()]


def check(rig, found, question, expected, route):
    """Check the rows, their order and their types against the oracle's."""
    wanted = [str(arrow_of(kind)) for kind in oracle.kinds(rig.model, question)]
    assert [str(field.type) for field in found.schema] == wanted, route
    got = rows_of(found)
    same_rows(got, expected, sum_error(rig.tables), f"{route}: {question}")


def sum_error(tables):
    """What a sum of doubles of a world may be off: n * 2^-52 * (sum of |x|), over all its numbers.

    >>> sum_error({"t": [(1.0, None, "a"), (-3, float("nan"), True)]}) == 2 * 2**-52 * 4
    True
    """
    sizes = [
        abs(Fraction(value))
        for rows in tables.values()
        for row in rows
        for value in row
        if isinstance(value, int | float | Decimal)
        and not isinstance(value, bool)
        and math.isfinite(value)
    ]
    return float(Fraction(len(sizes), 2**52) * sum(sizes))


def same_rows(got, expected, error, what):
    """Check two lists of rows: the same values in the same order, doubles within an error."""
    assert len(got) == len(expected), (what, got, expected)
    for one, other in zip(got, expected, strict=True):
        assert all(map(partial(same, error=error), one, other)), (what, got, expected)


def same(got, expected, error):
    """Whether two values are the same; NULL, NaN and types count.

    Doubles may differ by `error`, and by the last bits that a formula rounds.
    """
    if expected is None or got is None:
        return got is expected
    if isinstance(expected, float) or isinstance(got, float):
        if math.isnan(got) or math.isnan(expected):
            return math.isnan(got) and math.isnan(expected)
        return math.isclose(got, float(expected), rel_tol=ROUNDED, abs_tol=error)
    if isinstance(got, Decimal) and isinstance(expected, int):
        return got == expected
    return type(got) is type(expected) and got == expected
