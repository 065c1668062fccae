"""A dialect of SQLAlchemy 2: `flightframe://host:port/collection`.

    import sqlalchemy

    engine = sqlalchemy.create_engine("flightframe://127.0.0.1:8815/retail_full")

What comes in: Core statements, texts in SQL or Frame-QL, and questions of reflection. What goes
out: rows, tables with their keys, and where an answer came from. It must never write: there is
nothing to write to, and the server refuses.

It needs the packages that `pip install 'flightframe-client[sqlalchemy]'` brings.
"""

from flightframe.sqlalchemy.dialect import FlightframeDialect
from flightframe.sqlalchemy.execution import provenance

__all__ = ["FlightframeDialect", "provenance"]
