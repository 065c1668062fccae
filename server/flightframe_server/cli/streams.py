"""What stdout and stderr can take: every character on every terminal, and an end that may come.

What comes in: the process's own streams. What goes out: the same streams, which write an escape for
a character that the terminal's encoding lacks, and an exit code where a reader left. It must never
raise for a character, nor show a value as another value: signs of our own have a spelling in ASCII,
characters of values are escaped.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

ERRORS = "flightframe_escape"
"""The name of the error handler, as `codecs` knows it."""

SIGNS = {
    "✓": "[ok]",
    "✗": "[x]",
    "·": "-",
    "→": "->",
    "…": "...",
}
"""The signs that our own texts use, and how each is written where it cannot be shown."""

READER_LEFT = 1
NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def escaped(text: str) -> str:
    r"""Return a text with each character past ASCII as `\uXXXX`, as JSON and Python read it.

    >>> escaped("Łódź")
    '\\u0141\\u00f3d\\u017a'
    """
    return "".join(
        letter if letter.isascii() else "".join(f"\\u{unit:04x}" for unit in _utf16(letter))
        for letter in text
    )


def fits(text: str, encoding: str | None) -> bool:
    """Return whether a text can be written in an encoding as it is."""
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def escape_unencodable() -> None:
    """Let stdout and stderr write what their encoding lacks as signs or escapes."""
    codecs.register_error(ERRORS, _replace)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by the parent process: what is written goes nowhere, and nothing fails.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def run_command(command: Callable[[], object]) -> int:
    """Run a command that ends in `SystemExit`, write out what it printed, and return its exit code.

    A reader that left (`| head -1`) is no failure to tell of; a disk that is full is one.
    """
    try:
        code = _code_of(command)
        sys.stdout.flush()
    except BrokenPipeError:
        write_nowhere(sys.stdout)
        return READER_LEFT
    except OSError as error:
        if error.errno not in NOT_WRITTEN:
            raise
        write_nowhere(sys.stdout)
        print(f"error SETUP: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return code


def write_nowhere(stream: TextIO) -> None:
    """Send what is left in a stream to nowhere, so that nothing fails when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _code_of(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SIGNS.get(letter) or escaped(letter) for letter in lacking), error.end


def _utf16(letter: str) -> list[int]:
    """Return the UTF-16 units of a character: two where it lies past U+FFFF."""
    units = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
