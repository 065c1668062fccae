"""A program on a terminal of its own, driven as a person would: type, look, type."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]|\x1b\][^\x07]*\x07")
CURSOR_ASKED, CURSOR = "\x1b[6n", b"\x1b[1;1R"
SECONDS = 900.0


class PtySession:
    """The command line on a terminal."""

    def __init__(self, *arguments: str, columns: int = 80, **environment: str) -> None:
        """Start it."""
        # The terminal's own size counts, and not one that another test has set.
        kept = {
            name: value
            for name, value in os.environ.items()
            if "FLIGHTFRAME" not in name and name not in ("COLUMNS", "LINES")
        }
        path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
        command = [sys.executable, "-m", "flightframe_server", *arguments]
        self._raw = ""
        self._code: int | None = None
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            size = struct.pack("HHHH", 40, columns, 0, 0)
            fcntl.ioctl(1, termios.TIOCSWINSZ, size)
            os.execvpe(
                command[0], command, {**kept, "TERM": "xterm", "PYTHONPATH": path, **environment}
            )

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    @property
    def shown(self) -> str:
        """What was written since it was last waited for, without what steers the terminal."""
        return CONTROLS.sub("", self._raw).replace("\r", "")

    def wait_for(self, text: str) -> str:
        """Wait until a text is written, and return what was written until then."""
        return self.wait_for_any(text)

    def wait_for_any(self, *texts: str) -> str:
        """Wait until one of some texts is written, and return what was written until then."""
        until = time.monotonic() + SECONDS
        while not any(text in self.shown for text in texts):
            if not self._read() or time.monotonic() > until:
                raise AssertionError(f"{texts!r}: none is in {self.shown!r}")
        shown, self._raw = self.shown, ""
        return shown

    def end(self) -> tuple[int, str]:
        """Wait for its end, and return its exit code and the rest of what it wrote."""
        until = time.monotonic() + SECONDS
        while self._read():
            assert time.monotonic() < until, self.shown
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code, self.shown

    def leave(self) -> tuple[int, str]:
        """Press Ctrl-D at the prompt until it ends, and return what `end` returns.

        A terminal that is not in raw mode yet makes another byte of Ctrl-D, so that the key is
        lost where it comes between an answer and the next prompt.
        """
        until = time.monotonic() + SECONDS
        pressed = 0.0
        while self._read():
            now = time.monotonic()
            assert now < until, self.shown
            if now - pressed > 1:
                with suppress(OSError):
                    self.type("\x04")
                pressed = now
        return self.end()

    def _read(self) -> bool:
        """Read what there is, and return whether there can be more."""
        if not select.select([self._terminal], [], [], 0.1)[0]:
            return True
        try:
            text = os.read(self._terminal, 65536).decode(errors="replace")
        except OSError:
            return False
        if CURSOR_ASKED in text:
            os.write(self._terminal, CURSOR)
        self._raw += text
        return bool(text)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)
