"""A flightframe server as a database of Apache Superset.

What comes in: nothing is called here; Superset finds the engine spec, and SQLAlchemy the dialect,
by their entry points. What goes out: the two. This package must never import either of them by
itself: the dialect needs a driver that an environment may lack.
"""

__version__ = "0.2.0"
