"""What Superset is told of a flightframe server: its time grains, its literals, its previews.

What comes in: what Superset asks of an engine spec. What goes out: texts of SQL that the server
answers, and the metrics of the table `metrics` as saved metrics. It must never offer a text that
the server reads as another number; what the server refuses, it refuses in words of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from superset.db_engine_specs.base import BaseEngineSpec

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect
    from sqlalchemy.engine.reflection import Inspector
    from sqlalchemy.engine.url import URL
    from superset.db_engine_specs.base import MetricType
    from superset.models.core import Database
    from superset.sql.parse import Table
    from superset.superset_typing import ResultSetColumnType

METRICS = "metrics"
"""The table of each collection that holds its levels and metrics, and has no rows."""

ROLE = "flightframe:role"
"""Where a reflected column says, in its `info`, whether it is a level or a metric."""

_NO_ROWS = (
    "/* metrics has no rows: a metric has a number at a grain, which GROUP BY names."
    " These are its columns. */"
)


class FlightframeEngineSpec(BaseEngineSpec):  # type: ignore[misc]
    """Superset's view of a flightframe server.

    Its flags say what the server answers: each is held to that by a test with a running server.
    """

    engine = "flightframe"
    engine_name = "flightframe"
    drivers = {  # noqa: RUF012 - as the base class declares it
        "flightsql": "flightsql-dbapi, with SQLAlchemy 1.4",
        "adbc": "the client's own dialect, with SQLAlchemy 2",
    }
    default_driver = "flightsql"
    sqlalchemy_uri_placeholder = "flightframe+flightsql://user:password@host:8815?insecure=true"

    allows_joins = True
    allows_subqueries = True
    allows_alias_in_select = True
    allows_alias_in_orderby = True
    allows_alias_to_source_column = True
    allows_hidden_orderby_agg = True
    allows_hidden_cc_in_orderby = True
    allows_cte_in_subquery = True
    allows_sql_comments = True
    supports_file_upload = False
    try_remove_schema_from_table_name = False

    # Weeks of the server begin on Monday, as ISO says; the other three are that week, moved.
    _time_grain_expressions = {  # noqa: RUF012 - as the base class declares it
        None: "{col}",
        "PT1S": "DATE_TRUNC('second', {col})",
        "PT1M": "DATE_TRUNC('minute', {col})",
        "PT1H": "DATE_TRUNC('hour', {col})",
        "P1D": "DATE_TRUNC('day', {col})",
        "P1W": "DATE_TRUNC('week', {col})",
        "P1M": "DATE_TRUNC('month', {col})",
        "P3M": "DATE_TRUNC('quarter', {col})",
        "P1Y": "DATE_TRUNC('year', {col})",
        "1969-12-28T00:00:00Z/P1W": (
            "DATE_TRUNC('week', {col} + INTERVAL '1 day') - INTERVAL '1 day'"
        ),
        "1969-12-29T00:00:00Z/P1W": "DATE_TRUNC('week', {col})",
        "P1W/1970-01-03T00:00:00Z": (
            "DATE_TRUNC('week', {col} + INTERVAL '1 day') + INTERVAL '5 days'"
        ),
        "P1W/1970-01-04T00:00:00Z": "DATE_TRUNC('week', {col}) + INTERVAL '6 days'",
    }

    @classmethod
    def convert_dttm(
        cls, target_type: str, dttm: datetime, db_extra: dict[str, Any] | None = None
    ) -> str | None:
        """Return a moment as a literal, or None for a column that is none.

        A date is compared as a date at midnight only: `day < '2024-02-01'` leaves out a day that
        `day < '2024-02-01 13:00'` holds.
        """
        kind = target_type.upper()
        if kind == "DATE" and dttm.time() == dttm.min.time():
            return f"DATE '{dttm.date().isoformat()}'"
        if kind == "DATE" or kind.startswith(("TIMESTAMP", "DATETIME")):
            return f"TIMESTAMP '{dttm.isoformat(sep=' ', timespec='microseconds')}'"
        return None

    @classmethod
    def get_schema_from_engine_params(
        cls, sqlalchemy_uri: URL, connect_args: dict[str, Any]
    ) -> str | None:
        """Return the collection that an address names, which `flightframe://` lets it."""
        return sqlalchemy_uri.database or None

    @classmethod
    def get_metrics(
        cls, database: Database, inspector: Inspector, table: Table
    ) -> list[MetricType]:
        """Return the saved metrics of a new dataset: each metric of `metrics` as MEASURE.

        A table of facts has COUNT(*), as any table has; over `metrics` there are no rows to count.
        """
        if table.table.lower() != METRICS:
            counted: list[MetricType] = super().get_metrics(database, inspector, table)
            return counted
        columns = inspector.get_columns(table.table, table.schema)
        return [
            {
                "metric_name": column["name"],
                "expression": f"MEASURE({_identifier(column['name'])})",
                "description": column.get("comment"),
            }
            for column in columns
            if column.get("info", {}).get(ROLE) == "metric"
        ]

    @classmethod
    def select_star(
        cls,
        database: Database,
        table: Table,
        dialect: Dialect,
        limit: int = 100,
        show_cols: bool = False,
        indent: bool = True,
        latest_partition: bool = True,
        cols: list[ResultSetColumnType] | None = None,
    ) -> str:
        """Return the text of a preview; of `metrics`, one that lists its columns and says why."""
        if table.table.lower() != METRICS:
            rows: str = super().select_star(
                database, table, dialect, limit, show_cols, indent, latest_partition, cols
            )
            return rows
        where = f"table_name = {_text(METRICS)}"
        if table.schema:
            where = f"table_schema = {_text(table.schema)} AND {where}"
        return "\n".join(
            (
                _NO_ROWS,
                "SELECT column_name, data_type, column_comment",
                "FROM information_schema.columns",
                f"WHERE {where}",
                f"ORDER BY ordinal_position LIMIT {limit}",
            )
        )


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
