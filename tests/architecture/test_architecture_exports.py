"""The public face of the client: `__all__` is exactly what a user can see."""

from __future__ import annotations

import importlib
import types

import pytest

MODULES = ["flightframe"]


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_every_public_name(name):
    module = importlib.import_module(name)
    seen = {
        item
        for item, value in vars(module).items()
        if not item.startswith("_") and not isinstance(value, types.ModuleType)
    }
    dunder = {"__version__"} & set(module.__all__)
    assert sorted(module.__all__) == sorted(seen | dunder)
    assert len(module.__all__) == len(set(module.__all__))


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring(name):
    module = importlib.import_module(name)
    missing = [
        item
        for item in module.__all__
        if callable(getattr(module, item)) and not getattr(module, item).__doc__
    ]
    assert missing == []
