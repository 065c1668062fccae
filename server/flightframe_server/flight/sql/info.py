"""GetSqlInfo: what the server says of itself, every id of the specification as one table.

What comes in: the ids asked for. What goes out: their values, each in the member of the union that
drivers cast it to. It must never answer an id of 10000 and more in the list of all: JDBC looks each
up in an enumeration, and one that is not there costs the client all of its metadata.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from flightframe_server import __version__
from flightframe_server.catalog.limits import DEFAULT_LIMITS, Limits
from flightframe_server.flight.tickets import MAX_SOURCE_BYTES

_LIST = pa.list_(pa.field("string_data", pa.string()))
_MAP = pa.map_(pa.int32(), pa.list_(pa.field("$data$", pa.int32())))
MEMBERS = (
    pa.field("string_value", pa.string()),
    pa.field("bool_value", pa.bool_()),
    pa.field("bigint_value", pa.int64()),
    pa.field("int32_bitmask", pa.int32()),
    pa.field("string_list", _LIST),
    pa.field("int32_to_int32_list_map", _MAP),
)
SCHEMA = pa.schema(
    [
        pa.field("info_name", pa.uint32(), nullable=False),
        pa.field("value", pa.dense_union(MEMBERS)),
    ]
)

MOST_BITS = (1 << 31) - 1

Value = tuple[int, object]
"""A member of the union, by its place, and the value in it."""


def _text(value: str | None) -> Value:
    return 0, value


def _flag(value: bool) -> Value:
    return 1, value


def _number(value: int) -> Value:
    return 2, value


def _bits(value: int) -> Value:
    """A bitmask, or an ordinal: both travel as int32."""
    return 3, value


def _texts(*values: str) -> Value:
    return 4, list(values)


def _each(first: int, last: int, value: Value) -> dict[int, Value]:
    return dict.fromkeys(range(first, last + 1), value)


INFO: dict[int, Value] = {
    # The server: name, version, Arrow version, read-only, SQL, Substrait with its versions.
    0: _text("flightframe"),
    1: _text(__version__),
    2: _text(pa.__version__),
    3: _flag(True),
    4: _flag(True),
    5: _flag(False),
    6: _text(None),
    7: _text(None),
    # Transactions: none. With anything else here, ADBC wants to begin one and cannot connect.
    8: _bits(0),
    # Cancel by action; bulk ingestion, ingestion in a transaction.
    9: _flag(True),
    **_each(10, 11, _flag(False)),
    # Timeouts of statements (the installation's) and transactions, in milliseconds: 0 is none.
    **_each(100, 101, _bits(0)),
    # DDL of catalogs, schemas, tables.
    **_each(500, 502, _flag(False)),
    # Names compare in any case, quoted or not (1); NULLs stand at the end (3).
    503: _bits(1),
    504: _text('"'),
    505: _bits(1),
    506: _flag(True),
    507: _bits(3),
    # Keywords beyond SQL's; functions over numbers, texts, the system, dates.
    508: _texts("AT", "PER"),
    509: _texts("ABS", "CEIL", "FLOOR", "MOD", "ROUND", "SQRT"),
    510: _texts(
        *("CHARACTER_LENGTH", "CHAR_LENGTH", "LEFT", "LOWER", "POSITION", "REPLACE", "RIGHT"),
        *("SUBSTR", "SUBSTRING", "TRIM", "UPPER"),
    ),
    511: _texts("COALESCE", "GREATEST", "LEAST", "NULLIF"),
    512: _texts(
        *("CURRENT_DATE", "DATE_TRUNC", "DAYNAME", "EXTRACT", "MAKE_DATE", "MONTH", "MONTHNAME"),
        *("QUARTER", "STRFTIME", "YEAR"),
    ),
    # The escape in patterns of metadata commands; further letters of names.
    513: _text("\\"),
    514: _text(""),
    # Column aliases; NULL + 1 is NULL; conversions by {fn CONVERT}, of which there are none.
    515: _flag(True),
    516: _flag(True),
    517: (5, []),
    # Correlation names, different ones; expressions in ORDER BY, unselected columns there.
    518: _flag(True),
    519: _flag(False),
    520: _flag(True),
    521: _flag(True),
    # GROUP BY: keys that SELECT does not list, alone (bit 0) and beside those that it does (bit 1).
    522: _bits(1 << 0 | 1 << 1),
    # LIKE ... ESCAPE; columns that are never NULL.
    523: _flag(False),
    524: _flag(False),
    # Grammar: minimum (bit 0); ANSI 92: not even entry, which has correlated sub-queries;
    # integrity;
    # outer joins: limited (bit 1), along the edges that are declared.
    525: _bits(1),
    526: _bits(0),
    527: _flag(False),
    528: _bits(1 << 1),
    # What a schema, a procedure and a catalog are called; the catalog stands first.
    529: _text("schema"),
    530: _text(""),
    531: _text("catalog"),
    532: _flag(True),
    **_each(533, 535, _bits(0)),
    **_each(536, 537, _flag(False)),
    # Sub-queries: beside a comparison (bit 0) and behind IN (2), none that are correlated; UNION
    # (bit 0), UNION ALL (1).
    538: _bits(1 << 0 | 1 << 2),
    539: _flag(False),
    540: _bits(1 << 0 | 1 << 1),
    # Limits: 0 is none that is stated.
    **_each(541, 555, _number(0)),
    556: _flag(False),
    557: _number(MAX_SOURCE_BYTES),
    **_each(558, 561, _number(0)),
    # Isolation: none. An int64, because JDBC casts it to Long, whatever the specification says.
    562: _number(0),
    563: _flag(False),
    564: _bits(1),
    **_each(565, 566, _flag(False)),
    # Results are read forward only (2), and never updated (2).
    567: _bits(2),
    568: _bits(0),
    569: _bits(2),
    **_each(570, 571, _bits(0)),
    **_each(572, 576, _flag(False)),
}
"""Every id: the member of the union it stands in, and its value; the ids' names are in comments."""


def sql_info(requested: Iterable[int], limits: Limits = DEFAULT_LIMITS) -> pa.Table:
    """Return the values of the ids asked for, in that order; unknown ids are left out.

    Args:
        requested: ids; none at all asks for every one.
        limits: the installation's.
    """
    info = {
        **INFO,
        # The most milliseconds of a statement, and the most bytes of its text.
        100: _bits(min(round(limits.statement_timeout * 1000), MOST_BITS)),
        557: _number(limits.query_bytes),
    }
    ids = [number for number in dict.fromkeys(requested or INFO) if number in INFO]
    codes: list[int] = []
    offsets: list[int] = []
    members: list[list[object]] = [[] for _ in MEMBERS]
    for number in ids:
        code, value = info[number]
        codes.append(code)
        offsets.append(len(members[code]))
        members[code].append(value)
    union = pa.UnionArray.from_dense(
        pa.array(codes, pa.int8()),
        pa.array(offsets, pa.int32()),
        [pa.array(member, field.type) for member, field in zip(members, MEMBERS, strict=True)],
        [field.name for field in MEMBERS],
    )
    return pa.Table.from_arrays([pa.array(ids, pa.uint32()), union], schema=SCHEMA)
