"""The TCP connections of this process on one of its ports, and what the kernel counts of them.

What comes in: a port that a library in this process listens on, such as gRPC, which hands its
sockets to no caller. What goes out: their descriptors with the kernel's names for them, counts of
bytes, and an end to one of them. It must never keep a descriptor open that its owner closes, nor
act on another connection that has got the number of a closed one: a number is borrowed, and
held only while a connection is ended, after it was looked at once more.

Only Linux counts the bytes of a connection (`TCP_INFO`) and shows a process its descriptors.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HELD = sys.platform == "linux"
"""Whether connections can be found and counted on this system."""

_DESCRIPTORS = Path("/proc/self/fd")
_ACCOUNT = "/proc/self/net/snmp"
_ACCOUNT_BYTES = 1 << 14
_SO_COOKIE = 57
_TCP_INFO = 11
# Two fields of `struct tcp_info`: bytes_acked and bytes_received, both of 64 bits.
_COUNTS = struct.Struct("=QQ")
_COUNTS_AT = 120
_INFO_BYTES = _COUNTS_AT + _COUNTS.size
# Its field for a listening socket: how many connections wait to be taken, of 32 bits.
_WAITING = struct.Struct("=I")
_WAITING_AT = 24
_NOWHERE = bytes(16)
"""An address of no family: to connect to it is to disconnect."""


@dataclass(frozen=True, slots=True)
class PortSocket:
    """One socket of the port.

    Attributes:
        fd: its descriptor's number, borrowed.
        cookie: the kernel's name for it, never used again.
        host: the address of the other end; empty for the one that listens.
        port: the port of the other end.
    """

    fd: int
    cookie: int
    host: str = ""
    port: int = 0

    @property
    def listens(self) -> bool:
        """Whether it takes connections rather than being one."""
        return not self.host


@dataclass(frozen=True, slots=True)
class Counts:
    """What the kernel counts of a connection, in bytes since its beginning.

    Attributes:
        received: what came, handshakes and framing included.
        acked: what the other end has taken of what was sent to it.
    """

    received: int
    acked: int


class PortSockets:
    """The sockets of one port of this process.

    Args:
        port: the local port.
    """

    def __init__(self, port: int) -> None:
        """Look at nothing yet."""
        self._port = port
        # Keyed by cookie; None for a socket that is not of the port.
        self._known: dict[int, PortSocket | None] = {}

    def find(self) -> list[PortSocket]:
        """Return the sockets of the port that are open now."""
        open_now: dict[int, PortSocket | None] = {}
        for fd in _descriptors():
            cookie = cookie_of(fd)
            if cookie is None or cookie in open_now:
                continue
            known = self._known.get(cookie)
            if cookie not in self._known or (known is not None and known.fd != fd):
                known = _look(fd, cookie, self._port)
            open_now[cookie] = known
        self._known = open_now
        return [one for one in open_now.values() if one is not None]


def counts_of(connection: PortSocket) -> Counts | None:
    """Return what is counted of a connection; None where it is closed, or nothing is counted."""
    info = _info(connection)
    if info is None:
        return None
    acked, received = _COUNTS.unpack_from(info, _COUNTS_AT)
    return Counts(received, acked)


class PassiveOpens:
    """How many connections others have made to ports of this network, as the kernel counts them.

    A listening socket does not do: it says that no connection waits as soon as its owner has taken
    the connection.
    """

    def __init__(self) -> None:
        """Open the kernel's account."""
        try:
            self._file: int | None = os.open(_ACCOUNT, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = None

    def count(self) -> int | None:
        """Return the number; None where the system does not tell."""
        if self._file is None:
            return None
        try:
            lines = os.pread(self._file, _ACCOUNT_BYTES, 0).decode("ascii").splitlines()
            names, values = (line.split() for line in lines if line.startswith("Tcp:"))
            return int(values[names.index("PassiveOpens")])
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def waiting(listener: PortSocket) -> int:
    """Return how many connections wait for the owner of one that listens to take them."""
    info = _info(listener)
    return 0 if info is None else int(_WAITING.unpack_from(info, _WAITING_AT)[0])


def end(connection: PortSocket) -> bool:
    """End a connection now, even while it is read; return whether it was still open."""
    try:
        duplicate = socket.socket(fileno=os.dup(connection.fd))
    except OSError:
        return False
    with duplicate:
        # The copy is asked, which no other code can close: the number may be another's by now.
        if cookie_of(duplicate.fileno()) != connection.cookie:
            return False
        # To disconnect is to send a reset and to drop what was not read; a shutdown would leave
        # the other end sending until gRPC reads on, which it need not do.
        if _libc().connect(duplicate.fileno(), _NOWHERE, len(_NOWHERE)) != 0:
            with contextlib.suppress(OSError):
                duplicate.shutdown(socket.SHUT_RDWR)
    return True


def cookie_of(fd: int) -> int | None:
    """Return the kernel's name for a socket; None for what is none."""
    cookie = _option(fd, socket.SOL_SOCKET, _SO_COOKIE, 8)
    return None if cookie is None else int.from_bytes(cookie, sys.byteorder)


def _info(connection: PortSocket) -> bytes | None:
    """Return the kernel's account of a socket; None where it is closed, or has no counts."""
    if cookie_of(connection.fd) != connection.cookie:
        return None
    info = _option(connection.fd, socket.IPPROTO_TCP, _TCP_INFO, _INFO_BYTES)
    return info if info is not None and len(info) == _INFO_BYTES else None


def _look(fd: int, cookie: int, port: int) -> PortSocket | None:
    """Return what a socket is, where it is one of the port."""
    try:
        duplicate = socket.socket(fileno=os.dup(fd))
    except OSError:
        return None
    with duplicate:
        if duplicate.family not in (socket.AF_INET, socket.AF_INET6) or cookie_of(fd) != cookie:
            return None
        try:
            if duplicate.type != socket.SOCK_STREAM or duplicate.getsockname()[1] != port:
                return None
            if duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return PortSocket(fd, cookie)
            host, other = duplicate.getpeername()[:2]
        except OSError:
            return None
    return PortSocket(fd, cookie, host, other)


def _descriptors() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_DESCRIPTORS)]
    except OSError:
        return []


def _option(fd: int, level: int, name: int, size: int) -> bytes | None:
    """Return an option of a socket by its descriptor's number, which stays its owner's."""
    value = ctypes.create_string_buffer(size)
    length = ctypes.c_uint32(size)
    if _libc().getsockopt(fd, level, name, value, ctypes.byref(length)) != 0:
        return None
    return value.raw[: length.value]


@cache
def _libc() -> Any:
    # `PyDLL` keeps the interpreter's lock: the call does not wait, a hand-over of the lock would.
    return ctypes.PyDLL(None)
