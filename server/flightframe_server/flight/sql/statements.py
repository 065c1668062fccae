"""The text in a message of Flight SQL, as a request.

What comes in: a message that asks a statement. What goes out: the request. It must never take a
statement out of the transaction that it names: there are none here.
"""

from __future__ import annotations

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Request
from flightframe_server.errors import TicketRefused


def statement_request(message: sql.CommandStatementQuery) -> Request:
    """Return the request of CommandStatementQuery."""
    check_transaction(message)
    return Request(message.query)


def check_transaction(
    message: sql.CommandStatementQuery | sql.ActionCreatePreparedStatementRequest,
) -> None:
    """Refuse a statement inside a transaction: there are none.

    Raises:
        TicketRefused: the message names one.
    """
    if message.transaction_id:
        raise TicketRefused("there is no such transaction")
