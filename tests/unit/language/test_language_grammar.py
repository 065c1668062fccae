"""Do the grammar, the tables beside it and the package's surface agree?"""

import concurrent.futures
import importlib.resources
import logging
import subprocess
import sys

import lark
import pytest

import flightframe_server.language as language
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse as parse_text
from flightframe_server.language.build import TreeBuilder
from flightframe_server.language.case_words import CASE_WORDS
from flightframe_server.language.parse import _build
from flightframe_server.language.words import (
    CLAUSE_FUNCTIONS,
    CLAUSES,
    HARD_KEYWORDS,
    SOFT_KEYWORDS,
    SPELLINGS,
    expected_words,
    needs_quotes,
)

GRAMMAR = (
    importlib.resources.files("flightframe_server.language")
    .joinpath("frame_ql.lark")
    .read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def machine():
    return lark.Lark(GRAMMAR, parser="lalr", lexer="basic", start=["start", "expr"])


def test_the_grammar_has_no_conflicts(caplog):
    # In debug mode the generator reports each shift/reduce conflict that it settles by itself.
    with caplog.at_level(logging.DEBUG, logger="lark"):
        lark.Lark(GRAMMAR, parser="lalr", lexer="basic", start=["start", "expr"], debug=True)
    assert [record.message for record in caplog.records] == []


def test_a_conflict_would_be_seen(caplog):
    dangling = 'start: "if" start ("else" start)? | "x"'
    with caplog.at_level(logging.DEBUG, logger="lark"):
        lark.Lark(dangling, parser="lalr", lexer="basic", debug=True)
    assert any("Shift/Reduce" in record.message for record in caplog.records)


def test_every_fixed_terminal_has_a_spelling(machine):
    free = {"WORD", "QUOTED", "STRING", "DOLLAR", "NUMBER", "INT", "CMP"}
    declared = {terminal.name for terminal in machine.terminals if terminal.name[0] != "_"}
    # These have no text of their own in the grammar: they are words until a CASE claims them.
    assert not declared & CASE_WORDS
    declared |= CASE_WORDS
    assert declared - set(machine.ignore_tokens) - free == set(SPELLINGS)


@pytest.mark.parametrize("kind", sorted(SPELLINGS.keys() - CASE_WORDS))
def test_a_spelling_reads_as_its_terminal(machine, kind):
    text = SPELLINGS[kind] + (" (" if kind in CLAUSE_FUNCTIONS | {"GROUPING_SETS"} else " 1")
    assert next(iter(machine.lex(text))).type == kind
    assert next(iter(machine.lex(text.lower()))).type == kind


def test_hard_keywords_are_those_that_are_no_names():
    def is_name(word: str) -> bool:
        try:
            parse_text(f"SELECT {word} AT ({word})")
        except FlightframeError:
            return False
        return True

    words = {word.lower() for word in SPELLINGS.values() if word.isalpha()} | {"order", "by"}
    assert {word for word in words if not is_name(word)} == HARD_KEYWORDS
    assert {word.lower() for word in SOFT_KEYWORDS} <= words - HARD_KEYWORDS
    assert all(needs_quotes(word) == (word in HARD_KEYWORDS) for word in words)


def test_every_rule_has_a_method_of_the_builder(machine):
    made = {rule.alias or rule.origin.name for rule in machine.rules}
    inlined = {
        str(rule.origin.name) for rule in machine.rules if rule.options.expand1 and not rule.alias
    }
    needed = {name for name in made if not name.startswith("_") and name not in inlined}
    methods = {name for name in vars(TreeBuilder) if not name.startswith("_")}
    assert needed <= methods
    assert methods <= made


def test_the_public_names():
    assert sorted(language.__all__) == language.__all__
    assert set(language.__all__) == {
        "canonical_name",
        "format_expression",
        "format_item",
        "format_order_key",
        "format_statement",
        "parse",
        "parse_expression",
    }
    assert all(callable(getattr(language, name)) for name in language.__all__)


def test_importing_the_language_builds_no_parser():
    code = (
        "import flightframe_server.language.parse\n"
        "import sys\n"
        "made = sys.modules['flightframe_server.language.parse']._build.cache_info().currsize\n"
        "heavy = {'duckdb', 'polars', 'pyarrow', 'interegular'} & set(sys.modules)\n"
        "raise SystemExit(f'{made} {heavy}' if made or heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "server"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_share_one_parser():
    _build.cache_clear()
    query = "SELECT SUM(x) FILTER (WHERE a = ?) AT b WHERE c IN (?, ?)"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(parse_text, [query] * 64))
    assert _build.cache_info().misses == 1
    assert all(tree == trees[0] for tree in trees)


@pytest.mark.parametrize(
    ("accepts", "words"),
    [
        (set(), "nothing more"),
        ({"$END", "SEMICOLON"}, "the end"),
        ({"COMMA", "RPAR"}, "`,` or `)`"),
        ({"WORD", "QUOTED", "FIRST", "LPAR", "LBRACE"}, "a name or `(`"),
        ({"AND", "OR", "$END", *CLAUSES} - {"SELECT", "FROM"}, "AND or OR, WHERE, AT, HAVING,"),
    ],
)
def test_expected_words(accepts, words):
    assert expected_words(frozenset(accepts), "the end").startswith(words)
