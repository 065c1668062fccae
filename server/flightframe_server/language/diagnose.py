"""Says what is wrong with a text whose words do not fit together, in the language's own words.

What comes in: the `Scene` at which reading stopped. What goes out: one `FrameQLSyntaxError` to
raise. It must never repair a text, echo more than 80 characters of it, or raise itself. The rules
stand in order: the first that recognises the mistake speaks.
"""

from __future__ import annotations

import re

from lark import Token

from flightframe_server.errors import FrameQLSyntaxError, did_you_mean
from flightframe_server.language.bounds import echo, token_place
from flightframe_server.language.scene import Scene
from flightframe_server.language.words import (
    CLAUSE_ORDER,
    CLAUSES,
    HARD_KEYWORDS,
    SOFT_KEYWORDS,
    SPELLINGS,
    expected_words,
)

Verdict = FrameQLSyntaxError | None

NO_GRAIN = "a query names its grain: AT level, or AT () for the grand total"

# Constructs of SQL that Frame-QL does without, found in the words around the mistake.
_FOREIGN = (
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


def unexpected(scene: Scene) -> FrameQLSyntaxError:
    """Return the error for a token that does not fit, or a text that ends too early."""
    for rule in _RULES:
        verdict = rule(scene)
        if verdict is not None:
            return verdict
    return _plain(scene)


def _second_statement(scene: Scene) -> Verdict:
    if scene.behind(1) != "SEMICOLON":
        return None
    return scene.error("one statement at a time", hint="nothing may follow the `;`")


def _not_a_query(scene: Scene) -> Verdict:
    if not scene.is_query or "SELECT" not in scene.accepts:
        return None
    if scene.found is None:
        return scene.error("there is no query here", hint="a query starts with SELECT")
    word = str(scene.found).upper()
    if _OTHER_STATEMENTS.fullmatch(word):
        return scene.error(f"Frame-QL only reads: there is no {word}")
    known = [SPELLINGS[kind] for kind in sorted(scene.accepts)]
    hint = did_you_mean(word, known) if scene.kind == "WORD" else None
    return scene.error(
        f"found `{echo(scene.found)}`, expected SELECT", hint=hint or "a query starts with SELECT"
    )


def _subquery(scene: Scene) -> Verdict:
    if scene.kind != "SELECT" or not (scene.opened or scene.behind(1) == "LPAR"):
        return None
    return scene.error(
        "there are no subqueries", hint="ask for the inner value first and bind it as a parameter"
    )


def _foreign(scene: Scene) -> Verdict:
    window = scene.window()
    for pattern, message, hint in _FOREIGN:
        match = re.search(pattern, window)
        if match is not None:
            # A word that was taken for an alias is to blame before what follows it.
            before = scene.seen[-1] if scene.seen else None
            blamed = before is not None and match.end() <= len(before)
            place = token_place(before) if before is not None and blamed else None
            return scene.error(message, hint=hint, place=place)
    return None


def _function_with_words(scene: Scene) -> Verdict:
    """Say how CAST and EXTRACT are written: with a word where other functions take a comma."""
    if not scene.opened or scene.opened[-1].type != "LPAR":
        return None
    index = scene.seen.index(scene.opened[-1])
    kind = scene.seen[index - 1].type if index else ""
    if kind == "CAST" and (scene.kind in ("COMMA", "RPAR") or "AS" in scene.accepts):
        return scene.error("CAST names a type after AS", hint="write CAST(x AS decimal(18,2))")
    if kind == "EXTRACT" and (scene.kind in ("COMMA", "STRING") or "FROM" in scene.accepts):
        return scene.error(
            "EXTRACT names a field before FROM", hint="write EXTRACT(month FROM day)"
        )
    return None


def _case(scene: Scene) -> Verdict:
    """Say which word of a CASE is due, where one stopped in the middle."""
    cases = [token for token in scene.seen if token.type in ("CASE", "END")]
    if not cases or cases[-1].type != "CASE":
        return None
    due = [word for word in ("WHEN", "THEN", "END") if word in scene.accepts]
    ended = scene.found is None or scene.kind in CLAUSES or scene.kind in _CASE_ENDS
    if not due or not ended:
        return None
    return scene.error(
        f"the CASE opened here lacks {due[-1]}",
        hint="write CASE WHEN x THEN y ELSE z END",
        place=token_place(cases[-1]),
    )


def _nothing_there(scene: Scene) -> Verdict:
    """Say what is left out, where an expression is due and the text goes on, or ends."""
    ended = scene.found is None or scene.kind in CLAUSES or scene.kind in _ENDINGS
    before = scene.seen[-1] if scene.seen else None
    if not ended or before is None:
        return None
    place = token_place(before)
    match before.type:
        case "SELECT":
            return scene.error("SELECT names nothing", hint="name a metric, or a level")
        case "AT":
            return scene.error("AT names no level", hint="AT () is the grand total", place=place)
        case "COMMA":
            return scene.error("nothing follows the comma", place=place)
        case "LPAR" if scene.behind(2) == "IN":
            return scene.error("the list after IN is empty", hint="write IN ('a', 'b')")
        case "LPAR" if scene.behind(2) in _NAMES and scene.kind == "RPAR":
            name = f"{scene.seen[-2]}()"
            return scene.error(
                f"{echo(name)} is given nothing, and every function takes an argument",
                hint="COUNT(*) counts rows; a moment such as today's is bound as a parameter",
                place=token_place(scene.seen[-2]),
            )
        case kind if kind in CLAUSES:
            return scene.error(f"{CLAUSES[kind]} says nothing", place=place)
        case kind if kind != "LPAR" and scene.accepts >= _EXPRESSION:
            return scene.error(f"nothing follows `{echo(before)}`", place=place)
    return None


def _two_words(scene: Scene) -> Verdict:
    """Say how a text is written, where a second word follows what a comparison took for a name."""
    if scene.kind not in _NAMES or scene.behind(1) not in _NAMES or scene.behind(2) != "CMP":
        return None
    return scene.error(
        f"found `{echo(scene.found or '')}` behind `{echo(scene.seen[-1])}`",
        hint=_in_quotes(f"{scene.seen[-1]} {scene.found}"),
    )


def _in_quotes(text: str) -> str:
    return f"a text stands in single quotes: '{echo(text.strip(chr(34)))}'"


def _given_twice(scene: Scene) -> Verdict:
    if scene.opened or scene.kind not in scene.clauses:
        return None
    hint = "join the two conditions with AND" if scene.kind in ("WHERE", "HAVING") else None
    return scene.error(f"{CLAUSES[scene.kind]} given twice", hint=hint)


def _parentheses(scene: Scene) -> Verdict:
    if scene.kind in ("RPAR", "RBRACE") and not scene.closes():
        return scene.error(f"`{SPELLINGS[scene.kind]}` closes nothing that is open")
    if not scene.opened:
        return None
    if scene.kind == "AT" and scene.behind(1) in _ENDS:
        rest = scene.text[scene.place.end :]
        if rest.count(")") > rest.count("("):
            return scene.error(
                "AT stands outside parentheses",
                hint="an inner anchor is written @, as in AVG(revenue @ day)",
            )
    if scene.kind in _AFTER_GRAIN or scene.kind in CLAUSES:
        opened = scene.opened[-1]
        return scene.error(f"the `{opened}` opened here is never closed", place=token_place(opened))
    return None


def _no_grain(scene: Scene) -> Verdict:
    if scene.kind not in _AFTER_GRAIN or "AT" not in scene.accepts:
        return None
    return scene.error(NO_GRAIN)


def _misspelled(scene: Scene) -> Verdict:
    if scene.behind(1) == "WORD" and scene.behind(2) in _ENDS:
        # Where an alias may stand, a misspelled keyword is first taken for one.
        verdict = _close(scene, scene.seen[-1], [*CLAUSES.values(), "AS"])
        if verdict is not None:
            return verdict
    if scene.kind == "WORD" and scene.found is not None:
        known = [word for kind, word in SPELLINGS.items() if kind in scene.accepts]
        return _close(scene, scene.found, known)
    return None


def _close(scene: Scene, token: Token, known: list[str]) -> Verdict:
    """Return the error for a word that is close to a keyword and about as long."""
    near = [
        word
        for word in known
        if any(abs(len(form) - len(token)) <= 1 for form in (word, word.split()[0]))
    ]
    hint = did_you_mean(token, near) if len(token) > 1 else None
    if hint is None:
        return None
    return scene.error(f"`{echo(token)}` means nothing here", hint=hint, place=token_place(token))


def _dotted_function(scene: Scene) -> Verdict:
    if scene.kind != "LPAR" or scene.behind(2) != "DOT":
        return None
    return scene.error("the name of a function has no dots")


def _list_without_parentheses(scene: Scene) -> Verdict:
    second = scene.kind in ("WORD", "QUOTED") and scene.behind(1) in _NAMES
    if scene.kind != "COMMA" and not second:
        return None
    count = 1
    while scene.behind(count) in _NAMES or scene.behind(count) == "DOT":
        count += 1
    lead = scene.behind(count)
    if lead == "FROM" and scene.kind == "COMMA":
        return scene.error("FROM names one schema", hint="without FROM the schemas are found")
    if lead in ("AT", "PER", "ASCRIBE"):
        sign = SPELLINGS[lead]
        return scene.error(
            "several levels stand in parentheses", hint=f"write {sign} (region, day)"
        )
    return None


def _out_of_order(scene: Scene) -> Verdict:
    if scene.kind not in CLAUSES or "AT" not in scene.clauses or scene.opened:
        return None
    if scene.behind(1) not in _ENDS:
        return None
    return scene.error(f"{CLAUSES[scene.kind]} comes too late", hint=f"the order is {CLAUSE_ORDER}")


def _plain(scene: Scene) -> FrameQLSyntaxError:
    """Return the error that says only what was found and what was expected."""
    end = "the end of the query" if scene.is_query else "the end of the expression"
    found = end if scene.found is None else f"`{echo(scene.found)}`"
    hint = None
    word = str(scene.found or "").lower()
    if "WORD" in scene.accepts and word in HARD_KEYWORDS and scene.kind not in CLAUSES:
        hint = f'a name spelled like the keyword is written "{word}"'
    elif scene.kind in _NAMES and "STRING" in scene.accepts:
        hint = _in_quotes(str(scene.found))
    elif scene.is_query and "AT" in scene.accepts:
        hint = NO_GRAIN
    return scene.error(f"found {found}, expected {expected_words(scene.accepts, end)}", hint=hint)


_RULES = (
    _second_statement,
    _not_a_query,
    _subquery,
    _foreign,
    _function_with_words,
    _case,
    _nothing_there,
    _given_twice,
    _parentheses,
    _no_grain,
    _misspelled,
    _two_words,
    _dotted_function,
    _list_without_parentheses,
    _out_of_order,
)
