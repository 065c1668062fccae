"""GetXdbcTypeInfo: the types that results have, as ODBC and JDBC tools count them.

What comes in: a type's number, or none. What goes out: one row for each type of ours. It must never
list a type that no column can have.
"""

from __future__ import annotations

import pyarrow as pa

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.algebra.types import MAX_PRECISION, Kind
from flightframe_server.arrow_types import SQL_DIGITS, SQL_NAMES


def _must(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=False)


SCHEMA = pa.schema(
    [
        _must("type_name", pa.string()),
        _must("data_type", pa.int32()),
        pa.field("column_size", pa.int32()),
        pa.field("literal_prefix", pa.string()),
        pa.field("literal_suffix", pa.string()),
        pa.field("create_params", pa.list_(_must("item", pa.string()))),
        _must("nullable", pa.int32()),
        _must("case_sensitive", pa.bool_()),
        _must("searchable", pa.int32()),
        pa.field("unsigned_attribute", pa.bool_()),
        _must("fixed_prec_scale", pa.bool_()),
        pa.field("auto_increment", pa.bool_()),
        pa.field("local_type_name", pa.string()),
        pa.field("minimum_scale", pa.int32()),
        pa.field("maximum_scale", pa.int32()),
        _must("sql_data_type", pa.int32()),
        pa.field("datetime_subcode", pa.int32()),
        pa.field("num_prec_radix", pa.int32()),
        pa.field("interval_precision", pa.int32()),
    ]
)

_NULLABLE, _SEARCHED_FULLY = 1, 3
_DATETIME = 9


def _type(kind: Kind, number: int, size: int | None, **facts: object) -> dict[str, object]:
    return {
        "type_name": SQL_NAMES[kind],
        "data_type": number,
        "column_size": size,
        "nullable": _NULLABLE,
        "case_sensitive": False,
        "searchable": _SEARCHED_FULLY,
        "fixed_prec_scale": False,
        "local_type_name": SQL_NAMES[kind],
        "sql_data_type": number,
        **facts,
    }


def _number(kind: Kind, number: int, size: int, radix: int, **facts: object) -> dict[str, object]:
    return _type(
        kind,
        number,
        size,
        unsigned_attribute=False,
        auto_increment=False,
        num_prec_radix=radix,
        **facts,
    )


def _moment(kind: Kind, number: int, size: int, subcode: int) -> dict[str, object]:
    return _type(
        kind,
        number,
        size,
        literal_prefix=f"{SQL_NAMES[kind]} '",
        literal_suffix="'",
        sql_data_type=_DATETIME,
        datetime_subcode=subcode,
    )


# Ordered by the number of the type, as the specification wants.
_ROWS = (
    _type(Kind.BOOLEAN, -7, 1),
    _number(Kind.INTEGER, -5, SQL_DIGITS[Kind.INTEGER], 10, minimum_scale=0, maximum_scale=0),
    _number(
        Kind.DECIMAL,
        3,
        MAX_PRECISION,
        10,
        create_params=["precision", "scale"],
        fixed_prec_scale=True,
        minimum_scale=0,
        maximum_scale=MAX_PRECISION,
    ),
    _number(Kind.DOUBLE, 8, 53, 2),
    _type(Kind.TEXT, 12, None, literal_prefix="'", literal_suffix="'", case_sensitive=True),
    _moment(Kind.DATE, 91, 10, 1),
    _moment(Kind.TIMESTAMP, 93, 26, 3),
)


def type_info(message: sql.CommandGetXdbcTypeInfo) -> pa.Table:
    """Return all types, or the one asked for."""
    everything = not message.HasField("data_type")
    rows = [row for row in _ROWS if everything or row["data_type"] == message.data_type]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
