"""Every call of the ADBC driver's DB-API, in whatever version the interpreter has.

    python adbc_client.py '{"host": "127.0.0.1", "port": 8815, ...}'

prints one JSON object: what each step saw. It judges nothing; the tests do.
"""

import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
from pyarrow import flight
from questions import BY_REGION, BY_REGION_IN, EVERY_TYPE, LAST, TICKS
from recorded import Recorder, asked, plain

target = asked()
secured = target["secured"]
uri = f"grpc+tcp://{target['host']}:{target['port']}"
run = Recorder(version("adbc-driver-flightsql"))


def connect(**options: str) -> dbapi.Connection:
    return dbapi.connect(uri, db_kwargs=options, autocommit=True)


connection = connect()


@run.step("execute")
def execute() -> object:
    with connection.cursor() as cursor:
        cursor.execute(BY_REGION)
        return plain(cursor.fetchall())


@run.step("types")
def types() -> object:
    with connection.cursor() as cursor:
        cursor.execute(EVERY_TYPE)
        table = cursor.fetch_arrow_table()
    return {
        "types": {field.name: str(field.type) for field in table.schema},
        "rows": plain(table.to_pylist()),
    }


@run.step("parameters")
def parameters() -> object:
    with connection.cursor() as cursor:
        found = []
        for region in ("North", "South"):
            cursor.execute(BY_REGION_IN, (region,))
            found.append(plain(cursor.fetchall()))
        return found


@run.step("executemany")
def executemany() -> object:
    with connection.cursor() as cursor:
        cursor.executemany(BY_REGION_IN, [("North",), ("South",)])
        return cursor.rowcount


@run.step("prepare")
def prepare() -> object:
    with connection.cursor() as cursor:
        schema = cursor.adbc_prepare(BY_REGION_IN)
        return {field.name: str(field.type) for field in schema or ()}


@run.step("execute_schema")
def execute_schema() -> object:
    with connection.cursor() as cursor:
        return {field.name: str(field.type) for field in cursor.adbc_execute_schema(BY_REGION)}


@run.step("partitions")
def partitions() -> object:
    with connection.cursor() as cursor:
        parts, schema = cursor.adbc_execute_partitions(BY_REGION)
        info = flight.FlightInfo.deserialize(parts[0])
        run.carried("FlightInfo.app_metadata of a partition", info.app_metadata)
        cursor.adbc_read_partition(parts[0])
        return {"parts": len(parts), "names": schema.names, "rows": plain(cursor.fetchall())}


@run.step("cursor again")
def cursor_again() -> object:
    with connection.cursor() as cursor:
        found = []
        for query in (BY_REGION, BY_REGION, "SELECT 1"):
            cursor.execute(query)
            found.append(len(cursor.fetchall()))
        return found


@run.step("get_objects")
def get_objects() -> object:
    return {
        depth: connection.adbc_get_objects(depth=depth).read_all().to_pylist()
        for depth in ("catalogs", "db_schemas", "tables", "columns")
    }


@run.step("get_objects filtered")
def get_objects_filtered() -> object:
    filters = {
        "by table": {"table_name_filter": "s%s"},
        "by column": {"table_name_filter": "stores", "column_name_filter": "reg%"},
        "by type": {"table_types_filter": ["VIEW"]},
        "by schema": {"db_schema_filter": "nothing"},
        "by catalog": {"catalog_filter": "nothing"},
    }
    return {
        name: connection.adbc_get_objects(depth="columns", **chosen).read_all().to_pylist()
        for name, chosen in filters.items()
    }


@run.step("get_table_schema")
def get_table_schema() -> object:
    return {field.name: str(field.type) for field in connection.adbc_get_table_schema("sales")}


@run.step("get_table_types")
def get_table_types() -> object:
    return connection.adbc_get_table_types()


@run.step("get_info")
def get_info() -> object:
    return connection.adbc_get_info()


@run.step("a million rows")
def million() -> object:
    with connection.cursor() as cursor:
        cursor.execute(TICKS)
        table = cursor.fetch_arrow_table()
    return {"rows": table.num_rows, "sum": plain(pa.compute.sum(table["reading"]).as_py())}


@run.step("cancel")
def cancel() -> object:
    with connection.cursor() as cursor:
        cursor.execute(TICKS)
        reader = cursor.fetch_record_batch()
        reader.read_next_batch()
        stopping = threading.Thread(target=cursor.adbc_cancel)
        stopping.start()
        stopping.join()
        try:
            for _ in reader:
                pass
        except (OSError, dbapi.Error, pa.ArrowException) as error:
            return {"ended": type(error).__name__, "told": str(error)}
        return {"ended": "with all its rows"}


@run.step("early close")
def early_close() -> object:
    with connection.cursor() as cursor:
        cursor.execute(TICKS)
        cursor.fetch_record_batch().read_next_batch()
    return execute()


@run.step("refusal")
def refusal() -> object:
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT regio AT region")
        except dbapi.ProgrammingError as error:
            return str(error)
        return None


@run.step("served_from")
def served_from() -> object:
    with connection.cursor() as cursor:
        cursor.execute(BY_REGION)
        metadata = cursor.fetch_arrow_table().schema.metadata or {}
        run.carried("schema metadata", metadata.get(b"served_from"))
        cursor.execute(LAST)
        newest = cursor.fetch_arrow_table().slice(0, 1).to_pylist()[0]
        run.carried("system.last_queries", newest["served_from"])
        return newest["source"]


def over_tls(roots: str, **entered: str) -> object:
    """The first rows of a connection of its own to the secured server."""
    options = {"adbc.flight.sql.client_option.tls_root_certs": Path(roots).read_text()}
    address = f"grpc+tls://{target['host']}:{secured['port']}"
    with (
        dbapi.connect(address, db_kwargs=options | entered, autocommit=True) as another,
        another.cursor() as cursor,
    ):
        cursor.execute(BY_REGION)
        return cursor.fetchall()


def refused(connect: Callable[[], object]) -> object:
    """Whether the server turns a connection away."""
    try:
        connect()
    except dbapi.Error as error:
        return str(error)
    return None


@run.step("tls, user and password")
def tls_password() -> object:
    return over_tls(secured["roots"], username=secured["user"], password=secured["password"])


@run.step("tls, token")
def tls_token() -> object:
    bearer = {"adbc.flight.sql.authorization_header": f"Bearer {secured['token']}"}
    return over_tls(secured["roots"], **bearer)


@run.step("wrong password")
def wrong_password() -> object:
    return refused(lambda: over_tls(secured["roots"], username=secured["user"], password="no"))


@run.step("no credentials")
def no_credentials() -> object:
    return refused(lambda: over_tls(secured["roots"]))


run.step("close")(connection.close)
run.write()
