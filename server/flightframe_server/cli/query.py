"""`flightframe query` and `flightframe explain`: ask a server from the command line.

What comes in: Frame-QL. What goes out: the answer in one of four formats. It must never read the
database itself: it is a client like any other.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import flightframe
from flightframe import ArgumentError
from flightframe_server.cli.connection_options import (
    ClientCert,
    ClientKey,
    ConnectionOptions,
    RootCerts,
    User,
    connected,
)
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.formats import (
    MAX_ROWS,
    Format,
    write_arrow,
    write_chart,
    write_csv,
    write_json,
    write_steps,
    write_table,
)
from flightframe_server.cli.option_kinds import as_text
from flightframe_server.cli.parameters import bound

DEFAULT_URI = "grpc://127.0.0.1:8815"
STDIN = "-"

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Frame-QL; - reads it from stdin.", callback=as_text)
]
Uri = Annotated[
    str, typer.Option(envvar="FLIGHTFRAME_URI", help="Where the server answers.", callback=as_text)
]
OutputFormat = Annotated[Format, typer.Option("--format", help="How the rows are written.")]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="[NAME][:TYPE]=VALUE",
        help="A value for $name, or for the next ?; repeat it for more.",
        callback=as_text,
    ),
]
CollectionName = Annotated[
    str | None,
    typer.Option(
        "--collection",
        help="The collection to ask.",
        show_default="the one that fits",
        callback=as_text,
    ),
]
MaxStaleness = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="How far the answer may lag behind its source.",
        show_default="not at all",
    ),
]
OnlyIfCached = Annotated[
    bool, typer.Option("--only-if-cached", help="Refuse rather than ask the database.")
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Ask the database even where the cache could answer.")
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="SECONDS", help="Give up after this.", show_default="never"),
]
MaxRows = Annotated[
    int, typer.Option(min=0, help="The most rows or bars that are shown; 0 shows all of them.")
]


Chart = Annotated[bool, typer.Option("--chart", help="Draw the answer, in place of a table.")]


def query(
    source: Source,
    uri: Uri = DEFAULT_URI,
    output: OutputFormat = Format.TABLE,
    param: Parameter = None,
    collection: CollectionName = None,
    max_staleness: MaxStaleness = None,
    only_if_cached: OnlyIfCached = False,
    no_cache: NoCache = False,
    timeout: Timeout = None,
    max_rows: MaxRows = MAX_ROWS,
    chart: Chart = False,
    user: User = None,
    tls_root_certs: RootCerts = None,
    tls_client_cert: ClientCert = None,
    tls_client_key: ClientKey = None,
) -> None:
    r"""Ask a running server one Frame-QL query.

    The answer says where it came from: engine_cache, engine_backend,
    engine_mixed, or backend. A parameter is a text, read as what it is
    compared with, a number, a date, a name; or it says its own type: text,
    integer, decimal, double, boolean, date, timestamp, null.

    With --chart one level of the calendar is drawn as a line, another level as
    bars, two of them as groups, and none as big numbers.

    [bold]Examples[/bold]

      flightframe query "SELECT region, SUM(revenue) AS total AT region"
      flightframe query "SELECT day, revenue AT day WHERE region = $r" \
                        --param r=West --format csv > west.csv
      flightframe query "SELECT region, revenue AT region LIMIT ?" \
                        --param :integer=2
      flightframe query "SELECT month, revenue AT month" --chart
      flightframe query - --format arrow < question.fql > answer.arrows
    """
    with reported_errors():
        text = read_source(source)
        if chart and output is not Format.TABLE:
            raise ArgumentError(f"--chart draws, and --format {output} is for programs")
    options = ConnectionOptions(user, tls_root_certs, tls_client_cert, tls_client_key)
    with reported_errors(text), connected(uri, timeout, options) as connection:
        refuse_terminal(output)
        result = connection.query(
            text,
            parameters=bound(param or ()),
            max_staleness=max_staleness,
            only_if_cached=only_if_cached,
            no_cache=no_cache,
            collection=collection,
        )
        with result:
            if chart:
                write_chart(result, max_rows)
            elif output is Format.TABLE:
                write_table(result, max_rows)
            else:
                write(result, output)


def explain(
    source: Source,
    uri: Uri = DEFAULT_URI,
    output: OutputFormat = Format.TABLE,
    param: Parameter = None,
    collection: CollectionName = None,
    max_staleness: MaxStaleness = None,
    only_if_cached: OnlyIfCached = False,
    no_cache: NoCache = False,
    timeout: Timeout = None,
    user: User = None,
    tls_root_certs: RootCerts = None,
    tls_client_cert: ClientCert = None,
    tls_client_key: ClientKey = None,
) -> None:
    """Show how a query would be answered, without answering it.

    For each metric: the route (exact, rollup, backend), the entry or the SQL
    it would come from, and why the other entries do not do.

    [bold]Example[/bold]

      flightframe explain "SELECT day, SUM(revenue) AS r AT day"
    """
    with reported_errors():
        text = read_source(source)
    options = ConnectionOptions(user, tls_root_certs, tls_client_cert, tls_client_key)
    with reported_errors(text), connected(uri, timeout, options) as connection:
        refuse_terminal(output)
        result = connection.explain(
            text,
            parameters=bound(param or ()),
            max_staleness=max_staleness,
            only_if_cached=only_if_cached,
            no_cache=no_cache,
            collection=collection,
        )
        with result:
            if output is Format.TABLE:
                write_steps(result)
            else:
                write(result, output)


def refuse_terminal(output: Format) -> None:
    """Refuse to write bytes where a person would read them.

    Raises:
        ArgumentError: that is where stdout goes.
    """
    if output is Format.ARROW and sys.stdout.isatty():
        raise ArgumentError("arrow is for programs, not for a terminal", "redirect the output")


def read_source(source: str) -> str:
    """Return the text of a query, from stdin where `-` stands for it.

    Raises:
        ArgumentError: it is not UTF-8.
    """
    try:
        if source == STDIN:
            return sys.stdin.buffer.read().decode()
        return source
    except UnicodeDecodeError:
        raise ArgumentError("the query is not UTF-8") from None


def write(result: flightframe.Result, output: Format) -> None:
    """Write a result on stdout in a format for programs."""
    match output:
        case Format.CSV:
            write_csv(result)
        case Format.ARROW:
            write_arrow(result)
        case _:
            write_json(result)
