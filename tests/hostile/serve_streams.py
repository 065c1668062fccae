"""A server that streams whatever has more than 1,000 rows; on stdin it is asked what runs.

    python serve_streams.py INSTALLATION.yaml STORE_FOLDER

Every line on stdin is answered by one on stdout: how many statements of the database run now.
"""

import sys
from pathlib import Path

from flightframe_server.app import open_installation
from flightframe_server.cli.logs import configure_logs
from flightframe_server.cli.servers import without_tracebacks
from flightframe_server.flight.server import FlightServer

STREAM_ROWS = 1000


def main(manifest: str, store: str) -> None:
    # Events go to stderr: stdout is for answers.
    configure_logs()
    with without_tracebacks():
        opened = open_installation(
            Path(manifest), store=Path(store) / "streams", stream_rows=STREAM_ROWS
        )
        with FlightServer(opened.runtime) as server:
            print(f"flightframe ready flight={server.uri}", flush=True)
            for _ in sys.stdin:
                print(opened.backend._source.lent, flush=True)
        opened.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
