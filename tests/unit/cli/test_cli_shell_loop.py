"""The loop of `flightframe shell`: what ends it, and what ends one line alone."""

import signal

from flightframe_server.cli.shell.command import converse

BEGINS, ENDS = object(), object()
"""Ctrl-C as the prompt begins, and as it returns a line."""


class Lines:
    """A prompt at which lines are typed, and then Ctrl-D; an exception stands for its key."""

    def __init__(self, *lines):
        self.lines = [*lines, EOFError()]

    def prompt(self, _, pre_run):
        line = self.lines.pop(0)
        if line is BEGINS:
            # As the event loop begins, before keys are taken.
            signal.raise_signal(signal.SIGINT)
            line = self.lines.pop(0)
        pre_run()
        if line is ENDS:
            signal.raise_signal(signal.SIGINT)
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


def test_an_interrupt_as_the_prompt_begins_ends_nothing():
    assert carried_out("quick", BEGINS, "next", "last") == ["quick", "next", "last"]


def test_an_interrupt_as_the_prompt_returns_ends_that_line():
    assert carried_out("quick", ENDS, "ended", "last") == ["quick", "last"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
