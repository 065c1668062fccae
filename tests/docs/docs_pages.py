"""The fenced blocks of a Markdown page, each with what it is expected to print.

A ``console`` block is a transcript: lines after `$ ` are commands, the lines under one are what it
prints. A ``python`` or ``frameql`` block is followed by a ``text`` block with what it prints, or by
none where it prints nothing that matters. `<!-- not run: reason -->` above a block exempts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ANY = "…"
_FENCE = re.compile(r"^```(\w*)\s*$")
_EXEMPT = re.compile(r"^<!-- not run: (.+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        page: the page's name.
        line: where it starts, from 1.
        language: the word after the fence.
        text: its lines.
        exempt: why it is not run, or None.
        expected: the text block right under it, or None.
    """

    page: str
    line: int
    language: str
    text: str
    exempt: str | None = None
    expected: str | None = None

    @property
    def where(self) -> str:
        """Page and line."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a transcript and what it prints; `^C` is a command of its own."""

    text: str
    expected: str


def blocks_of(path: Path) -> list[Block]:
    """Return the blocks of a page; a text block joins the block that it stands under."""
    found: list[Block] = []
    for block in _raw_blocks(path):
        before = found[-1] if found else None
        under = before is not None and before.language in {"python", "frameql"}
        if block.language == "text" and under and before.expected is None:
            found[-1] = Block(
                before.page,
                before.line,
                before.language,
                before.text,
                before.exempt,
                block.text,
            )
        else:
            found.append(block)
    return found


def _raw_blocks(path: Path) -> Iterator[Block]:
    language: str | None = None
    start, lines, above = 0, [], ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if language is None:
            if fence:
                language, start, lines = fence[1], number, []
            elif line.strip():
                above = line
        elif fence and not fence[1]:
            exempt = _EXEMPT.match(above)
            yield Block(path.name, start, language, "\n".join(lines), exempt[1] if exempt else None)
            language, above = None, ""
        else:
            lines.append(line)
    assert language is None, f"{path.name}:{start} is never closed"


def commands_of(transcript: str) -> list[Command]:
    """Return the commands of a console block, continued lines joined."""
    found: list[tuple[str, list[str]]] = []
    continued = False
    for line in transcript.splitlines():
        if continued:
            command, printed = found[-1]
            found[-1] = (f"{command}\n{line}", printed)
        elif line == "^C":
            found.append((line, []))
        elif line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found, f"a transcript starts with a command, not with {line!r}"
            found[-1][1].append(line)
            continue
        continued = line.endswith("\\")
    return [Command(command, "\n".join(printed).strip("\n")) for command, printed in found]


def matches(expected: str, printed: str) -> bool:
    """Return whether a text is what was expected.

    `…` stands for anything within a line; a line of `…` alone for any lines.
    """
    return _fits(_trimmed(expected), _trimmed(printed))


def _fits(expected: list[str], printed: list[str]) -> bool:
    if not expected:
        return not printed
    first, rest = expected[0], expected[1:]
    if first.strip() == ANY:
        return any(_fits(rest, printed[at:]) for at in range(len(printed) + 1))
    pattern = ".*?".join(re.escape(part) for part in first.split(ANY))
    return bool(printed) and bool(re.fullmatch(pattern, printed[0])) and _fits(rest, printed[1:])


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]
