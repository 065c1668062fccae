"""Power BI's connector file: it is whole as a text, and a server answers what it sends.

Power Query runs on Windows alone, and not here. What can be held to something is: that the file
balances, that it uses what Microsoft's shared generator exports, and each text of SQL, its own and
those that the generator writes by its rules, to a running server.
"""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import duckdb
import pytest

FILE = Path(__file__).parents[2] / "connectors" / "powerbi" / "flightframe.pq"

# What SqlGeneratorCommon.pqm exports, and what its MergeOverrides reads, in
# github.com/microsoft/DataConnectors, samples/DuckDbFlightSQL, at ad9227a0c542.
EXPORTED = {"MergeOverrides", "Helpers", "Constants", "FunctionNames", "AllTypes"}
_HELPERS = """
    SingleListElement InExpression GetInvocation ApproxDistinctCount InvocationWithVerbatim WhenItem
    CaseFunction ConditionOperation UnaryLogicalOperation BinaryLogicalOperation Argument Function
    Literal BinaryOperation Invocation InvocationWithType InArrayExpression SqlConstant
    CastSqlExpression IntervalExpression
"""
HELPERS = set(_HELPERS.split())
_OVERRIDES = """
    SqlGetTypeInfo DefaultTypes TimestampFunctionOverrides SupportedConversions SqlTypesCategories
    SqlCapabilities FunctionOverrides BinaryOperatorOverrides UnaryOperatorOverrides
    ImplicitTypeConversions UseSoftNumbers
"""
OVERRIDES = set(_OVERRIDES.split())
TYPE_INFO = {
    *("SqlTypeName", "Type", "ColumnSize", "GetLiteral", "Searchable", "UnsignedAttribute"),
    "NumericPrecisionRadix",
}
# The functions that Sql92 of that file writes by a name of its own.
_NAMED_BY_SQL92 = """
    Date.Year Date.Month Date.Day Date.QuarterOfYear Date.WeekOfYear Date.DayOfYear Date.DayOfWeek
    Number.Abs Number.Acos Number.Asin Number.Atan Number.Atan2 Number.Cos Number.Exp Number.Mod
    Number.Power Number.Sign Number.Sin Number.Sqrt Number.Tan Text.Contains Text.StartsWith
    Text.EndsWith Text.Length Text.Start Text.End Text.Replace Text.Repeat Text.Lower Text.Upper
    Text.TrimStart Text.TrimEnd Character.FromNumber Character.ToNumber Time.Minute Time.Hour
    Number.Round Number.RoundUp Number.RoundDown Number.Log
"""
NAMED_BY_SQL92 = set(_NAMED_BY_SQL92.split())
# How it writes those that are left to it: over a key, or over what was aggregated.
KEYS_BY_SQL92 = {
    "Date.Year": 'year("day")',
    "Date.Month": 'month("day")',
    "Date.QuarterOfYear": 'quarter("day")',
    "Text.Start": 'LEFT("region", 2)',
    "Text.End": 'RIGHT("region", 2)',
    "Text.Replace": "REPLACE(\"region\", 'East', 'E')",
    "Text.Lower": 'LOWER("region")',
    "Text.Upper": 'UPPER("region")',
}
VALUES_BY_SQL92 = {
    "Number.Abs": ("AVG", 'ABS("C1")'),
    "Number.Mod": ("COUNT", 'MOD("C1", 7)'),
    "Number.Sqrt": ("AVG", 'SQRT("C1")'),
    "Number.Round": ("AVG", 'round("C1", 1)'),
    "Number.RoundUp": ("AVG", 'ceil("C1")'),
    "Number.RoundDown": ("AVG", 'floor("C1")'),
}

TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<quoted> \#"(?:[^"]|"")*" )
    | (?P<text> "(?:[^"]|"")*" )
    | (?P<name> [A-Za-z_][\w.]* )
    | (?P<number> \d+(?:\.\d+)? )
    | (?P<shared> \#(?:table|shared|date|datetime)\b )
    | (?P<sign> \.\.\. | => | <> | <= | >= | [()\[\]{},;=&?<>+\-*/@.] )
    | (?P<space> \s+ )
    """,
    re.VERBOSE | re.DOTALL,
)
PAIRS = {")": "(", "]": "[", "}": "{", "in": "let", "then": "if", "else": "then"}


def tokens(source: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens of a text of M; it must be made of nothing else."""
    at = 0
    while at < len(source):
        found = TOKEN.match(source, at)
        assert found is not None, f"no token of M at {source[at : at + 30]!r}"
        if found.lastgroup not in ("space", "comment"):
            yield found.lastgroup, found[0]
        at = found.end()


def unbalanced(source: str) -> str | None:
    """Return the first token that closes nothing, or what is left open, or None."""
    still: list[str] = []
    for kind, token in tokens(source):
        if kind not in ("name", "sign"):
            continue
        if token in PAIRS:
            if not still or still.pop() != PAIRS[token]:
                return token
        elif token == ";" and still:
            return still[-1]
        if token in ("(", "[", "{", "let", "if", "then"):
            still.append(token)
    return still[-1] if still else None


def record(name: str) -> dict[str, str]:
    """Return the fields of a record at the top of the file, each as its text."""
    found = re.search(rf"^{name} = \[\n(.*?)^\];", SOURCE, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    parts = re.split(r"^    ([\w.]+) = ", found[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip().rstrip(",") for part in parts[2::2]), strict=True))


def text_of(literal: str) -> str:
    assert literal[0] == literal[-1] == '"', literal
    return literal[1:-1].replace('""', '"')


SOURCE = FILE.read_text(encoding="utf-8")
COMMANDS = {name: text_of(literal) for name, literal in record("Commands").items()}


@pytest.fixture(scope="module")
def connection(server):
    with adbc.connect(f"grpc+tcp://127.0.0.1:{server.port}", autocommit=True) as opened:
        yield opened


@pytest.fixture
def ask(connection):
    with connection.cursor() as cursor:

        def answer(sql: str) -> list[tuple[object, ...]]:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

        yield answer


@pytest.fixture(scope="module")
def by_hand(retail_folder):
    with duckdb.connect() as database:
        database.execute(
            f"CREATE TABLE sales AS SELECT * FROM '{retail_folder}/transactions.parquet'"
            f" LEFT JOIN '{retail_folder}/stores.parquet' USING (store_id)"
            f" LEFT JOIN '{retail_folder}/products.parquet' USING (sku)"
        )
        yield lambda sql: database.execute(sql).fetchall()


def test_the_file_balances():
    assert unbalanced(SOURCE) is None
    assert SOURCE.rstrip().endswith(";")


@pytest.mark.parametrize("spoilt", [")", "]", "}", " in", " else"])
def test_a_file_that_does_not_balance_is_noticed(spoilt):
    at = SOURCE.rindex(spoilt)
    assert unbalanced(SOURCE[:at] + SOURCE[at + len(spoilt) :]) is not None


def test_each_name_of_the_file_that_is_used_is_there():
    members = set(re.findall(r"^(?:shared )?([\w.]+) =", SOURCE, re.MULTILINE))
    used = {token for kind, token in tokens(SOURCE) if kind == "name"}
    own = {"Commands", "Connect", "Collections", "Tables", "OneTable", "Rows", "Navigator"}
    own |= {"ColumnType", "Types", "Driver", "Generator", "Overrides", "Literals", "Helpers"}
    own |= {"AsText", "Credentials", "Identity", "Renamed", "Aggregate", "RowCount", "NotFolded"}
    assert own | {"Common", "Contents", "ContentsType"} <= members & used
    assert len(members) == len(re.findall(r"^(?:shared )?([\w.]+) =", SOURCE, re.MULTILINE))


def test_it_uses_what_the_shared_generator_has():
    assert set(re.findall(r"Common\[(\w+)\]", SOURCE)) <= EXPORTED
    assert set(re.findall(r"Helpers\[(\w+)\]", SOURCE)) <= HELPERS
    assert record("Overrides").keys() <= OVERRIDES
    rows = record("Overrides")["SqlGetTypeInfo"]
    assert set(re.findall(r"^\s+(\w+) =", rows, re.MULTILINE)) == TYPE_INFO


def test_every_text_of_sql_is_a_command():
    texts = {text_of(token) for kind, token in tokens(SOURCE) if kind == "text"}
    found = {text for text in texts if re.search(r"\bSELECT\b(?! whose)|\bSHOW\b", text)}
    assert found - {"One SELECT whose rows are the table"} == set(COMMANDS.values())


@pytest.mark.parametrize(
    ("command", "values", "first", "count"),
    [
        ("Collections", [], ("retail_full",), 1),
        ("Tables", ["'retail_full'"], ("metrics",), 7),
        ("Columns", ["'retail_full'", "'stores'"], ("store", "VARCHAR", "YES", None, None), 2),
        ("PrimaryKey", ["'retail_full'", "'store_monthly_inventory'"], ("store",), 2),
        ("PrimaryKey", ["'retail_full'", "'transactions'"], ("transaction",), 1),
        ("PrimaryKey", ["'retail_full'", "'metrics'"], None, 0),
    ],
)
def test_each_command_is_answered(ask, command, values, first, count):
    sql = COMMANDS[command]
    for place, value in enumerate(values):
        sql = sql.replace(f"#{{{place}}}", value)
    found = ask(sql)
    assert len(found) == count
    assert first is None or found[0][: len(first)] == first


def test_every_column_has_a_type_that_the_file_knows(ask):
    known = set(re.findall(r'^        \{"([A-Z ]+)", \w+\.Type,', SOURCE, re.MULTILINE))
    given = {kind for (kind,) in ask("SELECT DISTINCT data_type FROM information_schema.columns")}
    assert {"VARCHAR", "DATE", "BIGINT", "DECIMAL", "DOUBLE"} <= given <= known
    conversions = record("Overrides")["SupportedConversions"]
    assert set(re.findall(r'\{"([A-Z ]+)", \{', conversions)) == known


def test_a_query_is_typed_by_its_text_without_rows(connection):
    query = "SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region"
    with connection.cursor() as cursor:
        cursor.execute(COMMANDS["NoRows"].replace("#{0}", query))
        table = cursor.fetch_arrow_table()
    assert (table.column_names, table.num_rows) == (["region", "r"], 0)


# What the generator writes by the file's rules, and its rows in SQL by hand.
FROM = 'from "retail_full"."metrics"'
REVENUE = "SUM(revenue)::DECIMAL(38, 2)"
FOLDED = {
    "rows of a table": (
        'select "store", "region" from "retail_full"."stores" order by "store" LIMIT 3',
        "SELECT DISTINCT store_id, region FROM sales ORDER BY 1 LIMIT 3",
    ),
    "a sum by a column": (
        f'select "region", SUM("revenue") as "C1" {FROM} group by "region" order by "region"',
        f"SELECT region, {REVENUE} FROM sales GROUP BY 1 ORDER BY 1",
    ),
    "one number": (f'select SUM("revenue") as "C1" {FROM}', f"SELECT {REVENUE} FROM sales"),
    "a text and dates": (
        f'select "region", SUM("units") as "C1" {FROM} where ("category" = {{VARCHAR:Toys}} and'
        ' "day" >= {DATE:2023-02-23}) and "day" < {DATE:2024-01-01} group by "region"'
        ' order by "region"',
        "SELECT region, SUM(quantity)::BIGINT FROM sales WHERE category = 'Toys'"
        " AND day >= DATE '2023-02-23' AND day < DATE '2024-01-01' GROUP BY 1 ORDER BY 1",
    ),
    "a date as a moment": (
        f'select SUM("units") as "C1" {FROM} where'
        ' cast("day" as TIMESTAMP) >= {TIMESTAMP:2024-03-01 00:00:00.000000}',
        "SELECT SUM(quantity)::BIGINT FROM sales WHERE day >= DATE '2024-03-01'",
    ),
    "numbers beside a key": (
        'select "transaction", "quantity" from "retail_full"."transactions"'
        ' where cast("transaction" as DOUBLE) = {DOUBLE:47531} or "transaction" = {BIGINT:12}'
        ' order by "transaction"',
        "SELECT transaction_id, quantity FROM sales WHERE transaction_id IN (12, 47531) ORDER BY 1",
    ),
    "a list with a blank": (
        f'select SUM("units") as "C1" {FROM} where'
        ' ("region" in ({VARCHAR:East}, {VARCHAR:West}) or "region" is null)',
        "SELECT SUM(quantity)::BIGINT FROM sales WHERE region IN ('East', 'West')"
        " OR region IS NULL",
    ),
    "a visual with its order": (
        f'select "region", "category", "C1" from ( select "region", "category", SUM("revenue") as'
        f' "C1" {FROM} group by "region", "category" ) as "ITBL" where not "C1" is null'
        ' order by "C1" desc, "region" LIMIT 5 OFFSET 2',
        f"SELECT region, category, {REVENUE} AS r FROM sales GROUP BY 1, 2"
        " ORDER BY r DESC, 1 LIMIT 5 OFFSET 2",
    ),
    "the other aggregates": (
        f'select AVG("units") as "a", MIN("revenue") as "b", MAX("revenue") as "c", MEDIAN("units")'
        f' as "d", STDDEV_SAMP("units") as "e", COUNT("units") as "f" {FROM}',
        "SELECT AVG(quantity), MIN(revenue), MAX(revenue), MEDIAN(quantity),"
        " STDDEV_SAMP(quantity), COUNT(quantity) FROM sales",
    ),
    "rows of a table, counted": (
        'select "region", COUNT(1) as "C1" from "retail_full"."stores" group by "region"'
        ' order by "region"',
        "SELECT region, COUNT(DISTINCT store_id) FROM sales GROUP BY 1 ORDER BY 1",
    ),
    "values of a slicer": (
        f'select "region" {FROM} group by "region" order by "region" LIMIT 1001',
        "SELECT DISTINCT region FROM sales ORDER BY 1",
    ),
    "a query of one's own": (
        'select "_"."region", "_"."r" from (SELECT region, SUM(revenue) AS r FROM metrics'
        ' GROUP BY region) as "_" where "_"."r" > {DECIMAL:3000000} order by "_"."r"',
        f"SELECT region, {REVENUE} AS r FROM sales GROUP BY 1 HAVING r > 3000000 ORDER BY 2",
    ),
    "a distinct count with a blank": (
        f'select "region", count(distinct("store")) + max(case when "store" is null then 1 else 0'
        f' end) as "C1", SUM("units") as "C2" {FROM} group by "region" order by "region"',
        "SELECT region, COUNT(DISTINCT store_id) + MAX(CASE WHEN store_id IS NULL THEN 1 ELSE 0"
        " END), SUM(quantity)::BIGINT FROM sales GROUP BY 1 ORDER BY 1",
    ),
}

WRITTEN = {
    "VARCHAR": ("AsText(value)", lambda value: "'" + value.replace("'", "''") + "'"),
    "BIGINT": ('Number.ToText(value, "0")', str),
    "DECIMAL": ('Number.ToText(value, "0.############################")', str),
    "DOUBLE": ('Number.ToText(value, "R")', str),
    "DATE": (
        'Text.Format("DATE \'#{0}\'", {Date.ToText(value, "yyyy-MM-dd")})',
        lambda value: f"DATE '{dt.date.fromisoformat(value):%Y-%m-%d}'",
    ),
    "TIMESTAMP": (
        'Text.Format("TIMESTAMP \'#{0}\'", {DateTime.ToText(value, "yyyy-MM-dd HH:mm:ss.ffffff")})',
        lambda value: f"TIMESTAMP '{dt.datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S.%f}'",
    ),
    "BOOLEAN": ('if value then "TRUE" else "FALSE"', str),
}
"""How the file writes a constant of each type, and the same in Python."""


def test_a_constant_is_written_as_the_tests_below_write_it():
    literals = {name: text.removeprefix("(value) => ") for name, text in record("Literals").items()}
    assert literals == {name: text for name, (text, _) in WRITTEN.items()}


def test_an_aggregate_is_a_name_over_a_bare_column():
    functions = record("Overrides")["FunctionOverrides"]
    named = set(re.findall(r'Aggregate\("(\w+)"', functions))
    assert named == {"SUM", "AVG", "MIN", "MAX", "MEDIAN", "STDDEV_SAMP", "COUNT"}
    assert all(f"{name}(" in FOLDED["the other aggregates"][0] for name in named - {"SUM"})


@pytest.mark.parametrize("name", FOLDED)
def test_what_the_generator_writes_is_answered(ask, by_hand, name):
    shape, hand = FOLDED[name]
    sql = re.sub(r"\{([A-Z]+):([^}]*)\}", lambda found: WRITTEN[found[1]][1](found[2]), shape)
    mine, theirs = ask(sql), by_hand(hand)
    assert mine
    assert rounded(mine) == rounded(theirs)


def rounded(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Return rows with doubles to nine digits, and all else as it is."""
    return [tuple(map(_rounded, row)) for row in rows]


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    return Decimal(value).normalize() if isinstance(value, Decimal) else value


def test_every_function_is_answered_or_left_to_power_query():
    functions = record("Overrides")["FunctionOverrides"]
    left = set(re.findall(r"([\w.]+) = NotFolded", functions))
    assert left | KEYS_BY_SQL92.keys() | VALUES_BY_SQL92.keys() == NAMED_BY_SQL92
    assert not left & {*KEYS_BY_SQL92, *VALUES_BY_SQL92}


@pytest.mark.parametrize("name", KEYS_BY_SQL92)
def test_a_function_of_a_key_is_duckdbs(ask, by_hand, name):
    text = KEYS_BY_SQL92[name]
    shape = f'select {text} as "C1", SUM({{}}) as "C2" {{}} group by {text} order by {text}'
    mine = ask(shape.format('"units"', FROM))
    assert len(mine) > 1
    assert mine == by_hand(shape.format("quantity", "from sales"))


@pytest.mark.parametrize("name", VALUES_BY_SQL92)
def test_a_function_of_an_aggregate_is_duckdbs(ask, by_hand, name):
    reducer, text = VALUES_BY_SQL92[name]
    shape = (
        f'select "region", {text} as "C2" from ( select "region", {reducer}({{}}) as "C1" {{}}'
        ' group by "region" ) as "ITBL" order by "region"'
    )
    mine = ask(shape.format('"units"', FROM))
    theirs = by_hand(shape.format("quantity", "from sales"))
    assert len(mine) == 3
    assert rounded(mine) == rounded(theirs)


def test_what_the_sample_sends_and_this_file_does_not_is_refused(ask):
    for sql in (
        f'select "region", SUM(cast("revenue" as DOUBLE)) as "C1" {FROM} group by "region"',
        "SELECT kcu.column_name FROM information_schema.table_constraints tc JOIN"
        " information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name",
    ):
        with pytest.raises(adbc.Error, match=r"REDUCER_NOT_DECLARED|NOT_SUPPORTED"):
            ask(sql)
