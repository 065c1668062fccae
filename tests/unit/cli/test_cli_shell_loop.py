"""The loop of `flightframe shell`: what ends it, and what ends one line alone."""

from flightframe_server.cli.shell.command import converse


class Lines:
    """A prompt at which lines are typed, and then Ctrl-D; an exception stands for its key."""

    def __init__(self, *lines):
        self.lines = [*lines, EOFError()]

    def prompt(self, _):
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line


class Statements:
    """Carries lines out; Ctrl-C comes as the answer of `slow` does."""

    def __init__(self):
        self.done = []

    def carry_out(self, line):
        self.done.append(line)
        if line == "slow":
            raise KeyboardInterrupt
        return line != "quit"


def carried_out(*lines):
    statements = Statements()
    converse(statements, Lines(*lines))
    return statements.done


def test_an_interrupt_ends_one_line_and_not_the_shell():
    assert carried_out("slow", KeyboardInterrupt(), "quick") == ["slow", "quick"]


def test_quit_ends_it_and_what_follows_is_not_carried_out():
    assert carried_out("quick", "quit", "never") == ["quick", "quit"]
