"""One patch of one function of the product, made in memory while the product is imported.

Nothing on disk changes: a finder that is asked first gives the patched source of one module. The
text to replace must stand exactly once in the function that is named, so that a mutation cannot
outlive the rule that it breaks.
"""

import ast
import importlib.util
import sys
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

PRODUCT = "flightframe_server"
SERVER = Path(__file__).parents[2] / "server"


class Unpatchable(Exception):
    """The source is no longer what a mutation was written for."""


@dataclass(frozen=True)
class Patch:
    """In `function` (dotted for a method, empty for the whole module) of a module, `old` to `new`.

    The module is named below the package: `planner.rollup`.
    """

    module: str
    function: str
    old: str
    new: str


def path_of(patch):
    """The file of a patch's module."""
    return SERVER / PRODUCT / (patch.module.replace(".", "/") + ".py")


def patched(source, patch):
    """The source with the patch made.

    Raises:
        Unpatchable: the function is not there, or the old text does not stand in it exactly once.
    """
    where = f"{patch.module}.{patch.function}".rstrip(".")
    first, last = _lines_of(ast.parse(source), patch.function, where)
    lines = source.splitlines(keepends=True)
    last = len(lines) if last is None else last
    body = "".join(lines[first:last])
    found = body.count(patch.old)
    if found != 1:
        raise Unpatchable(f"{patch.old!r} stands {found} times in {where}")
    changed = "".join([*lines[:first], body.replace(patch.old, patch.new), *lines[last:]])
    ast.parse(changed)
    return changed


def _lines_of(tree, function, where):
    if not function:
        return 0, None
    node = tree
    for name in function.split("."):
        named = [item for item in node.body if getattr(item, "name", None) == name]
        if len(named) != 1:
            raise Unpatchable(f"there is no {where}")
        (node,) = named
    return node.lineno - 1, node.end_lineno


class PatchedSource(SourceFileLoader):
    """Loads a module from patched source, never from byte code."""

    def __init__(self, fullname, path, text):
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname):
        return self.source_to_code(self._text, self.path)


class Patching(MetaPathFinder):
    """Gives the patched modules; `loaded` says which were really imported."""

    def __init__(self, patches):
        self._patches = {f"{PRODUCT}.{patch.module}": patch for patch in patches}
        self.loaded = set()

    def find_spec(self, fullname, path=None, target=None):
        patch = self._patches.get(fullname)
        if patch is None:
            return None
        text = patched(path_of(patch).read_text(encoding="utf-8"), patch)
        spec = PathFinder.find_spec(fullname, path)
        self.loaded.add(patch.module)
        loader = PatchedSource(fullname, spec.origin, text)
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)


def install(patches):
    """Import the product with these patches from now on; it must not be imported yet."""
    early = [name for name in sys.modules if name.split(".")[0] == PRODUCT]
    assert not early, early
    finder = Patching(patches)
    sys.meta_path.insert(0, finder)
    return finder
