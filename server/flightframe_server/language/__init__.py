"""The language: Frame-QL text to frozen syntax nodes and back.

What comes in: text, or a tree. What goes out: a tree of `syntax` nodes, or canonical text. It must
never know a catalog: what a name means is the resolver's question.
"""

from flightframe_server.language.format import (
    canonical_name,
    format_expression,
    format_item,
    format_order_key,
    format_statement,
)
from flightframe_server.language.parse import parse, parse_expression

__all__ = [
    "canonical_name",
    "format_expression",
    "format_item",
    "format_order_key",
    "format_statement",
    "parse",
    "parse_expression",
]
