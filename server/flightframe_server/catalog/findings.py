"""Mistakes in a document, collected so that one error reports all of them in file order.

What comes in: mistakes with their places, in any order. What goes out: one `CatalogError`, which
reports the first and carries the others. It must never drop a mistake silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flightframe_server.catalog.collection import SourceLocation
from flightframe_server.catalog.nodes import Document, Step
from flightframe_server.errors import CatalogError, did_you_mean, shown


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where it stands, what is wrong, and what to write instead."""

    location: SourceLocation
    message: str
    hint: str | None = None

    def error(self, file: str) -> CatalogError:
        """Return it as an error of a file."""
        location = self.location
        return CatalogError(
            self.message, file=file, path=location.path, line=location.line, hint=self.hint
        )


def raise_all(findings: Sequence[Finding], file: str) -> None:
    """Raise the finding on the lowest line, of several on one line the first reported.

    Raises:
        CatalogError: there is a finding; it carries the others, each once.
    """
    if not findings:
        return
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: finding.location.line)
    raise CatalogError.of_all([finding.error(file) for finding in ordered])


class NameIndex:
    """The names of one kind, looked up in any case and returned as declared.

    Args:
        kind: the kind in words, for messages: `level`, `schema`.
        declared: the names; of several that differ only in case the first one counts.
    """

    def __init__(self, kind: str, declared: Iterable[str]) -> None:
        """Index the names."""
        self.kind = kind
        self.by_folded: dict[str, str] = {}
        for name in declared:
            self.by_folded.setdefault(name.casefold(), name)

    def find(self, name: str) -> str | None:
        """Return the name as declared, or None."""
        return self.by_folded.get(name.casefold())

    def hint(self, name: str) -> str | None:
        """Return the nearest names as a hint, or None where nothing is near."""
        return did_you_mean(name, self.by_folded.values())


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a document, and the mistakes found in that document so far."""

    document: Document
    findings: list[Finding] = field(default_factory=list)
    steps: tuple[Step, ...] = ()

    def at(self, *steps: Step) -> Cursor:
        """Return the position after further steps."""
        return Cursor(self.document, self.findings, (*self.steps, *steps))

    @property
    def location(self) -> SourceLocation:
        """The path and the line."""
        return self.document.location(*self.steps)

    def report(self, message: str, hint: str | None = None) -> None:
        """Note a mistake here and go on."""
        self.findings.append(Finding(self.location, message, hint))

    def resolve(self, names: NameIndex, name: str) -> str:
        """Return `name` as declared; note a mistake where there is none, and return it as is."""
        declared = names.find(name)
        if declared is None:
            self.report(f"there is no {names.kind} '{shown(name)}'", names.hint(name))
        return declared or name

    def resolve_all(self, names: NameIndex, written: Sequence[str]) -> tuple[str, ...]:
        """Return a list of names as declared, each one checked, a repeated one noted."""
        resolved: dict[str, None] = {}
        for position, name in enumerate(written):
            declared = self.at(position).resolve(names, name)
            if declared in resolved:
                self.at(position).report(f"'{shown(name)}' is listed twice")
            resolved[declared] = None
        return tuple(resolved)

    def raise_if_any(self) -> None:
        """Raise the mistakes noted so far, if there are any."""
        raise_all(self.findings, self.document.file)
