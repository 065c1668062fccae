"""What may stand at a place of a text that is being written, each exclusion with its reason.

What comes in: a text, an offset, and an installation. What goes out: a `Completion`: metrics,
levels, reducers, functions, schemas, members, parameters and keywords, those that may stand there
first, and of the others the code and the words of the refusal. It must never have rules of its own:
words come from the grammar's table, and whether a name may stand somewhere is what the resolver
says of the statement with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from flightframe_server.answer import Runtime, engine_named
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.completion.candidates import name_options
from flightframe_server.completion.cursor import Cursor
from flightframe_server.completion.kept_refusals import kept_refusals
from flightframe_server.completion.keywords import keyword_options
from flightframe_server.completion.members import member_options
from flightframe_server.completion.options import Completion, Option, ranked
from flightframe_server.completion.parameters import parameter_options
from flightframe_server.completion.trees import MARK, Path, is_mark, is_marked_text, path_to
from flightframe_server.completion.trial import Trial, tidied
from flightframe_server.discovery.metric_terms import terms_of
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import FlightframeError
from flightframe_server.language.bounds import check_text
from flightframe_server.language.draft import NAMES, Draft, read_draft
from flightframe_server.language.syntax import Anchor, Statement

_DATED = {"DATE": "'2000-01-01'", "TIMESTAMP": "'2000-01-01 00:00:00'", "INTERVAL": "'1 day'"}


def complete(
    source: str,
    offset: int,
    runtime: Runtime,
    collection: str | None = None,
    context: CallContext = SERVER_CALL,
) -> Completion:
    """Return what may stand at a place of a text.

    Args:
        source: the text, however unfinished.
        offset: the place of the cursor, in characters (code points) from 0; one outside the text
            is the nearer of its ends.
        runtime: the installation.
        collection: the collection asked; None for the one that knows most of the names written.
        context: the call that waits for it.

    Raises:
        LimitExceeded: the text is longer than the bounds allow.
        FrameQLSyntaxError: the text is no Unicode.
        UnknownName: there is no such collection.
        BackendError: the database failed, or the call ended.
    """
    check_text(source)
    draft = read_draft(source, offset)
    if draft is None:
        at = max(0, min(offset, len(source)))
        return Completion(at, at)
    context.check()
    with runtime.pinned() as pinned:
        engine = _engine(pinned, collection, draft, context)
        options = list(_options(draft, engine, context))
    context.check()
    return Completion(draft.start, draft.end, ranked(options, draft.typed))


def _options(draft: Draft, engine: MetricEngine, context: CallContext) -> Iterator[Option]:
    snapshot = engine.snapshot(context)
    violations = snapshot.facts.known.violations
    trial = Trial(snapshot.typed, violations, terms_of(engine, snapshot.typed).type_of)
    cursor = _cursor(draft, trial)
    if cursor is not None:
        kept = kept_refusals(engine, snapshot.typed, violations)
        cursor = replace(cursor, kept=kept)
    if cursor is not None:
        level = cursor.compared_level()
        if level is not None and draft.quote != '"' and not draft.typed.startswith("$"):
            yield from member_options(engine, level, draft.typed, context)
        if draft.quote != "'":
            yield from name_options(cursor)
            if not draft.quote:
                yield from parameter_options(draft, level, cursor)
    elif not draft.quote:
        yield from parameter_options(draft, None, None)
    if not draft.quote:
        yield from keyword_options(draft, trial, cursor)


def _cursor(draft: Draft, trial: Trial) -> Cursor | None:
    """Return the draft as a tree with the mark in it; None where no name or value may stand."""
    for marking in _markings(draft):
        try:
            statement = draft.with_tokens(marking)
        except FlightframeError:
            continue
        path = None if statement is None else _marked_path(statement)
        if statement is not None and path is not None:
            return _tidied_cursor(draft, trial, statement, path)
    return None


def _markings(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield the tokens that can stand for what is still to be chosen."""
    dated = _DATED.get(draft.before[-1].type if draft.before else "")
    if draft.quote == "'" or draft.state.after("WORD") is None:
        if draft.state.after("STRING") is not None:
            yield "STRING", dated or f"'{MARK}'"
    else:
        yield "WORD", MARK


def _marked_path(statement: Statement) -> Path | None:
    return path_to(statement, is_mark) or path_to(statement, is_marked_text)


def _tidied_cursor(draft: Draft, trial: Trial, statement: Statement, path: Path) -> Cursor | None:
    before, after = draft.written
    anchor_written = "AT" in before or "AT" in after
    top = path[0].field
    in_anchor = isinstance(path[-1].parent, Anchor) and top == "anchor"
    only_level = in_anchor and bool(draft.before) and draft.before[-1].type == "AT"
    fitted = replace(
        trial,
        open_anchor=not anchor_written or (in_anchor and not only_level),
        open_filter=top == "where",
    )
    tidy = tidied(fitted, statement, anchor_written=anchor_written)
    again = _marked_path(tidy)
    if again is None:
        return None
    levels_only = draft.state.after("INT") is None
    stacked = statement.anchor.sets is not None
    return Cursor(
        fitted, tidy, again, anchor_written, only_level, levels_only, draft.typed, stacked=stacked
    )


def _engine(
    runtime: Runtime, collection: str | None, draft: Draft, context: CallContext
) -> MetricEngine:
    if collection is not None:
        return engine_named(runtime, collection)
    names = {str(token).strip('"').casefold() for token in _names(draft)}

    def known(engine: MetricEngine) -> int:
        graph = engine.snapshot(context).typed.graph
        families = engine.collection.folded_families
        return sum(graph.find(name) is not None or name in families for name in names)

    engines = list(runtime.engines.values())
    return engines[0] if len(engines) == 1 else max(engines, key=known)


def _names(draft: Draft) -> Iterable[object]:
    return (token for token in (*draft.before, *draft.after) if token.type in NAMES)
