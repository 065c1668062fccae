"""flightsql-dbapi: its DB-API, and its dialect under SQLAlchemy 1.4.

    python dbapi_client.py '{"host": "127.0.0.1", "port": 8815, ...}'

prints one JSON object: what each step saw. It judges nothing; the tests do.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import flightsql
import flightsql.sqlalchemy
import sqlalchemy
from questions import BY_REGION, BY_REGION_IN, EVERY_TYPE, LAST, TICKS
from recorded import Recorder, asked
from sqlalchemy.dialects import registry

target = asked()
secured = target["secured"]
run = Recorder(version("flightsql-dbapi"))
place = {"host": target["host"], "port": target["port"]}
connection = flightsql.connect(flightsql.FlightSQLClient(**place, insecure=True))
address = f"datafusion+flightsql://{target['host']}:{target['port']}?insecure=true"
engine = sqlalchemy.create_engine(address)
preparing = sqlalchemy.create_engine(
    f"{address}&feature-sqlalchemy-prepared-statements=on&feature-sqlalchemy-primary-keys=on"
)


@run.step("execute")
def execute() -> object:
    return connection.cursor().execute(BY_REGION).fetchall()


@run.step("types")
def types() -> object:
    cursor = connection.cursor().execute(EVERY_TYPE)
    return {
        "types": {name: kind.__name__ for name, kind in cursor.description},
        "rows": cursor.fetchall(),
    }


@run.step("parameters")
def parameters() -> object:
    return [
        connection.cursor().execute(BY_REGION_IN, [region]).fetchall()
        for region in ("North", "South")
    ]


@run.step("executemany")
def executemany() -> object:
    cursor = connection.cursor().executemany(BY_REGION_IN, [["North"], ["South"]])
    return cursor.fetchall()


@run.step("metadata")
def metadata() -> object:
    return {
        "schemas": connection.flightsql_get_schema_names(),
        "tables": connection.flightsql_get_table_names(),
        "columns": [
            [column["name"], column["type"].__name__]
            for column in connection.flightsql_get_columns("stores", schema="shop")
        ],
        "info": {
            str(number): value
            for number, value in connection.flightsql_get_sql_info([0, 2, 3, 504]).items()
        },
    }


@run.step("keys")
def keys() -> object:
    return {
        "primary": connection.flightsql_get_primary_keys("stores", schema="shop"),
        "foreign": connection.flightsql_get_foreign_keys("sales", schema="shop"),
    }


@run.step("a million rows")
def million() -> object:
    rows = connection.cursor().execute(TICKS).fetchall()
    return {"rows": len(rows), "sum": sum(row[1] for row in rows)}


@run.step("refusal")
def refusal() -> object:
    try:
        connection.cursor().execute("SELECT regio AT region")
    except Exception as error:
        return str(error)
    return None


@run.step("sqlalchemy execute")
def sqlalchemy_execute() -> object:
    with engine.connect() as session:
        return [list(row) for row in session.execute(sqlalchemy.text(BY_REGION))]


@run.step("sqlalchemy inspect")
def sqlalchemy_inspect() -> object:
    found = sqlalchemy.inspect(engine)
    return {
        "schemas": found.get_schema_names(),
        "tables": found.get_table_names(schema="shop"),
        "columns": [
            [column["name"], str(column["type"]), column["nullable"]]
            for column in found.get_columns("sales", schema="shop")
        ],
    }


@run.step("sqlalchemy reflect")
def sqlalchemy_reflect() -> object:
    table = sqlalchemy.Table(
        "stores", sqlalchemy.MetaData(), schema="shop", autoload_with=preparing
    )
    return [column.name for column in table.columns]


@run.step("sqlalchemy prepared parameters")
def sqlalchemy_parameters() -> object:
    query = sqlalchemy.text(BY_REGION_IN.replace("?", ":region"))
    with preparing.connect() as session:
        return [
            [list(row) for row in session.execute(query, {"region": region})]
            for region in ("North", "South")
        ]


def said(call: Callable[[], object]) -> str:
    """What a call fails with."""
    try:
        return f"nothing: {call()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@run.step("flightframe+flightsql")
def superset_dialect() -> object:
    # The dialect that the plug-in for Superset brings, which needs no package of its own.
    sys.path.insert(0, str(Path(__file__).parents[4] / "connectors" / "superset"))
    registry.register(
        "flightframe.flightsql", "flightframe_superset.dialect", "FlightframeFlightSQLDialect"
    )
    made = sqlalchemy.create_engine(f"flightframe+{address.partition('+')[2]}")
    found = sqlalchemy.inspect(made)
    sales = sqlalchemy.Table("metrics", sqlalchemy.MetaData(), schema="shop", autoload_with=made)
    total = sqlalchemy.func.sum(sales.c.amount).label("total")
    query = sqlalchemy.select(sales.c.region, total).group_by(sales.c.region)
    north = query.where(sales.c.region == "North")
    with made.connect() as session:
        rows = [list(row) for row in session.execute(north)]
    columns = {column["name"]: column for column in found.get_columns("metrics", "shop")}
    return {
        "schema": found.default_schema_name,
        "tables": found.get_table_names("shop"),
        "roles": {name: columns[name]["info"] for name in ("region", "amount")},
        "type": str(columns["amount"]["type"]),
        "text": str(north.compile(made, compile_kwargs={"literal_binds": True})),
        "rows": rows,
        "no table": said(lambda: found.get_columns("stoers", "shop")),
        "a collection": said(
            lambda: sqlalchemy.create_engine("flightframe+flightsql://h/shop").connect()
        ),
    }


@run.step("served_from")
def served_from() -> object:
    execute()
    cursor = connection.cursor().execute(LAST)
    names = [name for name, _ in cursor.description]
    newest = dict(zip(names, cursor.fetchone(), strict=True))
    run.carried("system.last_queries", newest["served_from"])
    return newest["source"]


def over_tls(**entered: str) -> object:
    """The rows of a connection of its own to the secured server."""
    roots = Path(secured["roots"]).read_bytes()
    place = {"host": target["host"], "port": secured["port"], "tls_root_certs": roots}
    with flightsql.connect(flightsql.FlightSQLClient(**place, **entered)) as another:
        return another.cursor().execute(BY_REGION).fetchall()


@run.step("tls, user and password")
def tls_password() -> object:
    return over_tls(user=secured["user"], password=secured["password"])


@run.step("tls, token")
def tls_token() -> object:
    return over_tls(token=secured["token"])


@run.step("wrong password")
def wrong_password() -> object:
    try:
        return over_tls(user=secured["user"], password="no")
    except Exception as error:
        return str(error)


@run.step("no credentials")
def no_credentials() -> object:
    try:
        return over_tls()
    except Exception as error:
        return str(error)


run.step("close")(connection.close)
run.write()
