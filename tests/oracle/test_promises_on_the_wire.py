"""What the data promises and breaks, as a client over a socket sees it."""

from decimal import Decimal

import pytest
from test_promises import BY_REGION, REGIONS, shop

import flightframe
from flightframe_server.flight.server import FlightServer

__all__ = ["shop"]


def rows(connection, query):
    with connection.query(query) as result:
        return {tuple(row.values()) for row in result.to_pylist()}


def test_a_store_with_two_regions_is_refused_to_a_client_with_its_row(shop):
    made = shop()
    with FlightServer(made.serving) as server, flightframe.connect(server.uri) as connection:
        assert rows(connection, BY_REGION) == REGIONS
        made.replace("INSERT INTO stores VALUES ('S1', 'West');")
        for query in (BY_REGION, "SELECT revenue WHERE coast = 'Pacific' AT ()"):
            with pytest.raises(flightframe.QueryError) as caught:
                rows(connection, query)
            assert caught.value.code == "FD_VIOLATION"
            assert "S1 has East and West" in caught.value.message
        assert rows(connection, "SELECT revenue AT ()") == {(Decimal("82.90"),)}
        assert ("S1", Decimal("31.30")) in rows(connection, "SELECT store, revenue AT store")
        made.replace("")
        assert rows(connection, BY_REGION) == REGIONS
