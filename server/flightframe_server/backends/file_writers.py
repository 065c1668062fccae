"""Who else has a file open: a lock against writers, and whether there is one already.

What comes in: a descriptor that is open for reading. What goes out: yes, no, or that this system
cannot tell. It must never disturb a writer for longer than one call.

Locks of POSIX belong to the process, and all of them on a file go when any descriptor of it is
closed, by whatever code. Locks of an open file description stand until that description is closed,
so one that is taken here stays whatever a database library in this process opens and closes.
"""

from __future__ import annotations

import errno
import fcntl
import signal
import struct
from contextlib import suppress

_FLOCK = "hhqqi4x"
_HELD = frozenset({errno.EAGAIN, errno.EACCES})


def lock_for_reading(descriptor: int) -> bool:
    """Keep writers that lock out until the descriptor is closed; whether that could be done.

    Returns False only where a writer holds the file. Where the system has no such locks nothing is
    held, and True is returned.
    """
    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None:
        return True
    try:
        fcntl.fcntl(descriptor, command, struct.pack(_FLOCK, fcntl.F_RDLCK, 0, 0, 0, 0))
    except OSError as error:
        return error.errno not in _HELD
    return True


def open_for_writing(descriptor: int) -> bool:
    """Return whether any process has the file of a descriptor open for writing.

    A lease for reading is granted only where no process has; it is given back at once. Where leases
    cannot be had (another owner's file, a network's file system) the answer is False.
    """
    command = getattr(fcntl, "F_SETLEASE", None)
    if command is None:
        return False
    try:
        # A writer that opens the file while the lease stands raises a signal that ends a process
        # unless another is chosen; this one is ignored where no handler is set.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, command, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    with suppress(OSError):
        fcntl.fcntl(descriptor, command, fcntl.F_UNLCK)
    return False
