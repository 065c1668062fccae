"""Every YAML example of the pages is one that the product reads, and every key has its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from docs_pages import Block, blocks_of
from pydantic import BaseModel

from flightframe_server.catalog import read_collection, read_installation
from flightframe_server.catalog.shapes import CollectionShape

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def yaml_blocks() -> list[Block]:
    found = [
        block
        for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
        for block in blocks_of(page)
        if block.language == "yaml" and not block.exempt
    ]
    assert found
    return found


@pytest.mark.parametrize("block", yaml_blocks(), ids=lambda block: block.where)
def test_an_example_is_read(block):
    if block.text.startswith("version:"):
        assert read_collection(block.text, "ac.yaml").name
    else:
        assert read_installation(block.text, "installation.yaml").id


def shapes_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from shapes_in(part)


def keys_of(shape: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, field in shape.model_fields.items():
        found.add(field.alias or name)
        for inner in shapes_in(field.annotation):
            found |= keys_of(inner)
    return found


def test_every_key_of_a_collection_is_documented():
    page = (DOCS / "analytic-collection.md").read_text(encoding="utf-8")
    keys = keys_of(CollectionShape)
    assert {"materialize_at", "a_block", "via", "snapshot", "expr"} <= keys
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b", page)) == []
