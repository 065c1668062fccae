"""The form of the code, held by counting: lengths, docstrings, names, where imports stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "client/flightframe",
    "server/flightframe_server",
    "connectors/superset/flightframe_superset",
)
MODULE_LINES, FUNCTION_LINES = 400, 70
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base", "core", "data"}

# An import inside a function, by module and what is imported: each with its reason.
DEFERRED: dict[tuple[str, str], str] = {
    ("client/flightframe/result.py", "polars"): "optional: only `to_polars` needs it",
    ("client/flightframe/result.py", "pandas"): "optional: only `to_pandas` needs it",
    (
        "server/flightframe_server/telemetry/exporter.py",
        "flightframe_server.telemetry.otlp",
    ): "optional: its packages are those of the extra `otel`",
    ("server/flightframe_server/__main__.py", "flightframe_server.cli"): "after Ctrl-C is handled",
    (
        "server/flightframe_server/cli/__init__.py",
        "flightframe_server.cli.logs",
    ): "a command that only asks a server logs nothing, and waits for nothing that logs",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    found = [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not path.name.endswith("_pb2.py")
    ]
    assert len(found) > 50
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Yield the public functions and classes of a module, and the public methods of the latter."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    item
                    for item in node.body
                    if isinstance(item, Function) and not item.name.startswith("_")
                )


def imports_inside(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.lineno, node.module or ""


def complaints(source: str, module: str = "some.py") -> list[str]:
    """Return what is wrong with the form of one module."""
    tree = ast.parse(source)
    lines = source.count("\n")
    found = [f"{lines} lines, at most {MODULE_LINES}"] if lines > MODULE_LINES else []
    if not ast.get_docstring(tree) and source.strip():
        found.append("no module docstring")
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES:
            found.append(f"{function.name} has {length} lines, at most {FUNCTION_LINES}")
        if function.returns is None:
            found.append(f"{function.name} has no return annotation")
    found += [f"{node.name} has no docstring" for node in public(tree) if not documented(node)]
    found += [
        f"line {line} imports {name} inside a function"
        for line, name in imports_inside(tree)
        if (module, name) not in DEFERRED
    ]
    return found


def documented(node: Function | ast.ClassDef) -> bool:
    return ast.get_docstring(node) is not None


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_module_keeps_the_form(path):
    assert complaints(path.read_text(encoding="utf-8"), named(path)) == []


def test_the_count_sees_what_is_wrong():
    body = "\n".join(f"    x{number} = {number}" for number in range(80))
    padding = "\n" * 400
    source = f"def long():\n    import json\n{body}\n{padding}"
    assert complaints(source) == [
        "482 lines, at most 400",
        "no module docstring",
        "long has 82 lines, at most 70",
        "long has no return annotation",
        "long has no docstring",
        "line 2 imports json inside a function",
    ]


def test_no_module_has_a_name_that_says_nothing():
    assert [named(path) for path in modules() if path.stem in VAGUE] == []


@pytest.mark.slow
def test_every_deferred_import_is_still_there():
    found = {
        (named(path), name)
        for path in modules()
        for _, name in imports_inside(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(DEFERRED) <= found, "remove what is no longer deferred from DEFERRED"


def test_the_holder_folders_are_no_packages():
    # An __init__.py there would make `import server` work, depending on the working folder.
    assert not (ROOT / "server" / "__init__.py").exists()
    assert not (ROOT / "client" / "__init__.py").exists()


def test_every_package_says_that_it_is_typed():
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").is_file()
