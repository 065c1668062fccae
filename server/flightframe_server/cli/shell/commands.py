"""The commands of the prompt, beside what is asked in Frame-QL.

What comes in: a line. What goes out: the command that it is, and what follows it. It must never
take a query for a command: none begins with one of these words but EXPLAIN, which means the same.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its word, what else it is called, what follows it, and what it does."""

    word: str
    letters: str
    argument: str
    help: str
    synonyms: tuple[str, ...] = ()

    @property
    def takes_query(self) -> bool:
        """Whether a query follows it, which may have several lines."""
        return "QUERY" in self.argument


COMMANDS = (
    Command("help", "h?", "", "this list"),
    Command("describe", "d", "[NAME]", "what can be asked; of a name, everything about it"),
    Command("explain", "e", "QUERY", "how a query would be answered, without answering it"),
    Command("chart", "c", "[QUERY]", "a chart of a query, or of the last answer"),
    Command("quit", "q", "", "leave; so does Ctrl-D", ("exit",)),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed: a command with its argument, or a query, whose command is None."""

    command: Command | None
    text: str


def read_line(text: str) -> Line:
    r"""Return what a text is.

    >>> [read_line(text).command.word for text in (r"\d region", "chart", "QUIT;")]
    ['describe', 'chart', 'quit']
    >>> read_line("SELECT revenue AT region").command is None
    True
    """
    stripped = text.strip()
    word, _, rest = stripped.partition(" ")
    name = word.rstrip(";").casefold()
    rest = rest.strip()
    for command in COMMANDS:
        letters = {f"\\{letter}" for letter in command.letters}
        names = {command.word, *command.synonyms}
        if name in letters or name.removeprefix("\\") in names:
            return Line(command, rest if command.takes_query else rest.rstrip("; "))
    return Line(None, stripped)
