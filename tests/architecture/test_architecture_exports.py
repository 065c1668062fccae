"""The public face of the client: `__all__` is exactly what a user can see."""

from __future__ import annotations

import importlib
import types

import pytest

import flightframe

MODULES = ["flightframe", "flightframe.testing"]


def test_the_front_door_shows_what_it_lists():
    seen = {
        name
        for name, value in vars(flightframe).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert sorted(flightframe.__all__) == sorted(seen | {"__version__"})


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_makes_for_users_is_listed(name):
    module = importlib.import_module(name)
    made = {
        item
        for item, value in vars(module).items()
        if not item.startswith("_") and getattr(value, "__module__", "") == name
    }
    assert made <= set(module.__all__)
    assert list(module.__all__) == sorted(set(module.__all__))


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring(name):
    module = importlib.import_module(name)
    named = {item: getattr(module, item) for item in module.__all__}
    assert [item for item, value in named.items() if callable(value) and not value.__doc__] == []
