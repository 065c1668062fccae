"""The filters of metadata commands, as a message holds them.

What comes in: a message. What goes out: its optional texts. It must never take an empty filter for
an absent one.
"""

from __future__ import annotations

from google.protobuf.message import Message


def optional_text(message: Message, field: str) -> str | None:
    """Return an optional filter: None where it is absent, which is not the same as empty."""
    present = message.HasField(field)
    return str(getattr(message, field)) if present else None
