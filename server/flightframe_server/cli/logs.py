"""Where log events go: stderr, as lines for a person or as JSON for a collector.

What comes in: structlog events of every module. What goes out: one line each. It must never write
to stdout, which belongs to the ready line and to answers.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Send events from `level` on to stderr: coloured on a terminal, else one JSON object each."""
    on_terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_stderr,
    )


def forget_logs() -> None:
    """Undo `configure_logs`: a process may run several commands, as tests do."""
    structlog.reset_defaults()


class _StderrLogger(structlog.PrintLogger):
    """Prints events; one that cannot be written is lost, and the request it tells of goes on."""

    def msg(self, message: str) -> None:
        """Print one event."""
        with contextlib.suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def _to_stderr(*_: object) -> structlog.PrintLogger:
    # Looked up for every event: stderr may be replaced while the process runs, as in tests.
    return _StderrLogger(sys.stderr)
