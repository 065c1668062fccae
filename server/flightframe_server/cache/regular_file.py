"""Reading files of a folder that others may write to.

What comes in: a path and the most bytes expected there. What goes out: the bytes of a regular file.
It must never wait: a pipe, a socket or a device in the place of a file is refused, and a link is
not followed out of the folder.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
# A link, a socket or a device without a driver: opening one fails before it can be looked at.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV})


class NotRegular(Exception):
    """What stands at a path is no regular file of the size expected; its text says which."""


def read_regular(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Args:
        path: where it should stand.
        max_bytes: the most bytes that it may have.

    Raises:
        FileNotFoundError: nothing stands there.
        NotRegular: something else than a regular file stands there, or a larger one.
        OSError: the disk refused.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotRegular("not a regular file") from None
        raise
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise NotRegular("not a regular file")
        if facts.st_size > max_bytes:
            raise NotRegular("size")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            # One byte more shows a file that grows while it is read.
            content = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > max_bytes:
        raise NotRegular("size")
    return content
