"""The options of a session: what they are called, what they may be, and what they do to a request.

What comes in: names and values that a client sets. What goes out: frozen options, and requests with
them filled in. It must never overrule what a request says itself, nor half understand a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Request, Runtime, engine_named
from flightframe_server.call_context import NO_OPTIONS, SessionOptions
from flightframe_server.errors import UnknownName
from flightframe_server.planner.plan import NO_FRESHNESS, Freshness
from flightframe_server.request import SqlOptions

Value = sql.SessionOptionValue
Error = sql.SetSessionOptionsResult.Error

METRIC, MEASURE = "metric", "measure"
"""What `sum_means` and `bare_metric` may be beside their defaults, `sum` and `refuse`."""

INVALID_NAME = sql.SetSessionOptionsResult.ERROR_VALUE_INVALID_NAME
INVALID_VALUE = sql.SetSessionOptionsResult.ERROR_VALUE_INVALID_VALUE


class InvalidValue(Exception):
    """A value that an option cannot have; a signal inside this module."""


def applied(options: SessionOptions, request: Request) -> Request:
    """Return a request with what it leaves open filled in."""
    if options is NO_OPTIONS:
        return request
    collection = request.collection or options.schema
    return replace(refreshed(options, request), collection=collection)


def refreshed(options: SessionOptions, request: Request) -> Request:
    """Return a request with its freshness filled in: one whose collection was settled before.

    A request that says anything of freshness is taken at its word as a whole.
    """
    if options is NO_OPTIONS:
        return request
    request = replace(request, sql=sql_options(options))
    if request.freshness != NO_FRESHNESS:
        return request
    fresh = Freshness(options.max_staleness, options.only_if_cached, options.no_cache)
    return replace(request, freshness=fresh)


def sql_options(options: SessionOptions) -> SqlOptions:
    """Return how a session reads SQL where its words alone do not say."""
    return SqlOptions(options.sum_is_metric, options.bare_is_measure)


def with_changes(
    options: SessionOptions, changes: Mapping[str, Value], runtime: Runtime
) -> tuple[SessionOptions, dict[str, Error]]:
    """Return options with changes made, and an error for each that could not be.

    What is erased or switched off goes first, so that one message may exchange two options that
    exclude each other.
    """
    errors: dict[str, Error] = {}
    for name in sorted(changes, key=lambda name: (not _switches_off(changes[name]), name)):
        change = _CHANGES.get(name)
        if change is None:
            errors[name] = Error(value=INVALID_NAME)
            continue
        try:
            options = change(options, changes[name], runtime)
        except InvalidValue:
            errors[name] = Error(value=INVALID_VALUE)
    return options, errors


def current_options(options: SessionOptions, runtime: Runtime) -> dict[str, Value]:
    """Return what holds in a session, as GetSessionOptions tells it."""
    limit = runtime.statements.limits.statement_timeout
    current = {
        "catalog": Value(string_value=runtime.installation_id),
        "only_if_cached": Value(bool_value=options.only_if_cached),
        "no_cache": Value(bool_value=options.no_cache),
        "statement_timeout": Value(double_value=options.statement_timeout or limit),
    }
    if options.sum_is_metric:
        current["sum_means"] = Value(string_value=METRIC)
    if options.bare_is_measure:
        current["bare_metric"] = Value(string_value=MEASURE)
    engines = runtime.engines
    schema = options.schema or (next(iter(engines)) if len(engines) == 1 else None)
    if schema is not None:
        current["schema"] = Value(string_value=schema)
    if options.max_staleness is not None:
        current["max_staleness"] = Value(double_value=options.max_staleness)
    return current


def _catalog(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    if _is_set(value) and _text(value) != runtime.installation_id:
        raise InvalidValue
    return options


def _schema(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    if not _is_set(value):
        return replace(options, schema=None)
    try:
        engine = engine_named(runtime, _text(value))
    except UnknownName:
        raise InvalidValue from None
    return replace(options, schema=engine.collection.name)


def _max_staleness(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    return replace(options, max_staleness=_seconds(value) if _is_set(value) else None)


def _only_if_cached(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    return _agreeing(replace(options, only_if_cached=_is_set(value) and _flag(value)))


def _no_cache(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    return _agreeing(replace(options, no_cache=_is_set(value) and _flag(value)))


def _timeout(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    if not _is_set(value):
        return replace(options, statement_timeout=None)
    seconds = _seconds(value)
    if not 0 < seconds <= runtime.statements.limits.statement_timeout:
        raise InvalidValue
    return replace(options, statement_timeout=seconds)


def _sum_means(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    return replace(options, sum_is_metric=_chosen(value, METRIC, "sum"))


def _bare_metric(options: SessionOptions, value: Value, runtime: Runtime) -> SessionOptions:
    return replace(options, bare_is_measure=_chosen(value, MEASURE, "refuse"))


def _chosen(value: Value, other: str, default: str) -> bool:
    """Whether an option has its other value, and not its default."""
    if not _is_set(value):
        return False
    text = _text(value).lower()
    if text not in (other, default):
        raise InvalidValue
    return text == other


Change = Callable[[SessionOptions, Value, Runtime], SessionOptions]

_CHANGES: dict[str, Change] = {
    "catalog": _catalog,
    "schema": _schema,
    "max_staleness": _max_staleness,
    "only_if_cached": _only_if_cached,
    "no_cache": _no_cache,
    "statement_timeout": _timeout,
    "sum_means": _sum_means,
    "bare_metric": _bare_metric,
}


def _agreeing(options: SessionOptions) -> SessionOptions:
    if options.only_if_cached and options.no_cache:
        raise InvalidValue
    return options


def _switches_off(value: Value) -> bool:
    try:
        return not _is_set(value) or not _flag(value)
    except InvalidValue:
        return False


def _is_set(value: Value) -> bool:
    return value.WhichOneof("option_value") is not None


def _text(value: Value) -> str:
    if value.WhichOneof("option_value") != "string_value":
        raise InvalidValue
    return value.string_value


def _flag(value: Value) -> bool:
    """Return a truth; drivers that only know texts send `true` and `false`."""
    match value.WhichOneof("option_value"):
        case "bool_value":
            return value.bool_value
        case "string_value" if value.string_value.lower() in ("true", "false"):
            return value.string_value.lower() == "true"
    raise InvalidValue


def _seconds(value: Value) -> float:
    """Return a number of seconds from 0 on; drivers that only know texts send its digits."""
    match value.WhichOneof("option_value"):
        case "int64_value":
            seconds = float(value.int64_value)
        case "double_value":
            seconds = value.double_value
        case "string_value" if len(value.string_value) <= 40:
            try:
                seconds = float(value.string_value)
            except ValueError:
                raise InvalidValue from None
        case _:
            raise InvalidValue
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InvalidValue
    return seconds
