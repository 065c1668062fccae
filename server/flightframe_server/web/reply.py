"""The replies of the HTTP API; an answer is written aside before a byte of it is sent.

What comes in: an `Answer`, or a text. What goes out: a file of JSON or of Arrow, in memory while it
is small. It must never send half an answer: whatever can fail, fails before the status line is
written.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import IO, Any, Protocol

import pyarrow as pa

from flightframe_server.answer import Answer
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import LimitExceeded
from flightframe_server.json_text import batch_text, names_text, null_notes

MEMORY_BYTES = 1 << 20
CHUNK_BYTES = 256 << 10


NOT_MODIFIED = 304
JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
SERVED_FROM = "x-flightframe-served-from"


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """The most that one reply may hold; more belongs over Arrow Flight.

    Attributes:
        rows: rows in JSON.
        bytes: bytes of either form.
    """

    rows: int = 1_000_000
    bytes: int = 256 << 20


LIMITS = ReplyLimits()


def reply_limits(limits: Limits) -> ReplyLimits:
    """Return what an installation allows one reply."""
    return ReplyLimits(limits.json_rows, limits.json_bytes)


class Reply(Protocol):
    """What an endpoint returns: bytes to be read once, and closed."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers beside those that every reply has."""

    @property
    def media_type(self) -> str:
        """The kind of the bytes."""

    @property
    def length(self) -> int:
        """The number of bytes."""

    @property
    def small(self) -> bool:
        """Whether it may as well be sent at once."""

    def read(self) -> bytes:
        """Return the next piece; empty at its end."""

    def close(self) -> None:
        """Give its memory or its file back; idempotent."""


class AnswerReply:
    """An answer written aside, in memory while it is small.

    Args:
        answer: the answer.
        limits: the most that it may hold.
        context: the call that waits for it.

    Attributes:
        rows: how many rows are in it.

    Raises:
        LimitExceeded: it is larger than `limits`.
        FlightframeError: a streamed answer failed on its way.
    """

    status = 200
    media_type = JSON

    def __init__(
        self, answer: Answer, limits: ReplyLimits = LIMITS, context: CallContext = SERVER_CALL
    ) -> None:
        """Write the answer aside, for as long as the client that asked stays; see the class."""
        self.headers: Mapping[str, str] = {
            SERVED_FROM: str(answer.provenance.served_from),
            "vary": "accept",
        }
        with ExitStack() as unless_whole:
            file = unless_whole.enter_context(tempfile.SpooledTemporaryFile(MEMORY_BYTES))
            self.rows = self._write(answer, file, limits, context)
            self.length = file.tell()
            file.seek(0)
            self._file = file
            unless_whole.pop_all()

    def _write(
        self, answer: Answer, file: IO[bytes], limits: ReplyLimits, context: CallContext
    ) -> int:
        """Write the answer and return how many rows it has."""
        if answer.rows is not None and answer.rows > limits.rows:
            raise _too_large(limits)
        texts = reply_texts(answer, limits, context)
        while isinstance(text := _next(texts), str):
            file.write(text.encode())
            if file.tell() > limits.bytes:
                raise _too_large(limits)
        return text

    @property
    def small(self) -> bool:
        """Whether it may as well be sent at once."""
        return self.length <= MEMORY_BYTES

    def read(self) -> bytes:
        """Return the next piece; empty at its end."""
        return self._file.read(CHUNK_BYTES)

    def close(self) -> None:
        """Give its memory or its file back; idempotent."""
        self._file.close()


class ArrowReply(AnswerReply):
    """An answer as an Arrow IPC stream, with its provenance in the metadata of the schema."""

    media_type = ARROW

    def _write(
        self, answer: Answer, file: IO[bytes], limits: ReplyLimits, context: CallContext
    ) -> int:
        rows = 0
        with closing(answer.open(context)) as batches:
            schema = answer.schema
            # Arrow's own writer takes files of Python's, and closes none that it did not open.
            with pa.ipc.new_stream(file, schema) as stream:
                for batch in batches:
                    rows += batch.num_rows
                    stream.write_batch(batch.cast(schema))
                    if file.tell() > limits.bytes:
                        raise _too_large_stream(limits)
        return rows


class TextReply:
    """A reply that is whole already, to be read once.

    Args:
        text: its bytes.
        status: the HTTP status.
        headers: beside those that every reply has.
        media_type: what the bytes are.
    """

    def __init__(
        self,
        text: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = JSON,
    ) -> None:
        """Keep the text."""
        self._text, self.status, self.media_type = text, status, media_type
        self.headers: Mapping[str, str] = headers or {}
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


def json_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> TextReply:
    """Return a reply of JSON."""
    return TextReply(json.dumps(body, ensure_ascii=False).encode(), status, headers)


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
            written = batch_text(batch)
            lacking += written.lacking
            yield separator + ", ".join(written.rows)
    provenance = replace(provenance, notes=(*provenance.notes, *null_notes(lacking)))
    yield f'], "row_count": {rows}, "served_from": "{provenance.served_from}", '
    yield f'"provenance": {json.dumps(provenance.to_json(), ensure_ascii=False)}}}'
    return rows


def size_text(size: int) -> str:
    """Return a number of bytes in words.

    >>> size_text(256 << 20), size_text(600), size_text(1536 << 10)
    ('256 MiB', '600 bytes', '1.5 MiB')
    """
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"


def _too_large(limits: ReplyLimits) -> LimitExceeded:
    return LimitExceeded(
        f"a JSON reply has at most {limits.rows:,} rows and {size_text(limits.bytes)}",
        hint="add LIMIT, or ask over Arrow Flight, which has no such limit",
    )


def _too_large_stream(limits: ReplyLimits) -> LimitExceeded:
    return LimitExceeded(
        f"a reply has at most {size_text(limits.bytes)}",
        hint="add LIMIT, or ask over Arrow Flight, which has no such limit",
    )
