"""The walkthrough as a person reads it: each query, its answer, and whether it is as promised.

What comes in: outcomes of the walkthrough. What goes out: text on stdout. It must never judge: the
outcomes say what differs.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from flightframe_server.cli.console import badge, counted, first_rows, out, rows_table, show_table
from flightframe_server.demo.from_python import SNIPPET
from flightframe_server.demo.walkthrough import PYTHON_STEP, Outcome, PythonOutcome

MAX_ROWS = 4
INDENT = 2


def show_outcome(outcome: Outcome) -> None:
    """Show one step over the socket."""
    step = outcome.step
    _heading(step.number, step.title)
    out.print(Text(f"  {step.source}\n", "cyan"))
    rows = first_rows(outcome.table.schema, outcome.table.to_batches(), MAX_ROWS)
    show_table(rows_table(rows), INDENT)
    remaining = rows.count - len(rows.kept)
    if remaining:
        out.print(f"  … and {counted(remaining, 'more row')}")
    route = ", ".join(outcome.routes)
    out.print(
        Text.assemble(
            f"  {counted(rows.count, 'row')} · served_from: ",
            badge(outcome.served_from),
            (f" ({route}) · {outcome.seconds * 1000:.1f} ms", "dim"),
        )
    )
    _show_differences(outcome.differences, warm=outcome.warm)


def show_python(outcome: PythonOutcome) -> None:
    """Show step 7a."""
    _heading(PYTHON_STEP, "a derived metric from Python: serve, serve, compose")
    for text in (SNIPPET, str(outcome.frame)):
        for line in text.splitlines():
            out.print(Text(f"  {line}", "cyan" if text is SNIPPET else ""))
    _show_differences(outcome.differences)


def verdict(passed: Sequence[bool], warm: int = 0) -> Text:
    """Return the last line of all; `warm` steps were made by an earlier run already."""
    if all(passed):
        since = f"; {warm} kept from an earlier run" if warm else ""
        steps = counted(len(passed), "step")
        return Text(f"✓ {steps}, each as the walkthrough promises{since}", "bold green")
    failed = len(passed) - sum(passed)
    return Text(f"✗ {failed} of {counted(len(passed), 'step')} not as promised", "bold red")


def _heading(number: str, title: str) -> None:
    out.print(Text.assemble((f"Step {number}", "bold"), f" · {title}"))


def _show_differences(differences: Sequence[str], *, warm: bool = False) -> None:
    if not differences:
        over = " over a warm store" if warm else ""
        out.print(Text(f"  ✓ as promised{over}\n", "green"))
        return
    for difference in differences:
        out.print(Text(f"  ✗ {difference}", "bold red"))
    out.print()
