"""The nodes and arguments of the installed sqlglot that SQL over metrics is read from.

A version that gives a node a new argument fails here, before a text can mean something new: whoever
raises the version looks at the argument, and reads it or leaves it to be refused.
"""

from pathlib import Path

import yaml
from sqlglot import exp

from flightframe_server.sql.allowed_sql import OUTER

PINNED = Path(__file__).parent / "question_nodes.yaml"


def test_the_arguments_of_every_node_that_is_read_are_those_that_were_looked_at():
    pinned = yaml.safe_load(PINNED.read_text(encoding="utf-8"))
    installed = {node.__name__: sorted(node.arg_types) for node in OUTER}
    assert installed == pinned


def test_only_arguments_that_a_node_has_are_read():
    for node, arguments in OUTER.items():
        assert arguments <= set(node.arg_types), node


def test_no_expression_is_read_whose_class_is_a_family():
    assert exp.Func not in OUTER
    assert exp.Binary not in OUTER
