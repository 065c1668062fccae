"""Ends a call that waits for its first message.

What comes in: the port of a server. What goes out: nothing; this process's connections to that port
are cut, which the server takes for a caller that has gone, and ends the statement. It must never
touch another connection.

pyarrow gives no handle for a call before its first message, and closing its client leaves the call
waiting. The next call connects anew.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

DESCRIPTORS = "/dev/fd"


def hang_up(port: int) -> None:
    """Cut the connections of this process to a port."""
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):
            copy = os.dup(int(name))
            try:
                _cut(copy, port)
            finally:
                os.close(copy)


def _cut(descriptor: int, port: int) -> None:
    connection = socket.socket(fileno=descriptor)
    try:
        internet = connection.family in (socket.AF_INET, socket.AF_INET6)
        if internet and connection.getpeername()[1] == port:
            connection.shutdown(socket.SHUT_RDWR)
    finally:
        connection.detach()
