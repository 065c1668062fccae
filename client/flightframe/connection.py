"""A connection to a server: ask, explain, describe.

What comes in: an address, credentials, and Frame-QL. What goes out: results and descriptions. It
must never let an exception of pyarrow out, never show a credential, and never ask twice: a query is
one call.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import Any

from pyarrow import flight

from flightframe.address import Address, parse_address
from flightframe.credentials import (
    Pem,
    bearer,
    client_certificate,
    handshake,
    root_certificates,
)
from flightframe.description import ACTION, Description
from flightframe.errors import ArgumentError, ConnectionFailed, QueryError
from flightframe.failures import ARROW_FAILURES, from_arrow
from flightframe.parameters import Parameters, encode_parameters
from flightframe.result import Result
from flightframe.stream import FlightBatches
from flightframe.ticket import encode_query, freshness

_EXPLAIN = "EXPLAIN "
# Possessive throughout: blanks and comments have one reading, so no text takes long to refuse.
_EXPLAINS = re.compile(r"(?>\s+|--[^\n]*|/\*.*?\*/)*+EXPLAIN\b", re.IGNORECASE | re.DOTALL)


class Connection:
    """A connection to one server; `connect` makes it. Several threads may share it."""

    def __init__(
        self,
        client: flight.FlightClient,
        address: Address,
        *,
        authorization: bytes | None = None,
        collection: str = "",
        timeout: float | None = None,
    ) -> None:
        """Take over a Flight client; see `connect` for the rest."""
        self._client: flight.FlightClient | None = client
        self._address = address
        self._collection = collection
        headers: list[Any] = [(b"authorization", authorization)] if authorization else []
        self._options = flight.FlightCallOptions(timeout=timeout, headers=headers)

    def query(
        self,
        source: str,
        *,
        parameters: Parameters | None = None,
        max_staleness: float | timedelta | None = None,
        only_if_cached: bool = False,
        no_cache: bool = False,
        collection: str | None = None,
    ) -> Result:
        """Ask one Frame-QL query, in one call, and wait for the first batch.

        Args:
            source: such as `SELECT region, SUM(revenue) AS total_revenue AT region`.
            parameters: values for `?` in order, or for `$name` by name.
            max_staleness: seconds by which the answer may lag behind its source; None: never lag.
            only_if_cached: refuse (code NOT_CACHED) rather than touch the back-end.
            no_cache: ask the back-end even where the cache could answer.
            collection: the Analytic Collection to ask; None: the connection's.

        Raises:
            ArgumentError: the call makes no sense; nothing was sent.
            FlightframeError: whatever else went wrong, by whose move it is.
        """
        ticket = encode_query(
            source,
            parameters=encode_parameters(parameters),
            collection=self._collection if collection is None else collection,
            fresh=freshness(max_staleness, only_if_cached, no_cache),
        )
        client = self._open_client()
        try:
            reader = client.do_get(flight.Ticket(ticket), self._options)
            batches = FlightBatches(reader, str(self._address))
        except ARROW_FAILURES as error:
            raise from_arrow(error, str(self._address)) from None
        return Result(batches)

    def explain(
        self,
        source: str,
        *,
        parameters: Parameters | None = None,
        max_staleness: float | timedelta | None = None,
        only_if_cached: bool = False,
        no_cache: bool = False,
        collection: str | None = None,
    ) -> Result:
        """Ask how a query would be answered; reads no data. See `query` for the arguments."""
        prefix = _EXPLAIN if isinstance(source, str) and not _EXPLAINS.match(source) else ""
        try:
            return self.query(
                prefix + source if prefix else source,
                parameters=parameters,
                max_staleness=max_staleness,
                only_if_cached=only_if_cached,
                no_cache=no_cache,
                collection=collection,
            )
        except QueryError as error:
            raise _moved_back(error, len(prefix)) from None

    def describe(
        self,
        name: str | None = None,
        *,
        names: Iterable[str] | None = None,
        detail: str | None = None,
        at: Iterable[str] | None = None,
        collection: str | None = None,
        members: int | None = None,
        schema: str | None = None,
    ) -> Description:
        """Ask what can be asked: collections with their levels, metrics and tables.

        Each metric says where it may be asked, and of every other level why not. With `members`
        each level says what the data holds of it: how many members, from which to which, and the
        first of them; the server answers that from its cache where it can.

        Args:
            name: only the levels, metrics, schemas and frames of this name; None: all of them.
            names: the same of several names; not beside `name`.
            detail: `names` for everything once, with the edges between levels, and without where
                each metric may be asked, which is much in a large collection; None or `full`: all.
            at: of where metrics may be asked, only these levels; None: all of them.
            collection: only this Analytic Collection; None: the connection's, or else all.
            members: how many members of each level are listed, 0 for their number and range alone;
                None: the data is not asked.
            schema: only levels that rows of this schema reach, and the members that these have;
                None: all levels, by the rows that know each best.

        Raises:
            ArgumentError: the call makes no sense; nothing was sent.
            FlightframeError: whatever else went wrong, by whose move it is.
        """
        fields: dict[str, Any] = {
            "collection": self._collection if collection is None else collection,
            "name": name or "",
            "schema": schema or "",
            "detail": detail or "",
        }
        if not all(isinstance(value, str) for value in fields.values()):
            raise ArgumentError("name, detail, collection and schema are texts")
        fields = {key: value for key, value in fields.items() if value}
        if names is not None:
            fields["names"] = _name_list("names", names)
        if at is not None:
            fields["at"] = _name_list("at", at)
        if members is not None:
            if type(members) is not int or members < 0:
                raise ArgumentError("members is a whole number from 0 on")
            fields["members"] = members
        body = json.dumps(fields).encode()
        client = self._open_client()
        try:
            answers = client.do_action(flight.Action(ACTION, body), self._options)
            data = b"".join(answer.body.to_pybytes() for answer in answers)
        except ARROW_FAILURES as error:
            raise from_arrow(error, str(self._address)) from None
        return Description.from_bytes(data)

    def close(self) -> None:
        """Close the connection. Results that are still being read go on; closing twice is fine."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __enter__(self) -> Connection:
        """Return the connection itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return the address, the collection and whether it is closed; never a credential."""
        collection = f", collection={self._collection!r}" if self._collection else ""
        closed = ", closed" if self._client is None else ""
        return f"<flightframe.Connection {self._address.uri}{collection}{closed}>"

    def _open_client(self) -> flight.FlightClient:
        """Return the Flight client of a connection that is still open."""
        if self._client is None:
            raise ConnectionFailed("CLOSED", "the connection is closed", "connect again")
        return self._client


def connect(
    uri: str,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    tls_root_certs: Pem | None = None,
    *,
    tls_client_cert: Pem | None = None,
    tls_client_key: Pem | None = None,
    collection: str | None = None,
    timeout: float | None = None,
) -> Connection:
    """Connect to a server. Without a user name nothing is sent until the first question.

    Args:
        uri: `grpc://host:port` or `grpc+tcp://host:port`; `grpc+tls://host:port` for TLS.
        token: sent as `authorization: Bearer` with every call.
        username: exchanged at once, with the password, for a token of the server's.
        password: see `username`.
        tls_root_certs: PEM certificates to trust (bytes), or the path of a file of them; None:
            those that the system trusts.
        tls_client_cert: PEM certificate to show to a server that asks for one (bytes), or the
            path of its file.
        tls_client_key: the key of `tls_client_cert`, in the same forms, without a password.
        collection: the Analytic Collection to ask where a query names none.
        timeout: seconds that one call may take, its whole stream included; None: any time.

    Raises:
        ArgumentError: the arguments make no sense.
        AuthenticationFailed: the user name or the password is refused.
        ConnectionFailed: no server answers (only where a user name is given).
    """
    address = parse_address(uri)
    _check_timeout(timeout)
    if collection is not None and not isinstance(collection, str):
        raise ArgumentError("collection is not a text")
    if (username is None) != (password is None):
        raise ArgumentError("username and password belong together")
    if token is not None and username is not None:
        raise ArgumentError("pass either a token or a user name, not both")
    authorization = None if token is None else bearer(token)
    security: dict[str, Any] = {
        "tls_root_certs": root_certificates(tls_root_certs, address),
        **client_certificate(tls_client_cert, tls_client_key, address),
    }
    try:
        client = flight.FlightClient(address.uri, **security)
    except ARROW_FAILURES as error:
        raise from_arrow(error, str(address)) from None
    if username is not None and password is not None:
        authorization = handshake(client, address, username, password, timeout)
    return Connection(
        client,
        address,
        authorization=authorization,
        collection=collection or "",
        timeout=timeout,
    )


def _name_list(key: str, names: Iterable[str]) -> list[str]:
    """Return names as a list; one text is no list of names, though it can be iterated over."""
    listed = [] if isinstance(names, str) else list(names)
    if not listed or not all(isinstance(name, str) and name for name in listed):
        raise ArgumentError(f"{key} is a list of one name or more")
    return listed


def _check_timeout(timeout: float | None) -> None:
    """Refuse a timeout that is not a positive number of seconds."""
    if timeout is None:
        return
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not number or not math.isfinite(timeout) or timeout <= 0:
        raise ArgumentError("timeout is not a positive number of seconds")


def _moved_back(error: QueryError, columns: int) -> QueryError:
    """Return the error with its place in the text as the caller wrote it, without our prefix."""
    if not columns or error.line != 1 or error.column is None or error.column <= columns:
        return error
    return type(error)(error.code, error.message, error.hint, 1, error.column - columns)
