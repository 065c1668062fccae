"""The text of an Analytic Collection to a `Collection`.

What comes in: the text of `ac.yaml`. What goes out: a collection of which everything has been
checked that can be checked without the data, or one `CatalogError` that names file, line and path.
It must never read a file or ask a database: the same text gives the same collection everywhere.

The stages, each of which must be clean before the next one starts: YAML, shapes, names and
expressions, then what only the whole shows (circles, reachability, what a block forbids).
"""

from __future__ import annotations

from flightframe_server.catalog.build_dimensions import build_dimensions
from flightframe_server.catalog.build_families import build_families
from flightframe_server.catalog.build_frames import build_frames
from flightframe_server.catalog.build_schemas import build_schemas
from flightframe_server.catalog.check_derived import check_derived
from flightframe_server.catalog.check_dimensions import check_edges
from flightframe_server.catalog.check_families import check_rooted
from flightframe_server.catalog.collection import Collection
from flightframe_server.catalog.content_hash import content_hash, definition_hashes, text_hash
from flightframe_server.catalog.declarations import declare
from flightframe_server.catalog.document import read_document
from flightframe_server.catalog.findings import Cursor, NameIndex
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.catalog.nodes import Document, to_python, value_text
from flightframe_server.catalog.shape_errors import validate
from flightframe_server.catalog.shapes import CollectionShape
from flightframe_server.catalog.zones import UTC, zone_names
from flightframe_server.errors import CatalogError

VERSION = 1


def read_collection(text: str, file: str = "ac.yaml") -> Collection:
    """Read one Analytic Collection.

    Args:
        text: the whole file, at most 4 MiB.
        file: its name without a folder, for messages.

    Returns:
        The collection. Every reference in it is a name as declared, whatever its case in the text.

    Raises:
        CatalogError: something in it is wrong: of the mistakes found, the first in the file; it
            carries the others.
    """
    document = read_document(text, file)
    _check_version(document)
    shape = validate(CollectionShape, document)
    cursor = Cursor(document)
    timezone = UTC
    if shape.timezone is not None:
        timezone = cursor.at("timezone").resolve(
            NameIndex("time zone", zone_names()), shape.timezone
        )
    declared = declare(shape, cursor)
    schemas = build_schemas(shape, declared, cursor)
    dimensions = build_dimensions(shape, declared, schemas, cursor)
    families = build_families(shape, declared, cursor)
    frames = build_frames(shape, cursor)
    cursor.findings.extend(check_edges(dimensions))
    cursor.raise_if_any()
    content = to_python(document.root)
    structure_hash, family_hashes = definition_hashes(content)
    collection = Collection(
        name=shape.name,
        schemas=schemas,
        dimension_families=dimensions,
        metric_families=families,
        content_hash=content_hash(content),
        structure_hash=structure_hash,
        family_hashes=family_hashes,
        timezone=timezone,
        description=shape.description,
        file=file,
        source_hash=text_hash(text),
        frames=frames,
    )
    graph = LevelGraph(collection)
    check_rooted(collection, graph, cursor)
    check_derived(collection, graph, cursor)
    cursor.raise_if_any()
    return collection


def _check_version(document: Document) -> None:
    """Refuse another version before its keys are called unknown."""
    if "version" not in document.root.index:
        raise CatalogError(
            "the key 'version' is missing", file=document.file, line=1, hint="write version: 1"
        )
    version = to_python(document.root)["version"]
    if type(version) is not int or version != VERSION:
        location = document.location("version")
        raise CatalogError(
            f"version {value_text(version)} is not known",
            file=document.file,
            path=location.path,
            line=location.line,
            hint=f"this server reads version: {VERSION}",
        )
