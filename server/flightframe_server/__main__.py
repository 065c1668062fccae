"""The program: `flightframe`, and `python -m flightframe_server`.

What comes in: the arguments of the process. What goes out: its exit code. It must never import the
commands before Ctrl-C is taken care of: that takes a second.
"""

from __future__ import annotations

import os
import signal
from types import FrameType


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from flightframe_server.cli import main as run  # noqa: PLC0415

    run()


def _leave(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
