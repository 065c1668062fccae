"""The catalog: the Analytic Collection and the installation as frozen values.

What comes in: the text of their files. What goes out: values that everything after reads, and the
graph of levels. It must never read a file or ask a database.
"""

from flightframe_server.catalog.collection import (
    Collection,
    Column,
    ComputedColumn,
    DerivedMetric,
    DimensionFamily,
    Edge,
    FunctionMap,
    LookupColumn,
    MetricFamily,
    ReducerDeclaration,
    RoleMap,
    RootedMetric,
    SavedFrame,
    Schema,
    Sibling,
    Snapshot,
    SourceLocation,
    StoredColumn,
    TableMap,
    ValueMap,
)
from flightframe_server.catalog.installation import (
    AuthSettings,
    BackendSettings,
    EngineSettings,
    Installation,
    ServerSettings,
    TlsSettings,
)
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.catalog.read_collection import read_collection
from flightframe_server.catalog.read_installation import read_installation

__all__ = [
    "AuthSettings",
    "BackendSettings",
    "Collection",
    "Column",
    "ComputedColumn",
    "DerivedMetric",
    "DimensionFamily",
    "Edge",
    "EngineSettings",
    "FunctionMap",
    "Installation",
    "LevelGraph",
    "LookupColumn",
    "MetricFamily",
    "ReducerDeclaration",
    "RoleMap",
    "RootedMetric",
    "SavedFrame",
    "Schema",
    "ServerSettings",
    "Sibling",
    "Snapshot",
    "SourceLocation",
    "StoredColumn",
    "TableMap",
    "TlsSettings",
    "ValueMap",
    "read_collection",
    "read_installation",
]
