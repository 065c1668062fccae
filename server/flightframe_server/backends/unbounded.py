"""Back-ends whose memory and threads this server cannot bound.

What comes in: the settings of a back-end. What goes out: nothing, or a refusal. It must never let
an operator believe in a bound that nothing keeps.
"""

from __future__ import annotations

from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import SetupError


def refuse_bounds(settings: BackendSettings) -> None:
    """Refuse bounds that only DuckDB keeps.

    Raises:
        SetupError: one of them is asked for.
    """
    for name in ("memory_bytes", "spill_bytes", "threads"):
        if getattr(settings, name) is not None:
            raise SetupError(
                f"the {settings.type} back-end cannot keep limits.{name}",
                hint="leave it out, and bound the process by what runs it",
            )
