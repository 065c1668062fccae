"""What a client's script writes down: per step what it saw, or how it failed, and how long it took.

What comes in: the target as JSON on the command line. What goes out: one JSON object on stdout. It
needs nothing but the standard library, so that every environment can run it.
"""

import json
import math
import sys
import time
import traceback
from collections.abc import Callable


def asked() -> dict[str, object]:
    """Return the target of the command line: where the server is, and what it wants to see."""
    return json.loads(sys.argv[1])


def plain(value: object) -> object:
    """Return a value as JSON keeps it: numbers and flags as they are, NaN and all else as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return value if isinstance(value, bool | int | float | str | None) else str(value)


class Recorder:
    """The steps of one client, in the order in which they are taken."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._steps: dict[str, object] = {}
        self._failed: dict[str, str] = {}
        self._carriers: dict[str, str | None] = {}
        self._seconds: dict[str, float] = {}

    def step(self, name: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
        """Take a step and write down what it returns, or how it fails; the next one goes on."""

        def take(function: Callable[[], object]) -> Callable[[], object]:
            started = time.monotonic()
            try:
                self._steps[name] = plain(function())
            except Exception:
                self._failed[name] = traceback.format_exc()
            self._seconds[name] = round(time.monotonic() - started, 3)
            return function

        return take

    def carried(self, executor: str, value: object) -> None:
        """Write down the label that came by one executor: bare, or in the JSON of provenance."""
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, str) and value.startswith("{"):
            value = json.loads(value)["served_from"]
        self._carriers[executor] = None if value is None else str(value)

    def write(self) -> None:
        """Print all of it."""
        json.dump(
            {
                "version": self._version,
                "steps": self._steps,
                "failed": self._failed,
                "served_from": self._carriers,
                "seconds": self._seconds,
            },
            sys.stdout,
        )
