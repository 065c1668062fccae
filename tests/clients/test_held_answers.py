"""A large finished answer is read at its reader's pace, and held neither for ever nor by many."""

import shutil
from contextlib import ExitStack

import pytest
from pyarrow import flight
from slow_shop import settled, soon

from flightframe_server.app import open_installation
from flightframe_server.flight.server import FlightServer
from flightframe_server.flight.stream import LARGE_BYTES

LARGE = b"SELECT transaction, day, revenue, cost AT (transaction, day)"
SMALL = b"SELECT region, revenue AT region"
# Longer than anything here takes where it works; where it does not, a test fails and does not hang.
PATIENT = flight.FlightCallOptions(timeout=120.0)
# The window stays as small as it begins: else a whole answer may fit the buffers of a connection.
NARROW = ("grpc.http2.bdp_probe", 0)
LIMITS = "limits: {concurrent_streams: 2, streams_per_caller: 2, queued_statements: 0, %s}\n"


@pytest.fixture
def serve(retail_folder, tmp_path):
    """Serve the demonstration within limits."""
    with ExitStack() as stack:

        def make(more):
            folder = shutil.copytree(retail_folder, tmp_path / "shop")
            manifest = folder / "installation.yaml"
            manifest.write_text(manifest.read_text() + LIMITS % more)
            opened = open_installation(manifest, store=tmp_path / "store")
            stack.callback(opened.close)
            server = stack.enter_context(FlightServer(opened.runtime))

            def read(ticket=LARGE):
                client = stack.enter_context(
                    flight.FlightClient(server.uri, generic_options=[NARROW])
                )
                reader = client.do_get(flight.Ticket(ticket), options=PATIENT)
                # A stream that nobody reads would keep its server from stopping.
                stack.callback(reader.cancel)
                return reader

            return opened, read

        yield make


def taken(read):
    try:
        return read().read_all().num_rows
    except flight.FlightUnavailableError:
        return 0


def test_large_finished_answers_take_places_and_small_ones_do_not(serve):
    opened, read = serve("stream_idle_timeout: 60")
    table = read().read_all()
    assert table.nbytes > LARGE_BYTES
    readers = [read() for _ in range(2)]
    rows = [reader.read_chunk().data.num_rows for reader in readers]
    with pytest.raises(flight.FlightUnavailableError, match="OVERLOADED"):
        read().read_all()
    assert read(SMALL).read_all().num_rows > 0
    for first, reader in zip(rows, readers, strict=True):
        assert first + reader.read_all().num_rows == table.num_rows
    assert settled(opened)
    assert read().read_all() == table


def test_a_reader_that_takes_nothing_gives_its_place_and_its_rows_back(serve):
    opened, read = serve("stream_idle_timeout: 0.5")
    expected = read().read_all().num_rows
    readers = [read() for _ in range(2)]
    for reader in readers:
        reader.read_chunk()
    # Both were given up; the place of one would do for the next reader.
    assert soon(lambda: not opened.runtime.statements.running())
    assert taken(read) == expected
    for reader in readers:
        with pytest.raises(flight.FlightTimedOutError, match="TIMEOUT"):
            reader.read_all()


def test_a_reader_that_hangs_up_gives_its_place_back(serve):
    _, read = serve("stream_idle_timeout: 600")
    expected = read().read_all().num_rows
    readers = [read() for _ in range(2)]
    for reader in readers:
        reader.read_chunk()
        reader.cancel()
    assert soon(lambda: taken(read) == expected)
