"""What an operator does with a running installation: look, promote, refresh, evict, verify.

What comes in: the runtime, the paths of the collections' files, and what is to be done. What goes
out: what was done, as values that every surface can show. It must never write a file that changed
since the difference was shown, nor decide who may ask for it: surfaces do.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flightframe_server.access.open_access import read_text
from flightframe_server.answer import Runtime, engine_named
from flightframe_server.cache.entries import EntryGone
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.document import read_document
from flightframe_server.catalog.nodes import to_python
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.warm_up import Hint, hints
from flightframe_server.errors import (
    AmbiguousMetric,
    SetupError,
    TicketRefused,
    shown,
)
from flightframe_server.promotion.listing import Listing, entry_named, listing
from flightframe_server.promotion.promote import Proposal, propose
from flightframe_server.promotion.recommend import (
    DEFAULT_THRESHOLDS,
    Recommendations,
    Thresholds,
    recommend,
)
from flightframe_server.promotion.refresh import Refreshed, refresh_entries, refresh_hints
from flightframe_server.promotion.stanza import Promotion

MOST_PROPOSALS = 64
"""So many proposals can be applied; the oldest are asked for again."""

ANY_USE = Thresholds(0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Promoted:
    """A proposal, and whether it was written."""

    applied: bool
    proposal: Proposal

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        proposal = self.proposal
        promoted = [
            {"family": one.family, "anchor": list(one.anchor)} for one in proposal.promotions
        ]
        return {
            "applied": self.applied,
            "file": proposal.file,
            "hash": proposal.hash,
            "diff": proposal.diff,
            "promotions": promoted,
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What looking at every file of a store showed.

    Attributes:
        sound: entries whose file is, byte by byte, what was written.
        damaged: how many were not, and are dropped.
        bytes: what was read.
    """

    sound: int
    damaged: int
    bytes: int


class Operations:
    """Everything that an operator does with an open installation. Thread-safe.

    Args:
        runtime: the engines; looked at anew each time, since a reload swaps them.
        files: gives the paths of the collections' files.
    """

    def __init__(self, runtime: Runtime, files: Callable[[], Sequence[Path]]) -> None:
        """Remember no proposal yet."""
        self._runtime, self._files = runtime, files
        self._proposals: OrderedDict[str, Proposal] = OrderedDict()
        self._lock = threading.Lock()

    def engine(self, collection: str | None = None) -> MetricEngine:
        """Return the engine of a collection, or the only one.

        Raises:
            UnknownName: there is none of that name.
            AmbiguousMetric: none is named, and there are several.
        """
        engines = self._runtime.engines
        if collection is not None:
            return engine_named(self._runtime, collection)
        if len(engines) > 1:
            raise AmbiguousMetric(
                "there are several collections", hint=f"name one of {', '.join(engines)}"
            )
        (only,) = engines.values()
        return only

    def manifest(self, collection: str | None = None) -> Listing:
        """Return what the store of a collection holds."""
        return listing(self.engine(collection), time.time())

    def recommendations(
        self, collection: str | None = None, thresholds: Thresholds = DEFAULT_THRESHOLDS
    ) -> Recommendations:
        """Return which hot questions deserve a hint, and why others cannot have one."""
        return recommend(self.engine(collection), thresholds, time.time())

    def propose(self, promotions: Sequence[Promotion], collection: str | None = None) -> Promoted:
        """Return what the collection's file would be with further hints; see `promote.propose`.

        A promotion without a remark gets that of its recommendation, where there are hits.
        """
        engine = self.engine(collection)
        path = self.path(engine.collection.name)
        known = recommend(engine, ANY_USE, time.time()).candidates
        remarks = {Hint(one.family, one.anchor): one.promotion.remark for one in known if one.hits}
        proposal = propose(read_exactly(path), path.name, promotions, engine, remarks)
        with self._lock:
            self._proposals[proposal.hash] = proposal
            self._proposals.move_to_end(proposal.hash)
            while len(self._proposals) > MOST_PROPOSALS:
                self._proposals.popitem(last=False)
        return Promoted(False, proposal)

    def apply(self, proposal_hash: str) -> Promoted:
        """Write the file that a proposal showed, and no other.

        Args:
            proposal_hash: the hash of the proposal.

        Raises:
            TicketRefused: no such difference was shown lately, or the file changed since.
            SetupError: the file cannot be written.
        """
        with self._lock:
            proposal = self._proposals.get(proposal_hash)
        if proposal is None:
            raise TicketRefused("no such difference was shown lately", hint="ask for it again")
        path = self.path(proposal.collection)
        with self._lock:
            if read_exactly(path) != proposal.before:
                raise TicketRefused(
                    f"{path.name} changed since the difference was shown", hint="ask for it again"
                )
            if proposal.after != proposal.before:
                replace_text(path, proposal.after)
        return Promoted(True, proposal)

    def promote(
        self,
        promotions: Sequence[Promotion],
        collection: str | None = None,
        proposal_hash: str | None = None,
    ) -> Promoted:
        """Propose an edit of the file, or write the one that was shown under a hash."""
        if proposal_hash is None:
            return self.propose(promotions, collection)
        return self.apply(proposal_hash)

    def refresh(
        self,
        collection: str | None = None,
        *,
        entry_ids: Sequence[str] = (),
        promotions: Sequence[Promotion] = (),
        context: CallContext = SERVER_CALL,
    ) -> tuple[Refreshed, ...]:
        """Bring entries, anchors, or else everything that is hinted up to the data as they are.

        It is listed among the questions of its user, who can cancel it, for as long as it lasts.

        Args:
            collection: whose; None: the only one.
            entry_ids: the entries, by their ids.
            promotions: or the families and anchors.
            context: the call that waits for it; what is made when the call ends is let go.

        Raises:
            UnknownName: there is no entry of that id.
            BackendError: the call ended, by its client or by its user.
        """
        engine = self.engine(collection)
        what = f"refresh of {counted_names(entry_ids, promotions)}"
        with self._runtime.questions.running(what, context.named(uuid.uuid4().hex)) as call:
            if entry_ids:
                return tuple(refresh_entries(engine, entry_ids, call))
            named = (Hint(one.family, tuple(sorted(set(one.anchor)))) for one in promotions)
            return tuple(refresh_hints(engine, named if promotions else hints(engine), call))

    def evict(self, names: Sequence[str], collection: str | None = None) -> int:
        """Take entries out of the store, and return how many there were.

        Raises:
            UnknownName: there is no entry of that id; the others stay as well.
        """
        store = self.engine(collection).store
        records = [] if store is None else store.records()
        entry_ids = {entry_named(records, name).entry_id for name in names}
        if store is not None:
            store.drop(entry_ids)
        return len(entry_ids)

    def verify(self, collection: str | None = None) -> Verified:
        """Read the file of every entry and compare it with what was written.

        What is damaged is dropped, and answered from the database when it is asked for.
        """
        store = self.engine(collection).store
        sound = damaged = size = 0
        for record in [] if store is None else store.records():
            assert store is not None
            try:
                store.verify(record.as_entry())
            except EntryGone:
                damaged += 1
            else:
                sound += 1
                size += record.bytes
        return Verified(sound, damaged, size)

    def path(self, collection: str) -> Path:
        """Return the path of the file that declares a collection.

        Raises:
            SetupError: no file of the installation does so any more.
        """
        for path in self._files():
            document = to_python(read_document(read_text(path), path.name).root)
            if document.get("name") == collection:
                return path
        raise SetupError(f"no file of the installation declares {shown(collection)} any more")


def counted_names(entry_ids: Sequence[str], promotions: Sequence[Promotion]) -> str:
    """Return what a refresh is of, as the list of what is under way shows it.

    >>> counted_names(["a", "b"], ()), counted_names((), [Promotion("revenue", ("day",))])
    ('2 entries', 'revenue @ (day)')
    >>> counted_names((), ())
    'all that is hinted'
    """
    if entry_ids:
        return "1 entry" if len(entry_ids) == 1 else f"{len(entry_ids)} entries"
    return ", ".join(map(str, promotions)) or "all that is hinted"


def read_exactly(path: Path) -> str:
    """Return the text of a file with its line breaks, and its mark of byte order, as they are.

    Raises:
        SetupError: it is not there, or no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise SetupError(f"there is no file {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the file {path.name} cannot be read") from error


def replace_text(path: Path, text: str) -> None:
    """Replace the text of a file in one step: a reader sees the old one or the new one.

    What a symbolic link leads to is replaced, and keeps its mode and, where that may be, its owner.

    Raises:
        SetupError: the disk refused; the file is as it was.
    """
    target = path.resolve()
    unfinished: Path | None = None
    try:
        facts = target.stat()
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=".tmp", delete=False
        ) as file:
            unfinished = Path(file.name)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(facts.st_mode & 0o7777)
        with suppress(PermissionError):
            os.chown(unfinished, facts.st_uid, facts.st_gid)
        unfinished.replace(target)
    except OSError as error:
        if unfinished is not None:
            with suppress(OSError):
                unfinished.unlink()
        reason = error.strerror or "the disk refused"
        raise SetupError(
            f"{path.name} cannot be written: {reason}",
            hint="let the server write it and its folder, or paste the stanza by hand",
        ) from error
