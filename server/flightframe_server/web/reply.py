"""An answer as the JSON of the HTTP API, written aside before a byte of it is sent.

What comes in: an `Answer`. What goes out: a file of JSON, in memory while it is small. It must
never send half an answer: whatever can fail, fails before the status line is written.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from flightframe_server.answer import Answer
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import LimitExceeded
from flightframe_server.web.json_text import names_text, not_finite, null_notes, row_texts

MEMORY_BYTES = 1 << 20
CHUNK_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """The most that one reply may hold; more belongs over Arrow Flight."""

    rows: int = 1_000_000
    bytes: int = 256 << 20


LIMITS = ReplyLimits()


def reply_limits(limits: Limits) -> ReplyLimits:
    """Return what an installation allows one reply."""
    return ReplyLimits(limits.json_rows, limits.json_bytes)


class Reply:
    """The JSON of one answer, to be read once and closed.

    Attributes:
        length: its bytes.
        rows: how many rows are in it.
    """

    def __init__(
        self, answer: Answer, limits: ReplyLimits = LIMITS, context: CallContext = SERVER_CALL
    ) -> None:
        """Write the answer aside, for as long as the client that asked stays.

        Raises:
            LimitExceeded: it is larger than `limits`.
            FlightframeError: a streamed answer failed on its way.
        """
        if answer.rows is not None and answer.rows > limits.rows:
            raise _too_large(limits)
        with ExitStack() as unless_whole:
            file = unless_whole.enter_context(tempfile.SpooledTemporaryFile(MEMORY_BYTES))
            texts = reply_texts(answer, limits, context)
            while isinstance(text := _next(texts), str):
                file.write(text.encode())
                if file.tell() > limits.bytes:
                    raise _too_large(limits)
            self.rows = text
            self.length = file.tell()
            file.seek(0)
            self._file = file
            unless_whole.pop_all()

    @property
    def small(self) -> bool:
        """Whether it may as well be sent at once."""
        return self.length <= MEMORY_BYTES

    def read(self) -> bytes:
        """Return the next piece of the JSON; empty at its end."""
        return self._file.read(CHUNK_BYTES)

    def close(self) -> None:
        """Give its memory or its file back; idempotent."""
        self._file.close()


class TextReply:
    """JSON that is whole already, to be read once."""

    def __init__(self, text: bytes) -> None:
        """Keep the text."""
        self._text = text
        self.length = len(text)

    @property
    def small(self) -> bool:
        """Whether it may as well be sent at once: it is in memory."""
        return True

    def read(self) -> bytes:
        """Return the text; empty at its end."""
        text, self._text = self._text, b""
        return text

    def close(self) -> None:
        """Let the text go; idempotent."""
        self._text = b""


def _next(texts: Generator[str, None, int]) -> str | int:
    """Return the next text, or at the end the number of rows."""
    try:
        return next(texts)
    except StopIteration as end:
        return int(end.value)


def reply_texts(
    answer: Answer, limits: ReplyLimits, context: CallContext = SERVER_CALL
) -> Generator[str, None, int]:
    """Yield the JSON of an answer, batch by batch; return how many rows it has.

    Raises:
        LimitExceeded: there are more rows than `limits`.
    """
    provenance = answer.provenance
    yield f'{{"ac_name": {json.dumps(provenance.collection)}, '
    yield f'"columns": {names_text(answer.schema)}, "rows": ['
    rows, lacking = 0, Counter[str]()
    with closing(answer.open(context)) as batches:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            separator = ", " if rows else ""
            rows += batch.num_rows
            if rows > limits.rows:
                raise _too_large(limits)
            lacking += not_finite(batch)
            yield separator + ", ".join(row_texts(batch))
    provenance = replace(provenance, notes=(*provenance.notes, *null_notes(lacking)))
    yield f'], "row_count": {rows}, "served_from": "{provenance.served_from}", '
    yield f'"provenance": {json.dumps(provenance.to_json(), ensure_ascii=False)}}}'
    return rows


def _too_large(limits: ReplyLimits) -> LimitExceeded:
    return LimitExceeded(
        f"a JSON reply has at most {limits.rows:,} rows and {limits.bytes >> 20} MiB",
        hint="add LIMIT, or ask over Arrow Flight, which has no such limit",
    )
