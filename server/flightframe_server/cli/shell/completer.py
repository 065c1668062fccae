"""Completion at the prompt.

What comes in: what is typed. What goes out: what may follow, from what the server describes. It
must never keep a person from typing: a server that does not answer has nothing to complete.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from flightframe import Connection, FlightframeError
from flightframe.display import cell, printable
from flightframe_server.cli.shell.commands import COMMANDS, read_line
from flightframe_server.cli.shell.position import position_of
from flightframe_server.cli.shell.vocabulary import Option, Vocabulary, only

FRESH_SECONDS = 60.0
MEMBERS = 200
NOTE_WIDTH = 60
BARE = ("integer", "decimal", "double", "boolean")
"""Types whose values are written without quotes."""

_PLAIN = re.compile(r"[^\W\d]\w*( BY|\()?")
_LAST_WORD = re.compile(r"\S*\Z")


class ServerCompleter(Completer):
    """Completes names, words of the language, and members of levels."""

    def __init__(self, connection: Connection, collection: str | None) -> None:
        """Know nothing yet: the server is asked when something is to be completed."""
        self._connection, self._collection = connection, collection
        self._vocabulary: Vocabulary | None = None
        self._members: dict[str, tuple[str, ...]] = {}
        self._read = 0.0

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield what may follow the text before the cursor."""
        before = document.text_before_cursor
        line = read_line(before)
        vocabulary = self._known()
        if " " not in before.lstrip() and "\n" not in before:
            yield from _matching(_words(before.lstrip().startswith("\\")), before.lstrip())
        if vocabulary is None:
            return
        if line.command is not None and line.command.word == "describe":
            yield from _matching(vocabulary.names(), _LAST_WORD.search(before)[0])  # type: ignore[index]
            return
        query = before.partition(" ")[2] if line.command is not None else before
        position = position_of(query)
        level = vocabulary.level_before(position)
        if position.text is not None:
            members = self._members_of(level.name) if level is not None else ()
            yield from _members(members, position.text)
            return
        if position.compared and level is not None:
            members = self._members_of(level.name)
            yield from _values(members, position.word, unquoted=level.type.startswith(BARE))
        if position.clause or position.word:
            yield from _matching(vocabulary.options(position), position.word)

    def _known(self) -> Vocabulary | None:
        """Return the names, read anew once a while: what a server has can change."""
        if time.monotonic() - self._read > FRESH_SECONDS or self._vocabulary is None:
            try:
                described = self._connection.describe(collection=self._collection)
            except FlightframeError:
                return self._vocabulary
            self._vocabulary = Vocabulary(only(described, self._collection))
            self._members.clear()
            self._read = time.monotonic()
        return self._vocabulary

    def _members_of(self, level: str) -> tuple[str, ...]:
        if level not in self._members:
            try:
                described = self._connection.describe(
                    level, collection=self._collection, members=MEMBERS
                )
            except FlightframeError:
                return ()
            self._members[level] = tuple(
                member if isinstance(member, str) else cell(member)
                for collection in described.collections
                for each in collection.levels
                if each.facts is not None
                for member in each.facts.members
                if member is not None
            )
        return self._members[level]


def _words(escaped: bool) -> Iterator[Option]:
    for command in COMMANDS:
        yield Option(f"\\{command.word}" if escaped else command.word, command.help)


def _matching(options: Iterable[Option], typed: str) -> Iterator[Completion]:
    """Yield the options that begin with what is typed, in any case."""
    start = typed.casefold()
    seen: set[str] = set()
    for option in options:
        if option.insert in seen or not option.insert.casefold().startswith(start):
            continue
        seen.add(option.insert)
        name = option.insert
        unquoted = _PLAIN.fullmatch(name) or name.startswith("\\")
        note = printable(option.note)
        yield Completion(
            name if unquoted else '"' + name.replace('"', '""') + '"',
            -len(typed),
            display=printable(name),
            display_meta=note if len(note) <= NOTE_WIDTH else f"{note[: NOTE_WIDTH - 1]}…",
            style="" if option.lawful else "fg:ansibrightblack",
        )


def _values(members: Iterable[str], typed: str, *, unquoted: bool) -> Iterator[Completion]:
    """Yield the members that begin with what is typed without a quote, as a query writes them."""
    start = typed.casefold()
    for member in members:
        if member.casefold().startswith(start) and printable(member) == member:
            quoted = member.replace("'", "''")
            yield Completion(member if unquoted else f"'{quoted}'", -len(typed), display=member)


def _members(members: Iterable[str], typed: str) -> Iterator[Completion]:
    start = typed.casefold()
    for member in members:
        if member.casefold().startswith(start) and printable(member) == member:
            quoted = member.replace("'", "''")
            # What is typed stands there with its quotes doubled.
            yield Completion(f"{quoted}'", -len(typed.replace("'", "''")), display=member)
