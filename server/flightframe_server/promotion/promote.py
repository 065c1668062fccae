"""A promotion proposed: what ac.yaml would be with further hints, and the difference as text.

What comes in: the text of the file, families and anchors as a person names them, and the engine of
the collection. What goes out: a proposal, whose hash stands for exactly the difference that was
shown. It must never propose what the resolver would refuse, nor write anything.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from flightframe_server.catalog import read_collection
from flightframe_server.catalog.collection import Collection, DerivedMetric
from flightframe_server.catalog.findings import NameIndex
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.warm_up import Hint, asking
from flightframe_server.errors import NotSupported, SetupError, UnknownName, shown
from flightframe_server.promotion.stanza import Promotion
from flightframe_server.promotion.yaml_edit import with_hints

HASH_BYTES = 16
NO_END = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One edit of a collection's file.

    Attributes:
        collection: the collection's name.
        file: the file's name, without its folder.
        before: its text, line breaks as they stand in it.
        after: the text with the hints.
        promotions: the anchors that are hinted by it; none where all of them were.
    """

    collection: str
    file: str
    before: str
    after: str
    promotions: tuple[Promotion, ...]

    @property
    def diff(self) -> str:
        """The difference in unified form; empty where there is none."""
        before, after = _lines(self.before), _lines(self.after)
        names = f"a/{self.file}", f"b/{self.file}"
        return "".join(
            f"{line}\n" for line in difflib.unified_diff(before, after, *names, lineterm="")
        )

    @property
    def hash(self) -> str:
        """A text that stands for both texts: another file or another edit has another."""
        parts = (part.encode() for part in (self.collection, self.before, self.after))
        sized = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hashlib.blake2b(sized, digest_size=HASH_BYTES).hexdigest()


def propose(
    text: str,
    file: str,
    promotions: Iterable[Promotion],
    engine: MetricEngine,
    remarks: Mapping[Hint, str] | None = None,
) -> Proposal:
    """Propose an edit; what is hinted already is left out.

    Args:
        text: the whole file, line breaks as they stand in it.
        file: its name without a folder.
        promotions: families and anchors in any case.
        engine: the engine of the collection as it is served.
        remarks: what is said beside a hint that brings no remark of its own.

    Raises:
        UnknownName: there is no such family or level.
        NotSupported: the family is derived, and never stored.
        QueryError: the question that a hint asks is refused.
        SetupError: the file is no longer what is served.
        CatalogError: the file cannot be edited; `details` then holds the `stanza` to paste.
    """
    collection = read_collection(text, file)
    if collection.content_hash != engine.collection.content_hash:
        raise SetupError(
            f"{file} is not the collection that is served",
            hint="reload it, or start the server anew, and promote then",
        )
    new_hints: dict[Hint, Promotion] = {}
    for promotion in promotions:
        named = _named(promotion, collection, engine.typed.graph.level_names)
        hint = Hint(named.family, tuple(sorted(named.anchor)))
        asking(hint)(engine.typed)
        if not is_hinted(collection, hint):
            remark = named.remark or (remarks or {}).get(hint, "")
            new_hints.setdefault(hint, replace(named, remark=remark))
    added = tuple(new_hints.values())
    after = with_hints(text, file, added) if added else text
    return Proposal(collection.name, file, text, after, added)


def is_hinted(collection: Collection, hint: Hint) -> bool:
    """Return whether a collection hints a family at an anchor, in whatever order of levels."""
    meaning = collection.metric_families[hint.family].meaning
    anchors = () if isinstance(meaning, DerivedMetric) else meaning.materialize_at
    return any(set(anchor) == set(hint.anchor) for anchor in anchors)


def _named(promotion: Promotion, collection: Collection, level_names: Sequence[str]) -> Promotion:
    """Return a promotion with its names as declared, each level once."""
    families = NameIndex("metric family", collection.metric_families)
    family = families.find(promotion.family)
    if family is None:
        raise _unknown(families, promotion.family)
    meaning = collection.metric_families[family].meaning
    if isinstance(meaning, DerivedMetric):
        raise NotSupported(
            f"{family} is derived, and computed anew for each answer",
            hint=f"promote what it is computed from: {', '.join(meaning.inputs)}",
        )
    levels = NameIndex("level", level_names)
    anchor: dict[str, None] = {}
    for name in promotion.anchor:
        level = levels.find(name)
        if level is None:
            raise _unknown(levels, name)
        anchor[level] = None
    return Promotion(family, tuple(anchor), promotion.remark)


def _unknown(names: NameIndex, name: str) -> UnknownName:
    return UnknownName(f"there is no {names.kind} '{shown(name)}'", hint=names.hint(name))


def _lines(text: str) -> list[str]:
    """Return the lines of a text without their ends; of a missing last end it is said so."""
    *lines, rest = text.replace("\r\n", "\n").split("\n")
    return [*lines, f"{rest}\n{NO_END}"] if rest else lines
