"""The batches of one answer, one after another, as they arrive.

What comes in: pyarrow's reader of one DoGet. What goes out: record batches, and the provenance
that travels beside them. It must never read everything at once (pyarrow's `read_all` drops the
metadata), and never end quietly after a failure: half an answer that looks whole is a wrong answer.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import pyarrow as pa
from pyarrow import flight

from flightframe.errors import FlightframeError, ProtocolError, ResultConsumed
from flightframe.failures import ARROW_FAILURES, from_arrow
from flightframe.fields import Fields, parse_object, text
from flightframe.provenance import Provenance

METADATA_KEY = b"flightframe"
"""The key of the same JSON in the schema's metadata."""


class Batches(Protocol):
    """What a result reads from."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of every batch."""

    @property
    def served_from(self) -> str:
        """The label of the answer; known once the first batch has been pulled."""

    @property
    def provenance(self) -> Provenance:
        """Where the answer came from, known as soon as the label is."""

    def pull(self) -> pa.RecordBatch | None:
        """Return the next batch, or None at the end."""

    def cancel(self) -> None:
        """Tell the server to stop, unless all has been read."""


class FlightBatches:
    """The batches of one DoGet."""

    def __init__(self, reader: flight.FlightStreamReader, address: str) -> None:
        """Begin with nothing read; `address` is for the text of errors."""
        self._reader: flight.FlightStreamReader | None = reader
        self._address = address
        self._failure: FlightframeError | None = None
        self._metadata = b""
        self._fields: Fields | None = None
        self._provenance: Provenance | None = None
        self.schema: pa.Schema = reader.schema

    @property
    def served_from(self) -> str:
        """The label of the answer.

        Raises:
            ProtocolError: neither a batch nor the schema says it.
        """
        return text(self._provenance_fields(), "served_from")

    @property
    def provenance(self) -> Provenance:
        """Where the answer came from; put together when first asked for, as few callers do.

        Raises:
            ProtocolError: it is not of the shape that this version knows.
        """
        if self._provenance is None:
            self._provenance = Provenance.from_fields(self._provenance_fields())
        return self._provenance

    def pull(self) -> pa.RecordBatch | None:
        """Return the next batch, or None at the end; a failure is raised again at every call.

        Raises:
            FlightframeError: the server failed, the connection broke, or the provenance changed on
                the way.
        """
        if self._failure is not None:
            raise self._failure
        while self._reader is not None:
            try:
                chunk = self._reader.read_chunk()
            except StopIteration:
                self._reader = None
                break
            except ARROW_FAILURES as error:
                failure = from_arrow(error, self._address)
                self._stop(failure)
                raise failure from None
            if chunk.app_metadata is not None:
                self._take_provenance(chunk.app_metadata.to_pybytes())
            if chunk.data is not None:
                return chunk.data
        return None

    def cancel(self) -> None:
        """Tell the server to stop, unless all has been read; pulling on is then an error."""
        self._stop(ResultConsumed("CLOSED", "the result was closed before its end"))

    def _stop(self, why: FlightframeError) -> None:
        """End a stream that is not at its end, for good."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        self._failure = why
        # No reader waits for this stream any more, so a second failure is not told.
        with suppress(*ARROW_FAILURES):
            reader.cancel()

    def _provenance_fields(self) -> Fields:
        """Return what the batches, or else the schema, say about where the answer came from."""
        if self._fields is None:
            carried = (self.schema.metadata or {}).get(METADATA_KEY)
            if carried is None:
                raise ProtocolError(
                    "PROTOCOL",
                    f"the answer of {self._address} does not say where it came from",
                    "check that a flightframe server listens there",
                )
            self._fields = parse_object(carried)
        return self._fields

    def _take_provenance(self, metadata: bytes) -> None:
        """Keep the first provenance and hold every later one to it."""
        if metadata == self._metadata:
            return
        try:
            fields = parse_object(metadata)
            if self._fields is not None and Provenance.from_fields(fields) != self.provenance:
                raise ProtocolError("PROTOCOL", "the answer changed its provenance on the way")
        except ProtocolError as failure:
            self._stop(failure)
            raise
        self._metadata, self._fields = metadata, fields
