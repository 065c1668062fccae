"""Mistakes found in a document, gathered so that all of them are told in the order of the file.

What comes in: mistakes with their places, in any order. What goes out: one `CatalogError`, which
tells the first and carries the others. It must never drop a mistake silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flightframe_server.catalog.collection import Mark
from flightframe_server.catalog.nodes import Document, Step
from flightframe_server.errors import CatalogError, did_you_mean, shown


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where it stands, what is wrong, and what to write instead."""

    mark: Mark
    message: str
    hint: str | None = None

    def error(self, file: str) -> CatalogError:
        """Return it as an error of a file."""
        mark = self.mark
        return CatalogError(self.message, file=file, path=mark.path, line=mark.line, hint=self.hint)


def raise_all(findings: Sequence[Finding], file: str) -> None:
    """Raise the finding on the lowest line, of several on one line the one found first.

    Raises:
        CatalogError: there is a finding; it carries the others, each once.
    """
    if not findings:
        return
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: finding.mark.line)
    raise CatalogError.of_all([finding.error(file) for finding in ordered])


class Names:
    """Names of one kind, found in any case and shown as declared.

    Args:
        what: the kind in words, for messages: `level`, `schema`.
        declared: the names; of several that differ only in case the first one counts.
    """

    def __init__(self, what: str, declared: Iterable[str]) -> None:
        """Index the names."""
        self.what = what
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
class Spot:
    """A place in a document being read, and the mistakes found in that document so far."""

    document: Document
    findings: list[Finding] = field(default_factory=list)
    steps: tuple[Step, ...] = ()

    def at(self, *steps: Step) -> Spot:
        """Return the place that further steps lead to."""
        return Spot(self.document, self.findings, (*self.steps, *steps))

    @property
    def mark(self) -> Mark:
        """The path and the line."""
        return self.document.mark(*self.steps)

    def report(self, message: str, hint: str | None = None) -> None:
        """Note a mistake here and go on."""
        self.findings.append(Finding(self.mark, message, hint))

    def known(self, names: Names, name: str) -> str:
        """Return `name` as declared; note a mistake where there is none, and return it as is."""
        found = names.find(name)
        if found is None:
            self.report(f"there is no {names.what} '{shown(name)}'", names.hint(name))
        return found or name

    def all_known(self, names: Names, listed: Sequence[str]) -> tuple[str, ...]:
        """Return a list of names as declared, each one checked, a repeated one noted."""
        found: dict[str, None] = {}
        for position, name in enumerate(listed):
            declared = self.at(position).known(names, name)
            if declared in found:
                self.at(position).report(f"'{shown(name)}' is listed twice")
            found[declared] = None
        return tuple(found)

    def stop_if_any(self) -> None:
        """Raise the mistakes noted so far, if there are any."""
        raise_all(self.findings, self.document.file)
