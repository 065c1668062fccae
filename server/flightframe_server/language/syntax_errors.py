"""The errors of a text whose tokens do not fit together, in the language's own words.

What comes in: the `ParseFailure` at which reading stopped. What goes out: one `FrameQLSyntaxError`
to raise. It must never repair a text, echo more than 80 characters of it, or raise itself. The
rules stand in order: the first that recognises the mistake gives the error.
"""

from __future__ import annotations

import re

from lark import Token

from flightframe_server.errors import FrameQLSyntaxError, did_you_mean
from flightframe_server.language.bounds import echo, token_place
from flightframe_server.language.parse_failure import ParseFailure
from flightframe_server.language.words import (
    CLAUSE_ORDER,
    CLAUSES,
    HARD_KEYWORDS,
    SOFT_KEYWORDS,
    SPELLINGS,
    expected_words,
)

Diagnosis = FrameQLSyntaxError | None

NO_GRAIN = "a query names its grain: AT level, or AT () for the grand total"

# Constructs of SQL that Frame-QL does without, found in the words around the mistake.
_SQL_CONSTRUCTS = (
    (r"\bGROUP BY\b", "there is no GROUP BY: the anchor after AT is the grain", "write AT level"),
    (
        r"\bJOIN\b",
        "there is no JOIN: the collection declares how schemas meet",
        "name the metrics and levels; the path between them is found",
    ),
    (
        r"\b(UNION|INTERSECT|EXCEPT)( ALL| SELECT| \()?$",
        "there are no set operations: one query gives one frame",
        None,
    ),
    (
        r"\bOVER \(",
        "there are no window functions",
        "reduce in two steps with @, as in AVG(revenue @ day)",
    ),
    (
        r"\bSELECT DISTINCT\b",
        "there is no SELECT DISTINCT: each point of the anchor is one row",
        None,
    ),
    (r"[=<>] =", "a comparison is one of = <> < <= > >=", None),
)
_OTHER_STATEMENTS = re.compile(
    "INSERT|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|TRUNCATE|COPY|ATTACH|SET|PRAGMA|CALL"
)
_NAMES = frozenset({"WORD", "QUOTED"}) | SOFT_KEYWORDS
_ENDS = _NAMES | {"RPAR", "INT", "NUMBER", "STRING", "DOLLAR", "QUESTION", "TRUE", "FALSE", "NULL"}
_EXPRESSION = frozenset({"WORD", "INT", "LPAR"})
_ENDINGS = ("COMMA", "RPAR", "SEMICOLON", "AS", "THEN", "ELSE", "END")
_CASE_ENDS = ("COMMA", "RPAR", "AS", "WHEN", "THEN", "ELSE", "END")
_AFTER_GRAIN = ("", "SEMICOLON", "HAVING", "ORDER_BY", "LIMIT")


def syntax_error(failure: ParseFailure) -> FrameQLSyntaxError:
    """Return the error for a token that does not fit, or a text that ends too early."""
    for rule in _RULES:
        diagnosis = rule(failure)
        if diagnosis is not None:
            return diagnosis
    return _general(failure)


def _second_statement(failure: ParseFailure) -> Diagnosis:
    if failure.previous(1) != "SEMICOLON":
        return None
    return failure.error("one statement at a time", hint="nothing may follow the `;`")


def _not_a_query(failure: ParseFailure) -> Diagnosis:
    if not failure.is_query or "SELECT" not in failure.expected:
        return None
    if failure.unexpected is None:
        return failure.error("there is no query here", hint="a query starts with SELECT")
    word = str(failure.unexpected).upper()
    if _OTHER_STATEMENTS.fullmatch(word):
        return failure.error(f"Frame-QL only reads: there is no {word}")
    known = [SPELLINGS[kind] for kind in sorted(failure.expected)]
    hint = did_you_mean(word, known) if failure.terminal == "WORD" else None
    return failure.error(
        f"found `{echo(failure.unexpected)}`, expected SELECT",
        hint=hint or "a query starts with SELECT",
    )


def _subquery(failure: ParseFailure) -> Diagnosis:
    if failure.terminal != "SELECT" or not (failure.open_brackets or failure.previous(1) == "LPAR"):
        return None
    return failure.error(
        "there are no subqueries", hint="ask for the inner value first and bind it as a parameter"
    )


def _sql_construct(failure: ParseFailure) -> Diagnosis:
    window = failure.window()
    for pattern, message, hint in _SQL_CONSTRUCTS:
        match = re.search(pattern, window)
        if match is not None:
            # A word that the grammar took for an alias is to blame before what follows it.
            before = failure.tokens[-1] if failure.tokens else None
            blamed = before is not None and match.end() <= len(before)
            place = token_place(before) if before is not None and blamed else None
            return failure.error(message, hint=hint, place=place)
    return None


def _function_with_words(failure: ParseFailure) -> Diagnosis:
    """Say how CAST, EXTRACT and POSITION are written: a word is where others take a comma."""
    if not failure.open_brackets or failure.open_brackets[-1].type != "LPAR":
        return None
    kind = failure.opened_by
    if kind == "CAST" and (failure.terminal in ("COMMA", "RPAR") or "AS" in failure.expected):
        return failure.error("CAST names a type after AS", hint="write CAST(x AS decimal(18,2))")
    if kind == "EXTRACT" and (
        failure.terminal in ("COMMA", "STRING") or "FROM" in failure.expected
    ):
        return failure.error(
            "EXTRACT names a field before FROM", hint="write EXTRACT(month FROM day)"
        )
    if kind == "POSITION" and failure.terminal in ("COMMA", "RPAR"):
        return failure.error(
            "POSITION takes a part IN a text", hint="write POSITION('a' IN region)"
        )
    return None


def _level_without_name(failure: ParseFailure) -> Diagnosis:
    """Say how an anchor takes an expression: in parentheses, under a name of its own."""
    named = "write AT (EXTRACT(year FROM day) AS y)"
    if failure.terminal == "LPAR" and failure.previous(2) in ("AT", "ASCRIBE"):
        return failure.error("an expression stands in parentheses in an anchor", hint=named)
    if not failure.open_brackets or "AS" not in failure.expected:
        return None
    due = failure.terminal in ("RPAR", "RBRACE", "COMMA") or failure.terminal in _NAMES
    in_anchor = failure.opened_by in ("AT", "ASCRIBE")
    if not in_anchor or not due or "COMMA" in failure.expected:
        return None
    return failure.error("an expression in an anchor has a name after AS", hint=named)


def _unfinished_case(failure: ParseFailure) -> Diagnosis:
    """Say which word of a CASE is due, where one stopped in the middle."""
    cases = [token for token in failure.tokens if token.type in ("CASE", "END")]
    if not cases or cases[-1].type != "CASE":
        return None
    due = [word for word in ("WHEN", "THEN", "END") if word in failure.expected]
    ended = (
        failure.unexpected is None or failure.terminal in CLAUSES or failure.terminal in _CASE_ENDS
    )
    if not due or not ended:
        return None
    return failure.error(
        f"the CASE opened here lacks {due[-1]}",
        hint="write CASE WHEN x THEN y ELSE z END",
        place=token_place(cases[-1]),
    )


def _missing_operand(failure: ParseFailure) -> Diagnosis:
    """Say what is left out, where an expression is due and the text goes on, or ends."""
    ended = (
        failure.unexpected is None or failure.terminal in CLAUSES or failure.terminal in _ENDINGS
    )
    before = failure.tokens[-1] if failure.tokens else None
    if not ended or before is None:
        return None
    place = token_place(before)
    match before.type:
        case "SELECT":
            return failure.error("SELECT names nothing", hint="name a metric, or a level")
        case "AT":
            return failure.error("AT names no level", hint="AT () is the grand total", place=place)
        case "COMMA":
            return failure.error("nothing follows the comma", place=place)
        case "LPAR" if failure.previous(2) == "IN":
            return failure.error("the list after IN is empty", hint="write IN ('a', 'b')")
        case "LPAR" if failure.previous(2) in _NAMES and failure.terminal == "RPAR":
            name = f"{failure.tokens[-2]}()"
            return failure.error(
                f"{echo(name)} is given nothing, and every function takes an argument",
                hint="COUNT(*) counts rows; a moment such as today's is bound as a parameter",
                place=token_place(failure.tokens[-2]),
            )
        case kind if kind in CLAUSES:
            return failure.error(f"{CLAUSES[kind]} says nothing", place=place)
        case kind if kind != "LPAR" and failure.expected >= _EXPRESSION:
            return failure.error(f"nothing follows `{echo(before)}`", place=place)
    return None


def _unquoted_text(failure: ParseFailure) -> Diagnosis:
    """Say how a text is written, where a second word follows what a comparison took for a name."""
    if (
        failure.terminal not in _NAMES
        or failure.previous(1) not in _NAMES
        or failure.previous(2) != "CMP"
    ):
        return None
    return failure.error(
        f"found `{echo(failure.unexpected or '')}` behind `{echo(failure.tokens[-1])}`",
        hint=_in_quotes(f"{failure.tokens[-1]} {failure.unexpected}"),
    )


def _in_quotes(text: str) -> str:
    return f"a text stands in single quotes: '{echo(text.strip(chr(34)))}'"


def _repeated_clause(failure: ParseFailure) -> Diagnosis:
    if failure.open_brackets or failure.terminal not in failure.clauses:
        return None
    hint = "join the two conditions with AND" if failure.terminal in ("WHERE", "HAVING") else None
    return failure.error(f"{CLAUSES[failure.terminal]} given twice", hint=hint)


def _parentheses(failure: ParseFailure) -> Diagnosis:
    if failure.terminal in ("RPAR", "RBRACE") and not failure.closes():
        return failure.error(f"`{SPELLINGS[failure.terminal]}` closes nothing that is open")
    if not failure.open_brackets:
        return None
    if failure.terminal == "AT" and failure.previous(1) in _ENDS:
        rest = failure.text[failure.place.end :]
        if rest.count(")") > rest.count("("):
            return failure.error(
                "AT stands outside parentheses",
                hint="an inner anchor is written @, as in AVG(revenue @ day)",
            )
    if failure.terminal in _AFTER_GRAIN or failure.terminal in CLAUSES:
        opened = failure.open_brackets[-1]
        return failure.error(
            f"the `{opened}` opened here is never closed", place=token_place(opened)
        )
    return None


def _no_grain(failure: ParseFailure) -> Diagnosis:
    if failure.terminal not in _AFTER_GRAIN or "AT" not in failure.expected:
        return None
    return failure.error(NO_GRAIN)


def _misspelled(failure: ParseFailure) -> Diagnosis:
    if failure.previous(1) == "WORD" and failure.previous(2) in _ENDS:
        # Where an alias may stand, the grammar takes a misspelled keyword for one.
        diagnosis = _similar_keyword(failure, failure.tokens[-1], [*CLAUSES.values(), "AS"])
        if diagnosis is not None:
            return diagnosis
    if failure.terminal == "WORD" and failure.unexpected is not None:
        known = [word for kind, word in SPELLINGS.items() if kind in failure.expected]
        return _similar_keyword(failure, failure.unexpected, known)
    return None


def _similar_keyword(failure: ParseFailure, token: Token, known: list[str]) -> Diagnosis:
    """Return the error for a word that is close to a keyword and about as long."""
    near = [
        word
        for word in known
        if any(abs(len(form) - len(token)) <= 1 for form in (word, word.split()[0]))
    ]
    hint = did_you_mean(token, near) if len(token) > 1 else None
    if hint is None:
        return None
    return failure.error(f"`{echo(token)}` means nothing here", hint=hint, place=token_place(token))


def _dotted_function(failure: ParseFailure) -> Diagnosis:
    if failure.terminal != "LPAR" or failure.previous(2) != "DOT":
        return None
    return failure.error("the name of a function has no dots")


def _list_without_parentheses(failure: ParseFailure) -> Diagnosis:
    second = failure.terminal in ("WORD", "QUOTED") and failure.previous(1) in _NAMES
    if failure.terminal != "COMMA" and not second:
        return None
    count = 1
    while failure.previous(count) in (*_NAMES, "DOT", "AS"):
        count += 1
    lead = failure.previous(count)
    if lead == "FROM" and failure.terminal == "COMMA":
        return failure.error("FROM names one schema", hint="without FROM the schemas are found")
    if lead == "FROM" and "AS" in failure.expected and not failure.open_brackets:
        hint = f"write AS {echo(failure.unexpected or '')}"
        return failure.error("another name of what FROM names stands behind AS", hint=hint)
    if lead in ("AT", "PER", "ASCRIBE"):
        sign = SPELLINGS[lead]
        return failure.error(
            "several levels stand in parentheses", hint=f"write {sign} (region, day)"
        )
    return None


def _out_of_order(failure: ParseFailure) -> Diagnosis:
    if failure.terminal not in CLAUSES or "AT" not in failure.clauses or failure.open_brackets:
        return None
    if failure.previous(1) not in _ENDS:
        return None
    return failure.error(
        f"{CLAUSES[failure.terminal]} comes too late", hint=f"the order is {CLAUSE_ORDER}"
    )


def _general(failure: ParseFailure) -> FrameQLSyntaxError:
    """Return the error that names only the unexpected token and the expected ones."""
    end = "the end of the query" if failure.is_query else "the end of the expression"
    actual = end if failure.unexpected is None else f"`{echo(failure.unexpected)}`"
    hint = None
    word = str(failure.unexpected or "").lower()
    if "WORD" in failure.expected and word in HARD_KEYWORDS and failure.terminal not in CLAUSES:
        hint = f'a name spelled like the keyword is written "{word}"'
    elif failure.terminal in _NAMES and "STRING" in failure.expected:
        hint = _in_quotes(str(failure.unexpected))
    elif failure.is_query and "AT" in failure.expected:
        hint = NO_GRAIN
    return failure.error(
        f"found {actual}, expected {expected_words(failure.expected, end)}", hint=hint
    )


_RULES = (
    _second_statement,
    _not_a_query,
    _subquery,
    _sql_construct,
    _function_with_words,
    _level_without_name,
    _unfinished_case,
    _missing_operand,
    _repeated_clause,
    _parentheses,
    _no_grain,
    _misspelled,
    _unquoted_text,
    _dotted_function,
    _list_without_parentheses,
    _out_of_order,
)
