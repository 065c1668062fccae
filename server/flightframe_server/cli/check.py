"""`flightframe check`: everything that can be wrong with an installation, before it serves.

What comes in: the path of a manifest. What goes out: what the collections declare, and each
problem of the files and of the data. It must never write anything: no store is opened.
"""

from __future__ import annotations

import datetime
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import typer
from rich.text import Text

from flightframe_server.access.open_access import open_access
from flightframe_server.app import read_files
from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.registry import open_backend
from flightframe_server.catalog.collection import (
    Collection,
    MetricFamily,
    RootedMetric,
    SavedFrame,
    Schema,
)
from flightframe_server.catalog.unused_columns import unused_columns
from flightframe_server.cli.console import counted, out, show_line, show_text
from flightframe_server.cli.error_output import print_error, reported_errors
from flightframe_server.cli.installation_options import InstallationPath
from flightframe_server.cli.overview import show_collection, show_installation
from flightframe_server.cli.progress import Bar, progress
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.facts import Attested
from flightframe_server.engine.warm_up import hints, warm_up
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendError,
    CatalogError,
    FlightframeError,
    QueryError,
    SiblingDiffers,
    TypeMismatch,
)
from flightframe_server.language.format import format_expression
from flightframe_server.language.syntax import Anchor, Call, Expression, Item, Name, Statement
from flightframe_server.planner.promises import table_hops
from flightframe_server.planner.violations import edge_key, grain_key, violation
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(slots=True)
class Findings:
    """What the data of one collection showed.

    Attributes:
        problems: what is wrong.
        passed: what was looked at and is right, such as `unique grain`, counted.
        unchecked: what could not be looked at, in words.
    """

    problems: list[FlightframeError] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)

    def note(self, kind: str, problem: FlightframeError | None) -> None:
        """Count one thing of a kind, or keep its problem."""
        if problem is None:
            self.passed[kind] = self.passed.get(kind, 0) + 1
        else:
            self.problems.append(problem)

    def __str__(self) -> str:
        """Return such as `5 unique grains, 2 edges that hold`."""
        return ", ".join(counted(count, kind) for kind, count in self.passed.items())


def check(installation: InstallationPath) -> None:
    """Check an installation: its files, and whether the data keeps what they declare.

    Reads the manifest and every collection, then asks the database whether each
    grain is unique, each edge leads from a value to one value, each cache_hint
    can be made, the total of each metric fits its type, and each saved frame is
    answered. Writes nothing. The exit code is 1 where there are problems.

    [bold]Example[/bold]

      flightframe check installation.yaml
    """
    problems = 0
    with reported_errors(most=None):
        manifest, collections = read_files(installation)
        open_access(manifest.server, installation.parent)
        show_installation(manifest)
        with closing(open_backend(manifest.backend, installation.parent)) as backend:
            for collection in collections:
                problems += check_collection(collection, backend)
    if problems:
        out.print(Text(f"✗ {counted(problems, 'problem')}", "bold red"))
        raise typer.Exit(1)
    out.print(Text("✓ no problems", "bold green"))


def check_collection(collection: Collection, backend: Backend) -> int:
    """Check one collection on its data, show it, and return how many problems it has."""
    try:
        # Without a store: nothing is read from disk, and nothing is written.
        with closing(MetricEngine(collection, Path(), backend, enabled=False)) as engine:
            snapshot, attested = engine.attested()
            findings = examined(engine, attested)
            show_collection(snapshot.typed, attested)
    except FlightframeError as error:
        print_error(error, most=None)
        return len(error.each()) if isinstance(error, CatalogError) else 1
    if findings.passed:
        show_line(Text.assemble(("  ✓ ", "bold green"), str(findings)))
    for text in findings.unchecked:
        show_text(f"- not checked: {text}", 2)
    for schema, column in unused_columns(snapshot.typed.collection, snapshot.typed.graph):
        show_text(
            f"- never asked for: {schema}.{column} stands in no dimension family, and no metric"
            " or column reads it",
            2,
        )
    for problem in findings.problems:
        print_error(problem)
    out.print()
    return len(findings.problems)


def examined(engine: MetricEngine, attested: Attested) -> Findings:
    """Look at the grains, the edges, the hints, the totals and the frames of a collection.

    Raises:
        FlightframeError: the database failed.
    """
    findings = Findings()
    schemas = engine.collection.schemas.values()
    hinted = hints(engine)
    families = engine.collection.metric_families.values()
    with progress("checking", len(schemas) + len(hinted) + len(families)) as bar:
        for done, schema in enumerate(schemas):
            bar.at(f"grain of {schema.name}", done)
            examine_grain(schema, engine.collection, attested, findings)
        examine_promises(engine, attested, findings)
        examine_hints(engine, bar, len(schemas), findings)
        for done, family in enumerate(families, start=len(schemas) + len(hinted)):
            bar.at(f"total of {family.name}", done)
            examine_totals(engine, family, findings)
        for frame in engine.collection.frames.values():
            bar.at(f"frame {frame.name}", len(schemas) + len(hinted) + len(families))
            examine_frame(engine, frame, findings)
    return findings


def examine_grain(
    schema: Schema, collection: Collection, attested: Attested, findings: Findings
) -> None:
    """Note whether each key of a schema stands on one row, where the schema says that it does."""
    if not schema.grain:
        return
    if schema.trusted:
        findings.unchecked.append(f"the grain of {schema.name}, which is trusted")
        return
    problem = None
    if (twice := attested.violations.get(grain_key(schema.name))) is not None:
        problem = CatalogError(
            f"the grain of {schema.name} ({', '.join(schema.grain)}) is not unique: {twice}",
            file=collection.file,
            path=schema.location.path,
            line=schema.location.line,
        )
    findings.note("unique grain", problem)


def examine_promises(engine: MetricEngine, attested: Attested, findings: Findings) -> None:
    """Note every promise that the data keeps or breaks: edges, paths, calendar columns, keys."""
    for hop in table_hops(engine.typed):
        if hop.trusted:
            findings.unchecked.append(f"{hop.edge}, which is trusted")
        elif edge_key(hop.edge) not in attested.violations:
            findings.note("attested edge", None)
    reported = {grain_key(name) for name in engine.collection.schemas}
    for promise, example in attested.violations.items():
        if promise not in reported:
            problem = violation(promise, f"the data breaks {promise}: {example}", example)
            findings.note("promise", problem)
    for (family, schema), difference in attested.siblings.items():
        differs = None
        if difference is not None:
            differs = SiblingDiffers(f"{schema} is no sibling of {family}: {difference}")
        findings.note("attested sibling", differs)


def examine_hints(engine: MetricEngine, bar: Bar, done: int, findings: Findings) -> None:
    """Make what is hinted, and let it go again."""
    for made, warmed in enumerate(warm_up(engine), start=1):
        bar.at(str(warmed.hint), done + made)
        findings.note("answered hint", warmed.failure)


def examine_totals(engine: MetricEngine, family: MetricFamily, findings: Findings) -> None:
    """Note whether a metric fits its type over all rows, by each of its reducers.

    A reducer or a formula that takes no values of that type is a mistake of the file. A metric that
    may not be asked for without a level says nothing here, and neither does one that rests on a
    promise which the data break: that is reported already.
    """
    declared = family.meaning.reducers if isinstance(family.meaning, RootedMetric) else ()
    name = Name((family.name,))
    calls = {one.operator: Call(one.operator, (name,)) for one in declared}
    for expression in calls.values() or (name,):
        statement = Statement((Item(expression, alias=family.name),), Anchor(()))
        try:
            engine.answer(partial(resolve, statement))
        except (ArithmeticOverflow, BackendError) as problem:
            findings.note("total", problem)
        except TypeMismatch as problem:
            findings.note("total", _misfit(engine.collection, family, expression, problem))
        except QueryError:
            continue
        else:
            findings.note("total", None)


def examine_frame(engine: MetricEngine, frame: SavedFrame, findings: Findings) -> None:
    """Note whether the data let a saved frame be answered."""

    def ask(typed: TypedCollection) -> Question:
        binding = Binding({}, now=datetime.datetime.now(datetime.UTC))
        return resolve(frame.statement, typed, binding)

    problem: FlightframeError | None = None
    try:
        engine.answer(ask)
    except (QueryError, BackendError) as error:
        problem = CatalogError(
            f"the frame {frame.name} cannot be answered: {error.message}",
            file=engine.collection.file,
            path=frame.location.path,
            line=frame.location.line,
            hint=error.hint,
        )
    findings.note("answered frame", problem)


def _misfit(
    collection: Collection, family: MetricFamily, expression: Expression, problem: TypeMismatch
) -> CatalogError:
    """Return what no question can ask of a family, and where the family stands in the file."""
    return CatalogError(
        f"{format_expression(expression)} can never be answered: {problem.message}",
        file=collection.file,
        path=family.location.path,
        line=family.location.line,
        hint=problem.hint,
    )
