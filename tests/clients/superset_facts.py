"""What Superset's `BaseEngineSpec` is, as facts: the names and signatures that the spec meets.

Read in superset/db_engine_specs/base.py, superset/constants.py and superset/sql/parse.py of
apache-superset 6.1.0. That pins SQLAlchemy below 2 and pyarrow below 19, which the tests run with
newer, so that a stand-in of these facts takes its place.
"""

import datetime as dt
import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

DURATIONS = {
    *("PT1S", "PT5S", "PT30S", "PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT0.5H", "PT1H", "PT6H"),
    *("P1D", "P1W", "1969-12-28T00:00:00Z/P1W", "1969-12-29T00:00:00Z/P1W"),
    *("P1W/1970-01-03T00:00:00Z", "P1W/1970-01-04T00:00:00Z", "P1M", "P3M", "P0.25Y", "P1Y"),
}
"""Every value of `superset.constants.TimeGrain`."""


@dataclass
class Table:
    """`superset.sql.parse.Table`."""

    table: str
    schema: str | None = None
    catalog: str | None = None


class BaseEngineSpec:
    """The class attributes with their defaults, and the methods with their signatures."""

    engine_name: str | None = None
    engine = "base"
    engine_aliases: ClassVar[set[str]] = set()
    drivers: ClassVar[dict[str, str]] = {}
    default_driver: str | None = None
    sqlalchemy_uri_placeholder = (
        "engine+driver://user:password@host:port/dbname[?key=value&key=value...]"
    )
    _time_grain_expressions: ClassVar[dict[str | None, str]] = {}
    allows_joins = True
    allows_subqueries = True
    allows_alias_in_select = True
    allows_alias_in_orderby = True
    allows_sql_comments = True
    allows_alias_to_source_column = True
    allows_hidden_orderby_agg = True
    allows_hidden_cc_in_orderby = False
    allows_cte_in_subquery = True
    try_remove_schema_from_table_name = True
    supports_file_upload = True

    @classmethod
    def supports_backend(cls, backend: str, driver: str | None = None) -> bool:
        if backend != cls.engine and backend not in cls.engine_aliases:
            return False
        return not cls.drivers or driver is None or driver in cls.drivers

    @classmethod
    def convert_dttm(
        cls, target_type: str, dttm: dt.datetime, db_extra: dict[str, Any] | None = None
    ) -> str | None:
        return None

    @classmethod
    def get_schema_from_engine_params(
        cls, sqlalchemy_uri: Any, connect_args: dict[str, Any]
    ) -> str | None:
        return None

    @classmethod
    def get_metrics(cls, database: Any, inspector: Any, table: Table) -> list[dict[str, Any]]:
        return [
            {
                "metric_name": "count",
                "verbose_name": "COUNT(*)",
                "metric_type": "count",
                "expression": "COUNT(*)",
            }
        ]

    @classmethod
    def select_star(
        cls,
        database: Any,
        table: Table,
        dialect: Any,
        limit: int = 100,
        show_cols: bool = False,
        indent: bool = True,
        latest_partition: bool = True,
        cols: list[Any] | None = None,
    ) -> str:
        fields = ", ".join(f'"{column}"' for column in cols or ()) or "*"
        return f'SELECT {fields} FROM "{table.schema}"."{table.table}" LIMIT {limit}'


def parameters(method: Any) -> list[tuple[str, Any]]:
    """Return the names and defaults of a method's parameters."""
    found = inspect.signature(method).parameters.values()
    return [(parameter.name, parameter.default) for parameter in found]
