"""flightframe: ask a flightframe server for metrics, over Arrow Flight.

    import flightframe

    with flightframe.connect("grpc://127.0.0.1:8815") as connection:
        result = connection.query("SELECT region, SUM(revenue) AS total_revenue AT region")
        print(result)

What comes in: Frame-QL. What goes out: Arrow, with its provenance. It must never import the server,
a database or a data frame package: pyarrow is all it needs.
"""

from flightframe.connection import Connection, connect
from flightframe.description import (
    AnchorsDescription,
    BlockedLevel,
    CollectionDescription,
    Description,
    FrameColumn,
    FrameDescription,
    LevelDescription,
    LevelEdge,
    LevelFacts,
    MetricDescription,
    SchemaDescription,
)
from flightframe.errors import (
    ArgumentError,
    AuthenticationFailed,
    BackendError,
    CatalogError,
    ConnectionFailed,
    FlightframeError,
    InternalError,
    MissingPackage,
    ProtocolError,
    QueryError,
    ResultConsumed,
)
from flightframe.errors import FlightframeError as Error
from flightframe.provenance import ColumnProvenance, PartProvenance, Provenance
from flightframe.result import Result

__version__ = "0.2.0"

__all__ = [
    "AnchorsDescription",
    "ArgumentError",
    "AuthenticationFailed",
    "BackendError",
    "BlockedLevel",
    "CatalogError",
    "CollectionDescription",
    "ColumnProvenance",
    "Connection",
    "ConnectionFailed",
    "Description",
    "Error",
    "FlightframeError",
    "FrameColumn",
    "FrameDescription",
    "InternalError",
    "LevelDescription",
    "LevelEdge",
    "LevelFacts",
    "MetricDescription",
    "MissingPackage",
    "PartProvenance",
    "ProtocolError",
    "Provenance",
    "QueryError",
    "Result",
    "ResultConsumed",
    "SchemaDescription",
    "__version__",
    "connect",
]
