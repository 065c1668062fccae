"""Reloads at a signal, and where files change on disk.

What comes in: a reloader, the signal's flag, the files that it read. What goes out: reloads, one
after the other, from a thread of its own. It must never reload what a writer has not finished, nor
try the same broken files twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from flightframe_server.reload.reading import Stamp, is_being_written, stamp_of
from flightframe_server.reload.reloader import Reloader

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
CLOSE_SECONDS = 1.0
SETTLE_SECONDS = 0.5
"""How long files are at rest before they are read: what replaces several takes its time."""


class ReloadWatch:
    """Reloads when it is asked to, and, where it watches, when files have changed.

    Args:
        reloader: what reloads.
        files: whether changes of files are watched.
        poll_seconds: how often it looks.
        settle_seconds: how long files are at rest before they are read.
    """

    def __init__(
        self,
        reloader: Reloader,
        *,
        files: bool,
        poll_seconds: float = POLL_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """Watch nothing yet."""
        self._reloader, self._watches_files = reloader, files
        self._poll, self._settle = poll_seconds, settle_seconds
        self._requested = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reload-watch", daemon=True)
        self._last: Mapping[Path, Stamp] = {}
        self._since = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def request(self) -> None:
        """Reload soon; it takes no lock, so that the handler of a signal may call it."""
        self._requested = True

    def close(self) -> None:
        """End, without waiting long for a reload under way; idempotent."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(self._poll):
            if self._due():
                try:
                    self._reloader.reload()
                except Exception as error:
                    log.error("reload.broken", kind=type(error).__name__, text=str(error)[:500])

    def _due(self) -> bool:
        """Return whether to reload now."""
        if self._requested:
            self._requested = False
            return True
        if not self._watches_files:
            return False
        read = self._reloader.stamps
        now, seen = time.monotonic(), {path: stamp_of(path) for path in read}
        if seen != self._last:
            self._last, self._since = seen, now
        if seen == read or now - self._since < self._settle:
            return False
        return not any(map(is_being_written, seen))
